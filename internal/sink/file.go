package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/ocsf"
)

// File writes entries to a file as OCSF events, one a line. What a crash has left of
// a line is taken away before the next one is written. A file that was moved away is
// left, and begun anew under its name.
type File struct {
	Path string
	Mode os.FileMode
	// RollBytes is how large it gets before it is moved to PATH.TIME, 0 for any
	// size; Keep is how many of those stay.
	RollBytes int64
	Keep      int

	file    *os.File
	buf     []byte
	entries int
}

var errNoFile = errors.New("it is there, and isn't a file")

// Add implements Target.
func (f *File) Add(s *audit.Stored) (err error) {
	f.entries++
	f.buf, err = ocsf.Append(f.buf, s)
	return err
}

// Full implements Target.
func (f *File) Full() bool { return f.entries >= batchEntries || len(f.buf) >= batchBytes }

// Drop implements Target.
func (f *File) Drop() {
	f.buf, f.entries = f.buf[:0], 0
	if cap(f.buf) > 4*batchBytes {
		f.buf = nil
	}
}

// Deliver implements Target.
func (f *File) Deliver(context.Context) error {
	if err := f.ready(); err != nil {
		return fmt.Errorf("opening %s: %w", f.Path, err)
	}
	if err := f.roll(); err != nil {
		return fmt.Errorf("rolling %s: %w", f.Path, err)
	}
	if _, err := f.file.Write(f.buf); err != nil {
		// Opened anew, the part of a line that is there goes.
		return errors.Join(fmt.Errorf("writing %s: %w", f.Path, err), f.Close())
	}
	f.Drop()
	return nil
}

// ready opens the file that stands at the path, if it isn't the one that is open.
func (f *File) ready() error {
	at, err := os.Stat(f.Path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil && !at.Mode().IsRegular() {
		return errNoFile // a pipe would hold up whoever opens it
	}
	if f.file != nil {
		if own, ownErr := f.file.Stat(); ownErr == nil && err == nil && os.SameFile(own, at) {
			return nil
		}
		// It was moved away or deleted. What is in it has to last.
		if err := f.Settle(); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	file, err := os.OpenFile(f.Path, os.O_RDWR|os.O_CREATE|os.O_APPEND, f.Mode)
	if err != nil {
		return err
	}
	if err := mend(file); err != nil {
		return errors.Join(err, file.Close())
	}
	f.file = file
	return syncDir(filepath.Dir(f.Path))
}

// mend takes away what stands behind the last whole line.
func mend(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errNoFile
	}
	buf := make([]byte, 64<<10)
	for end := info.Size(); end > 0; {
		n := min(int64(len(buf)), end)
		if _, err := file.ReadAt(buf[:n], end-n); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if at := bytes.LastIndexByte(buf[:n], '\n'); at >= 0 {
			end += int64(at) + 1 - n
			if end == info.Size() {
				return nil
			}
			return file.Truncate(end)
		}
		end -= n
	}
	return file.Truncate(0)
}

const rolledFormat = "20060102T150405.000000Z"

var rolledSuffix = regexp.MustCompile(`^\.[0-9]{8}T[0-9]{6}\.[0-9]{6}Z$`)

// roll moves a file away that would get too large.
func (f *File) roll() error {
	if f.RollBytes == 0 {
		return nil
	}
	info, err := f.file.Stat()
	if err != nil || info.Size() == 0 || info.Size()+int64(len(f.buf)) <= f.RollBytes {
		return err
	}
	if err := f.Settle(); err != nil {
		return err
	}
	if err := os.Rename(f.Path, f.Path+"."+time.Now().UTC().Format(rolledFormat)); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := f.prune(); err != nil {
		return err
	}
	return f.ready()
}

// prune removes the oldest of those that were moved away.
func (f *File) prune() error {
	all, err := os.ReadDir(filepath.Dir(f.Path))
	if err != nil {
		return err
	}
	var rolled []string
	base := filepath.Base(f.Path)
	for _, e := range all {
		if n := e.Name(); len(n) > len(base) && n[:len(base)] == base && rolledSuffix.MatchString(n[len(base):]) {
			rolled = append(rolled, n)
		}
	}
	slices.Sort(rolled)
	for _, name := range rolled[:max(0, len(rolled)-f.Keep)] {
		if err := os.Remove(filepath.Join(filepath.Dir(f.Path), name)); err != nil {
			return err
		}
	}
	return nil
}

// Settle implements Target.
func (f *File) Settle() error {
	if f.file == nil {
		return nil
	}
	if err := f.file.Sync(); err != nil {
		return errors.Join(fmt.Errorf("syncing %s: %w", f.Path, err), f.Close())
	}
	return nil
}

// Close implements Target.
func (f *File) Close() error {
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

var _ Target = (*File)(nil)
