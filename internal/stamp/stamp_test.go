package stamp_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/crmgate/crmgate/internal/stamp"
)

// TestOpenSSLStampsAndWeCheck has openssl answer as an authority, and check what we keep.
func TestOpenSSLStampsAndWeCheck(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "tsa")
	other := newAuthority(t, "other")
	text := []byte("crmgate/n/00\n8\nAAAA\n")
	asked := time.Now().Add(-2 * time.Second)
	authority := &stamp.Authority{URL: a.serve(t, nil), Roots: a.roots, HTTP: &http.Client{Timeout: time.Minute}}
	token, err := authority.Ask(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	at, err := stamp.Verify(token, text, a.roots)
	if err != nil || at.Before(asked) || at.After(time.Now().Add(2*time.Second)) {
		t.Errorf("verified: %v, %v", at, err)
	}
	if said, err := stamp.Time(token, text); err != nil || !said.Equal(at) {
		t.Errorf("it says %v, %v", said, err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "text"), text)
	write(t, filepath.Join(dir, "token"), token)
	out, err := exec.CommandContext(t.Context(), "openssl", "ts", "-verify", "-data", filepath.Join(dir, "text"), "-in", filepath.Join(dir, "token"),
		"-token_in", "-CAfile", filepath.Join(a.dir, "ca.crt")).CombinedOutput()
	if err != nil {
		t.Errorf("openssl says %v: %s", err, out)
	}
	for name, err := range map[string]error{
		"another text":      second(stamp.Verify(token, append(text, '\n'), a.roots)),
		"another authority": second(stamp.Verify(token, text, other.roots)),
		"cut":               second(stamp.Verify(token[:len(token)-4], text, a.roots)),
		"changed": second(stamp.Verify(func() []byte {
			b := bytes.Clone(token)
			b[len(b)-9] ^= 1
			return b
		}(), text, a.roots)),
		"nothing": second(stamp.Verify(nil, text, a.roots)),
	} {
		if !errors.Is(err, stamp.ErrStamp) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (&stamp.Authority{URL: a.serve(t, nil), Roots: other.roots, HTTP: &http.Client{Timeout: time.Minute}}).Ask(t.Context(), text); !errors.Is(err, stamp.ErrStamp) {
		t.Errorf("a stamp of somebody else was taken: %v", err)
	}
}

func second(_ time.Time, err error) error { return err }

// A certificate that is for servers, too, gives no time stamps.
func TestCertificateHasToBeForStamps(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "tsa")
	token := a.stamped(t, []byte("x"))
	web := newAuthorityFor(t, "web", "critical,timeStamping,serverAuth")
	if web.broken == nil { // openssl itself refuses to stamp with it
		t.Error("openssl stamps with a certificate for servers")
	}
	if _, err := stamp.Verify(token, []byte("x"), a.roots); err != nil {
		t.Error(err)
	}
}

