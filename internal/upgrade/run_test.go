package upgrade

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// house is a machine with a program of version 1.0.0, and a source that has 1.1.0.
type house struct {
	t       *testing.T
	secret  string
	index   *Index
	content map[string][]byte
	// answer takes the place of what the source would say of a name.
	answer map[string]http.HandlerFunc

	program string
	u       *Upgrade
	service *fakeService
	said    strings.Builder
	asked   []string
	// certificate is the source's.
	certificate []byte
}

// fakeService runs the program's bytes: its version is what they say.
type fakeService struct {
	program  string
	inactive bool
	// sick are versions that don't come up.
	sick  map[string]bool
	runs  string
	calls []string
}

func (s *fakeService) Active(context.Context) (bool, error) { return !s.inactive, nil }

func (s *fakeService) Restart(context.Context) error {
	raw, err := os.ReadFile(s.program)
	s.runs = string(raw)
	s.calls = append(s.calls, "restart")
	return err
}

func (s *fakeService) Healthy(_ context.Context, version string) error {
	if s.runs != "program "+version || s.sick[version] {
		return errors.New("it doesn't serve")
	}
	return nil
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, content: map[string][]byte{}, answer: map[string]http.HandlerFunc{}, program: filepath.Join(t.TempDir(), "crmgate")}
	secret, public := newKey(t, "releases.example")
	h.secret = secret
	if err := os.WriteFile(h.program, []byte("program 1.0.0"), 0o755); err != nil {
		t.Fatal(err)
	}
	h.index = &Index{Issued: today.Add(-time.Hour), Expires: today.Add(time.Hour)}
	h.release("1.1.0", "log 1")
	server := httptest.NewTLSServer(http.HandlerFunc(h.serve))
	t.Cleanup(server.Close)
	source := &Source{Address: server.URL + "/crmgate", Keys: []string{public}}
	h.certificate = server.Certificate().Raw
	source.http().Transport = server.Client().Transport
	state, err := OpenState(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { state.Close() })
	h.service = &fakeService{program: h.program, runs: "program 1.0.0", sick: map[string]bool{}}
	h.u = &Upgrade{
		Source: source, State: state, Place: &Place{Binary, h.program}, Service: h.service, At: "1.0.0", Data: "log 1",
		Say: func(format string, args ...any) { fmt.Fprintf(&h.said, format+"\n", args...) }, now: func() time.Time { return today },
	}
	return h
}

func (h *house) release(version, data string) *File {
	content, name := []byte("program "+version), "crmgate-"+version
	h.content[name] = content
	h.index.Releases = append(h.index.Releases, Release{Version: version, Data: data, Files: []File{{
		Name: name, Form: Binary, OS: runtime.GOOS, Arch: runtime.GOARCH, Size: int64(len(content)), SHA256: sum(sha256.Sum256(content)),
	}}})
	return &h.index.Releases[len(h.index.Releases)-1].Files[0]
}

func (h *house) serve(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/crmgate/")
	h.asked = append(h.asked, name)
	switch content, ok := h.content[name]; {
	case h.answer[name] != nil:
		h.answer[name](w, r)
	case name == IndexName:
		w.Write(signed(h.t, h.index, h.secret))
	case ok:
		w.Write(content)
	default:
		http.NotFound(w, r)
	}
}

func (h *house) installed() string {
	h.t.Helper()
	raw, err := os.ReadFile(h.program)
	if err != nil {
		h.t.Fatal(err)
	}
	return strings.TrimPrefix(string(raw), "program ")
}

// unchanged holds that an error left all as it was.
func (h *house) unchanged(err error, want string) {
	h.t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		h.t.Errorf("Run = %v, want an error that says %q", err, want)
	}
	if got := h.installed(); got != "1.0.0" || len(h.service.calls) > 0 || h.u.State.kept.Under != nil {
		h.t.Errorf("version %s is installed after %v, with %+v under way: want nothing touched", got, h.service.calls, h.u.State.kept.Under)
	}
	left, _ := filepath.Glob(filepath.Join(h.u.State.files(), partly+"*"))
	if beside, _ := filepath.Glob(filepath.Join(filepath.Dir(h.program), partly+"*")); len(left)+len(beside) > 0 {
		h.t.Errorf("files that aren't whole are left: %v %v", left, beside)
	}
}

func TestNewerReleaseTakesThePlace(t *testing.T) {
	h := newHouse(t)
	if err := h.u.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h.installed() != "1.1.0" || h.service.runs != "program 1.1.0" {
		t.Errorf("%s is installed, %q runs", h.installed(), h.service.runs)
	}
	info, err := os.Stat(h.program)
	if err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("mode %v (%v), want 0755", info.Mode(), err)
	}
	h.u.At = "1.1.0"
	if err := h.u.Run(t.Context()); err != nil || len(h.service.calls) != 1 {
		t.Errorf("a second run: %v, %v: want nothing to do", err, h.service.calls)
	}
}

