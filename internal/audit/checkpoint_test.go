package audit

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// cutBack takes the last n entries away, as far as they are groups of their own.
func cutBack(d *disk, at []spot, n int) {
	first := at[len(at)-n]
	for _, p := range at[len(at)-n:] {
		from := int64(0)
		if p.segment == first.segment {
			from = first.offset
		}
		d.edit(segmentName(p.segment), func(b []byte) { clear(b[from:]) })
	}
}

func copyOf(d *disk) *disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := newDisk()
	maps.Copy(c.dirs, d.dirs)
	maps.Copy(c.signed, d.signed)
	for name, node := range d.names {
		fresh := &inode{live: slices.Clone(node.live), durable: slices.Clone(node.live), dirty: map[int64]bool{}}
		c.names[name], c.saved[name] = fresh, fresh
	}
	return c
}

func removeAll(d *disk, part string) {
	for name := range d.names {
		if strings.Contains(name, part) {
			delete(d.names, name)
		}
	}
}

// A log that was cut back to an earlier commit is consistent in itself. Its last
// checkpoint is not with it, and both the start and verify name what is missing.
func logCutAtItsEndIsRefused(t *testing.T) {
	for _, n := range []int{1, 2, 30, 100} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			d, ring, at := tamperLog(t)
			missing := at[len(at)-n].seq
			cutBack(d, at, n)
			before := copyOf(d)
			_, opening := Open(t.Context(), "disk", ring, onDisk(d))
			report, verifying := verifyDisk(t, d, ring)
			for _, err := range []error{opening, verifying} {
				var damage *Damage
				if !errors.As(err, &damage) || damage.Seq != missing || damage.Last != at[len(at)-1].seq {
					t.Fatalf("error = %v, want one that names entries %d to %d", err, missing, at[len(at)-1].seq)
				}
				if !strings.Contains(err.Error(), "crmgate audit restore") || !strings.Contains(err.Error(), checkpointSuffix) {
					t.Errorf("error %q names no remedy or no checkpoint", err)
				}
			}
			if report.Size != missing {
				t.Errorf("report = %+v", report)
			}
			for name, node := range before.names {
				if !bytes.Equal(node.live, d.names[name].live) {
					t.Errorf("%s of the refused log was changed", name)
				}
			}
		})
	}
}

// What a start and verify say to each way of exchanging log or checkpoints.
func logAndCheckpointsHaveToBelongTogether(t *testing.T) {
	for name, c := range map[string]struct {
		tamper func(t *testing.T, d *disk)
		want   error
		says   string
	}{
		"the whole log gone": {func(_ *testing.T, d *disk) { removeAll(d, segmentSuffix) }, ErrTampered, "are missing"},
		"another log in its place": {func(t *testing.T, d *disk) {
			other, _, _ := tamperLog(t)
			removeAll(d, segmentSuffix)
			for name, node := range other.names {
				if strings.HasSuffix(name, segmentSuffix) {
					d.names[name] = node
				}
			}
		}, ErrCheckpoint, "is of crmgate/n1/"},
		"checkpoints gone": {func(_ *testing.T, d *disk) { removeAll(d, checkpointSuffix) }, ErrNoCheckpoint, "crmgate audit adopt"},
		"checkpoint of another key": {func(t *testing.T, d *disk) {
			opts := onDisk(d)
			all, err := opts.shelf("disk", testRing(t)).load()
			if err == nil {
				t.Fatalf("%v opens with another master key", all)
			}
			skey := newForeignKey(t, d)
			rewriteText(d, func(text string) []byte { return signWith(t, skey, text) })
		}, ErrCheckpoint, checkpointSuffix},
		"checkpoint with another size": {func(t *testing.T, d *disk) {
			editCheckpoint(d, func(b []byte) []byte { return bytes.Replace(b, []byte("\n162\n"), []byte("\n161\n"), 1) })
		}, ErrCheckpoint, checkpointSuffix},
		"an empty checkpoint": {func(_ *testing.T, d *disk) { editCheckpoint(d, func([]byte) []byte { return nil }) }, ErrCheckpoint, checkpointSuffix},
		"a huge checkpoint": {func(_ *testing.T, d *disk) {
			editCheckpoint(d, func([]byte) []byte { return bytes.Repeat([]byte("a"), 1<<20) })
		}, ErrCheckpoint, checkpointSuffix},
	} {
		t.Run(name, func(t *testing.T) {
			d, ring, _ := tamperLog(t)
			c.tamper(t, d)
			for what, err := range map[string]error{
				"start":  func() error { _, err := Open(t.Context(), "disk", ring, onDisk(d)); return err }(),
				"verify": func() error { _, err := verifyDisk(t, d, ring); return err }(),
			} {
				if what == "verify" && name == "the whole log gone" {
					if err == nil || !strings.Contains(err.Error(), "no log here") {
						t.Errorf("verify: error = %v", err)
					}
					continue
				}
				if name == "another log in its place" && what == "start" && err != nil && errors.Is(err, ErrTampered) {
					t.Errorf("%s: %v: the other log itself was judged", what, err)
				}
				if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s: error = %v, want %v that says %q", what, err, c.want, c.says)
				}
			}
		})
	}
}