// An answer that was recorded is no answer to this request, and one that isn't whole
// none at all.
func TestStaleAnswerIsRefused(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "tsa")
	var first []byte
	url := a.serve(t, func(answer []byte) []byte {
		if first == nil {
			first = answer
		}
		return first
	})
	authority := &stamp.Authority{URL: url, HTTP: &http.Client{Timeout: time.Minute}}
	if _, err := authority.Ask(t.Context(), []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := authority.Ask(t.Context(), []byte("x")); !errors.Is(err, stamp.ErrStamp) {
		t.Errorf("a recorded answer was taken: %v", err)
	}
	for name, change := range map[string]func([]byte) []byte{
		"too long": func([]byte) []byte { return make([]byte, 1<<20) },
		"empty":    func([]byte) []byte { return nil },
		"refusal":  func([]byte) []byte { return []byte{0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02} },
	} {
		authority.URL = a.serve(t, change)
		if _, err := authority.Ask(t.Context(), []byte("x")); !errors.Is(err, stamp.ErrStamp) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTokenStandsInANote(t *testing.T) {
	t.Parallel()
	line := stamp.Line("tsa.example", []byte("token"))
	_, err := note.Open(append([]byte("text\n\n"), line...), note.VerifierList())
	n, ok := errors.AsType[*note.UnverifiedNoteError](err)
	if !ok {
		t.Fatal(err)
	}
	if token, ok := stamp.Token(n.Note.UnverifiedSigs[0]); !ok || string(token) != "token" {
		t.Errorf("%q, %v", token, ok)
	}
	if _, ok := stamp.Token(note.Signature{Name: "tsa.example", Base64: "AAAAAAAA"}); ok {
		t.Error("another signature was taken for a token")
	}
}

// authority is openssl as a time stamping authority.
type authority struct {
	dir    string
	roots  *x509.CertPool
	broken error
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := newAuthorityFor(t, name, "critical,timeStamping")
	if a.broken != nil {
		t.Fatal(a.broken)
	}
	return a
}

func newAuthorityFor(t *testing.T, name, usage string) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir(), roots: x509.NewCertPool()}
	write(t, filepath.Join(a.dir, "tsa.cnf"), []byte(`
[tsa]
default_tsa = t
[t]
dir = `+a.dir+`
serial = $dir/serial
signer_cert = $dir/tsa.crt
signer_key = $dir/tsa.key
certs = $dir/ca.crt
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
`))
	write(t, filepath.Join(a.dir, "serial"), []byte("01\n"))
	write(t, filepath.Join(a.dir, "ext"), []byte("keyUsage=critical,digitalSignature\nextendedKeyUsage="+usage+"\n"))
	for _, args := range [][]string{
		{"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-days", "30", "-subj", "/CN=" + name + " root"},
		{"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=" + name},
		{"x509", "-req", "-in", "tsa.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30", "-extfile", "ext", "-out", "tsa.crt"},
	} {
		cmd := exec.CommandContext(t.Context(), "openssl", args...)
		cmd.Dir = a.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v\n%s", args, err, out)
		}
	}
	pem, err := os.ReadFile(filepath.Join(a.dir, "ca.crt"))
	if err != nil || !a.roots.AppendCertsFromPEM(pem) {
		t.Fatal("no root certificate")
	}
	query := exec.CommandContext(t.Context(), "openssl", "ts", "-query", "-data", "ext", "-sha256", "-cert", "-out", "try.tsq")
	query.Dir = a.dir
	if out, err := query.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	reply := exec.CommandContext(t.Context(), "openssl", "ts", "-reply", "-config", "tsa.cnf", "-section", "t", "-queryfile", "try.tsq", "-out", "try.tsr")
	reply.Dir = a.dir
	a.broken = reply.Run()
	return a
}

// serve answers requests, each answer changed by change.
func (a *authority) serve(t *testing.T, change func([]byte) []byte) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Content-Type") != "application/timestamp-query" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		write(t, filepath.Join(a.dir, "query"), query)
		cmd := exec.Command("openssl", "ts", "-reply", "-config", "tsa.cnf", "-section", "t", "-queryfile", "query", "-out", "answer")
		cmd.Dir = a.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("openssl ts -reply: %v\n%s", err, out)
		}
		answer, err := os.ReadFile(filepath.Join(a.dir, "answer"))
		if err != nil {
			t.Error(err)
		}
		if change != nil {
			answer = change(answer)
		}
		w.Header().Set("Content-Type", "application/timestamp-reply")
		_, _ = w.Write(answer)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func (a *authority) stamped(t *testing.T, text []byte) []byte {
	t.Helper()
	token, err := (&stamp.Authority{URL: a.serve(t, nil), HTTP: &http.Client{Timeout: time.Minute}}).Ask(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Error(err)
	}
}

// FuzzToken states that bytes of anybody are no time stamp, and end in no panic.
func FuzzToken(f *testing.F) {
	f.Add([]byte{0x30, 0x80, 0x06, 0x09})
	f.Fuzz(func(t *testing.T, token []byte) {
		if _, err := stamp.Verify(token, []byte("x"), x509.NewCertPool()); !errors.Is(err, stamp.ErrStamp) {
			t.Errorf("%x: %v", token, err)
		}
	})
}
