package gate_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/session"
)

// liveProfile writes the demo's profile with a route that opens a socket.
func (e *environment) liveProfile() error {
	src, err := profile.Builtin("demo")
	if err != nil {
		return err
	}
	live := strings.Replace(string(src), "routes:\n", "routes:\n  - {match: \"GET /live\", pass: true, upgrade: true, type: none}\n", 1)
	return os.WriteFile(filepath.Join(e.dir, "live.yaml"), []byte(live), 0o600)
}

// echoes answers each message of a socket with the same.
func echoes(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer c.CloseNow()
	for {
		kind, said, err := c.Read(r.Context())
		if err != nil || c.Write(r.Context(), kind, said) != nil {
			return
		}
	}
}

// dial opens a socket as a page of origin would.
func (b *browser) dial(t *testing.T, path string, sc *scene, origin ...string) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	h := http.Header{caseHeader: {sc.id}}
	if len(origin) > 0 {
		h["Origin"] = origin
	}
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	c, resp, err := websocket.Dial(ctx, strings.Replace(b.site.url, "http", "ws", 1)+path, &websocket.DialOptions{
		HTTPClient: b.client(false, b.h1), HTTPHeader: h,
	})
	if c != nil {
		t.Cleanup(func() { c.CloseNow() })
	}
	return c, resp, err
}

// socket opens one that has to work, and says something through it.
func (b *browser) socket(t *testing.T) *websocket.Conn {
	t.Helper()
	c, resp, err := b.dial(t, "/live", newScene(t, echoes), b.site.url)
	if err != nil {
		t.Fatalf("opening a socket: %v (%v)", err, resp)
	}
	if err := c.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, said, err := c.Read(t.Context()); err != nil || string(said) != "hello" {
		t.Fatalf("the socket says %q, %v", said, err)
	}
	return c
}

// closes wants a socket to be closed from the other side, in time.
func closes(t *testing.T, c *websocket.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), session.Staleness+75*time.Second) // a busy machine
	defer cancel()
	if _, _, err := c.Read(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("the socket is open still: %v", err)
	}
}

// newly signs somebody in who isn't shared with other tests.
func (s *site) newly(t *testing.T, login string) *browser {
	t.Helper()
	b := newBrowser(s)
	if err := b.signIn(login); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *browser) signOut(t *testing.T) {
	t.Helper()
	b.do(t, ask{method: http.MethodPost, path: "/.crmgate/sign-out", header: http.Header{"Sec-Fetch-Site": {"same-origin"}}}).want(t, http.StatusFound)
}

func TestSignInSockets(t *testing.T) {
	t.Parallel()
	t.Run("C28-socket-of-another-site", func(t *testing.T) {
		t.Parallel()
		b := env.live.as(t, "vera")
		for name, origin := range map[string][]string{
			"another site":   {"https://evil.example"},
			"another port":   {"http://127.0.0.1:1"},
			"another scheme": {strings.Replace(env.live.url, "http", "https", 1)},
			"a longer host":  {env.live.url + ".evil.example"},
			"a sandbox":      {"null"},
			"none":           {},
			"empty":          {""},
		} {
			sc := newScene(t, echoes)
			_, resp, err := b.dial(t, "/live", sc, origin...)
			if err == nil || resp == nil || resp.StatusCode != http.StatusForbidden {
				t.Errorf("%s: %v, %v, want 403", name, resp, err)
			}
			sc.nothing(t)
		}
		r := b.do(t, ask{path: "/live", scene: newScene(t, echoes), header: http.Header{
			"Origin": {env.live.url}, "Sec-Fetch-Site": {"same-site"}, "Connection": {"Upgrade"}, "Upgrade": {"websocket"},
			"Sec-WebSocket-Version": {"13"}, "Sec-WebSocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="},
		}}).want(t, http.StatusForbidden)
		problem(t, r, "cross_site")
		r.logged(t).refused(t, "cross_site")
	})
	t.Run("C28-socket-only-where-the-profile-opens-one", func(t *testing.T) {
		t.Parallel()
		b := env.live.as(t, "vera")
		for _, path := range []string{"/api/contacts/1001", "/api/events", "/contacts", "/nowhere", "/live/x"} {
			sc := newScene(t, echoes)
			if _, resp, err := b.dial(t, path, sc, env.live.url); err == nil || resp == nil || resp.StatusCode != http.StatusForbidden {
				t.Errorf("%s: %v, %v, want 403", path, resp, err)
			}
			sc.nothing(t)
		}
		for _, protocol := range []string{"h2c", "websocket, h2c", "tls/1.0", "foo"} {
			sc := newScene(t, echoes)
			r := b.do(t, ask{path: "/live", scene: sc, header: http.Header{
				"Origin": {env.live.url}, "Connection": {"Upgrade"}, "Upgrade": {protocol},
			}})
			problem(t, r.want(t, http.StatusForbidden), "upgrade")
			sc.nothing(t)
		}
		sc := newScene(t, echoes)
		if _, resp, err := newBrowser(env.live).dial(t, "/live", sc, env.live.url); err == nil || resp == nil || resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("without a session: %v, %v", resp, err)
		}
		sc.nothing(t)
	})
	t.Run("C28-socket-is-closed-at-sign-out", func(t *testing.T) {
		t.Parallel()
		b := env.live.newly(t, "vera")
		other := env.live.newly(t, "vera").socket(t)
		c := b.socket(t)
		b.signOut(t)
		closes(t, c)
		if err := other.Write(t.Context(), websocket.MessageText, []byte("still there")); err != nil {
			t.Fatal(err)
		}
		if _, said, err := other.Read(t.Context()); err != nil || string(said) != "still there" {
			t.Errorf("another session's socket: %q, %v", said, err)
		}
	})
	t.Run("C28-open-streams-are-cut-at-sign-out", streamsAreCut)
}

// streamsAreCut opens a stream that is passed and one that is masked. Neither may
// end as if it were whole.
func streamsAreCut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ path, media, first string }{
		{"/api/events", "text/event-stream", "data: 1\n\n"},
		{streamPath, "application/json", "[" + row(77_001) + ","},
	} {
		t.Run(strings.Trim(strings.ReplaceAll(c.path, "/", "-"), "-"), func(t *testing.T) {
			t.Parallel()
			gone := make(chan struct{})
			sc := newScene(t, func(w http.ResponseWriter, r *http.Request) {
				defer close(gone)
				w.Header().Set("Content-Type", c.media)
				_, _ = io.WriteString(w, c.first) // the gate may cut it
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			})
			b := env.live.newly(t, "sven")
			req, err := ask{path: c.path, scene: sc}.request(env.live)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := b.client(false, b.h1).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			from := bufio.NewReader(resp.Body)
			if _, err := from.ReadByte(); err != nil || resp.StatusCode != http.StatusOK {
				t.Fatalf("%d, %v", resp.StatusCode, err)
			}
			b.signOut(t)
			if rest, err := io.ReadAll(from); err == nil || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the stream ended with %q, %v, want a cut", rest, err)
			}
			select {
			case <-gone:
			case <-time.After(90 * time.Second):
				t.Error("the CRM still serves it")
			}
		})
	}
}
