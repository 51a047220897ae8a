package audit

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/witness"
)

// testWitness is a witness of logs, over HTTP.
type testWitness struct {
	dir, key string
	served   *witness.Witness
	server   *httptest.Server
}

func newTestWitness(t *testing.T, name string, logs ...string) *testWitness {
	t.Helper()
	w := &testWitness{dir: t.TempDir()}
	var err error
	if w.key, err = witness.Make(w.dir, name); err != nil {
		t.Fatal(err)
	}
	if w.served, err = witness.Open(w.dir, logs); err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewServer(w.served.Handler(nil))
	t.Cleanup(func() {
		w.server.Close()
		w.served.Close()
	})
	return w
}

func (w *testWitness) client(t *testing.T) *witness.Client {
	t.Helper()
	key, err := witness.ParseKey(w.key)
	if err != nil {
		t.Fatal(err)
	}
	return &witness.Client{URL: w.server.URL, Key: key, HTTP: &http.Client{Timeout: time.Minute}}
}

func asking2(t *testing.T, atLeast int, list ...*testWitness) *Witnesses {
	t.Helper()
	w := &Witnesses{AtLeast: atLeast}
	for _, one := range list {
		w.Clients = append(w.Clients, one.client(t))
	}
	return w
}

// signedUpTo waits until the last checkpoint is over all entries.
func signedUpTo(t *testing.T, l *Log) {
	t.Helper()
	size, _ := l.Head()
	eventually(t, "the head is signed", func() bool { return l.Checkpoint().Size >= size })
}

