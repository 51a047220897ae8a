package audit

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/stamp"
	"github.com/crmgate/crmgate/internal/stamp/stamptest"
)

// A time stamp is checked with its authority's certificates, in the log and in an export,
// and one of another checkpoint isn't taken for it.
func staleTimeStampIsNamed(t *testing.T) {
	tsa, other := stamptest.New(t), stamptest.New(t)
	ask := func(a *stamptest.Authority, c Checkpoint) []byte {
		token, err := (&stamp.Authority{URL: a.URL, HTTP: &http.Client{Timeout: time.Minute}}).Ask(t.Context(), []byte(c.Text()))
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	dir, ring := t.TempDir(), testRing(t)
	l := mustOpen(t, dir, ring, small())
	signedUpTo(t, l)
	stale := ask(tsa, l.Checkpoint())
	for i := range 20 {
		mustAppend(t, l, intentOf(fmt.Sprint(i)))
	}
	signedUpTo(t, l)
	c := l.Checkpoint()
	good, foreignOne := ask(tsa, c), ask(other, c)
	if err := l.KeepStamped(c, "tsa.example", good); err != nil {
		t.Fatal(err)
	}
	if a := l.Stamped(); a == nil || a.Size != c.Size || a.By[0] != "tsa.example" {
		t.Errorf("stamped: %+v", a)
	}
	mustClose(t, l)
	by := Attesters{Authorities: tsa.Roots}
	r, err := Verify(t.Context(), dir, ring, Check{Attesters: by})
	if err != nil || r.Stamped == nil || !r.Stamped.Checked || r.Stamped.Size != c.Size {
		t.Errorf("%+v, %v", r.Stamped, err)
	}
	if _, err := Verify(t.Context(), dir, ring, Check{Attesters: Attesters{Authorities: other.Roots}}); !errors.Is(err, ErrForged) {
		t.Errorf("another authority: %v", err)
	}
	out := filepath.Join(t.TempDir(), "export")
	if _, err := Export(t.Context(), dir, ring, out, Exporting{}); err != nil {
		t.Fatal(err)
	}
	if r, err := VerifyExport(t.Context(), out, l.notary.key.vkey, by, nil); err != nil || !r.Stamped.Checked {
		t.Errorf("the export: %+v, %v", r.Stamped, err)
	}
	notes, err := filepath.Glob(filepath.Join(out, exportAttested, "*"+stampedSuffix))
	if err != nil || len(notes) != 1 {
		t.Fatal(notes, err)
	}
	token := strings.TrimSuffix(notes[0], checkpointSuffix) + tokenSuffix
	for name, c := range map[string]struct {
		in, beside []byte
		by         Attesters
	}{
		"stale":                       {stale, stale, Attesters{}},
		"of another authority":        {foreignOne, foreignOne, by},
		"changed":                     {flipped(good, len(good)-9), flipped(good, len(good)-9), by},
		"another one for openssl":     {good, stale, Attesters{}},
		"no authority is trusted yet": {good, good, Attesters{Authorities: x509.NewCertPool()}},
	} {
		msg := append(l.Checkpoint().plain(), stamp.Line("tsa.example", c.in)...)
		if err := errors.Join(os.WriteFile(notes[0], msg, 0o600), os.WriteFile(token, c.beside, 0o600)); err != nil {
			t.Fatal(err)
		}
		_, err := VerifyExport(t.Context(), out, l.notary.key.vkey, c.by, nil)
		_, live := Verify(t.Context(), dir, ring, Check{Against: map[string][]byte{"x": msg}})
		if !errors.Is(err, ErrTampered) || live != nil {
			t.Errorf("%s: %v, %v", name, err, live)
		}
	}
}
