package audit

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/keys"
)

// turner is a clock that a test turns.
type turner struct {
	mu    sync.Mutex
	wall  time.Time
	since time.Duration
}

func newTurner(wall string) *turner {
	at, err := time.Parse("2006-01-02 15:04", wall)
	if err != nil {
		panic(err)
	}
	return &turner{wall: at}
}

func (c *turner) now() (time.Time, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wall, c.since
}

// run lets time pass.
func (c *turner) run(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall, c.since = c.wall.Add(d), c.since+d
}

// runTo lets time pass until a day.
func (c *turner) runTo(day string) {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(err)
	}
	wall, _ := c.now()
	c.run(at.Sub(wall))
}

// set turns the clock.
func (c *turner) set(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall = c.wall.Add(d)
}

// fillMonth writes what a month leaves: a sign-in, an access to a record that is
// named by the month, and a word of the gateway's own.
func fillMonth(t testing.TB, l *Log, c *turner) {
	t.Helper()
	at, _ := c.now()
	month := at.Format(monthFormat)
	mustAppend(t, l, &Entry{Kind: Control, Event: SignIn, Employee: l.Employee("i", "1"), Names: &Names{User: "vera-" + month}})
	r := mustAppend(t, l, &Entry{Kind: Intent, Request: "r-" + month, Accesses: []access.Access{{Type: "contact", IDs: []string{month}}}})
	mustAppend(t, l, &Entry{Kind: Disclosure, Request: "r-" + month, Intent: r.Seq, Status: 200})
	mustAppend(t, l, &Entry{Kind: Control, Event: PolicyChange, Detail: "policy of " + month})
}

// months fills n months, the first one from where the clock stands.
func fillMonths(t testing.TB, l *Log, c *turner, n int) {
	t.Helper()
	for i := range n {
		if i > 0 {
			at, _ := c.now()
			c.runTo(at.AddDate(0, 1, 1-at.Day()).Format(time.DateOnly))
			c.run(2 * time.Hour)
		}
		fillMonth(t, l, c)
	}
}

func turned(c *turner) Options {
	o := small()
	o.now = c.now
	return o
}

func mustRetain(t testing.TB, l *Log, r Retention) []string {
	t.Helper()
	gone, err := l.Retain(t.Context(), Retaining{Retention: r, By: "the gateway"})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, d := range gone {
		all = append(all, d.Month+" "+string(d.Class))
	}
	return all
}

// requests are those of the intents that can be read.
func requests(t testing.TB, dir string, ring *keys.Ring) []string {
	t.Helper()
	var all []string
	for _, s := range collect(t, Read(t.Context(), dir, ring)) {
		if s.Entry.Kind == Intent {
			all = append(all, s.Entry.Request)
		}
	}
	return all
}

