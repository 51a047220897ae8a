package audit

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"
)

const (
	defaultSegment = 64 << 20
	minSegment     = 16 << 10
	defaultTimeout = 5 * time.Second
	queueLength    = 4096
)

// Options are what a log's owner may choose. The zero value is the product's.
type Options struct {
	// Node names the writer in receipts: up to 63 letters, digits, dots and
	// hyphens. A new log without one gets a random name; an existing log keeps
	// its own, and another name is refused.
	Node string
	// SegmentSize is the size of new segments in bytes, 64 MiB if 0 and at least
	// 16 KiB. Two of them are made at the first start.
	SegmentSize int64
	// Timeout bounds how long an append waits, 5 s if 0: a disk that stalls for less
	// delays, and refuses nobody.
	Timeout time.Duration
	// Checkpoints is the directory that the checkpoints are kept in: on another
	// disk than the log, best of all. It belongs to this log alone. "checkpoints"
	// in the log's own directory if empty.
	Checkpoints string

	// Rows keep the log in a database, in place of a directory; the directory's
	// name is for nothing then. They need a Node. Checkpoints are kept beside it in
	// the database, and in the directory Checkpoints, too, if one is named: so that
	// this node sees a database that has lost entries.
	Rows Rows
	// Fellows has the logs of other nodes, whose holds hold here, too; nil: none.
	Fellows Database

	// Elsewhere, if set, is asked at the start for checkpoints of the log of an origin that
	// others hold, by where they are: a log that is shorter than one of them, which this
	// log's key has signed, doesn't start.
	Elsewhere func(ctx context.Context, origin string) map[string][]byte

	files    files      // another file layer, in tests
	restored *recovered // what to go on from, in place of what is found
	adopted  *adoption  // a log without checkpoints that is taken as it is
	every    time.Duration
	patience time.Duration
	now      func() (wall time.Time, since time.Duration)
}

func (o *Options) fill(dir string) error {
	if o.SegmentSize == 0 {
		o.SegmentSize = defaultSegment
	}
	if o.SegmentSize < minSegment || o.SegmentSize > 1<<31-1 {
		return fmt.Errorf("a segment of %d bytes: it takes %d to %d", o.SegmentSize, minSegment, 1<<31-1)
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Node != "" && !regexp.MustCompile(`^[A-Za-z0-9.-]{1,63}$`).MatchString(o.Node) {
		return fmt.Errorf("node name %q: it takes 1 to 63 letters, digits, dots and hyphens", o.Node)
	}
	if o.Rows != nil && o.Node == "" {
		return errors.New("a log in a database needs a node's name")
	}
	if o.files == nil {
		o.files = filesOf(dir, o.Rows)
	}
	if o.every == 0 {
		o.every = defaultEvery
	}
	if o.patience == 0 {
		o.patience = defaultPatience
	}
	return nil
}