func editCheckpoint(d *disk, change func([]byte) []byte) {
	for name, node := range d.names {
		if strings.HasSuffix(name, checkpointSuffix) {
			node.live = change(slices.Clone(node.live))
			node.durable = slices.Clone(node.live)
		}
	}
}

func rewriteText(d *disk, with func(text string) []byte) {
	editCheckpoint(d, func(b []byte) []byte {
		text, _, _ := strings.Cut(string(b), "\n\n")
		return with(text + "\n")
	})
}

func newForeignKey(t *testing.T, d *disk) string {
	t.Helper()
	origin := ""
	editCheckpoint(d, func(b []byte) []byte { origin, _, _ = strings.Cut(string(b), "\n"); return b })
	skey, _, err := note.GenerateKey(nil, origin)
	if err != nil {
		t.Fatal(err)
	}
	return skey
}

func signWith(t *testing.T, skey, text string) []byte {
	t.Helper()
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := note.Sign(&note.Note{Text: text}, s)
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

// Who has the keys can write the end of the log anew. A checkpoint that was kept
// elsewhere shows it, however much longer the new log is.
func logWrittenAnewWithTheKeysIsNamed(t *testing.T) {
	d, ring, at := tamperLog(t)
	opts := onDisk(d)
	honest, err := opts.shelf("disk", ring).load()
	if err != nil {
		t.Fatal(err)
	}
	// The forger cuts the log back, adopts it, and lets it grow beyond its size.
	cutBack(d, at, 40)
	removeAll(d, checkpointSuffix)
	kept, err := Adopt(t.Context(), "disk", ring, onDisk(d), "uid 0")
	if err != nil || kept.Size != at[len(at)-40].seq {
		t.Fatalf("Adopt = %+v, %v", kept, err)
	}
	l := mustOpen(t, "disk", ring, onDisk(d))
	for i := range 80 {
		mustAppend(t, l, intentOf(fmt.Sprint(i)))
	}
	mustClose(t, l)
	if _, err := verifyDisk(t, d, ring); err != nil {
		t.Fatalf("the forged log is seen with its own checkpoints, too: %v", err)
	}
	opts = onDisk(d)
	_, err = verifyIn(t.Context(), d, ring, opts.shelf("disk", ring), Check{Against: map[string][]byte{"kept.txt": honest[0].Note}})
	var damage *Damage
	if !errors.As(err, &damage) || damage.Last != honest[0].Size-1 || !strings.Contains(err.Error(), "kept.txt") {
		t.Errorf("error = %v, want one that names entries up to %d and kept.txt", err, honest[0].Size-1)
	}
	// Put back in its place, it stops the start, too.
	editCheckpoint(d, func([]byte) []byte { return honest[0].Note })
	if _, err := Open(t.Context(), "disk", ring, onDisk(d)); !errors.Is(err, ErrTampered) {
		t.Errorf("start on the forged log: %v, want ErrTampered", err)
	}
}

func TestAdoptingIsAnEntryAndTakesNothingShorter(t *testing.T) {
	d, ring, at := tamperLog(t)
	if _, err := Adopt(t.Context(), "disk", ring, onDisk(d), "uid 7"); err == nil {
		t.Error("a log with checkpoints was adopted")
	}
	removeAll(d, checkpointSuffix)
	d.edit(segmentName(1), func(b []byte) { b[at[3].offset+40] ^= 1 })
	if _, err := Adopt(t.Context(), "disk", ring, onDisk(d), "uid 7"); !errors.Is(err, ErrTampered) {
		t.Errorf("adopting a damaged log: %v, want ErrTampered", err)
	}
	d.edit(segmentName(1), func(b []byte) { b[at[3].offset+40] ^= 1 })
	if _, err := Adopt(t.Context(), "disk", ring, onDisk(d), "uid 7"); err != nil {
		t.Fatal(err)
	}
	all := collect(t, read(t.Context(), d, ring))
	if e := all[len(all)-2].Entry; e.Event != Adopted || !strings.Contains(e.Detail, "uid 7") || !strings.Contains(e.Detail, "162 entries") {
		t.Errorf("the log says %+v", e)
	}
}

func TestFirstStartThatIsCutLeavesNothingInTheWay(t *testing.T) {
	d, ring := newDisk(), testRing(t)
	id := identity{node: "n1", epoch: [epochSize]byte{7}}
	opts := onDisk(d)
	if _, err := opts.shelf("disk", ring).begin(id, nil); err != nil {
		t.Fatal(err)
	}
	l := mustOpen(t, "disk", ring, onDisk(d))
	mustAppend(t, l, intentOf("r"))
	mustClose(t, l)
	if _, err := verifyDisk(t, d, ring); err != nil {
		t.Error(err)
	}
}

// Each day's last checkpoint stays, and the log agrees with all of them.
func checkpointsOfEarlierDaysStayAndAreVerified(t *testing.T) {
	d, ring := newDisk(), testRing(t)
	l := mustOpen(t, "disk", ring, onDisk(d))
	opts := onDisk(d)
	kept := opts.shelf("disk", ring)
	for day := range 3 {
		mustAppend(t, l, intentOf(fmt.Sprint(day)))
		size, root := l.Head()
		c, err := l.notary.key.sign(l.id.origin(), head{size, root})
		if err != nil {
			t.Fatal(err)
		}
		if err := kept.put(c, time.Date(2026, 1, 1+day, 12, 0, 0, 0, time.UTC)); err != nil {
			t.Fatal(err)
		}
	}
	mustClose(t, l)
	report, err := verifyDisk(t, d, ring)
	if err != nil || report.Checkpoints != 4 || report.Anchored != report.Size {
		t.Fatalf("Verify = %+v, %v, want 4 checkpoints", report, err)
	}
	// The day's checkpoint of a tree that never was.
	wrong := head{size: 2, root: tree{}.root()}
	c, err := l.notary.key.sign(l.id.origin(), wrong)
	if err != nil {
		t.Fatal(err)
	}
	if err := kept.put(c, time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	report, _ = verifyDisk(t, d, ring)
	if report.Damage == nil || report.Damage.Last != 1 || !strings.Contains(report.Damage.What, "2026-01-01") {
		t.Errorf("damage = %+v, want entries up to 1 and the checkpoint's name", report.Damage)
	}
}

func TestCheckpointIsASignedNoteOfThreeLines(t *testing.T) {
	l := mustOpen(t, t.TempDir(), testRing(t), small())
	mustAppend(t, l, intentOf("r"))
	mustClose(t, l)
	c := l.Checkpoint()
	v, err := note.NewVerifier(l.notary.key.vkey)
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(c.Note, note.VerifierList(v))
	if err != nil {
		t.Fatal(err)
	}
	size, root := l.Head()
	if want := fmt.Sprintf("crmgate/n1/%x\n%d\n%s\n", l.id.epoch, size, root); n.Text != want || size != 3 {
		t.Errorf("text = %q, want %q", n.Text, want)
	}
	if len(l.notary.key.public) != ed25519.PublicKeySize || n.Sigs[0].Name != c.Origin {
		t.Errorf("signed by %q", n.Sigs[0].Name)
	}
	for _, text := range []string{"x\n3\n" + root.String() + "\n", c.Origin + "\n03\n" + root.String() + "\n", n.Text + "more\n", "", "\n\n\n"} {
		if _, err := parseCheckpoint(text); !errors.Is(err, ErrCheckpoint) {
			t.Errorf("parseCheckpoint(%q) = %v, want ErrCheckpoint", text, err)
		}
	}
}
