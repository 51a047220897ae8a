package gate_test

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/test/stack"
)

// partsTell asks for values of which a part would be the whole.
func partsTell(t *testing.T, _ *reply, sc *scene) {
	t.Helper()
	for _, v := range []string{"a@kanarien.example", "ab@firma-mustermann.example"} {
		sc.answer(jsonAnswer(200, `{"id":7,"email":"`+v+`"}`))
		r := env.leaky.as(t, "sven").do(t, ask{path: "/people/7", scene: sc}).want(t, http.StatusOK)
		if _, domain, _ := strings.Cut(v, "@"); strings.Contains(string(r.body), domain) {
			t.Errorf("the domain of %s tells who it is: %s", v, r)
		}
	}
	sc.answer(jsonAnswer(200, `{"id":7,"phone":"110"}`))
	if r := env.leaky.as(t, "sven").do(t, ask{path: "/people/7", scene: sc}); strings.Contains(string(r.body), "10") {
		t.Errorf("a part of a short number is most of it: %s", r)
	}
}

// lacksHashes says that no usual hash of a value is in the answer.
func lacksHashes(value string) check {
	return func(t *testing.T, r *reply, _ *scene) {
		t.Helper()
		m, s, l := md5.Sum([]byte(value)), sha1.Sum([]byte(value)), sha256.Sum256([]byte(value))
		for _, sum := range [][]byte{m[:], s[:], l[:]} {
			for _, text := range []string{hex.EncodeToString(sum)[:8], base64.StdEncoding.EncodeToString(sum)[:8], base64.RawURLEncoding.EncodeToString(sum)[:8]} {
				if strings.Contains(string(r.body), text) {
					t.Errorf("got %s, with a hash of the value", r)
				}
			}
		}
	}
}

func otherInAnotherSession(t *testing.T, r *reply, sc *scene) {
	t.Helper()
	again := env.leaky.as(t, "sven").do(t, ask{path: "/people/7", scene: sc})
	if string(again.body) != string(r.body) {
		t.Errorf("one session got %s and %s", r, again)
	}
	b := newBrowser(env.leaky)
	if err := b.signIn("sven"); err != nil {
		t.Fatal(err)
	}
	if other := b.do(t, ask{path: "/people/7", scene: sc}); string(other.body) == string(r.body) {
		t.Errorf("two sessions got %s", r)
	}
}

// notSaved says that the save was refused and that the CRM was asked to read at
// most.
func notSaved(t *testing.T, r *reply, sc *scene) {
	t.Helper()
	if r.status < 400 {
		t.Errorf("got %s, want a refusal", r)
	}
	for _, got := range sc.requests() {
		if got.method != http.MethodGet {
			t.Errorf("the CRM got %s %s", got.method, got.target)
		}
	}
}

// logsAreQuiet reads what Caddy wrote at debug level, its access log included.
func logsAreQuiet(t *testing.T, _ *reply, _ *scene) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(env.logs(), "*.log"))
	if err != nil || len(files) == 0 {
		t.Fatal("no logs", err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		text := stack.Read(raw)
		for _, s := range append(secrets(), leakNote[:12]) {
			if text.Holds(s) {
				t.Errorf("%s holds %q", filepath.Base(f), s)
			}
		}
	}
}

func nobodys(t *testing.T, _ *reply, sc *scene) {
	t.Helper()
	sc.nothing(t)
}
