package witness

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// TestInvariant shows, by their numbers, the promises that a witness keeps.
func TestInvariant(t *testing.T) {
	t.Run("I06-tampering-is-named", func(t *testing.T) {
		t.Run("forged-requests-are-refused", forgedRequestsAreRefused)
		t.Run("forged-cosignature-is-not-taken", forgedCosignatureIsNotTaken)
	})
	t.Run("I10-one-writer-one-tree", func(t *testing.T) {
		t.Run("witness-signs-one-history", witnessSignsOneHistory)
		t.Run("requests-race-for-one-history", requestsRaceForOneHistory)
		t.Run("killed-witness-remembers", killedWitnessRemembers)
		t.Run("witness-that-forgot-is-refused", witnessThatForgotIsRefused)
		t.Run("failing-disk-gives-no-cosignature", failingDiskGivesNoCosignature)
	})
}

func TestCheckpointIsCountersignedAsItGrows(t *testing.T) {
	t.Parallel()
	l := newTestLog(t, "crmgate/n1/00")
	w, c := served(t, t.TempDir(), l)
	began := time.Now().Add(-time.Second)
	if msg, err := c.Latest(t.Context(), l.origin); msg != nil || err != nil {
		t.Errorf("before the first: %q, %v", msg, err)
	}
	old := int64(0)
	for _, size := range []int64{0, 1, 1, 2, 7, 8, 300, 300, 1025} {
		for l.size < size {
			l.grow(t, fmt.Sprint(l.size))
		}
		cp := l.checkpoint(t, size)
		line, err := c.Add(t.Context(), uint64(old), l.proof(t, old, size), cp)
		if err != nil {
			t.Fatalf("%d to %d: %v", old, size, err)
		}
		n, err := note.Open(append(bytes.Clone(cp), line...), note.VerifierList(c.Key))
		if err != nil || len(n.Sigs) != 1 {
			t.Fatalf("%d to %d: %v", old, size, err)
		}
		if at, err := Time(n.Sigs[0]); err != nil || at.Before(began.Truncate(time.Second)) || at.After(time.Now()) {
			t.Errorf("made at %v: %v", at, err)
		}
		msg, err := c.Latest(t.Context(), l.origin)
		if err != nil || !bytes.HasPrefix(msg, cp) || !bytes.HasSuffix(msg, line) {
			t.Errorf("the last checkpoint is %q, %v", msg, err)
		}
		old = size
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

// post sends a body as it is.
func post(t *testing.T, c *Client, body string) (int, string, string) {
	t.Helper()
	status, kind, answer, err := c.do(t.Context(), http.MethodPost, "/add-checkpoint", []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return status, kind, string(answer)
}

// Each answer is the one that the protocol has for it, and none changes what the
// witness holds.
func forgedRequestsAreRefused(t *testing.T) {
	l, stranger := newTestLog(t, "crmgate/n1/00"), newTestLog(t, "crmgate/other/00")
	l.grow(t, "a", "b", "c", "d", "e")
	fork := l.fork(t, 2)
	fork.grow(t, "x", "y", "z")
	thief := newTestLog(t, l.origin) // another key of the same name
	thief.grow(t, "a", "b", "c", "d", "e")
	stranger.grow(t, "a")
	_, c := served(t, t.TempDir(), l)
	if _, err := c.Add(t.Context(), 0, nil, l.checkpoint(t, 3)); err != nil {
		t.Fatal(err)
	}
	request := func(old uint64, of *testLog, size int64, proof bool) string {
		r := &request{old: old, checkpoint: of.checkpoint(t, size)}
		if proof {
			r.proof = of.proof(t, int64(old), size)
		}
		return string(r.encode())
	}
	good := request(3, l, 5, true)
	swapped := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q isn't in %q", old, good)
		}
		return strings.Replace(good, old, new, 1)
	}
	lines := strings.Split(good, "\n")
	broken := strings.Replace(good, lines[len(lines)-2], lines[len(lines)-2][:len(lines[len(lines)-2])-6]+"AAAAA=", 1)
	for name, r := range map[string]struct {
		body   string
		status int
	}{
		"fork":                      {request(3, fork, 5, true), 422},
		"fork of the same size":     {request(3, fork, 3, false), 422},
		"no proof":                  {request(3, l, 5, false), 422},
		"proof where none is":       {swapped("old 3", "old 0"), 409},
		"a proof's line gone":       {swapped(lines[1]+"\n", ""), 422},
		"a proof's lines exchanged": {swapped(lines[1]+"\n"+lines[2], lines[2]+"\n"+lines[1]), 422},
		"went back":                 {request(2, l, 3, true), 409},
		"from the beginning again":  {request(0, l, 5, false), 409},
		"ahead of itself":           {request(5, l, 4, false), 400},
		"unknown log":               {request(0, stranger, 1, false), 404},
		"another key":               {request(3, thief, 5, true), 403},
		"broken signature":          {broken, 403},
		"old with a zero":           {swapped("old 3", "old 03"), 400},
		"old with a sign":           {swapped("old 3", "old +3"), 400},
		"old of another spelling":   {swapped("old 3", "OLD 3"), 400},
		"carriage returns":          {strings.ReplaceAll(good, "\n", "\r\n"), 400},
		"hash of another form":      {swapped(lines[1], lines[1][:40]), 400},
		"too many lines":            {swapped(lines[1], strings.Repeat(lines[1]+"\n", 63)+lines[1]), 400},
		"nothing":                   {"", 400},
		"too long":                  {good + strings.Repeat("x", maxRequest), 400},
		"a size with a zero":        {"old 3\n\n" + string(l.sign(t, l.origin+"\n05\n"+strings.Split(string(l.checkpoint(t, 5)), "\n")[2]+"\n")), 400},
		"root of an empty tree":     {"old 3\n\n" + string(l.sign(t, l.origin+"\n-1\n"+strings.Split(string(l.checkpoint(t, 5)), "\n")[2]+"\n")), 400},
	} {
		status, kind, answer := post(t, c, r.body)
		if status != r.status {
			t.Errorf("%s: status %d (%s), want %d", name, status, answer, r.status)
		}
		if status == 409 && (kind != "text/x.tlog.size" || answer != "3\n") {
			t.Errorf("%s: %s %q", name, kind, answer)
		}
		if strings.Contains(answer, "—") {
			t.Errorf("%s was countersigned: %s", name, answer)
		}
		if msg, err := c.Latest(t.Context(), l.origin); err != nil || !bytes.HasPrefix(msg, l.checkpoint(t, 3)) {
			t.Errorf("%s: the witness has %q, %v now", name, msg, err)
		}
	}
	if status, _, answer := post(t, c, good); status != 200 {
		t.Errorf("the right request: status %d, %s", status, answer)
	}
	status, _, _, err := c.do(t.Context(), http.MethodGet, "/add-checkpoint", nil)
	if err != nil || status == 200 {
		t.Errorf("GET add-checkpoint: %d, %v", status, err)
	}
}

func TestEmptyTreeHasTheEmptyRoot(t *testing.T) {
	t.Parallel()
	l := newTestLog(t, "crmgate/n1/00")
	l.grow(t, "a")
	_, c := served(t, t.TempDir(), l)
	root := strings.Split(string(l.checkpoint(t, 1)), "\n")[2]
	if status, _, _ := post(t, c, "old 0\n\n"+string(l.sign(t, l.origin+"\n0\n"+root+"\n"))); status != 422 {
		t.Errorf("status %d, want 422", status)
	}
}

// Whatever a witness, or somebody on the way to it, answers: no line is taken that
// isn't its own over this checkpoint.
func forgedCosignatureIsNotTaken(t *testing.T) {
	l := newTestLog(t, "crmgate/n1/00")
	l.grow(t, "a", "b")
	_, c := served(t, t.TempDir(), l)
	_, other := served(t, t.TempDir(), l)
	first, err := c.Add(t.Context(), 0, nil, l.checkpoint(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := other.Add(t.Context(), 0, nil, l.checkpoint(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Clone(first)
	changed[len(changed)-12] ^= 1
	for name, lines := range map[string][]byte{
		"of another checkpoint": first, "of another witness": foreign, "changed": changed, "nothing": nil, "no line": []byte("ok\n"),
		"a whole note": l.checkpoint(t, 2),
	} {
		if line, err := c.cosignature(l.checkpoint(t, 2), lines); !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %q, %v", name, line, err)
		}
	}
	if _, err := c.cosignature(l.checkpoint(t, 1), append(bytes.Clone(foreign), first...)); err != nil {
		t.Errorf("its own among others': %v", err)
	}
}

// A log that shows two histories gets a cosignature of one, also after a restart.
func witnessSignsOneHistory(t *testing.T) {
	dir := t.TempDir()
	l := newTestLog(t, "crmgate/n1/00")
	l.grow(t, "a", "b", "c")
	fork := l.fork(t, 1)
	fork.grow(t, "x", "y", "z")
	w, c := served(t, dir, l)
	if _, err := c.Add(t.Context(), 0, nil, l.checkpoint(t, 3)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for size := int64(1); size <= fork.size; size++ {
			for old := int64(0); old <= size; old++ {
				_, err := c.Add(t.Context(), uint64(old), fork.proof(t, old, size), fork.checkpoint(t, size))
				behind, stale := errors.AsType[*Behind](err)
				if !errors.Is(err, ErrFork) && (!stale || behind.Size != 3) {
					t.Errorf("%d to %d: %v", old, size, err)
				}
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		w, c = served(t, dir, l)
	}
}

// Requests at the same time, of logs and of their forks: of each two that lead on from the
// same entries, one is countersigned.
func requestsRaceForOneHistory(t *testing.T) {
	var logs, forks []*testLog
	for i := range 40 {
		l := newTestLog(t, fmt.Sprintf("crmgate/n%d/00", i))
		l.grow(t, "a")
		fork := l.fork(t, 1)
		l.grow(t, "b", "c")
		fork.grow(t, "x", "y")
		logs, forks = append(logs, l), append(forks, fork)
	}
	w, _ := served(t, t.TempDir(), logs...)
	for i, l := range logs {
		if _, err := w.add(&request{checkpoint: l.checkpoint(t, 1)}); err != nil {
			t.Fatal(err)
		}
		var racers sync.WaitGroup
		var signed atomic.Int32
		start := make(chan struct{})
		for racer := range 8 {
			of, size := []*testLog{l, forks[i]}[racer%2], int64(2+racer/2%2)
			r := &request{old: 1, proof: of.proof(t, 1, size), checkpoint: of.checkpoint(t, size)}
			racers.Go(func() {
				<-start
				line, err := w.add(r)
				if _, stale := errors.AsType[conflict](err); err != nil && !stale {
					t.Error(err)
				}
				if line != nil {
					signed.Add(1)
				}
			})
		}
		close(start)
		racers.Wait()
		if signed.Load() != 1 {
			t.Errorf("%d checkpoints were countersigned from one on", signed.Load())
		}
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func witnessThatForgotIsRefused(t *testing.T) {
	l := newTestLog(t, "crmgate/n1/00")
	l.grow(t, "a")
	for name, lose := range map[string]func(t *testing.T, dir string) error{
		"state gone":    func(_ *testing.T, dir string) error { return os.Remove(filepath.Join(dir, stateFile)) },
		"key gone":      func(_ *testing.T, dir string) error { return os.Remove(filepath.Join(dir, keyFile)) },
		"state emptied": func(_ *testing.T, dir string) error { return os.WriteFile(filepath.Join(dir, stateFile), nil, 0o600) },
		"state edited": func(t *testing.T, dir string) error {
			t.Helper()
			b, err := os.ReadFile(filepath.Join(dir, stateFile))
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, stateFile), bytes.Replace(b, []byte(`\n1\n`), []byte(`\n0\n`), 1), 0o600)
		},
		"another's state": func(t *testing.T, dir string) error {
			t.Helper()
			other := t.TempDir()
			w, c := served(t, other, l)
			if _, err := c.Add(t.Context(), 0, nil, l.checkpoint(t, 1)); err != nil {
				return err
			}
			if err := w.Close(); err != nil {
				return err
			}
			return os.Rename(filepath.Join(other, stateFile), filepath.Join(dir, stateFile))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			w, c := served(t, dir, l)
			if _, err := c.Add(t.Context(), 0, nil, l.checkpoint(t, 1)); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(dir, nil); err == nil {
				t.Error("a second process took the same key")
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if err := lose(t, dir); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(dir, []string{l.vkey}); !errors.Is(err, ErrLost) {
				t.Errorf("opening gave %v", err)
			}
			if _, err := Make(dir, "w"); !errors.Is(err, fs.ErrExist) {
				t.Errorf("making another in its place gave %v", err)
			}
		})
	}
}

// Where the state can't be kept, nothing is signed, and the witness goes on when it can.
func failingDiskGivesNoCosignature(t *testing.T) {
	dir := t.TempDir()
	l := newTestLog(t, "crmgate/n1/00")
	l.grow(t, "a", "b")
	_, c := served(t, dir, l)
	tmp := filepath.Join(dir, stateFile+".tmp")
	if err := os.Mkdir(tmp, 0o700); err != nil { // no file can be written there
		t.Fatal(err)
	}
	if line, err := c.Add(t.Context(), 0, nil, l.checkpoint(t, 1)); line != nil || !errors.Is(err, ErrAnswer) {
		t.Fatalf("%q, %v", line, err)
	}
	if msg, err := c.Latest(t.Context(), l.origin); msg != nil || err != nil {
		t.Errorf("the witness shows %q, %v", msg, err)
	}
	if err := os.Remove(tmp); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Add(t.Context(), 0, nil, l.checkpoint(t, 2)); err != nil {
		t.Error(err)
	}
}

func TestKeysAreRead(t *testing.T) {
	t.Parallel()
	_, public, err := newKey("witness.example/w1")
	if err != nil {
		t.Fatal(err)
	}
	if v, err := ParseKey(public + "\n"); err != nil || v.Name() != "witness.example/w1" {
		t.Errorf("%s: %v", public, err)
	}
	l := newTestLog(t, "crmgate/n1/00")
	name, rest, _ := strings.Cut(public, "+")
	for _, wrong := range []string{
		"", l.vkey, name + "x+" + rest, name + "+00000000+" + strings.SplitN(rest, "+", 2)[1], public[:len(public)-3] + "AAA", "a b+" + rest,
	} {
		if _, err := ParseKey(wrong); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

// FuzzRequest states that what is read of a request is all of it: written again, it is
// the same.
func FuzzRequest(f *testing.F) {
	f.Add([]byte("old 0\n\ncrmgate/n/0\n1\n"))
	f.Add([]byte("old 12\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\nx"))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := parseRequest(body)
		if err == nil && !bytes.Equal(r.encode(), body) {
			t.Errorf("%q was read as %q", body, r.encode())
		}
	})
}
