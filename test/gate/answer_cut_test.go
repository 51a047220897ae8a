package gate_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestCRMThatIsDownIsSaidSo(t *testing.T) {
	t.Parallel()
	b := env.down.signedInAnyway(t, "vera")
	r := b.do(t, ask{path: "/api/contacts/1"}).want(t, http.StatusBadGateway)
	problem(t, r, "crm")
	r.logged(t).faulted(t, "crm")
	r = b.do(t, ask{path: "/contacts", page: true}).want(t, http.StatusBadGateway)
	if !strings.Contains(string(r.body), "CRM ist gerade nicht erreichbar") {
		t.Errorf("the person sees %s", r)
	}
	b.do(t, ask{path: "/static/app.css"}).want(t, http.StatusBadGateway)
	r = b.do(t, ask{path: "/api/contacts/1", method: "PATCH", body: `{"phone":"x"}`})
	if r.status < 400 {
		t.Errorf("got %s", r)
	}
	b.do(t, ask{path: "/.crmgate/", page: true}).want(t, http.StatusOK)
}

func TestCRMThatCutsItsAnswerIsHeldBack(t *testing.T) {
	t.Parallel()
	whole := contact(1)
	for name, c := range map[string]struct{ answer, reason string }{
		"nothing at all":     {"", "crm"},
		"half a header":      {"HTTP/1.1 200 OK\r\nContent-Ty", "crm"},
		"no HTTP":            {"220 mail.example ESMTP\r\n", "crm"},
		"header alone":       {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n", "crm"},
		"half a body":        {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n" + whole, "crm"},
		"half the chunks":    {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n", "crm"},
		"a whole in a chunk": {fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(whole), whole), "crm"},
		"until close":        {"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + whole[:50], "malformed"},
		"two lengths":        {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n" + whole, "crm"},
		"switched protocol":  {"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n" + whole, "crm"},
		"early hints only":   {"HTTP/1.1 103 Early Hints\r\nLink: <" + canary + ">; rel=preload\r\n\r\n", "crm"},
		"a huge header":      {"HTTP/1.1 200 OK\r\nX-Huge: " + strings.Repeat("a", 11<<20) + "\r\n\r\n", "crm"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sc := newScene(t, rawAnswer(c.answer))
			for _, s := range []*site{env.plain, env.secure} {
				b := s.as(t, "vera")
				r := b.get(t, "/api/contacts/1", sc).want(t, http.StatusBadGateway)
				r.hides(t)
				problem(t, r, c.reason)
				r.logged(t).faulted(t, c.reason)
				works(t, b)
			}
		})
	}
}

// The same on a route without personal data: the client must not take half an
// answer for a whole one.
func TestCutAnswerOfAPassedRouteIsCut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer string
		status int
	}{
		"nothing at all":    {"", 502},
		"half a body":       {"HTTP/1.1 200 OK\r\nContent-Type: text/css\r\nContent-Length: 900\r\n\r\nbody{}", 200},
		"half the chunks":   {"HTTP/1.1 200 OK\r\nContent-Type: text/css\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nbody{}\r\n", 200},
		"switched protocol": {"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nbody{}", 502},
	} {
		for _, two := range []bool{false, true} {
			s := env.plain
			if two {
				s = env.secure
			}
			r, err := s.as(t, "vera").try(ask{path: "/static/app.css", scene: newScene(t, rawAnswer(c.answer)), two: two})
			switch {
			case err != nil && c.status == 200: // cut before its first byte
			case err != nil || r.status != c.status || (r.cut == nil) == (c.status == 200):
				t.Errorf("%s: got %v, cut %v, %v", name, r, r.cut, err)
			}
		}
	}
}

func clientThatGivesUpLeavesAnEntry(t *testing.T) {
	t.Parallel()
	b := env.plain.as(t, "paula")
	for _, method := range []string{"GET", "PATCH"} {
		arrived, gone := make(chan struct{}), make(chan struct{})
		sc := newScene(t, func(_ http.ResponseWriter, r *http.Request) {
			close(arrived)
			<-r.Context().Done()
			close(gone)
		})
		ctx, cancel := context.WithCancel(t.Context())
		id := fmt.Sprintf("4%d", 1000+len(method))
		a := ask{ctx: ctx, scene: sc, path: "/api/contacts/" + id, method: method}
		if method == "PATCH" {
			a.body = `{"last_name":"Neu"}`
		}
		go func() {
			<-arrived
			cancel()
		}()
		if r, err := b.try(a); err == nil {
			t.Errorf("%s: got %s", method, r)
		}
		<-gone
		eventually(t, "the intent is closed", func() bool {
			for _, s := range entries(t, env.data()) {
				if len(s.Entry.Accesses) == 1 && len(s.Entry.Accesses[0].IDs) == 1 && s.Entry.Accesses[0].IDs[0] == id {
					return closed(t, s.Seq)
				}
			}
			return false
		})
	}
	works(t, b)
}

// closed reports whether a disclosure closes the intent.
func closed(t *testing.T, intent uint64) bool {
	t.Helper()
	for _, s := range entries(t, env.data()) {
		if s.Entry.Intent == intent && s.Entry.Part == s.Entry.Parts {
			return true
		}
	}
	return false
}
