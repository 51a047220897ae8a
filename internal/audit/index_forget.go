package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// Forget takes the months of destroyed keys out of the index. It may be called
// again for the same keys.
func (ix *Index) Forget(ctx context.Context, gone []*Destroyed) error {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if err := ix.forget(ctx, gone); err != nil {
		return fmt.Errorf("taking destroyed months out of the index: %w", err)
	}
	return nil
}

func (ix *Index) forget(ctx context.Context, gone []*Destroyed) (err error) {
	ix.keys.forget(gone)
	names, err := ix.files.list(".")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var stale []string
	for _, d := range gone {
		// SQLite has files of its own beside each.
		for _, end := range []string{"", "-wal", "-shm", "-journal"} {
			if name := monthName(d.Key) + end; slices.Contains(names, name) {
				stale = append(stale, name)
			}
		}
	}
	if len(stale) == 0 {
		return nil
	}
	lock, err := ix.hold(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	// First: an index whose position names a file that isn't there is made anew.
	if err := ix.leaveOut(gone); err != nil {
		return err
	}
	if err := ix.letGo(gone); err != nil {
		return err
	}
	for _, name := range stale {
		if err := ix.files.remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return ix.files.syncDir(".")
}

// leaveOut writes the position without the months of these keys.
func (ix *Index) leaveOut(gone []*Destroyed) error {
	p, err := ix.at()
	if err != nil || p == nil {
		return err
	}
	p.Months = slices.DeleteFunc(p.Months, func(id uint32) bool {
		return slices.ContainsFunc(gone, func(d *Destroyed) bool { return d.Key == id })
	})
	text, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encoding the index's position: %w", err)
	}
	return place(ix.files, ".", positionName, func(f file) error {
		_, err := f.WriteAt(text, 0)
		return err
	})
}

// letGo closes the files of these keys.
func (ix *Index) letGo(gone []*Destroyed) error {
	ix.dbs.Lock()
	defer ix.dbs.Unlock()
	var err error
	for _, d := range gone {
		if db := ix.months[d.Key]; db != nil {
			err = errors.Join(err, db.Close())
			delete(ix.months, d.Key)
		}
	}
	return err
}
