package gate_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// sayObserved checks that every entry says that the site only records.
func (x exchange) sayObserved(t *testing.T) {
	t.Helper()
	if len(x) < 2 {
		t.Fatalf("%d entries: %s", len(x), x)
	}
	for _, s := range x {
		if s.Entry.Observed == nil || s.Entry.Observed.Until != inTenDays() {
			t.Errorf("the entry doesn't say that nothing was enforced: %s", x)
		}
	}
}

func TestObservingSiteRecordsWhatItWouldMask(t *testing.T) {
	t.Parallel()
	sc := newScene(t, jsonAnswer(200, `{"items":[`+row(80_001)+`,`+row(80_002)+`]}`))
	r := env.observes.as(t, "sven").get(t, "/api/contacts", sc).want(t, http.StatusOK)
	if string(r.body) != `{"items":[`+row(80_001)+`,`+row(80_002)+`]}` || r.header.Get("X-Crmgate-Observe") != "until "+inTenDays() {
		t.Errorf("got %q, %v", r.body, r.header)
	}
	if r.header.Get("Cache-Control") != "private, no-store" {
		t.Errorf("a browser may keep it: %v", r.header)
	}
	x := r.logged(t)
	x.sayObserved(t)
	last := x.last(t)
	if x[0].Entry.Decision.Refused || last.Observed.Masked["bank"] != 2 || last.Observed.Refused != "" {
		t.Errorf("entries %s, want two records whose bank details would be masked", x)
	}
	if got := x.records("contact")["80001"]; got.Treated["bank"] != access.Clear {
		t.Errorf("disclosed %v, want what left: in clear", got)
	}
}

func TestObservingSiteRecordsWhatItWouldRefuse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, reason string
		site         *site
		ask          ask
	}{
		{"a question about a masked field", "asks_masked", env.observes, ask{path: "/api/contacts?iban=" + canary}},
		{"an unknown route", "unknown_route", env.observes, ask{path: "/api/new-in-this-version/7"}},
		{"an action", "no_policy", env.observes, ask{method: "DELETE", path: "/api/contacts/1"}},
		{"a large body", "request_limit", env.observes, ask{method: "POST", path: "/api/contacts", header: http.Header{"Content-Type": {"application/json"}}, body: strings.Repeat(" ", 1<<17) + "{}"}},
		{"a coded body", "request_coding", env.observes, ask{method: "POST", path: "/api/contacts", header: http.Header{"Content-Encoding": {"gzip"}}, body: "\x1f\x8b"}},
		{"a prefetch", "prefetch", env.observes, ask{path: "/contacts", header: http.Header{"Sec-Purpose": {"prefetch"}}}},
		{"a CRM of which nothing is known", "denied", env.unknown, ask{path: "/rest/people/7"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sc := newScene(t, jsonAnswer(200, `{"iban":"`+canary+`"}`))
			c.ask.scene = sc
			r := c.site.as(t, "sven").do(t, c.ask).want(t, http.StatusOK)
			if string(r.body) != `{"iban":"`+canary+`"}` {
				t.Errorf("got %q", r.body)
			}
			got := sc.requests()
			if len(got) != 1 || string(got[0].body) != c.ask.body {
				t.Errorf("the CRM received %d requests, with %d bytes of %d", len(got), len(got[0].body), len(c.ask.body))
			}
			x := r.logged(t)
			x.sayObserved(t)
			if d := x[0].Entry.Decision; !d.Refused || !d.Observe || c.reason != "" && d.Reason != c.reason {
				t.Errorf("entries %s, want %s", x, c.reason)
			}
		})
	}
}

// What can't be read leaves all the same, with an entry that says so.
func TestObservingSiteRecordsWhatItCouldNotRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path, media, body, refused string
	}{
		"malformed":        {"/api/contacts/1", "application/json", `{"id":1,"id":2}`, "malformed"},
		"larger than hold": {"/api/contacts", "application/json", `{"items":[` + strings.Repeat(row(1)+",", 4000) + row(2) + `]}`, "hold"},
		"another type":     {"/api/contacts/1", "application/pdf", "%PDF-1.7", "malformed"},
		"unknown":          {"/download/7", "application/pdf", "%PDF-1.7", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := env.observes.as(t, "sven").get(t, c.path, newScene(t, typed(c.media, 200, c.body))).want(t, http.StatusOK)
			if string(r.body) != c.body {
				t.Errorf("got %d bytes, want %d", len(r.body), len(c.body))
			}
			x := r.logged(t)
			x.sayObserved(t)
			if last := x.last(t); !last.Disclosure.Unread || last.Observed.Refused != c.refused {
				t.Errorf("entries %s", x)
			}
		})
	}
}

// A stream reaches the client as it comes, and its entry before it.
func TestObservedStreamIsNotHeld(t *testing.T) {
	t.Parallel()
	more := make(chan struct{})
	sc := newScene(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, text := range []string{"data: 1\n\n", "data: 2\n\n"} {
			_, _ = io.WriteString(w, text) // the client may be gone
			_ = http.NewResponseController(w).Flush()
			select {
			case <-more:
			case <-r.Context().Done():
				return
			}
		}
	})
	b := env.observes.as(t, "sven")
	req, err := ask{path: "/live", scene: sc}.request(env.observes)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := b.client(false, b.h1).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	from := bufio.NewReader(resp.Body)
	if line, err := from.ReadString('\n'); err != nil || line != "data: 1\n" {
		t.Fatalf("%q, %v", line, err)
	}
	(&reply{header: resp.Header}).logged(t).sayObserved(t)
	close(more)
	if rest, err := io.ReadAll(from); err != nil || string(rest) != "\ndata: 2\n\n" {
		t.Errorf("%q, %v", rest, err)
	}
}

