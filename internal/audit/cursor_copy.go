package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// copyCursors makes the cursors of a copy the same as a log's, so that a sink goes on
// where it was when the copy is restored. They are copied before the log is: none may be
// ahead of it.
func copyCursors(from, to files) error {
	names, err := cursorFiles(from)
	if err != nil {
		return err
	}
	had, err := cursorFiles(to)
	if err != nil || len(names)+len(had) == 0 {
		return err
	}
	if err := to.mkdir(cursorDir); err != nil {
		return err
	}
	for _, n := range names {
		text, err := readUpTo(from, cursorDir+"/"+n, maxCursor)
		if errors.Is(err, fs.ErrNotExist) { // meanwhile
			continue
		}
		if err == nil {
			err = putFile(to, cursorDir, cursorDir+"/"+n, text)
		}
		if err != nil {
			return fmt.Errorf("copying the cursor %s: %w", n, err)
		}
	}
	for _, n := range had {
		if slices.Contains(names, n) {
			continue
		}
		if err := to.remove(cursorDir + "/" + n); err != nil {
			return fmt.Errorf("removing the cursor %s: %w", n, err)
		}
	}
	return to.syncDir(cursorDir)
}

// cursorFiles are the files of cursors, without what was being written when the power
// failed.
func cursorFiles(fsys files) ([]string, error) {
	names, err := fsys.list(cursorDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the cursors: %w", err)
	}
	return slices.DeleteFunc(names, func(n string) bool {
		name, ok := strings.CutSuffix(n, cursorSuffix)
		return !ok || !ValidCursor(name)
	}), nil
}
