package audit

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// errReadOnly says that somebody tried to write to a backup.
var errReadOnly = errors.New("a backup is only read")

// flat shows a directory of data keys as a log has them, below keys/.
type flat struct{ files }

func (f flat) open(name string, write bool) (file, error) {
	return f.files.open(path.Base(name), write)
}
func (f flat) remove(name string) error { return f.files.remove(path.Base(name)) }
func (f flat) syncDir(string) error     { return f.files.syncDir(".") }
func (f flat) overwrites()              {}

// backupFiles shows a backup and its data keys as the log that they were.
type backupFiles struct{ out, keys files }

// at returns where a file of the log is.
func (b backupFiles) at(name string) (files, string) {
	if stem, ok := strings.CutSuffix(name, segmentSuffix); ok {
		return b.out, stem + copySuffix
	}
	if path.Dir(name) == keyDir {
		return b.keys, path.Base(name)
	}
	return b.out, name
}

func (b backupFiles) open(name string, _ bool) (file, error) {
	fsys, at := b.at(name)
	f, err := fsys.open(at, false)
	if errors.Is(err, fs.ErrNotExist) && path.Dir(name) == keyDir && strings.HasSuffix(name, goneSuffix) {
		return b.out.open(name, false)
	}
	return f, err
}

func (b backupFiles) list(dir string) ([]string, error) {
	if dir != keyDir {
		names, err := b.out.list(dir)
		for i, n := range names {
			if stem, ok := strings.CutSuffix(n, copySuffix); ok {
				names[i] = stem + segmentSuffix
			}
		}
		return names, err
	}
	names, err := b.keys.list(".")
	if err != nil {
		return nil, err
	}
	more, err := b.out.list(keyDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	names = append(names, more...)
	slices.Sort(names)
	return slices.Compact(names), nil
}

func (b backupFiles) mkdir(string) error             { return errReadOnly }
func (b backupFiles) create(string) (file, error)    { return nil, errReadOnly }
func (b backupFiles) rename(string, string) error    { return errReadOnly }
func (b backupFiles) remove(string) error            { return errReadOnly }
func (b backupFiles) syncDir(string) error           { return errReadOnly }
func (b backupFiles) lock(string) (io.Closer, error) { return nil, errReadOnly }

// within reports whether a directory lies in another, or may.
func within(dir, other string) bool {
	a, errA := filepath.Abs(dir)
	b, errB := filepath.Abs(other)
	if errA != nil || errB != nil {
		return true
	}
	rel, err := filepath.Rel(a, b)
	return err != nil || rel == "." || !strings.HasPrefix(rel, "..")
}
