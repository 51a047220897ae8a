package audit

import (
	"context"
	"errors"
	"io"

	"golang.org/x/mod/sumdb/tlog"
)

// Errors of a log in a database. Each is a 503 of its own kind; only ErrDatabase
// goes away by itself.
var (
	// ErrDatabase says that the database didn't take or give what was asked. The
	// log tries again by itself.
	ErrDatabase = errors.New("the log's database does not answer as it has to; look at it")
	// ErrFenced says that another process has taken over the node's log.
	ErrFenced = errors.New("another process writes to the log of this node now; " +
		"give each node a name of its own (log { node … }), and start this one anew")
	// ErrBehind says that the database has lost entries that it had acknowledged.
	ErrBehind = errors.New("the log's database is an older copy of it; " +
		"bring the one back that has all entries: nothing is forwarded before")
)

// Database keeps the logs of several nodes.
type Database interface {
	// Nodes names those that have a log, sorted.
	Nodes(ctx context.Context) ([]string, error)
	// Node is the log of one of them, there or not. It asks nothing.
	Node(name string) Rows
	// Alone waits until nobody else has it, and lets others have it when it is
	// closed, or when its connection is lost. Closing it twice is no error.
	Alone(ctx context.Context) (Turn, error)
}

// Turn is what one node has alone.
type Turn interface {
	// Lasts is an error where another node may have it by now.
	Lasts(ctx context.Context) error
	io.Closer
}

// Rows are one node's log in a database, by the names that its files would have.
// A segment's bytes come group by group, each a row of its own; all other files are
// rows as they are. What isn't there is fs.ErrNotExist. Errors hold no secret.
type Rows interface {
	// String names the log for people.
	String() string
	// Hold makes this process the one that writes, or returns ErrLocked where
	// another one lives. It refuses a database that doesn't keep what it
	// acknowledges.
	Hold(ctx context.Context) (Held, error)
	// Mark returns where the log ends; its size is 0 where there is none.
	Mark(ctx context.Context) (Mark, error)
	// List returns the names of all files.
	List(ctx context.Context) ([]string, error)
	// Stat returns a file's size, and where what was written in it ends.
	Stat(ctx context.Context, name string) (size, end int64, err error)
	// Parts returns what was written between two offsets, in order; the first
	// part may begin before from.
	Parts(ctx context.Context, name string, from, to int64) ([]Part, error)
}

// Part is a run of bytes of a file.
type Part struct {
	Offset int64
	Data   []byte
}

// Mark is where a log in a database ends: the commit that was made last.
type Mark struct {
	Size uint64
	Root tlog.Hash
}

// Held is the right to write to a node's log. Each method is one transaction that
// changes nothing where another process has taken the right. After an error what
// was asked may have been done, or may yet be: Resume says. Safe for concurrent use.
type Held interface {
	// Append makes a group durable where the log ends with before, and moves
	// its end to after; else it is ErrFenced.
	Append(ctx context.Context, name string, group Part, before, after Mark) error
	// Put makes a file of that size with that content, in place of what was there.
	// Behind the content are zeros.
	Put(ctx context.Context, name string, size int64, content []byte) error
	Remove(ctx context.Context, name string) error
	// Resume returns where the log ends. An Append that was sent before and wasn't
	// done by then is never done.
	Resume(ctx context.Context) (Mark, error)
	// Scrub takes away what Remove, and Put in another's place, have left of the bytes
	// that were there.
	Scrub(ctx context.Context) error
	// Release lets others write.
	io.Closer
}
