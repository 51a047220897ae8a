package audit

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// loadAttested takes the checkpoints of an export that others have signed, and checks the
// signatures of those who are given.
func (x *exportCheck) loadAttested(last Checkpoint) error {
	names, err := filepath.Glob(filepath.Join(x.dir, exportAttested, "*"+checkpointSuffix))
	if err != nil {
		return err
	}
	for _, name := range names {
		msg, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("reading the export: %w", err)
		}
		file := exportAttested + "/" + filepath.Base(name)
		c, err := verifiedCheckpoint(x.verifier, msg)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrTampered, file, err)
		}
		if c.Name = file; c.Origin != last.Origin || c.Size > last.Size || !c.attested() {
			return fmt.Errorf("%w: %s is over %d entries of %s, and the export holds %d of %s", ErrTampered, file, c.Size, c.Origin, last.Size, last.Origin)
		}
		if err := x.sameToken(name, c); err != nil {
			return err
		}
		x.marks = append(x.marks, c)
	}
	slices.SortStableFunc(x.marks, bySize)
	x.report.Witnessed, x.report.Stamped, err = x.by.judge(x.marks)
	return err
}

// sameToken refuses a token beside a checkpoint that isn't the one in it: what openssl
// checks has to be what this program checks.
func (x *exportCheck) sameToken(name string, c Checkpoint) error {
	for _, token := range tokens(c) {
		beside := strings.TrimSuffix(name, checkpointSuffix) + tokenSuffix
		got, err := os.ReadFile(beside)
		if err != nil || !slices.Equal(got, token) {
			return fmt.Errorf("%w: %s isn't the time stamp in %s", ErrTampered, filepath.Base(beside), c.Name)
		}
	}
	return nil
}

// agree compares the entries so far, and more leaves, with the checkpoints that lie within.
func (x *exportCheck) agree(leaves []tlog.Hash) error {
	for ; len(x.marks) > 0 && x.marks[0].Size <= x.entries.size+uint64(len(leaves)); x.marks = x.marks[1:] {
		m := x.marks[0]
		if x.bad < 0 && x.entries.grow(leaves[:m.Size-x.entries.size]...).root() != m.Root {
			return fmt.Errorf("%w: %s, which others have signed, is over other entries than those before %d", ErrTampered, m.Name, m.Size)
		}
	}
	return nil
}
