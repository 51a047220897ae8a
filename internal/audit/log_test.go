package audit

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/keys"
)

func testRing(t testing.TB) *keys.Ring {
	t.Helper()
	ring, err := keys.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func small() Options { return Options{Node: "n1", SegmentSize: 64 << 10} }

// aMinute is how long an append waits in tests that are not about waiting: a disk
// that is slow for a while must not fail them.
const aMinute = time.Minute

func mustOpen(t testing.TB, dir string, ring *keys.Ring, opts Options) *Log {
	t.Helper()
	opts.Timeout = cmp.Or(opts.Timeout, aMinute)
	l, err := Open(t.Context(), dir, ring, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func mustAppend(t testing.TB, l *Log, e *Entry) Receipt {
	t.Helper()
	r, err := l.Append(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func mustClose(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func collect(t testing.TB, seq func(func(Stored, error) bool)) []Stored {
	t.Helper()
	var all []Stored
	for s, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

func TestEntriesComeBackAsTheyWereWritten(t *testing.T) {
	dir, ring := t.TempDir(), testRing(t)
	l := mustOpen(t, dir, ring, small())
	s := newSampler(5)
	written := s.entries(150)
	var receipts []Receipt
	for _, e := range written {
		e.Time = e.Time.UTC()
		receipts = append(receipts, mustAppend(t, l, e))
	}
	mustClose(t, l)
	got := collect(t, Read(t.Context(), dir, ring))
	if len(got) != len(written)+2 {
		t.Fatalf("%d entries, want %d", len(got), len(written)+2)
	}
	if got[0].Entry.Event != Start || got[len(got)-1].Entry.Event != Stop {
		t.Errorf("first event = %q, last = %q", got[0].Entry.Event, got[len(got)-1].Entry.Event)
	}
	for i, e := range written {
		g := got[i+1]
		if receipts[i].Seq != g.Seq || receipts[i].Node != "n1" {
			t.Errorf("receipt %v for entry %d", receipts[i], g.Seq)
		}
		want, have := asJSON(t, e), asJSON(t, &g.Entry)
		if !bytes.Equal(sortedRecords(want), sortedRecords(have)) {
			t.Fatalf("entry %d:\n%s\nwant\n%s", g.Seq, have, want)
		}
	}
}

func asJSON(t testing.TB, e *Entry) []byte {
	t.Helper()
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// An empty disclosure and one without members are the same.
func sortedRecords(b []byte) []byte { return bytes.ReplaceAll(b, []byte(`"disclosure":{},`), nil) }

func rootIsThatOfAPlainTree(t *testing.T) {
	dir, ring := t.TempDir(), testRing(t)
	l := mustOpen(t, dir, ring, small())
	for range 70 {
		intent, _ := newSampler(3).request(1)
		mustAppend(t, l, intent)
	}
	mustClose(t, l)
	var hashes []tlog.Hash
	reader := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, i := range at {
			out = append(out, hashes[i])
		}
		return out, nil
	})
	all := collect(t, Read(t.Context(), dir, ring))
	for i, s := range all {
		more, err := tlog.StoredHashesForRecordHash(int64(i), s.LeafHash, reader)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, more...)
	}
	want, err := tlog.TreeHash(int64(len(all)), reader)
	if err != nil {
		t.Fatal(err)
	}
	size, root := l.Head()
	if size != uint64(len(all)) || root != want {
		t.Errorf("Head = %d, %v, want %d, %v", size, root, len(all), want)
	}
	report, err := Verify(t.Context(), dir, ring, Check{})
	if err != nil || report.Root != want {
		t.Errorf("Verify = %v, %v, want root %v", report.Root, err, want)
	}
}

func secondProcessIsLockedOut(t *testing.T) {
	dir, ring := t.TempDir(), testRing(t)
	l := mustOpen(t, dir, ring, small())
	if _, err := Open(t.Context(), dir, ring, small()); !errors.Is(err, ErrLocked) {
		t.Errorf("error = %v, want ErrLocked", err)
	}
	mustClose(t, l)
	mustClose(t, mustOpen(t, dir, ring, small()))
}

func logKeepsItsNodeAndKeys(t *testing.T) {
	dir, ring := t.TempDir(), testRing(t)
	opts := small()
	opts.Node = ""
	l := mustOpen(t, dir, ring, opts)
	node := l.Node()
	mustClose(t, l)
	if _, err := Open(t.Context(), dir, ring, small()); err == nil || !strings.Contains(err.Error(), node) {
		t.Errorf("another node name: error = %v, want one that names %q", err, node)
	}
	if _, err := Open(t.Context(), dir, testRing(t), opts); !errors.Is(err, ErrKey) || !strings.Contains(err.Error(), keys.FileName) {
		t.Errorf("another master key: error = %v, want ErrKey", err)
	}
	l = mustOpen(t, dir, ring, opts)
	if l.Node() != node {
		t.Errorf("node = %q, want %q", l.Node(), node)
	}
	mustClose(t, l)
}

func TestEntryOfAnotherLogDoesNotOpen(t *testing.T) {
	ring := testRing(t)
	a := t.TempDir()
	mustClose(t, mustOpen(t, a, ring, small()))
	// With the same data key: node and epoch alone keep the entries apart.
	x, err := newCodec(identity{node: "n1", epoch: [16]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	defer x.close()
	k := newDataKeys(osFiles{a}, ring)
	key, err := k.get(1)
	if err != nil {
		t.Fatal(err)
	}
	env, err := x.seal([]byte(`{}`), key)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []identity{{node: "n1"}, {node: "n2", epoch: [16]byte{1}}} {
		y, err := newCodec(id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := y.open(env, k); !errors.Is(err, ErrSealed) {
			t.Errorf("%v: error = %v, want ErrSealed", id, err)
		}
		y.close()
	}
	if _, err := x.open(env, k); err != nil {
		t.Errorf("its own log: %v", err)
	}
}

func monthsHaveKeysOfTheirOwn(t *testing.T) {
	dir, ring := t.TempDir(), testRing(t)
	l := mustOpen(t, dir, ring, small())
	for _, month := range []time.Month{1, 2, 1, 2, 3} {
		mustAppend(t, l, &Entry{Kind: Control, Event: Consent, Time: time.Date(2031, month, 5, 0, 0, 0, 0, time.UTC)})
	}
	mustClose(t, l)
	files, err := os.ReadDir(filepath.Join(dir, keyDir))
	if err != nil {
		t.Fatal(err)
	}
	// The two that the log's own entries are under, and one for each time that the
	// clock came to another month: it never goes back to one of before.
	if len(files) != 6 {
		t.Errorf("%d key files, want 6", len(files))
	}
	if n := len(collect(t, Read(t.Context(), dir, ring))); n != 7 {
		t.Errorf("%d entries, want 7", n)
	}
	// A key that is missing is an error, and takes the proofs of nothing along.
	if err := os.Remove(filepath.Join(dir, keyName(3))); err != nil {
		t.Fatal(err)
	}
	var last error
	for _, err := range Read(t.Context(), dir, ring) {
		last = err
	}
	if !errors.Is(last, ErrKey) || !errors.Is(last, fs.ErrNotExist) {
		t.Errorf("error = %v, want ErrKey", last)
	}
	if _, err := Verify(t.Context(), dir, nil, Check{}); err != nil {
		t.Errorf("the proofs are gone with the key: %v", err)
	}
}

func TestInvalidEntryIsRefused(t *testing.T) {
	l := mustOpen(t, t.TempDir(), testRing(t), small())
	for name, e := range map[string]*Entry{
		"no kind":               {Request: "r"},
		"no request":            {Kind: Intent},
		"request with spaces":   {Kind: Intent, Request: "a b"},
		"long request":          {Kind: Intent, Request: strings.Repeat("x", 65)},
		"intent with event":     {Kind: Intent, Request: "r", Event: Start},
		"unknown event":         {Kind: Control, Event: "x"},
		"names outside sign_in": {Kind: Intent, Request: "r", Names: &Names{User: "x"}},
		"disclosing intent":     {Kind: Intent, Request: "r", Disclosure: &access.Disclosure{}},
		"numbered by caller":    {Kind: Intent, Request: "r", Piece: 1, Pieces: 2},
	} {
		if _, err := l.Append(t.Context(), e); !errors.Is(err, ErrEntry) {
			t.Errorf("%s: error = %v, want ErrEntry", name, err)
		}
	}
	if size, _ := l.Head(); size != 1 {
		t.Errorf("size = %d after refusals, want 1", size)
	}
}

func clientThatHangsUpIsLogged(t *testing.T) {
	dir, ring := t.TempDir(), testRing(t)
	l := mustOpen(t, dir, ring, small())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Append(ctx, &Entry{Kind: Intent, Request: "gone"}); err != nil {
		t.Fatal(err)
	}
	mustClose(t, l)
	if got := collect(t, Read(t.Context(), dir, ring)); got[1].Entry.Request != "gone" {
		t.Errorf("entry 1 = %+v", got[1])
	}
}

func TestClosedLogRefuses(t *testing.T) {
	l := mustOpen(t, t.TempDir(), testRing(t), small())
	mustClose(t, l)
	mustClose(t, l)
	if _, err := l.Append(t.Context(), &Entry{Kind: Intent, Request: "r"}); !errors.Is(err, ErrClosed) {
		t.Errorf("error = %v, want ErrClosed", err)
	}
}

func largeEntryIsToldInPieces(t *testing.T) {
	dir, ring := t.TempDir(), testRing(t)
	l := mustOpen(t, dir, ring, Options{Node: "n1", SegmentSize: 4 << 20})
	var ids []string
	d := &access.Disclosure{Rows: 3}
	treated := map[access.Category]access.Treatment{access.Email: access.Partial}
	for i := range 20_000 {
		id := strings.Repeat("x", i%7) + string(rune('a'+i%26)) + time.Duration(i).String()
		ids = append(ids, id)
		d.Records = append(d.Records, access.DisclosedRecord{Record: access.Record{Entity: "contact", Type: "party.party", ID: id}, Treated: treated})
	}
	question := strings.Repeat("größer als <10> & ", 9000)
	intent := mustAppend(t, l, &Entry{Kind: Intent, Request: "r1", Accesses: []access.Access{
		{Route: "rpc", Action: access.Read, Entity: "contact", Type: "party.party", IDs: ids, Question: question},
	}})
	before, _ := l.Head()
	mustAppend(t, l, &Entry{Kind: Disclosure, Request: "r1", Intent: intent.Seq, Disclosure: d, Status: 200})
	after, _ := l.Head()
	if after-before < 3 {
		t.Errorf("the disclosure took %d leaves", after-before)
	}
	mustClose(t, l)
	var gotIDs, gotRecords []string
	var gotQuestion strings.Builder
	rows := 0
	for _, s := range collect(t, Read(t.Context(), dir, ring)) {
		for _, a := range s.Entry.Accesses {
			gotIDs = append(gotIDs, a.IDs...)
			gotQuestion.WriteString(a.Question)
		}
		if s.Entry.Disclosure != nil {
			rows += s.Entry.Disclosure.Rows
			for _, r := range s.Entry.Disclosure.Records {
				gotRecords = append(gotRecords, r.ID)
				if r.Treated[access.Email] != access.Partial {
					t.Fatalf("record %s lost its treatment", r.ID)
				}
			}
		}
		if s.Entry.Event == Stop && len(s.Entry.Unfinished) != 0 {
			t.Errorf("stop names %v as unfinished", s.Entry.Unfinished)
		}
	}
	if !reflect.DeepEqual(gotIDs, ids) || !reflect.DeepEqual(gotRecords, ids) || gotQuestion.String() != question || rows != 3 {
		t.Errorf("%d ids, %d records, %d bytes of question, %d rows came back", len(gotIDs), len(gotRecords), gotQuestion.Len(), rows)
	}
	report, err := Verify(t.Context(), dir, ring, Check{})
	if err != nil || report.Unfinished+report.Pending != 0 {
		t.Errorf("Verify = %+v, %v", report, err)
	}
}

func tooLargeEntryIsAnErrorAndNoMore(t *testing.T) {
	l := mustOpen(t, t.TempDir(), testRing(t), small())
	long := strings.Repeat("x", 100<<10)
	for name, e := range map[string]*Entry{
		"one id":  {Kind: Intent, Request: "r", Accesses: []access.Access{{IDs: []string{long}}}},
		"a field": {Kind: Intent, Request: "r", Factor: long},
	} {
		if _, err := l.Append(t.Context(), e); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: error = %v, want ErrTooLarge", name, err)
		}
	}
	mustAppend(t, l, &Entry{Kind: Intent, Request: "r"})
}

func TestProgramsOfOtherUsersCannotRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "audit")
	mustClose(t, mustOpen(t, dir, testRing(t), small()))
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
