package crmgate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
)

// DeskPath is where a site's desk stands, OwnPath the page on which employees see
// what the log says of them.
const (
	DeskPath = "/.crmgate/desk"
	OwnPath  = "/.crmgate/mine"
)

// Desk are the pages for auditors and data protection officers. A gate loads the
// module `crmgate.desk`, and hands it who is signed in already, by a second factor.
type Desk interface {
	// Open hands over what the desk reads, at the start of its gate.
	Open(app *App, s *Services) error
	// Serve answers a request for DeskPath, what is below it, or OwnPath.
	Serve(v Visitor)
	// Ways are the pages that somebody with these roles has, in their order.
	Ways(roles []string) []Way
}

// Way leads to a page of the desk.
type Way struct{ Path, DE, EN string }

// Visitor is somebody at the desk, with their request.
type Visitor interface {
	Request() *http.Request
	// Path and Query are those that were judged.
	Path() string
	Query() url.Values
	// Lang is de or en.
	Lang() string
	// Employee is the visitor's pseudonym.
	Employee() string
	Roles() []string
	// Append makes an entry of this visitor's durable, and returns its place in
	// the log. Where it can't, it has answered 503 when it returns false: nothing
	// may be shown then.
	Append(event audit.Event, detail string, keyed ...string) (string, bool)
	// Form reads what a page of this site has posted; where it is of another
	// site, too long or no form, it has answered when it returns false.
	Form() (url.Values, bool)
	// Page writes a page. Its status is 200 unless it says otherwise.
	Page(status int, body []byte, policy string)
	// Reload has the browser load the next page anew after some seconds.
	Reload(seconds int)
	// File begins a download.
	File(mediaType, name string) io.Writer
	// Back leads to another page of the desk after a form.
	Back(path string)
	// Refuse answers 403, after an entry with the reason.
	Refuse(reason, de, en string)
	// NotFound answers 404, Failed 503 with a reason; err goes to the process log.
	NotFound()
	Failed(reason string, err error)
}

// Background runs f until it returns; the context ends when the app stops, which
// waits for f.
func (a *App) Background(f func(context.Context)) { a.run(f) }

// Newest returns the entries that match and stand before the number before (0: the
// end), the newest first. What was durable when it was called is found. That
// somebody looks is for the caller to append, before.
func (s *Services) Newest(ctx context.Context, q audit.Query, before uint64) iter.Seq2[audit.Stored, error] {
	upto, _ := s.Log.Head()
	if before > 0 { // what stands behind it isn't waited for
		upto = min(upto, before)
	}
	if err := s.index.Update(ctx, upto, nil); err != nil {
		return func(yield func(audit.Stored, error) bool) { yield(audit.Stored{}, err) }
	}
	return s.index.Newest(ctx, q, before)
}

// LogState is what can be said of the log without reading it.
type LogState struct {
	Node    string
	Entries uint64
	Root    string
	// Checkpoint is the size of the last one, Signed when it was written.
	Checkpoint uint64
	Signed     time.Time
	Indexed    uint64
	// Witnessed and Stamped are the last checkpoints that witnesses countersigned, and
	// that an authority stamped with the time; nil for none.
	Witnessed, Stamped *audit.Attestation
	// Attested are the configured kinds of those who vouch for the log, each with whether
	// it failed the last time. Refuted says that a witness holds another history.
	Attested map[string]bool
	Refuted  bool
	// Segments and Bytes are the log's files, Free what its disk has left; Bytes and
	// Free are -1 where this system doesn't tell, or the log is in a database.
	Segments int
	Bytes    int64
	Free     int64
}

// LogState says how the log is.
func (s *Services) LogState() (LogState, error) {
	var l LogState
	size, root := s.Log.Head()
	l.Node, l.Entries, l.Root = s.Log.Node(), size, root.String()
	l.Checkpoint = s.Log.Checkpoint().Size
	l.Witnessed, l.Stamped = s.Log.Witnessed(), s.Log.Stamped()
	if t := s.attest.Load(); t != nil {
		l.Attested, l.Refuted = t.state()
	}
	var err error
	if l.Indexed, err = s.index.Size(); err != nil {
		return l, fmt.Errorf("asking the index: %w", err)
	}
	if l.Signed, err = newest(CheckpointDir(s.dir)); err != nil {
		return l, err
	}
	if l.Bytes, l.Free = -1, -1; s.place.Database != nil {
		return l, nil
	}
	if l.Segments, l.Bytes, err = s.segments(); err != nil {
		return l, err
	}
	l.Free = freeBytes(s.place.Dir)
	return l, nil
}

func (s *Services) segments() (n int, bytes int64, err error) {
	list, err := os.ReadDir(s.place.Dir)
	if err != nil {
		return 0, 0, fmt.Errorf("looking at the log: %w", err)
	}
	for _, f := range list {
		if filepath.Ext(f.Name()) != ".seg" {
			continue
		}
		info, err := f.Info()
		if err != nil {
			return 0, 0, fmt.Errorf("looking at the log: %w", err)
		}
		n, bytes = n+1, bytes+info.Size()
	}
	return n, bytes, nil
}

// newest is when a file in dir was written last.
func newest(dir string) (at time.Time, err error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return at, fmt.Errorf("looking at the checkpoints: %w", err)
	}
	for _, f := range list {
		if audit.AttestedFile(f.Name()) {
			continue
		}
		info, err := f.Info()
		if errors.Is(err, os.ErrNotExist) {
			continue // a new one takes an old one's place
		}
		if err != nil {
			return at, fmt.Errorf("looking at the checkpoints: %w", err)
		}
		if info.ModTime().After(at) {
			at = info.ModTime()
		}
	}
	return at, nil
}

// Verify reads the whole log of this node and checks it.
func (s *Services) Verify(ctx context.Context, progress func(done, total int64)) (audit.Report, error) {
	check := s.place.Check(s.place.Node)
	check.Progress = progress
	return audit.Verify(ctx, s.place.Dir, s.Ring, check)
}

// Export hands the whole log of this node to put, file by file, without the keys that
// open it.
func (s *Services) Export(ctx context.Context, put func(name string, content []byte) error) (audit.ExportReport, error) {
	return audit.ExportTo(ctx, s.place.Dir, s.Ring, put, s.place.Exporting(s.place.Node))
}