func TestSourceThatCannotBeTrustedChangesNothing(t *testing.T) {
	for name, one := range map[string]struct {
		spoil func(h *house)
		says  string
	}{
		"a foreign signature": {func(h *house) { h.secret, _ = newKey(h.t, "releases.example") }, "no release key"},
		"an expired index":    {func(h *house) { h.u.now = func() time.Time { return today.Add(48 * time.Hour) } }, "expired"},
		"an index before the one that was seen": {func(h *house) {
			h.u.State.kept.Issued = today
		}, "an old one"},
		"a cut download": {func(h *house) {
			h.answer["crmgate-1.1.0"] = func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("program")) }
		}, "cut: 7 bytes of 13"},
		"a connection that breaks": {func(h *house) {
			h.answer["crmgate-1.1.0"] = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "13")
				w.Write([]byte("program"))
				http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}
		}, "unexpected EOF"},
		"other bytes":             {func(h *house) { h.content["crmgate-1.1.0"] = []byte("program 6.6.6") }, "another hash"},
		"more than was signed":    {func(h *house) { h.content["crmgate-1.1.0"] = bytes.Repeat([]byte("x"), 1<<20) }, "more than the 13 bytes"},
		"a file that isn't there": {func(h *house) { delete(h.content, "crmgate-1.1.0") }, "404"},
		"a way without TLS": {func(h *house) {
			h.answer["crmgate-1.1.0"] = func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://"+r.Host+"/elsewhere", http.StatusFound)
			}
		}, "without TLS"},
		"a program that refuses the configuration": {func(h *house) {
			h.u.Try = func(context.Context, string) error { return errors.New("unknown word") }
		}, "unknown word"},
		"data that nothing leads back from": {func(h *house) { h.index.Releases[0].Data = "log 2" }, "--one-way"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			one.spoil(h)
			h.unchanged(h.u.Run(t.Context()), one.says)
		})
	}
}

func TestOlderReleaseIsNone(t *testing.T) {
	h := newHouse(t)
	h.u.At = "1.2.0"
	if err := h.u.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h.installed() != "1.0.0" || len(h.asked) != 1 {
		t.Errorf("after asking for %v, %s is installed", h.asked, h.installed())
	}
}

func TestReleaseThatDoesNotComeUpIsPutBackAndNotTriedAgain(t *testing.T) {
	h := newHouse(t)
	h.service.sick["1.1.0"] = true
	err := h.u.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "version 1.0.0 serves again") {
		t.Fatalf("Run = %v", err)
	}
	if h.installed() != "1.0.0" || h.service.runs != "program 1.0.0" || h.u.State.kept.Under != nil {
		t.Errorf("%s is installed, %q runs, %+v is under way", h.installed(), h.service.runs, h.u.State.kept.Under)
	}
	h.service.calls = nil
	h.unchanged(h.u.Run(t.Context()), "isn't tried again")
	h.service.sick = nil
	h.u.Retry = true
	if err := h.u.Run(t.Context()); err != nil || h.installed() != "1.1.0" {
		t.Errorf("with --retry: %v, %s is installed", err, h.installed())
	}
	h.release("1.2.0", "log 1")
	h.index.Issued = today
	h.u.At, h.u.Retry = "1.1.0", false
	if err := h.u.Run(t.Context()); err != nil || h.installed() != "1.2.0" {
		t.Errorf("the next version: %v, %s is installed", err, h.installed())
	}
}

func TestServiceThatDoesNotRunIsNotStarted(t *testing.T) {
	h := newHouse(t)
	h.service.inactive = true
	if err := h.u.Run(t.Context()); err != nil || h.installed() != "1.1.0" || len(h.service.calls) > 0 {
		t.Errorf("Run = %v, %s is installed, %v was asked of the service", err, h.installed(), h.service.calls)
	}
}

func TestTwoUpgradesDoNotRunAtOnce(t *testing.T) {
	h := newHouse(t)
	if _, err := OpenState(h.u.State.dir); err == nil || !strings.Contains(err.Error(), "another upgrade is under way") {
		t.Errorf("a second one: %v", err)
	}
}

func TestStateThatCannotBeReadStopsTheUpgrade(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, stateFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenState(dir); err == nil || !strings.Contains(err.Error(), "move it away") {
		t.Errorf("OpenState = %v", err)
	}
}
