package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// ErrTampered says that the log holds what neither the gateway nor a crash can
// have left. Nothing was changed. The error is a *Damage that names the place.
var ErrTampered = errors.New("the log is damaged")

// Damage is the first place where a log isn't what was written. It Is
// ErrTampered.
type Damage struct {
	// Seq is the first entry that is or may be affected, Last the last one that
	// the finding can't tell apart from it (the entries of one group).
	Seq     uint64 `json:"seq"`
	Last    uint64 `json:"last"`
	Segment uint32 `json:"segment"`
	Offset  int64  `json:"offset"`
	What    string `json:"what"`
	// Remedy is what to do, where it isn't the usual.
	Remedy string `json:"remedy,omitempty"`
}

func (d *Damage) Error() string {
	remedy := d.Remedy
	if remedy == "" {
		remedy = "keep the directory as it is and restore a backup beside it"
	}
	return fmt.Sprintf("entry %d, segment %s, offset %d: %s (%s)", d.Seq, segmentName(d.Segment), d.Offset, d.What, remedy)
}

// Is makes errors.Is(err, ErrTampered) true.
func (d *Damage) Is(target error) bool { return target == ErrTampered }

const segmentSuffix = ".seg"

func segmentName(n uint32) string { return fmt.Sprintf("%08d%s", n, segmentSuffix) }

