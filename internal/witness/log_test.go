package witness

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// testLog is a log that grows: all hashes in memory.
type testLog struct {
	origin string
	signer note.Signer
	vkey   string
	hashes []tlog.Hash
	size   int64
}

func newTestLog(t *testing.T, origin string) *testLog {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	return &testLog{origin: origin, signer: signer, vkey: public}
}

// ReadHashes implements tlog.HashReader.
func (l *testLog) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, l.hashes[i])
	}
	return out, nil
}

func (l *testLog) grow(t *testing.T, entries ...string) {
	t.Helper()
	for _, e := range entries {
		more, err := tlog.StoredHashes(l.size, []byte(e), l)
		if err != nil {
			t.Fatal(err)
		}
		l.hashes = append(l.hashes, more...)
		l.size++
	}
}

// fork is another log of the same key, with its first n entries.
func (l *testLog) fork(t *testing.T, n int64) *testLog {
	t.Helper()
	f := *l
	f.size, f.hashes = n, nil
	f.hashes = append(f.hashes, l.hashes[:tlog.StoredHashIndex(0, n)]...)
	return &f
}

func (l *testLog) root(t *testing.T, size int64) tlog.Hash {
	t.Helper()
	h, err := tlog.TreeHash(size, l)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (l *testLog) checkpoint(t *testing.T, size int64) []byte {
	t.Helper()
	h := l.root(t, size)
	return l.sign(t, fmt.Sprintf("%s\n%d\n%s\n", l.origin, size, base64.StdEncoding.EncodeToString(h[:])))
}

func (l *testLog) sign(t *testing.T, text string) []byte {
	t.Helper()
	msg, err := note.Sign(&note.Note{Text: text}, l.signer)
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func (l *testLog) proof(t *testing.T, old, size int64) tlog.TreeProof {
	t.Helper()
	if old == 0 || old == size {
		return nil
	}
	p, err := tlog.ProveTree(size, old, l)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// served is a witness of these logs, and a client of it.
func served(t *testing.T, dir string, logs ...*testLog) (*Witness, *Client) {
	t.Helper()
	if !Made(dir) {
		if _, err := Make(dir, "witness.example/w1"); err != nil {
			t.Fatal(err)
		}
	}
	var keys []string
	for _, l := range logs {
		keys = append(keys, l.vkey)
	}
	w, err := Open(dir, keys)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(w.Handler(nil))
	t.Cleanup(s.Close)
	key, err := ParseKey(w.Key())
	if err != nil {
		t.Fatal(err)
	}
	return w, &Client{URL: s.URL, Key: key, HTTP: &http.Client{Timeout: time.Minute}}
}
