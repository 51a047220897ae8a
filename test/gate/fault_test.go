package gate_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
)

// A disk that can't be written: nothing is forwarded, and it mends by itself.
func unwritableLogStopsRequests(t *testing.T) {
	t.Parallel()
	c := newChild(t, env.crm.url, "INFO")
	b := c.site.as(t, "vera")
	b.do(t, ask{path: "/api/contacts/1001"}).want(t, http.StatusOK)
	c.tell(t, "limit 0")
	for _, a := range []ask{
		{path: "/api/contacts/1001"},
		{path: "/contacts", page: true},
		{path: "/nowhere"},
		{path: "/api/contacts/1001", method: "PATCH", body: `{"last_name":"Neu"}`},
		{path: "/api/contacts?sort=iban"},
	} {
		a.scene = newScene(t, nil)
		r := b.do(t, a).want(t, http.StatusServiceUnavailable)
		if r.header.Get("Retry-After") == "" {
			t.Error("nobody says when to try again")
		}
		if a.page && !strings.Contains(string(r.body), "nichts weitergeleitet") {
			t.Errorf("the person sees %s", r)
		}
		a.scene.nothing(t)
	}
	// A sign-in without its entry makes no session.
	other := newBrowser(c.site)
	if r, err := other.throughProvider("markus", "/contacts"); err == nil && r.status < 400 {
		t.Errorf("signed in without an entry: %s", r)
	}
	other.do(t, ask{path: "/api/contacts"}).want(t, http.StatusUnauthorized)
	c.tell(t, "mend")
	eventually(t, "the log mends", func() bool { return b.do(t, ask{path: "/api/contacts/1001"}).status == http.StatusOK })
	r, err := other.follow(c.site.url + "/static/app.css") // still known to the provider
	if err != nil {
		t.Fatal(err)
	}
	r.want(t, http.StatusOK)
	c.stop(t)
	verify(t, c.data())
}

// verify walks the log.
func verify(t *testing.T, data string) {
	t.Helper()
	if len(entries(t, data)) == 0 {
		t.Error("the log is empty")
	}
}

// The disk fails while the CRM answers: the answer stays here, and the person
// isn't told that nothing happened.
func answerThatCannotBeLoggedIsNotShown(t *testing.T) {
	t.Parallel()
	c := newChild(t, env.crm.url, "INFO")
	b := c.site.as(t, "sven")
	for _, a := range []ask{
		{path: "/api/contacts/1"}, {path: "/contacts/1", page: true}, {path: streamPath}, {path: "/contacts/export.csv"},
	} {
		a.scene = newScene(t, func(w http.ResponseWriter, _ *http.Request) {
			c.tell(t, "limit 0")
			body, media := row(1), "application/json"
			switch {
			case a.page:
				body, media = `<!doctype html><article class="contact" data-id="1"><h1>Muster1</h1></article>`, "text/html; charset=utf-8"
			case a.path == streamPath:
				body = "[" + body + "]"
			case strings.HasSuffix(a.path, "csv"):
				body, media = "Nr.;Nachname\r\n1;Muster1\r\n", "text/csv; charset=utf-8"
			}
			typed(media, http.StatusOK, body)(w, nil)
		})
		r := b.do(t, a).want(t, http.StatusServiceUnavailable)
		if strings.Contains(string(r.body), "Muster1") || strings.Contains(string(r.body), "forwarded") {
			t.Errorf("%s: got %s", a.path, r)
		}
		c.tell(t, "mend")
		eventually(t, "the log mends", func() bool { return b.do(t, ask{path: "/api/contacts/1001"}).status == http.StatusOK })
	}
	saver := c.site.as(t, "vera")
	sc := newScene(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			c.tell(t, "limit 0")
		}
		jsonAnswer(http.StatusCreated, `{"id":9,"last_name":"Neu"}`)(w, r)
	})
	r := saver.do(t, ask{method: "POST", path: "/api/contacts", body: `{"last_name":"Neu"}`, scene: sc}).want(t, http.StatusServiceUnavailable)
	if !strings.Contains(string(r.body), "look in the CRM") || r.header.Get("Retry-After") != "" {
		t.Errorf("got %s, want it said that it may have been saved", r)
	}
}

