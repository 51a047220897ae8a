package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"
	"time"
)

// rowsTimeout bounds each operation.
const rowsTimeout = 5 * time.Second

func rowsContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), rowsTimeout)
}

func rowsError(err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrFenced) || errors.Is(err, ErrLocked) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDatabase, err)
}

// rowFiles are the files of a log in a database. A file is written whole in memory
// and put in its place by one transaction, so what makes files durable in a
// directory (sync, syncDir, a name of its own while it is written) has nothing to do.
type rowFiles struct {
	rows Rows

	mu   sync.Mutex
	held Held
	// mark is where the log ends, as far as this process knows.
	mark Mark
	// unplaced are files that have no place yet.
	unplaced map[string]*rowDraft
}

func newRowFiles(rows Rows) *rowFiles {
	return &rowFiles{rows: rows, unplaced: map[string]*rowDraft{}}
}

var errNotHeld = errors.New("the log in the database was opened for reading")

func (r *rowFiles) writer() (Held, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held == nil {
		return nil, errNotHeld
	}
	return r.held, nil
}

func (r *rowFiles) mkdir(string) error { return nil }

func (r *rowFiles) syncDir(string) error { return nil }

func (r *rowFiles) list(dir string) ([]string, error) {
	ctx, cancel := rowsContext()
	defer cancel()
	all, err := r.rows.List(ctx)
	if err != nil {
		return nil, rowsError(err)
	}
	var names []string
	for _, name := range all {
		if path.Dir(name) == path.Clean(dir) {
			names = append(names, path.Base(name))
		}
	}
	return names, nil
}

func (r *rowFiles) create(name string) (file, error) {
	if !strings.HasSuffix(name, tmpSuffix) {
		return nil, fmt.Errorf("making %s: in a database a file is made under another name first", name)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.unplaced[name] != nil {
		return nil, fmt.Errorf("making %s: %w", name, fs.ErrExist)
	}
	f := &rowDraft{}
	r.unplaced[name] = f
	return f, nil
}

func (r *rowFiles) open(name string, write bool) (file, error) {
	ctx, cancel := rowsContext()
	defer cancel()
	size, end, err := r.rows.Stat(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("opening %s of %s: %w", name, r.rows, rowsError(err))
	}
	f := &rowFile{files: r, name: name, length: size, end: end}
	if !write && strings.HasSuffix(name, segmentSuffix) {
		// What isn't written yet isn't there for readers: there is nothing torn to
		// look for in it.
		f.length = end
	}
	return f, nil
}

func (r *rowFiles) rename(from, to string) error {
	r.mu.Lock()
	f := r.unplaced[from]
	delete(r.unplaced, from)
	r.mu.Unlock()
	if f == nil {
		return fmt.Errorf("%s: %w", from, fs.ErrNotExist)
	}
	held, err := r.writer()
	if err != nil {
		return err
	}
	ctx, cancel := rowsContext()
	defer cancel()
	return rowsError(held.Put(ctx, to, f.length, f.content))
}

func (r *rowFiles) remove(name string) error {
	if strings.HasSuffix(name, tmpSuffix) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.unplaced[name] == nil {
			return fs.ErrNotExist
		}
		delete(r.unplaced, name)
		return nil
	}
	held, err := r.writer()
	if err != nil {
		return err
	}
	ctx, cancel := rowsContext()
	defer cancel()
	return rowsError(held.Remove(ctx, name))
}

func (r *rowFiles) lock(string) (io.Closer, error) {
	// It may wait for the process before to end.
	ctx, cancel := context.WithTimeout(context.Background(), 3*rowsTimeout)
	defer cancel()
	held, err := r.rows.Hold(ctx)
	if err != nil {
		return nil, rowsError(err)
	}
	r.mu.Lock()
	r.held = held
	r.mu.Unlock()
	if _, err := r.resume(); err != nil {
		return nil, errors.Join(err, held.Close())
	}
	return held, nil
}

