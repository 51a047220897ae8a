package keys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// FileName is the name of the master keys' file in its directory.
const FileName = "master.key"

// File keeps the master keys in a file, plain or wrapped.
type File struct {
	// Path is the file's. Its directory is made with the first key.
	Path string
	// Wrapper, if set, wraps the text as a whole.
	Wrapper Wrapper
}

// Wrapper wraps the text of the master keys, so that it takes something else than
// the file to read it.
type Wrapper interface {
	Wrap(ctx context.Context, text []byte) ([]byte, error)
	Unwrap(ctx context.Context, wrapped []byte) ([]byte, error)
}

// InDir is the plain file in a directory.
func InDir(dir string) File { return File{Path: filepath.Join(dir, FileName)} }

// Open loads the master keys from the plain file in dir, and makes it on the first
// call.
func Open(dir string) (*Ring, error) { return OpenSource(context.Background(), InDir(dir)) }

func (f File) String() string { return f.Path }

// Load reads the file. One that others may read, or that isn't a key, is refused: a
// new key in its place would leave everything sealed so far unreadable.
func (f File) Load(ctx context.Context) (*Ring, error) {
	text, err := f.read(ctx)
	if err != nil {
		return nil, err
	}
	return f.ring(text)
}

func (f File) ring(text []byte) (*Ring, error) {
	keys, ok := parse(text)
	if !ok {
		return nil, fmt.Errorf("master key %s is malformed; restore it from a backup (a new key can't open what the old one sealed)", f.Path)
	}
	return newRing(keys), nil
}

// read returns the text in the file.
func (f File) read(ctx context.Context) ([]byte, error) {
	limit := maxFile
	if f.Wrapper != nil {
		limit = maxWrapped
	}
	text, err := readFile(f.Path, limit)
	if err != nil || f.Wrapper == nil {
		return text, err
	}
	if text, err = f.Wrapper.Unwrap(ctx, text); err != nil {
		return nil, fmt.Errorf("unwrapping the master key %s: %w", f.Path, err)
	}
	return text, nil
}

// Text returns the keys as they stand in a plain file: for another source to take.
func (f File) Text(ctx context.Context) ([]byte, error) {
	text, err := f.read(ctx)
	if err == nil {
		_, err = f.ring(text)
	}
	return text, err
}

// wrapped is a text as it stands in the file.
func (f File) wrapped(ctx context.Context, text []byte) ([]byte, error) {
	if f.Wrapper == nil {
		return text, nil
	}
	b, err := f.Wrapper.Wrap(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("wrapping the master key %s: %w", f.Path, err)
	}
	return b, nil
}

// readFile reads a file that only its owner may read.
func readFile(path string, limit int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the master key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("opening the master key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("master key %s is not a regular file; put the key file itself there", path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("master key %s has mode %04o: others than its owner may read it; run: chmod 600 %s",
			path, info.Mode().Perm(), path)
	}
	text, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("reading the master key: %w", err)
	}
	return text, nil
}

// Rotate adds a key that begins to seal at from, and returns its id. The file is
// replaced whole or not at all and is durable when Rotate returns; running gateways
// take it with their next Reload. Keys are never taken away: the log's and the
// sessions' of the past hang on them.
func (f File) Rotate(ctx context.Context, from time.Time) (id byte, err error) {
	dir := filepath.Dir(f.Path)
	unlock, err := lock(f.Path)
	if err != nil {
		return 0, err
	}
	defer unlock()
	old, err := f.read(ctx)
	if err != nil {
		return 0, err
	}
	if _, err := f.ring(old); err != nil {
		return 0, err
	}
	text, id, err := Added(old, from)
	if err != nil {
		return 0, err
	}
	info, err := os.Stat(f.Path)
	if err != nil {
		return 0, fmt.Errorf("reading the master key: %w", err)
	}
	tmp, err := f.write(ctx, text)
	if err != nil {
		return 0, err
	}
	err = keepOwner(tmp, info)
	if err == nil {
		err = os.Rename(tmp, f.Path)
	}
	if err != nil {
		return 0, errors.Join(fmt.Errorf("putting the new master key into place: %w", err), os.Remove(tmp))
	}
	return id, syncDir(dir)
}

// lock keeps two rotations from losing one another's key.
func lock(file string) (unlock func(), err error) {
	path := file + ".lock"
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("adding a master key: %w: is another rotation running? If not, remove the file", err)
	}
	return func() { _ = errors.Join(f.Close(), os.Remove(path)) }, nil // what stays is named by the next rotation
}

// Make makes the first key. The file appears whole or not at all, with mode 0600,
// and is durable before Make returns.
func (f File) Make(ctx context.Context) error {
	text, err := First()
	if err != nil {
		return err
	}
	if err := f.Take(ctx, text); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil // of two processes one wins, and both load its key
}

// Take keeps a text that was made elsewhere, where there is none yet; else it is
// fs.ErrExist. It is made in a file of another name and linked into place: a crash
// leaves no half key.
func (f File) Take(ctx context.Context, text []byte) error {
	if _, err := f.ring(text); err != nil {
		return err
	}
	dir := filepath.Dir(f.Path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the key directory: %w", err)
	}
	tmp, err := f.write(ctx, text)
	if err != nil {
		return err
	}
	linkErr := os.Link(tmp, f.Path)
	if err := os.Remove(tmp); err != nil {
		return fmt.Errorf("removing %s: %w", tmp, err)
	}
	if err := errors.Join(syncDir(dir), syncDir(filepath.Dir(filepath.Clean(dir)))); err != nil {
		return err
	}
	if linkErr != nil {
		return fmt.Errorf("putting the master key into place: %w", linkErr)
	}
	return nil
}

// write writes a text to a new file beside the keys, and returns its name. A wrapped
// one is unwrapped again before it may take the place of another.
func (f File) write(ctx context.Context, text []byte) (string, error) {
	b, err := f.wrapped(ctx, text)
	if err != nil {
		return "", err
	}
	if f.Wrapper != nil {
		again, err := f.Wrapper.Unwrap(ctx, b)
		if err != nil || !bytes.Equal(again, text) {
			return "", fmt.Errorf("wrapping the master key %s: what was wrapped can't be unwrapped: %w", f.Path, errors.Join(err, ErrSealed))
		}
	}
	// CreateTemp opens with O_EXCL and mode 0600.
	tmp, err := os.CreateTemp(filepath.Dir(f.Path), filepath.Base(f.Path)+".*.tmp")
	if err != nil {
		return "", fmt.Errorf("creating the master key: %w", err)
	}
	_, err = tmp.Write(b)
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("writing the master key: %w", err), os.Remove(tmp.Name()))
	}
	return tmp.Name(), nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("syncing directory %s: %w", dir, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("syncing directory %s: %w", dir, err)
	}
	return nil
}