// listSegments returns the numbers of the segments, ascending.
func listSegments(fsys files) ([]uint32, error) {
	names, err := fsys.list(".")
	if err != nil {
		return nil, err
	}
	var numbers []uint32
	for _, name := range names {
		stem, ok := strings.CutSuffix(name, segmentSuffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(stem, 10, 32)
		if err != nil || segmentName(uint32(n)) != name {
			return nil, fmt.Errorf("file %s in the log is not the name of a segment; move it elsewhere", name)
		}
		numbers = append(numbers, uint32(n))
	}
	slices.Sort(numbers)
	return numbers, nil
}

// position is how far a walk has come, and all that going on from there needs.
type position struct {
	identity
	tree   tree
	number uint32 // of the segment
	end    int64  // behind the last group
	commit commit // the last one
}

// walk reads groups in order and checks all that holds without keys: frames,
// seqs, and that every commit's root is the tree's over its entries.
type walk struct {
	files files
	// segments that are to be read, ascending; the last one that holds a group
	// is where the log ends.
	segments []uint32
	position
	// key, if set, checks that each commit was written with this gateway's keys.
	key *commitKey
	// marks are checkpoints that the tree has to agree with, the smallest first;
	// those that it has grown past are taken away. marked is the last of them.
	marks  []Checkpoint
	marked uint64
	// joints are where a restored log goes on under another name.
	joints []Joint
	// visit is called for each good group.
	visit func(segment uint32, g *group) error
	// probe, if set, tells whether an entry opens. It is called for the entries
	// of a group whose root is wrong.
	probe func(segment uint32, e entryFrame) error
	// rest is what lies behind the end.
	rest tail
}

// lastStarted returns the index of the last segment that begins with a whole
// group, or -1.
func lastStarted(fsys files, segments []uint32) (int, error) {
	for i, segment := range slices.Backward(segments) {
		h, err := readHeader(fsys, segment)
		if err != nil {
			return 0, err
		}
		if h != nil {
			return i, nil
		}
	}
	return -1, nil
}

// readHeader returns the header of a segment that begins with a whole group, or
// nil.
func readHeader(fsys files, number uint32) (*header, error) {
	f, err := fsys.open(segmentName(number), false)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := newGroupReader(f)
	if err != nil {
		return nil, err
	}
	g, err := r.next()
	if _, ok := errors.AsType[*badFrame](err); ok {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if g.header == nil || g.header.number != number {
		return nil, nil
	}
	return g.header, nil
}

// run walks to the log's end. It returns a *Damage for whatever isn't what was
// written or what a crash leaves.
func (w *walk) run(ctx context.Context) error {
	last, err := lastStarted(w.files, w.segments)
	if err != nil {
		return err
	}
	for i, number := range w.segments[:last+1] {
		if i > 0 && number != w.segments[i-1]+1 {
			return w.damage(w.segments[i-1]+1, 0, 0, "the segment is missing")
		}
		bound := int64(-1)
		if i < last {
			if bound, err = previousEnd(w.files, number+1); err != nil {
				return err
			}
		}
		if err := w.segment(ctx, number, bound, i == last); err != nil {
			return err
		}
	}
	return w.unused(w.segments[last+1:])
}

// previousEnd returns where the segment before the given one ends, or -1 where
// that can't be told.
func previousEnd(fsys files, number uint32) (int64, error) {
	h, err := readHeader(fsys, number)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && h == nil) {
		return -1, nil
	}
	if err != nil {
		return 0, err
	}
	return h.previousEnd, nil
}

// segment reads one segment to bound, or to the last whole group if bound is -1.
func (w *walk) segment(ctx context.Context, number uint32, bound int64, last bool) error {
	f, err := w.files.open(segmentName(number), false)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := newGroupReader(f)
	if err != nil {
		return err
	}
	if number == w.number {
		r.off = w.end // the walk goes on from there
	}
	for bound < 0 || r.off < bound {
		if err := ctx.Err(); err != nil {
			return err
		}
		g, err := r.next()
		if bad, ok := errors.AsType[*badFrame](err); ok {
			again, err := w.bad(number, r, bad, bound, last)
			if err != nil || !again {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if err := w.group(number, &g); err != nil {
			return err
		}
	}
	if bound >= 0 && r.off != bound {
		return w.damage(number, 0, bound, "the next segment says that this one ends here, inside a group")
	}
	return nil
}

// bad judges a frame that isn't one: the end of the log, or damage.
func (w *walk) bad(number uint32, r *groupReader, bad *badFrame, bound int64, last bool) (again bool, err error) {
	switch {
	case bound < 0 && last:
		return w.behind(number, r, bad)
	case bound < 0 && errors.Is(bad.err, errZeros):
		// The next segment's header is damaged or gone; that is found there,
		// unless this one holds something that isn't a group.
		return false, nil
	}
	return false, w.damage(number, bad.index, bad.offset, bad.err.Error())
}

// behind judges the rest of the last segment. It asks for another look when a
// group has appeared there meanwhile: the log is being written.
func (w *walk) behind(number uint32, r *groupReader, bad *badFrame) (again bool, err error) {
	t, err := r.tail()
	if err != nil {
		return false, err
	}
	if t.end > r.off {
		if _, err := (&groupReader{file: r.file, size: r.size, off: r.off}).next(); err == nil {
			return true, nil
		}
	}
	if t.tampered {
		return false, w.damage(number, bad.index, bad.offset, bad.err.Error())
	}
	w.rest = t
	return false, nil
}

// unused checks segments behind the log's end: a torn first group may stand in
// them, nothing else.
func (w *walk) unused(segments []uint32) error {
	for _, number := range segments {
		f, err := w.files.open(segmentName(number), false)
		if err != nil {
			return err
		}
		r, err := newGroupReader(f)
		if err == nil {
			var t tail
			if t, err = r.tail(); err == nil && t.tampered {
				// Unless it was begun since: then it is simply not read any more.
				if h, herr := readHeader(w.files, number); herr != nil || h == nil {
					err = errors.Join(herr, w.damage(number, 0, 0, "the segment's first group is damaged"))
				}
			}
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// group checks what a group says against what came before it.
func (w *walk) group(number uint32, g *group) error {
	if err := w.header(number, g); err != nil {
		return err
	}
	if len(g.entries) == 0 {
		return w.damage(number, 0, g.start, "a commit without entries")
	}
	leaves := make([]tlog.Hash, len(g.entries))
	for i, e := range g.entries {
		if want := w.tree.size + uint64(i); e.seq != want {
			return w.damage(number, i, e.offset, fmt.Sprintf("entry %d stands in its place", e.seq))
		}
		leaves[i] = tlog.RecordHash(e.envelope)
	}
	grown := w.tree.grow(leaves...)
	if g.commit.size != grown.size || g.commit.root != grown.root() {
		return w.rootDamage(number, g)
	}
	if w.key != nil && !w.key.made(w.identity, g.commit) {
		return w.groupDamage(number, g, "were not committed with this gateway's keys")
	}
	if err := w.agree(number, g, leaves); err != nil {
		return err
	}
	w.tree, w.number, w.end, w.commit = grown, number, g.end, g.commit
	if w.visit == nil {
		return nil
	}
	return w.visit(number, g)
}

// agree compares the tree with the checkpoints that lie within a group.
func (w *walk) agree(number uint32, g *group, leaves []tlog.Hash) error {
	for ; len(w.marks) > 0 && w.marks[0].Size <= w.tree.size+uint64(len(leaves)); w.marks = w.marks[1:] {
		m := w.marks[0]
		if m.Size < w.tree.size || m.Size == 0 {
			continue // the walk began behind it
		}
		if w.tree.grow(leaves[:m.Size-w.tree.size]...).root() != m.Root {
			d := w.damage(number, 0, g.start, fmt.Sprintf(
				"entries %d to %d aren't those that %s stands for", w.marked, m.Size-1, m.Name))
			d.Seq, d.Last = w.marked, m.Size-1
			return d
		}
		w.marked = m.Size
	}
	return nil
}

// rootDamage names the entry of the group that a key shows to be wrong, or all
// of the group.
func (w *walk) rootDamage(number uint32, g *group) error {
	if w.probe != nil {
		for _, e := range g.entries {
			if found, ok := errors.AsType[*Damage](w.probe(number, e)); ok {
				return found
			}
		}
	}
	return w.groupDamage(number, g, "do not give the tree root that was committed with them")
}

func (w *walk) groupDamage(number uint32, g *group, what string) error {
	last := w.tree.size + uint64(len(g.entries)) - 1
	d := w.damage(number, 0, g.entries[0].offset, fmt.Sprintf("entries %d to %d %s", w.tree.size, last, what))
	d.Last = last
	return d
}

func (w *walk) header(number uint32, g *group) error {
	h := g.header
	if h == nil {
		if g.start == 0 {
			return w.damage(number, 0, 0, "the segment does not begin with a header")
		}
		return nil
	}
	first := w.number == 0
	switch {
	case h.number != number:
		return w.damage(number, 0, 0, fmt.Sprintf("it is segment %s", segmentName(h.number)))
	case first && number == 1 && h.before.size != 0:
		return w.damage(number, 0, 0, "the first segment does not begin with entry 0")
	case first:
		w.identity, w.tree = h.identity, h.before
	case h.identity != w.identity && !h.follows(w.identity):
		return w.damage(number, 0, 0, "the segment is of another log")
	case h.before.size != w.tree.size || h.before.root() != w.tree.root():
		return w.damage(number, 0, 0, "the segment does not continue the one before it")
	case h.previousEnd != w.end:
		return w.damage(number, 0, 0, "the segment before it ends elsewhere")
	case h.identity != w.identity:
		w.joints = append(w.joints, Joint{Origin: w.origin(), Size: w.tree.size, Root: w.tree.root()})
		w.identity = h.identity
	}
	return nil
}

func (w *walk) damage(number uint32, index int, offset int64, what string) *Damage {
	seq := w.tree.size + uint64(index)
	return &Damage{Seq: seq, Last: seq, Segment: number, Offset: offset, What: what}
}

// whole walks a log that has to begin with its first segment.
func (w *walk) whole(ctx context.Context) error {
	if len(w.segments) > 0 && w.segments[0] != 1 {
		return w.damage(1, 0, 0, "the segment is missing")
	}
	return w.run(ctx)
}