// resume asks where the log ends. Nothing that was sent before is done later.
func (r *rowFiles) resume() (Mark, error) {
	held, err := r.writer()
	if err != nil {
		return Mark{}, err
	}
	ctx, cancel := rowsContext()
	defer cancel()
	mark, err := held.Resume(ctx)
	if err != nil {
		return Mark{}, rowsError(err)
	}
	if mark.Size == 0 {
		mark = markAt(tree{})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mark = mark
	return mark, nil
}

// append commits a group at the log's end.
func (r *rowFiles) append(name string, group Part) error {
	after, err := markOf(group.Data)
	if err != nil {
		return err
	}
	r.mu.Lock()
	held, before := r.held, r.mark
	r.mu.Unlock()
	if held == nil {
		return errNotHeld
	}
	ctx, cancel := rowsContext()
	defer cancel()
	if err := held.Append(ctx, name, group, before, after); err != nil {
		return rowsError(err)
	}
	r.mu.Lock()
	r.mark = after
	r.mu.Unlock()
	return nil
}

// rowDraft is a file that is being written in memory.
type rowDraft struct {
	length  int64
	content []byte // without the zeros at its end
}

func (f *rowDraft) ReadAt([]byte, int64) (int, error) {
	return 0, errors.New("a file is read when it is whole")
}

func (f *rowDraft) WriteAt(p []byte, off int64) (int, error) {
	f.length = max(f.length, off+int64(len(p)))
	written := len(p)
	for len(p) > 0 && p[len(p)-1] == 0 && off+int64(len(p)) > int64(len(f.content)) {
		p = p[:len(p)-1]
	}
	if need := int(off) + len(p); len(p) > 0 && need > len(f.content) {
		f.content = append(f.content, make([]byte, need-len(f.content))...)
	}
	if len(p) > 0 {
		copy(f.content[off:], p)
	}
	return written, nil
}

func (f *rowDraft) size() (int64, error) { return f.length, nil }
func (f *rowDraft) datasync() error      { return nil }
func (f *rowDraft) sync() error          { return nil }
func (f *rowDraft) Close() error         { return nil }

// rowFile is a file in the database. What is written to it is one group at a time,
// and datasync is its transaction.
type rowFile struct {
	files       *rowFiles
	name        string
	length, end int64
	// group is written, and not durable.
	group Part
}

func (f *rowFile) size() (int64, error) { return f.length, nil }
func (f *rowFile) sync() error          { return f.datasync() }
func (f *rowFile) Close() error         { return nil }

// ReadAt implements io.ReaderAt. Rows that somebody has taken away leave bytes that
// are no frame: nothing is torn in a database.
func (f *rowFile) ReadAt(p []byte, off int64) (int, error) {
	n := int(min(int64(len(p)), max(0, f.length-off)))
	if n > 0 {
		ctx, cancel := rowsContext()
		defer cancel()
		parts, err := f.files.rows.Parts(ctx, f.name, off, off+int64(n))
		if err != nil {
			return 0, rowsError(err)
		}
		for i := range p[:n] {
			p[i] = 0
			if off+int64(i) < f.end {
				p[i] = 0xff
			}
		}
		for _, part := range parts {
			from := max(0, off-part.Offset)
			if from < int64(len(part.Data)) && part.Offset < off+int64(n) {
				copy(p[max(0, part.Offset-off):n], part.Data[from:])
			}
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *rowFile) WriteAt(p []byte, off int64) (int, error) {
	f.group = Part{Offset: off, Data: append(f.group.Data[:0], p...)}
	return len(p), nil
}

// datasync commits the group that was written.
func (f *rowFile) datasync() error {
	group := f.group
	f.group = Part{}
	if len(group.Data) == 0 {
		return nil
	}
	if err := f.files.append(f.name, group); err != nil {
		return err
	}
	f.end, f.group.Data = max(f.end, group.Offset+int64(len(group.Data))), group.Data[:0]
	return nil
}

var errNoGroup = errors.New("what is written to a segment in a database is not a group")

// markOf reads the commit at the end of a group.
func markOf(group []byte) (Mark, error) {
	if len(group) < commitFrame {
		return Mark{}, errNoGroup
	}
	typ, payload, err := parseFrame(group[len(group)-commitFrame:])
	if err != nil || typ != frameCommit {
		return Mark{}, errNoGroup
	}
	c := parseCommit(payload)
	return Mark{Size: c.size, Root: c.root}, nil
}

// scrub has a database take away what is left of files that were removed. Of a
// directory nothing is left: they were overwritten.
func scrub(ctx context.Context, fsys files) error {
	r, ok := fsys.(*rowFiles)
	if !ok {
		return nil
	}
	held, err := r.writer()
	if err != nil {
		return err
	}
	return rowsError(held.Scrub(ctx))
}
