package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/crmgate/crmgate/internal/keys"
)

// IsNode reports whether a string can be a node's name.
func IsNode(s string) bool {
	return s != "" && len(s) <= maxNode && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '.' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// OfNode reports whether a checkpoint is of the log that is kept under a node's name,
// which was perhaps restored since, or before.
func OfNode(checkpoint []byte, node string) bool {
	origin, _, _ := strings.Cut(string(checkpoint), "\n")
	of, err := identityOf(origin)
	return err == nil && (of.node == node || baseNode(of.node) == node)
}

// LastCheckpoint is the newest one of a node's log in its database, nil for none. Its
// name begins with the day on which it was signed.
func LastCheckpoint(rows Rows, ring *keys.Ring) (*Checkpoint, error) {
	all, err := (&Options{Rows: rows, files: newRowFiles(rows)}).shelf("", ring).load()
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[len(all)-1], nil
}

// Refresh takes out of the index, and out of memory, what another process has
// destroyed in the log since. Whoever searches the log of another node calls it before.
func (ix *Index) Refresh(ctx context.Context) error {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	names, err := ix.log.list(keyDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking for destroyed months: %w", err)
	}
	var gone []*Destroyed
	for _, name := range names {
		id, ok, err := keyFile(name)
		if err != nil {
			return err
		}
		if !ok || !strings.HasSuffix(name, goneSuffix) || ix.forgotten[id] {
			continue
		}
		d, err := ix.keys.tombstone(id)
		if err != nil {
			return fmt.Errorf("looking for destroyed months: %w", err)
		}
		gone = append(gone, d)
	}
	if len(gone) == 0 {
		return nil
	}
	if err := ix.forget(ctx, gone); err != nil {
		return fmt.Errorf("taking destroyed months out of the index: %w", err)
	}
	for _, d := range gone {
		ix.forgotten[d.Key] = true
	}
	return nil
}