// A disk that is full: what fits goes on, then nothing is forwarded; room makes
// it go on by itself.
func fullDiskStopsRequests(t *testing.T) {
	t.Parallel()
	c := newChild(t, env.crm.url, "INFO")
	b := c.site.as(t, "paula")
	segment, err := os.Stat(filepath.Join(c.data(), "log", "00000001.seg"))
	if err != nil {
		t.Fatal(err)
	}
	// Files that exist can be written, as on a full disk; new ones can't grow.
	c.tell(t, fmt.Sprintf("limit %d", segment.Size()-1))
	stopped := false
	for range 2000 {
		sc := newScene(t, jsonAnswer(http.StatusOK, `{"total":0,"items":[]}`))
		// Long questions that don't compress fill the segment.
		r := b.do(t, ask{path: "/api/contacts?email=" + rand.Text() + strings.Repeat(rand.Text()+rand.Text(), 60), scene: sc})
		if r.status == http.StatusServiceUnavailable {
			sc.nothing(t)
			stopped = true
			break
		}
		r.want(t, http.StatusOK)
	}
	if !stopped {
		t.Fatal("the disk never was full")
	}
	sc := newScene(t, nil)
	b.do(t, ask{path: "/api/contacts/1001", scene: sc}).want(t, http.StatusServiceUnavailable)
	sc.nothing(t)
	c.tell(t, "mend")
	eventually(t, "the log mends", func() bool { return b.do(t, ask{path: "/api/contacts/1001"}).status == http.StatusOK })
	c.stop(t)
	verify(t, c.data())
}

// Killed while the CRM works: the log has the intent, and the next start names it.
func killBetweenIntentAndAnswerIsInTheLog(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	released := make(chan struct{})
	defer close(released)
	c := newChild(t, env.crm.url, "INFO")
	b := c.site.as(t, "vera")
	sc := newScene(t, func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-released
	})
	failed := make(chan error, 1)
	go func() {
		_, err := b.try(ask{method: "PATCH", path: "/api/contacts/72001", body: `{"last_name":"Neu"}`, scene: sc})
		failed <- err
	}()
	<-arrived
	c.kill()
	if err := <-failed; err == nil {
		t.Error("the client got an answer")
	}
	c.start(t)
	// The employee's session has outlived the crash.
	b.do(t, ask{path: "/api/contacts/1001"}).want(t, http.StatusOK)
	c.stop(t)
	var intent, named uint64
	for _, s := range entries(t, c.data()) {
		if s.Entry.Kind == audit.Intent && s.Entry.Method == http.MethodPatch && s.Entry.Accesses[0].IDs[0] == "72001" {
			intent = s.Seq
		}
		if s.Entry.Event == audit.UncleanStart {
			for _, u := range s.Entry.Unfinished {
				named = u.Seq
			}
		}
	}
	if intent == 0 || named != intent {
		t.Errorf("intent %d, the unclean start names %d", intent, named)
	}
}

// Killed in the middle of a stream: every record that the client has is in the log.
func killInAStreamLosesNoEntry(t *testing.T) {
	t.Parallel()
	released := make(chan struct{})
	defer close(released)
	c := newChild(t, env.crm.url, "INFO")
	w := way{site: c.site}
	sc := newScene(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, "[%s,%s", row(73_001), row(73_002)) // until killed
		_ = http.NewResponseController(w).Flush()
		<-released
	})
	resp := w.open(t, "sven", sc)
	var got strings.Builder
	for buf := make([]byte, 512); !strings.Contains(got.String(), "73002"); {
		n, err := resp.Body.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		got.Write(buf[:n])
	}
	c.kill()
	c.start(t)
	c.stop(t)
	x := loggedIn(t, c.data(), &reply{header: resp.Header})
	for _, id := range []string{"73001", "73002"} {
		if x.records("contact")[id].ID == "" {
			t.Errorf("the client has contact/%s and the log doesn't: %s", id, x)
		}
	}
}