func destroyedMonthIsGoneAndTheRestIsProved(t *testing.T) {
	dir, ring, c := t.TempDir(), testRing(t), newTurner("2026-01-10 09:00")
	l := mustOpen(t, dir, ring, turned(c))
	at := filepath.Join(t.TempDir(), "index")
	ix := OpenIndex(at, dir, ring)
	defer ix.Close()
	fillMonths(t, l, c, 5) // to 2026-05
	mustUpdate(t, ix, 0)
	how := Retaining{Retention: Retention{Access: 2, Employee: 3}, By: "the gateway", Index: ix}
	gone, err := l.Retain(t.Context(), how)
	if err != nil || len(gone) != 3 {
		t.Fatalf("destroyed %v, %v, want accesses of January and February and sign-ins of January", gone, err)
	}
	for _, q := range []Query{{Record: "contact/2026-01"}, {Employee: "vera-2026-01"}} {
		if got, err := seqs(ix.Search(t.Context(), q)); len(got) > 0 || err != nil && !errors.Is(err, ErrNobody) {
			t.Errorf("the index finds %v, %v for %+v", got, err, q)
		}
	}
	if got, err := seqs(ix.Search(t.Context(), Query{Record: "contact/2026-03"})); err != nil || len(got) != 1 {
		t.Errorf("the index finds %v, %v of a month that is kept", got, err)
	}
	names, err := os.ReadDir(at)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		for _, d := range gone {
			if strings.HasPrefix(n.Name(), monthName(d.Key)) {
				t.Errorf("the index has %s still", n.Name())
			}
		}
	}
	mustClose(t, l)
	if got, want := requests(t, dir, ring), []string{"r-2026-03", "r-2026-04", "r-2026-05"}; !slices.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
	report, err := Verify(t.Context(), dir, ring, Check{})
	if err != nil || len(report.Destroyed) != 3 {
		t.Fatalf("verify says %v, destroyed %v", err, report.Destroyed)
	}
	if d := report.Destroyed[0]; d.By != "the gateway" || d.Entries == 0 || !strings.Contains(d.Error(), "was destroyed on 2026-05-01, by the gateway") {
		t.Errorf("verify says %v of %d entries", d, d.Entries)
	}
	// It goes on after a restart, with new numbers.
	l = mustOpen(t, dir, ring, turned(c))
	fillMonth(t, l, c)
	mustClose(t, l)
	if _, err := Verify(t.Context(), dir, ring, Check{}); err != nil {
		t.Error(err)
	}
	if err := ix.Rebuild(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// Nothing of the month's key is left on the disk, and no run of the month's text.
func destroyedKeyIsOverwritten(t *testing.T) {
	d, ring, c := newDisk(), testRing(t), newTurner("2026-01-10 09:00")
	opts := onDisk(d)
	opts.now = c.now
	l := mustOpen(t, "disk", ring, opts)
	fillMonths(t, l, c, 3)
	victim, secret := d.at(keyName(3))
	if got := mustRetain(t, l, Retention{Access: 1, Employee: 1, Gateway: 1}); len(got) != 3 {
		t.Fatalf("destroyed %v, want all of January", got)
	}
	if _, err := l.keys.get(3); !errors.Is(err, ErrDestroyed) {
		t.Errorf("the log has the key still: %v", err)
	}
	mustClose(t, l)
	for name, b := range map[string][]byte{"the file": victim.live, "the disk": victim.durable} {
		if len(b) == 0 || strings.Trim(string(b), "\x00") != "" {
			t.Errorf("%s holds %q after it was destroyed", name, b)
		}
	}
	for name, n := range d.names {
		if strings.Contains(string(n.live), string(secret[60:])) {
			t.Errorf("%s holds the key still", name)
		}
	}
}

func holdsKeepWhatTheyName(t *testing.T) {
	dir, ring, c := t.TempDir(), testRing(t), newTurner("2026-01-10 09:00")
	l := mustOpen(t, dir, ring, turned(c))
	fillMonths(t, l, c, 2)
	kept, err := l.Hold(t.Context(), Hold{From: "2026-01", To: "2026-01", Class: ClassAccess, Reason: "case 4711"}, "uid 0")
	if err != nil {
		t.Fatal(err)
	}
	fillMonths(t, l, c, 4) // to May
	r := Retention{Access: 2, Employee: 2, Gateway: 2}
	mustClose(t, l) // a hold survives a restart
	l = mustOpen(t, dir, ring, turned(c))
	c.run(2 * time.Hour)
	// February's gateway entries stand, too: the hold's own is there.
	if got, want := mustRetain(t, l, r), []string{"2026-01 gateway", "2026-01 employee", "2026-02 employee", "2026-02 access"}; !slices.Equal(got, want) {
		t.Errorf("destroyed %v, want %v", got, want)
	}
	if got := mustRetain(t, l, r); len(got) > 0 {
		t.Errorf("destroyed %v that is held", got)
	}
	if _, err := l.Release(t.Context(), kept.Seq+1, "closed", "uid 0"); !errors.Is(err, ErrHold) {
		t.Errorf("releasing what isn't held: %v", err)
	}
	if _, err := l.Release(t.Context(), kept.Seq, "closed", "uid 0"); err != nil {
		t.Fatal(err)
	}
	if got, want := mustRetain(t, l, r), []string{"2026-01 access", "2026-02 gateway"}; !slices.Equal(got, want) {
		t.Errorf("destroyed %v after the release, want %v", got, want)
	}
	for _, h := range []Hold{{Reason: "x"}, {From: "2026", Reason: "x"}, {From: "2026-02", To: "2026-01", Reason: "x"}, {From: "2026-01"}, {From: "2026-01", Reason: "a\nb"}, {From: "2026-01", Reason: "x", Class: "all"}} {
		if _, err := l.Hold(t.Context(), h, "uid 0"); !errors.Is(err, ErrHold) {
			t.Errorf("%+v: %v", h, err)
		}
	}
}

// A key that somebody took away is damage, whatever note they leave in its place.
func takenKeyIsNotTakenForADestroyedOne(t *testing.T) {
	ring, c := testRing(t), newTurner("2026-01-10 09:00")
	made := func() (dir string, l *Log) {
		dir = t.TempDir()
		l = mustOpen(t, dir, ring, turned(c))
		fillMonths(t, l, c, 3)
		return dir, l
	}
	other, l := made()
	mustRetain(t, l, Retention{Access: 1})
	mustClose(t, l)
	note, err := os.ReadFile(filepath.Join(other, goneName(3)))
	if err != nil {
		t.Fatal(err)
	}
	dir, l := made()
	d := &Destroyed{Key: 3, Month: "2026-01", Class: ClassAccess, At: time.Unix(1e9, 0), By: "somebody", Entry: 1, Origin: l.id.origin()}
	key, err := newCheckpointKey(ring, l.id.origin())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.sign(key); err != nil {
		t.Fatal(err)
	}
	mustClose(t, l)
	for name, put := range map[string][]byte{
		"no note": nil, "that of another log": note, "changed": []byte(strings.Replace(string(d.note), "somebody", "nobody", 1)),
		"signed, but in no entry": d.note,
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyDir(t, dir)
			mustRemove(t, filepath.Join(dir, keyName(3)))
			if put != nil {
				mustWrite(t, filepath.Join(dir, goneName(3)), string(put))
			}
			if _, err := Verify(t.Context(), dir, ring, Check{}); !errors.Is(err, ErrTampered) && !errors.Is(err, ErrKey) {
				t.Errorf("verify says %v", err)
			}
		})
	}
}

