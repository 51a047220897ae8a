package crmgate

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	// Ways lead from the home page to the pages that somebody with these roles has, in
	// their order; Places are all of the desk's, as they lead from one to another.
	Ways(roles []string) []Way
	Places(roles []string) []Way
	// Says is what its configuration says, for the register: who may do what.
	Says() map[string]string
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
	// Beside are the pages of the gate's own that the visitor has besides.
	Beside() []Way
	// Append makes an entry of this visitor's durable, and returns its place in
	// the log. Where it can't, it has answered 503 when it returns false: nothing
	// may be shown then.
	Append(event audit.Event, detail string, keyed ...string) (string, bool)
	// AlarmSeen makes an entry durable with which the visitor answers for an alarm, as
	// Append does.
	AlarmSeen(id, said string) bool
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

// ownState says how this gateway's log is.
func (s *Services) ownState() (LogState, error) {
	var l LogState
	size, root := s.Log.Head()
	l.Node, l.Entries, l.Root = s.Log.Node(), size, root.String()
	l.Unconfirmed = s.unconfirmed.Load()
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
