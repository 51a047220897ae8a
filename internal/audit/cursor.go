package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// Cursor is how far somebody has passed a log's entries on. It is kept beside the
// log, in a directory or in its database, so that it is where the log is.
type Cursor struct {
	// Name is whose cursor it is: 1 to 32 small letters, digits, _ and -.
	Name string `json:"name"`
	// Node is the log's name when it was written.
	Node string `json:"node"`
	// To is where they go, in words.
	To string `json:"to,omitempty"`
	// Next is the number of the first entry that wasn't passed on.
	Next uint64 `json:"next"`
	// Lost are entries that were destroyed before, and that no entry names yet.
	Lost *Lost `json:"lost,omitempty"`
}

const (
	cursorDir    = "sinks"
	cursorSuffix = ".cursor"
	// maxCursor is the length of one: where it leads may be a long path.
	maxCursor = 1 << 16
)

// ErrCursor says that a cursor can't be read.
var ErrCursor = errors.New("not a cursor of this log")

var cursorName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)

// ValidCursor reports whether a cursor can have that name.
func ValidCursor(name string) bool { return cursorName.MatchString(name) }

func cursorFile(name string) string { return cursorDir + "/" + name + cursorSuffix }

// Cursors returns those that are kept, by name.
func (l *Log) Cursors() (map[string]Cursor, error) {
	names, err := l.files.list(cursorDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the cursors: %w", err)
	}
	all := map[string]Cursor{}
	for _, file := range names {
		name, ok := strings.CutSuffix(file, cursorSuffix)
		if !ok || !ValidCursor(name) {
			continue // what was being written when the power failed
		}
		if all[name], err = l.cursor(name); err != nil {
			return nil, fmt.Errorf("reading the cursor %s: %w", name, err)
		}
	}
	return all, nil
}

func (l *Log) cursor(name string) (c Cursor, err error) {
	text, err := readUpTo(l.files, cursorFile(name), maxCursor)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(text, &c); err != nil || c.Name != name {
		return c, fmt.Errorf("%w: %s; delete it, and the sink begins anew", ErrCursor, cursorFile(name))
	}
	return c, nil
}

// KeepCursor makes a cursor durable.
func (l *Log) KeepCursor(c Cursor) error {
	if !ValidCursor(c.Name) {
		return fmt.Errorf("keeping a cursor: %w: the name %q", ErrCursor, c.Name)
	}
	c.Node = l.id.node
	text, err := json.Marshal(c)
	if err == nil {
		err = l.writing()
	}
	if err == nil {
		err = l.files.mkdir(cursorDir)
	}
	if err == nil {
		err = place(l.files, cursorDir, cursorFile(c.Name), func(f file) error {
			_, err := f.WriteAt(append(text, '\n'), 0)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("keeping the cursor %s: %w", c.Name, err)
	}
	return nil
}

// ForgetCursor takes a cursor away; that there is none is no error.
func (l *Log) ForgetCursor(name string) error {
	err := l.writing()
	if err == nil {
		err = l.files.remove(cursorFile(name))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = l.files.syncDir(cursorDir)
	}
	if err != nil {
		return fmt.Errorf("forgetting the cursor %s: %w", name, err)
	}
	return nil
}

// writing refuses once the log is closed: its directory may be another process's.
func (l *Log) writing() error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return ErrClosed
	}
	return nil
}