// A log from before the classes is read, goes on, and its months are destroyed when
// the longest of the retentions is over.
func logOfOneKeyAMonthGoesOn(t *testing.T) {
	dir := copyDir(t, "testdata/log-v1")
	keyDir := t.TempDir()
	if err := os.Rename(filepath.Join(dir, keys.FileName), filepath.Join(keyDir, keys.FileName)); err != nil {
		t.Fatal(err)
	}
	ring, err := keys.Open(keyDir)
	if err != nil {
		t.Fatal(err)
	}
	c := newTurner("2026-12-10 09:00")
	opts := turned(c)
	opts.Node = ""
	if got := requests(t, dir, ring); len(got) != 3 {
		t.Fatalf("read %v, want three", got)
	}
	l := mustOpen(t, dir, ring, opts)
	c.run(2 * time.Hour)
	fillMonth(t, l, c)
	if got := mustRetain(t, l, Retention{Access: 1, Employee: 1}); len(got) > 0 {
		t.Errorf("destroyed %v, among which entries to be kept for good", got)
	}
	if got, want := mustRetain(t, l, Retention{Access: 1, Employee: 1, Gateway: 2}), []string{"2026-09 "}; !slices.Equal(got, want) {
		t.Errorf("destroyed %q, want %q", got, want)
	}
	fillMonths(t, l, c, 3)
	mustRetain(t, l, Retention{Access: 1, Employee: 1, Gateway: 1})
	mustClose(t, l)
	if got, want := requests(t, dir, ring), []string{"r-2027-01", "r-2027-02"}; !slices.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
	if r, err := Verify(t.Context(), dir, ring, Check{}); err != nil || len(r.Destroyed) != 6 {
		t.Errorf("verify says %v, destroyed %v", err, r.Destroyed)
	}
}