// Sign-in, hygiene and the way of cookies are no part of the exception.
func TestObservingSiteStillDemandsTheSignIn(t *testing.T) {
	t.Parallel()
	sc := newScene(t, nil)
	newBrowser(env.observes).do(t, ask{path: "/api/contacts", scene: sc}).want(t, http.StatusUnauthorized)
	env.observes.as(t, "sven").do(t, ask{path: "/api//contacts", scene: sc}).want(t, http.StatusBadRequest)
	env.observes.as(t, "sven").do(t, ask{path: "/api/new", scene: sc, header: http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}}}).want(t, http.StatusForbidden)
	sc.nothing(t)
	sc = newScene(t, nil)
	env.observes.as(t, "sven").do(t, ask{path: "/api/contacts/1", scene: sc, header: identityHeaders()})
	for _, r := range sc.requests() {
		for name, values := range r.header {
			if line := name + strings.Join(values, ""); strings.Contains(line, "mallory") || strings.Contains(line, "crmgate") {
				t.Errorf("the CRM received %q", line)
			}
		}
	}
	sc = newScene(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Set-Cookie"] = []string{"crmgate=stolen", "theme=dark"}
		w.Header().Set("X-Crmgate-Observe", "no")
		w.Header().Set("Audit-Id", "none")
	})
	r := env.observes.as(t, "sven").do(t, ask{path: "/api/new", scene: sc})
	if got := r.header.Values("Set-Cookie"); len(got) != 1 || got[0] != "theme=dark" || r.header.Get("Audit-Id") == "none" || r.header.Get("X-Crmgate-Observe") == "no" {
		t.Errorf("the CRM said for the gateway: %v", r.header)
	}
}

// A page that was open when the site still enforced sends masks back.
func TestObservingSiteSavesNoMask(t *testing.T) {
	t.Parallel()
	for media, body := range map[string]string{
		"application/json":                  `{"phone":"\u2022\u2022\u2022\u2022\u2022\u2022"}`,
		"application/x-www-form-urlencoded": "phone=%E2%80%A2%E2%80%A2%E2%80%A2%E2%80%A2",
		"text/plain":                        "phone: ••••••",
	} {
		for _, s := range []*site{env.observes, env.unknown} {
			for _, path := range []string{"/api/contacts/1", "/rest/people/7"} {
				sc := newScene(t, nil)
				a := ask{method: http.MethodPut, path: path, header: http.Header{"Content-Type": {media}}, body: body, scene: sc}
				s.as(t, "sven").do(t, a).want(t, http.StatusUnprocessableEntity)
				sc.nothing(t)
			}
		}
	}
}

func TestPagesSayThatTheSiteObserves(t *testing.T) {
	t.Parallel()
	for _, s := range []*site{env.observes, env.plain} {
		r := s.as(t, "sven").do(t, ask{path: "/.crmgate/sessions", page: true}).want(t, http.StatusOK)
		if said := strings.Contains(string(r.body), "Es wird nichts maskiert"); said != (s == env.observes) {
			t.Errorf("%s", r.body)
		}
	}
}

// Sign-ins are entries of the site, too.
func TestSignInSaysThatTheSiteObserves(t *testing.T) {
	t.Parallel()
	fresh(t, env.observes, "vera")
	found := false
	for _, s := range entries(t, env.data()) {
		found = found || s.Entry.Event == audit.SignIn && s.Entry.Observed != nil
	}
	if !found {
		t.Error("no sign-in of a site that observes says so")
	}
}

// What a CRM's interface looks like is written down, without a value of it.
func TestWhatIsObservedIsCollected(t *testing.T) {
	t.Parallel()
	b := env.unknown.as(t, "sven")
	for i := range 3 {
		sc := newScene(t, jsonAnswer(200, `{"items":[`+row(81_000+i)+`]}`))
		b.do(t, ask{path: "/rest/people?email=m1@example.com", scene: sc}).want(t, http.StatusOK)
		r := b.do(t, ask{method: "PUT", path: fmt.Sprint("/rest/people/", 81_000+i), header: http.Header{"Content-Type": {"application/json"}}, body: row(1), scene: newScene(t, jsonAnswer(200, row(1)))})
		b.do(t, ask{method: "POST", path: "/rest/notes", header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, body: "body_text=Kanarenvogel&draft=1", scene: newScene(t, jsonAnswer(200, "{}"))})
		x := r.want(t, http.StatusOK).logged(t)
		if x[0].Entry.Accesses[0].Route != "/rest/people/{id}" {
			t.Errorf("entries %s, want the address without its id", x)
		}
	}
	file := filepath.Join(env.data(), "observed", "127.0.0.1.json") // sites on a given socket have no port of their own
	var raw []byte
	eventually(t, "the collection is written down", func() bool {
		raw, _ = os.ReadFile(file)
		return bytes.Contains(raw, []byte("PUT")) && bytes.Contains(raw, []byte("body_text"))
	})
	for _, want := range []string{`/rest/people`, `last_name`, `email`, `PUT`, `body_text`} {
		if !bytes.Contains(raw, []byte(want)) {
			t.Errorf("the collection lacks %q: %s", want, raw)
		}
	}
	for _, never := range []string{"Muster8", canary, "example.com", "81000", "Kanarenvogel"} {
		if bytes.Contains(raw, []byte(never)) {
			t.Errorf("the collection holds %q: %s", never, raw)
		}
	}
}