// witnessedLog is a log of some entries that two witnesses have countersigned, twice.
func witnessedLog(t *testing.T) (d *disk, ring *keys.Ring, l *Log, list []*testWitness) {
	t.Helper()
	d, ring = newDisk(), testRing(t)
	l = mustOpen(t, "disk", ring, onDisk(d))
	list = []*testWitness{newTestWitness(t, "w1.example", l.notary.key.vkey), newTestWitness(t, "w2.example", l.notary.key.vkey)}
	w := asking2(t, 2, list...)
	for i := range 2 {
		for j := range 20 {
			mustAppend(t, l, intentOf(fmt.Sprintf("%d-%d", i, j)))
		}
		signedUpTo(t, l)
		if err := w.Ask(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	if a := l.Witnessed(); a == nil || a.Size != l.Checkpoint().Size || len(a.By) != 2 || a.Time.IsZero() {
		t.Fatalf("witnessed: %+v", a)
	}
	return d, ring, l, list
}

func verifyWith(t *testing.T, d *disk, ring *keys.Ring, by Attesters) (Report, error) {
	t.Helper()
	opts := onDisk(d)
	return verifyIn(t.Context(), d, ring, opts.shelf("disk", ring), Check{Attesters: by})
}

func TestWitnessesCountersignAndVerifyChecksThem(t *testing.T) {
	t.Parallel()
	d, ring, l, list := witnessedLog(t)
	want := l.Witnessed()
	mustClose(t, l)
	r, err := verifyWith(t, d, ring, Attesters{Witnesses: []string{list[0].key, list[1].key}})
	if err != nil || r.Witnessed == nil || !r.Witnessed.Checked || r.Witnessed.Size != want.Size || len(r.Witnessed.By) != 2 {
		t.Errorf("%+v, %v", r.Witnessed, err)
	}
	if r, err = verifyWith(t, d, ring, Attesters{}); err != nil || r.Witnessed.Checked || len(r.Witnessed.By) != 2 {
		t.Errorf("without keys: %+v, %v", r.Witnessed, err)
	}
	again := mustOpen(t, "disk", ring, onDisk(d))
	if a := again.Witnessed(); a == nil || a.Size != want.Size || !a.Time.Equal(want.Time) {
		t.Errorf("after a restart: %+v, want %+v", a, want)
	}
	// The witness that is asked next knows where it is, and this process doesn't.
	mustAppend(t, again, intentOf("x"))
	signedUpTo(t, again)
	if err := asking2(t, 1, list...).Ask(t.Context(), again); err != nil {
		t.Error(err)
	}
}

// Fewer than at_least are none, and who isn't there is named; the others are kept.
func TestTooFewWitnessesAreSaid(t *testing.T) {
	t.Parallel()
	l := mustOpen(t, "disk", testRing(t), onDisk(newDisk()))
	knows, doesnt := newTestWitness(t, "w1.example", l.notary.key.vkey), newTestWitness(t, "w2.example")
	signedUpTo(t, l)
	err := asking2(t, 2, knows, doesnt).Ask(t.Context(), l)
	if !errors.Is(err, witness.ErrRefused) || !strings.Contains(err.Error(), "w2.example") || strings.Contains(err.Error(), "w1.example") {
		t.Errorf("error = %v", err)
	}
	if l.Witnessed() != nil {
		t.Error("one of two was enough")
	}
	if err := asking2(t, 1, knows, doesnt).Ask(t.Context(), l); !errors.Is(err, witness.ErrRefused) || l.Witnessed() == nil {
		t.Errorf("%v, %+v", err, l.Witnessed())
	}
}

// editAttested changes the checkpoints that witnesses have signed.
func editAttested(d *disk, change func([]byte) []byte) {
	for name, node := range d.names {
		if strings.HasSuffix(name, witnessedSuffix) {
			node.live = change(slices.Clone(node.live))
			node.durable = slices.Clone(node.live)
		}
	}
}

func forgedCosignatureIsNamed(t *testing.T) {
	d, ring, l, list := witnessedLog(t)
	signed := l.Checkpoint()
	mustClose(t, l)
	stranger := newTestWitness(t, "w3.example", l.notary.key.vkey)
	theirs, err := newTestWitness(t, "w1.example", l.notary.key.vkey).client(t).Add(t.Context(), 0, nil, signed.plain())
	if err != nil {
		t.Fatal(err)
	}
	both := Attesters{Witnesses: []string{list[0].key, list[1].key}}
	for name, c := range map[string]struct {
		change func(b []byte) []byte
		by     Attesters
		want   error
	}{
		"a changed cosignature": {func(b []byte) []byte {
			return flipped(b, len(b)-10) // of the last one
		}, both, ErrForged},
		"taken away": {func(b []byte) []byte {
			return []byte(strings.Join(strings.SplitAfter(string(b), "\n")[:6], ""))
		}, both, ErrUnattested},
		"of another witness of that name": {func(b []byte) []byte {
			return slices.Concat([]byte(strings.Join(strings.SplitAfter(string(b), "\n")[:5], "")), theirs)
		}, both, ErrUnattested},
		"of somebody who was never asked": {func(b []byte) []byte { return b }, Attesters{Witnesses: []string{stranger.key}}, ErrUnattested},
		"over a changed text":             {func(b []byte) []byte { return bytes.Replace(b, []byte("\n"), []byte("\n1"), 1) }, both, ErrCheckpoint},
	} {
		t.Run(name, func(t *testing.T) {
			changed := copyOf(d)
			editAttested(changed, c.change)
			if _, err := verifyWith(t, changed, ring, c.by); !errors.Is(err, c.want) {
				t.Errorf("verify says %v, want %v", err, c.want)
			}
		})
	}
	if _, err := verifyWith(t, d, ring, both); err != nil {
		t.Errorf("unchanged: %v", err)
	}
}

// A log that was cut back with its checkpoints starts nowhere as long as a witness holds
// one that this log's key has signed; what others have signed stops nobody.
func logShorterThanAWitnessSawIsRefused(t *testing.T) {
	d, ring := newDisk(), testRing(t)
	l := mustOpen(t, "disk", ring, onDisk(d))
	w := newTestWitness(t, "w1.example", l.notary.key.vkey)
	mustAppend(t, l, intentOf("a"))
	mustClose(t, l)
	earlier := copyOf(d)
	l = mustOpen(t, "disk", ring, onDisk(d))
	for i := range 20 {
		mustAppend(t, l, intentOf(fmt.Sprint(i)))
	}
	signedUpTo(t, l)
	ask := asking2(t, 1, w)
	if err := ask.Ask(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	seen := l.Witnessed().Size
	mustClose(t, l)
	with := func(d *disk, ask asking) Options {
		opts := onDisk(d)
		opts.Elsewhere = ask
		return opts
	}
	_, err := Open(t.Context(), "disk", ring, with(earlier, ask.Latest))
	damage, ok := errors.AsType[*Damage](err)
	if !ok || damage.Last != seen-1 || !strings.Contains(err.Error(), "w1.example") || !strings.Contains(err.Error(), "crmgate audit restore") {
		t.Fatalf("the log that went back: %v", err)
	}
	mustClose(t, mustOpen(t, "disk", ring, with(d, ask.Latest)))
	// A witness that says what it likes, or nothing, stops no log.
	forged := ask.Latest(t.Context(), l.id.origin())
	for name, msg := range map[string][]byte{
		"nothing": nil, "garbage": []byte("x\n\n— x AAAAAAAA\n"),
		"a larger size": bytes.Replace(slices.Concat(slices.Collect(maps.Values(forged))...), fmt.Appendf(nil, "\n%d\n", seen), []byte("\n999\n"), 1),
	} {
		lying := func(context.Context, string) map[string][]byte { return map[string][]byte{"x": msg} }
		again, err := Open(t.Context(), "disk", ring, with(d, lying))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		mustClose(t, again)
	}
	w.server.Close()
	mustClose(t, mustOpen(t, "disk", ring, with(d, ask.Latest)))
	// Where it started all the same, as when the witness was away, it is told.
	short := mustOpen(t, "disk", ring, onDisk(earlier))
	w.server = httptest.NewServer(w.served.Handler(nil))
	signedUpTo(t, short)
	if err := asking2(t, 1, w).Ask(t.Context(), short); !errors.Is(err, ErrShorter) {
		t.Errorf("asking with a shorter log: %v", err)
	}
	if short.Witnessed() != nil {
		t.Error("a shorter log was countersigned")
	}
}

// A log that was written anew with all the keys gets no cosignature, and verify names the
// checkpoint that it doesn't agree with.
func logWrittenAnewIsNotCountersigned(t *testing.T) {
	d, ring := newDisk(), testRing(t)
	l := mustOpen(t, "disk", ring, onDisk(d))
	w := newTestWitness(t, "w1.example", l.notary.key.vkey)
	mustClose(t, l)
	twin := copyOf(d)
	write := func(d *disk, with string) *Log {
		l := mustOpen(t, "disk", ring, onDisk(d))
		for i := range 20 {
			mustAppend(t, l, intentOf(with+fmt.Sprint(i)))
		}
		signedUpTo(t, l)
		return l
	}
	l = write(d, "a")
	if err := asking2(t, 1, w).Ask(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	mustClose(t, l)
	other := write(twin, "b")
	mustAppend(t, other, intentOf("more"))
	signedUpTo(t, other)
	if err := asking2(t, 1, w).Ask(t.Context(), other); !errors.Is(err, witness.ErrFork) {
		t.Errorf("asking for the twin: %v", err)
	}
	mustClose(t, other)
	for name, node := range d.names {
		if strings.HasSuffix(name, witnessedSuffix) {
			twin.names[name] = node
		}
	}
	if _, err := verifyDisk(t, twin, ring); !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), witnessedSuffix) {
		t.Errorf("verify says %v", err)
	}
	opts := onDisk(twin)
	opts.Elsewhere = asking2(t, 1, w).Latest
	if _, err := Open(t.Context(), "disk", ring, opts); !errors.Is(err, ErrTampered) {
		t.Errorf("opening gave %v", err)
	}
}

// An export carries what witnesses signed, and what is changed of it is named.
func exportCarriesCosignatures(t *testing.T) {
	dir, ring := t.TempDir(), testRing(t)
	l := mustOpen(t, dir, ring, small())
	w := newTestWitness(t, "w1.example", l.notary.key.vkey)
	for i := range 300 {
		mustAppend(t, l, intentOf(fmt.Sprint(i)))
	}
	signedUpTo(t, l)
	if err := asking2(t, 1, w).Ask(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	seen := l.Witnessed().Size
	for i := range 300 {
		mustAppend(t, l, intentOf(fmt.Sprint(i)))
	}
	mustClose(t, l)
	by := Attesters{Witnesses: []string{w.key}}
	export := func() string {
		out := filepath.Join(t.TempDir(), "export")
		r, err := Export(t.Context(), dir, ring, out, Exporting{})
		if err != nil || r.Witnessed == nil || r.Witnessed.Size != seen {
			t.Fatalf("%+v, %v", r, err)
		}
		return out
	}
	out := export()
	if r, err := VerifyExport(t.Context(), out, l.notary.key.vkey, by, nil); err != nil || !r.Witnessed.Checked || r.Witnessed.Size != seen {
		t.Errorf("%+v, %v", r.Witnessed, err)
	}
	files, err := filepath.Glob(filepath.Join(out, exportAttested, "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%q, %v", files, err)
	}
	good, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	ahead, err := l.notary.key.sign(l.id.origin(), head{size: seen + 9999})
	if err != nil {
		t.Fatal(err)
	}
	another, err := l.notary.key.sign(l.id.origin(), head{size: seen - 1})
	if err != nil {
		t.Fatal(err)
	}
	misled := newTestWitness(t, "misled.example", l.notary.key.vkey)
	cosigned := func(c Checkpoint) []byte { // by a witness that saw another root
		line, err := misled.client(t).Add(t.Context(), 0, nil, c.Note)
		if err != nil {
			t.Fatal(err)
		}
		return append(c.Note, line...)
	}
	theirs := [][]byte{cosigned(another), nil}
	first := misled.key
	misled = newTestWitness(t, "misled.example", l.notary.key.vkey)
	theirs[1] = cosigned(ahead)
	for name, c := range map[string]struct {
		content []byte
		by      string
		want    error
	}{
		"forged":                        {flipped(good, len(good)-10), "", ErrForged},
		"cut":                           {good[:len(good)-40], "", ErrTampered},
		"gone":                          {nil, "", ErrUnattested},
		"of more entries than exported": {theirs[1], misled.key, ErrTampered},
		"a witness saw another root":    {theirs[0], first, ErrTampered},
	} {
		if err := os.Remove(files[0]); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if c.content != nil {
			if err := os.WriteFile(files[0], c.content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		by := Attesters{Witnesses: []string{cmp.Or(c.by, w.key)}}
		if _, err := VerifyExport(t.Context(), out, l.notary.key.vkey, by, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if _, err := VerifyExport(t.Context(), out, "", Attesters{Authorities: x509.NewCertPool()}, nil); err == nil {
			t.Errorf("%s: no time stamp is there, and one was asked for", name)
		}
	}
}

// flipped changes a byte to one that base64 has, too.
func flipped(b []byte, at int) []byte {
	b = bytes.Clone(b)
	if b[at] == 'A' {
		b[at] = 'B'
	} else {
		b[at] = 'A'
	}
	return b
}