func exportSaysWhatWasDestroyed(t *testing.T) {
	dir, ring, c := t.TempDir(), testRing(t), newTurner("2026-01-10 09:00")
	l := mustOpen(t, dir, ring, turned(c))
	fillMonths(t, l, c, 3)
	mustRetain(t, l, Retention{Access: 1})
	mustClose(t, l)
	for _, withKeys := range []bool{true, false} {
		out := filepath.Join(t.TempDir(), "out")
		if _, err := Export(t.Context(), dir, ring, out, Exporting{Keys: withKeys}); err != nil {
			t.Fatal(err)
		}
		r, err := VerifyExport(t.Context(), out, "", Attesters{}, nil)
		if err != nil || len(r.Destroyed) != 1 || r.Destroyed[0].Entries != 2 || r.Destroyed[0].Month != "2026-01" {
			t.Errorf("with keys %v: %v, destroyed %v", withKeys, err, r.Destroyed)
		}
		note := filepath.Join(out, exportDataKeys, "00000003.gone")
		b, err := os.ReadFile(note)
		if err != nil {
			t.Fatal(err)
		}
		mustWrite(t, note, strings.Replace(string(b), "the gateway", "the gardener", 1))
		if _, err := VerifyExport(t.Context(), out, "", Attesters{}, nil); !errors.Is(err, ErrTampered) {
			t.Errorf("with keys %v: a changed note is %v", withKeys, err)
		}
	}
}

// A gateway that was off for months can't tell that from a clock that jumped: it
// waits until it has seen enough, or until somebody says what day it is.
func monthsThatWereNotSeenTakeAWord(t *testing.T) {
	dir, ring, c := t.TempDir(), testRing(t), newTurner("2026-01-10 09:00")
	l := mustOpen(t, dir, ring, turned(c))
	fillMonths(t, l, c, 1)
	mustClose(t, l)
	c.runTo("2026-06-01")
	l = mustOpen(t, dir, ring, turned(c))
	c.run(2 * time.Hour)
	r := Retention{Access: 2}
	if got := mustRetain(t, l, r); len(got) > 0 {
		t.Errorf("destroyed %v", got)
	}
	if all, err := l.Keeping(t.Context(), r); err != nil || !all[2].Due || all[2].Lacking != 2 {
		t.Errorf("it says %+v, %v", all, err)
	}
	how := Retaining{Retention: r, By: "uid 0", Today: "2026-05-31"}
	if _, err := l.Retain(t.Context(), how); !errors.Is(err, ErrDate) {
		t.Errorf("on another date: %v", err)
	}
	how.Today = "2026-06-01"
	if got, err := l.Retain(t.Context(), how); err != nil || len(got) != 1 || got[0].By != "uid 0" {
		t.Errorf("destroyed %v, %v", got, err)
	}
}

// mustDestroy destroys a data key of a log that isn't open.
func mustDestroy(t testing.TB, dir string, ring *keys.Ring, id uint32) {
	t.Helper()
	k := newDataKeys(osFiles{dir}, ring)
	key, err := k.get(id)
	if err != nil {
		t.Fatal(err)
	}
	h, err := readHeader(osFiles{dir}, 1)
	if err != nil {
		t.Fatal(err)
	}
	d := &Destroyed{Key: id, Month: key.month, Class: key.class, At: time.Unix(1e9, 0), By: "a test", Origin: h.origin()}
	signer, err := newCheckpointKey(ring, h.origin())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.sign(signer), k.destroy(d)); err != nil {
		t.Fatal(err)
	}
}

func copyDir(t testing.TB, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(to, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chmod(path, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}
