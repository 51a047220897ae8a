package audit

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// files is what the log needs of a file system, in names below its directory.
// It exists so that tests can cut the power: every promise of durability in this
// package goes through datasync, sync and syncDir.
type files interface {
	// mkdir makes a directory; that it exists is no error.
	mkdir(name string) error
	// list returns the names in a directory, sorted.
	list(dir string) ([]string, error)
	// create makes a file that must not exist; open opens one for reading, and
	// for writing if asked to.
	create(name string) (file, error)
	open(name string, write bool) (file, error)
	rename(from, to string) error
	remove(name string) error
	// syncDir makes the names in a directory durable.
	syncDir(dir string) error
	// lock takes the exclusive lock of that name, or returns ErrLocked.
	lock(name string) (io.Closer, error)
}

type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	size() (int64, error)
	// datasync makes written bytes durable, sync the file's metadata too.
	datasync() error
	sync() error
}

// osFiles is the operating system's file system below a directory.
type osFiles struct{ dir string }

func (o osFiles) path(name string) string { return filepath.Join(o.dir, name) }

func (o osFiles) overwrites() {}

func (o osFiles) mkdir(name string) error {
	if err := os.MkdirAll(o.path(name), 0o700); err != nil {
		return fmt.Errorf("making directory: %w", err)
	}
	return nil
}

func (o osFiles) list(dir string) ([]string, error) {
	entries, err := os.ReadDir(o.path(dir))
	if err != nil {
		return nil, fmt.Errorf("listing the log: %w", err)
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

func (o osFiles) create(name string) (file, error) {
	return opened(os.OpenFile(o.path(name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600))
}

func (o osFiles) open(name string, write bool) (file, error) {
	if write {
		return opened(os.OpenFile(o.path(name), os.O_RDWR, 0))
	}
	return opened(os.Open(o.path(name)))
}

func opened(f *os.File, err error) (file, error) {
	if err != nil {
		return nil, fmt.Errorf("opening a file of the log: %w", err)
	}
	return osFile{f}, nil
}

func (o osFiles) rename(from, to string) error { return os.Rename(o.path(from), o.path(to)) }

func (o osFiles) remove(name string) error { return os.Remove(o.path(name)) }

func (o osFiles) syncDir(dir string) error {
	d, err := os.Open(o.path(dir))
	if err != nil {
		return fmt.Errorf("syncing directory: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("syncing directory: %w", err)
	}
	return nil
}

type osFile struct{ *os.File }

func (f osFile) size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("reading a file's size: %w", err)
	}
	return info.Size(), nil
}

func (f osFile) sync() error { return f.Sync() }
