package auditor

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/stamp"
	"github.com/crmgate/crmgate/internal/stamp/stamptest"
	"github.com/crmgate/crmgate/internal/witness"
)

// attested is an export of an attestedLog.
func attested(t *testing.T) (dir, key, witnessKey string, tsa *stamptest.Authority) {
	t.Helper()
	data, ring, key, witnessKey, tsa := attestedLog(t)
	dir = filepath.Join(t.TempDir(), "export")
	if _, err := audit.Export(t.Context(), filepath.Join(data, "log"), ring, dir, audit.Exporting{}); err != nil {
		t.Fatal(err)
	}
	return dir, key, witnessKey, tsa
}

// attestedLog is a log whose checkpoint over some 300 of 600 entries a witness has
// countersigned and an authority stamped.
func attestedLog(t *testing.T) (data string, ring *keys.Ring, key, witnessKey string, tsa *stamptest.Authority) {
	t.Helper()
	data = t.TempDir()
	ring, err := keys.Open(filepath.Join(data, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := audit.Open(t.Context(), filepath.Join(data, "log"), ring, audit.Options{Node: "n1", SegmentSize: 256 << 10, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	grow := func() {
		for i := range 300 {
			if _, err := l.Append(t.Context(), &audit.Entry{Kind: audit.Intent, Request: fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	grow()
	size, _ := l.Head()
	for deadline := time.Now().Add(time.Minute); l.Checkpoint().Size < size && time.Now().Before(deadline); {
		<-time.After(5 * time.Millisecond)
	}
	report, err := audit.Verify(t.Context(), filepath.Join(data, "log"), ring, audit.Check{})
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	if witnessKey, err = witness.Make(home, "w1.example"); err != nil {
		t.Fatal(err)
	}
	w, err := witness.Open(home, []string{report.Key})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(w.Handler(nil))
	t.Cleanup(s.Close)
	verifier, err := witness.ParseKey(witnessKey)
	if err != nil {
		t.Fatal(err)
	}
	ask := &audit.Witnesses{Clients: []*witness.Client{{URL: s.URL, Key: verifier, HTTP: &http.Client{Timeout: time.Minute}}}}
	if err := ask.Ask(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	tsa = stamptest.New(t)
	c := l.Checkpoint()
	token, err := (&stamp.Authority{URL: tsa.URL, Roots: tsa.Roots, HTTP: &http.Client{Timeout: time.Minute}}).Ask(t.Context(), []byte(c.Text()))
	if err == nil {
		err = l.KeepStamped(c, "tsa.example", token)
	}
	if err != nil {
		t.Fatal(err)
	}
	grow()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return data, ring, report.Key, witnessKey, tsa
}

// What others have signed is checked by us, by the page of Python, and by openssl; and who
// verifies exports without knowing of it passes over it.
func TestCosignaturesAreVerifiedByEverybody(t *testing.T) {
	dir, key, witnessKey, tsa := attested(t)
	ours := func() error {
		_, err := audit.VerifyExport(t.Context(), dir, key, audit.Attesters{Witnesses: []string{witnessKey}}, nil)
		return err
	}
	python := func() error {
		out, err := exec.CommandContext(t.Context(), "python3", "-I", filepath.Join("..", "..", "docs", "verify-export.py"), dir, key, witnessKey).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
	for name, verify := range verifiers(key) {
		if err := verify(t, dir); err != nil {
			t.Errorf("%s says %v", name, err)
		}
	}
	if a, b := ours(), python(); a != nil || b != nil {
		t.Fatalf("with the witness's key: %v, %v", a, b)
	}
	opensslVerifies(t, dir, tsa)
	files, err := filepath.Glob(filepath.Join(dir, "checkpoints", "*.witnessed.checkpoint"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	good, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"forged cosignature":     flipped(good, len(good)-10),
		"forged signature":       flipped(good, bytes.Index(good, []byte("\n— w1"))-10),
		"another time":           flipped(good, bytes.Index(good, []byte("w1.example "))+len("w1.example ")+14),
		"another root":           flipped(good, bytes.Index(good, []byte("\n\n"))-10),
		"another size":           bytes.Replace(good, []byte("\n301\n"), []byte("\n300\n"), 1),
		"without a cosignature":  good[:bytes.Index(good, []byte("— w1"))],
		"nothing that is signed": nil,
	} {
		if err := os.WriteFile(files[0], content, 0o600); err != nil {
			t.Fatal(err)
		}
		if a, b := ours(), python(); a == nil || b == nil {
			t.Errorf("%s: crmgate says %v, Python %v", name, a, b)
		}
	}
}

// flipped changes a letter of base64.
func flipped(b []byte, at int) []byte {
	b = bytes.Clone(b)
	if b[at]++; b[at] == 'z'+1 || b[at] == 'Z'+1 || b[at] == '9'+1 || b[at] == ',' || b[at] == '0' || b[at] == '/'+1 {
		b[at] = 'B'
	}
	return b
}

// opensslVerifies has openssl check the time stamp, as the manual says.
func opensslVerifies(t *testing.T, dir string, tsa *stamptest.Authority) {
	t.Helper()
	tokens, err := filepath.Glob(filepath.Join(dir, "checkpoints", "*.stamped.tst"))
	if err != nil || len(tokens) != 1 {
		t.Fatal(tokens, err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, tsa.PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	script := `head -n 3 "${0%.tst}.checkpoint" > "$1.text" && openssl ts -verify -token_in -in "$0" -data "$1.text" -CAfile "$1"`
	if out, err := exec.CommandContext(t.Context(), "sh", "-c", script, tokens[0], ca).CombinedOutput(); err != nil {
		t.Errorf("openssl says %v: %s", err, out)
	}
}
