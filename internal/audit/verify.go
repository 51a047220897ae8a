package audit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/crmgate/crmgate/internal/keys"
)

// Report is what a verification found. Size and Root name the log's state: keep
// them, and a later report tells whether the log only grew.
type Report struct {
	Node     string    `json:"node"`
	Size     uint64    `json:"size"`
	Root     tlog.Hash `json:"root"`
	Segments int       `json:"segments"`
	Groups   int       `json:"groups"`
	Bytes    int64     `json:"bytes"`
	// Opened says that the entries were decrypted; the numbers below are 0
	// without.
	Opened      bool `json:"opened"`
	Intents     int  `json:"intents"`
	Disclosures int  `json:"disclosures"`
	Controls    int  `json:"controls"`
	// Unfinished counts intents without disclosure of runs that have ended,
	// Pending those of the last run: requests that may be under way.
	Unfinished int `json:"unfinished"`
	Pending    int `json:"pending"`
	// Torn is the length of a torn tail, which the next start will drop.
	Torn int64 `json:"torn,omitempty"`
	// Checkpoints counts the checkpoints that the tree agrees with, Anchored is
	// the size of the largest: entries from there on may be cut off unseen.
	Checkpoints int    `json:"checkpoints"`
	Anchored    uint64 `json:"anchored"`
	// Earlier are logs that the node had before this one, as the root log knows
	// them: their origins, with the entries that they had at least.
	Earlier map[string]uint64 `json:"earlier,omitempty"`
	// Destroyed are the data keys that retention has destroyed, with the number of
	// entries that went with each.
	Destroyed []*Destroyed `json:"destroyed,omitempty"`
	// Joints are the places where the log was restored from a backup and went on,
	// Lost the checkpoints over entries that weren't in it.
	Joints []Joint      `json:"joints,omitempty"`
	Lost   []Checkpoint `json:"lost,omitempty"`
	// Witnessed and Stamped are the last checkpoints that witnesses and a time stamping
	// authority have signed, nil where there is none.
	Witnessed *Attestation `json:"witnessed,omitempty"`
	Stamped   *Attestation `json:"stamped,omitempty"`
	// Key checks the checkpoints' signatures, and those of an export.
	Key string `json:"key,omitempty"`
	// Indexed is how many entries the index has, and IndexDamage the first of which it
	// says something else than the log, where that was asked for.
	Indexed     uint64       `json:"indexed,omitempty"`
	IndexDamage *IndexDamage `json:"index_damage,omitempty"`
	// Damage is the first place that isn't what was written, or nil.
	Damage *Damage `json:"damage,omitempty"`
}

// Check says how a log is verified. The zero value is enough for a log whose
// checkpoints are in its own directory.
type Check struct {
	// Checkpoints is what Options says it is.
	Checkpoints string
	// Against are signed notes that were kept elsewhere, by their file names: the
	// log has to agree with them, too.
	Against map[string][]byte
	// Gathered are the checkpoints of all nodes in the root log. Those of other
	// nodes are passed over, those of an earlier log of this node are reported.
	Gathered []Checkpoint
	// Attesters are those who have to have signed checkpoints, too.
	Attesters Attesters
	// Progress is told how many bytes are done; it may be nil.
	Progress func(done, total int64)
	// Rows are what Options says they are.
	Rows Rows
}

// Verify reads the whole log in dir and checks frames, seqs, every tree root, and
// with a ring that every entry opens and that the log agrees with its
// checkpoints. Without one, what only keys show stays unseen. Damage is both in
// the report and the error (ErrTampered); the report's numbers are then those up
// to there. A log that is being written may be verified; what is appended
// meanwhile is read as far as the segment that was the last when it began.
func Verify(ctx context.Context, dir string, ring *keys.Ring, check Check) (Report, error) {
	o := Options{Checkpoints: check.Checkpoints, Rows: check.Rows, files: filesOf(dir, check.Rows)}
	return verifyIn(ctx, o.files, ring, o.shelf(dir, ring), check)
}

func verifyIn(ctx context.Context, fsys files, ring *keys.Ring, kept shelf, check Check) (Report, error) {
	v := &verifier{progress: check.Progress, open: newUnfinished(math.MaxInt)}
	err := v.run(ctx, fsys, ring, kept, check)
	v.report.Pending = len(v.open.requests)
	v.report.Damage = nil
	if errors.As(err, &v.report.Damage) {
		return v.report, fmt.Errorf("verifying the log: %w", v.report.Damage)
	}
	if err != nil {
		return v.report, fmt.Errorf("verifying the log: %w", err)
	}
	return v.report, nil
}

type verifier struct {
	report   Report
	open     *unfinished
	erased   *erased // nil without keys
	walk     *walk
	older    bool // see erased
	progress func(done, total int64)
	total    int64
	done     int64 // of the segments before
	told     int64
}

func (v *verifier) run(ctx context.Context, fsys files, ring *keys.Ring, kept shelf, check Check) error {
	segments, err := listSegments(fsys)
	if err != nil {
		return err
	}
	if len(segments) == 0 {
		return errors.New("there is no log here")
	}
	if v.total, err = sizes(fsys, segments); err != nil {
		return err
	}
	w := &walk{files: fsys, segments: segments}
	v.walk = w
	var o *opener
	if ring != nil {
		v.report.Opened = true
		o = &opener{keys: newDataKeys(fsys, ring), visit: v.entry}
		defer o.close()
		if v.erased, err = newErased(o.keys); err != nil {
			return err
		}
		v.erased.older = v.older
		o.destroyed = func(segment uint32, f entryFrame, d *Destroyed) error {
			return v.erased.entry(segment, f, d)
		}
		w.probe, w.key = o.probe(&w.position), o.keys.commits
		// Before the walk: a checkpoint that is kept meanwhile may be ahead of it.
		if w.marks, err = v.checkpoints(fsys, segments, kept, check); err != nil {
			return err
		}
	}
	marks := w.marks
	w.visit = func(segment uint32, g *group) error {
		if o != nil {
			if err := o.group(&w.position, segment, g); err != nil {
				return err
			}
		}
		v.group(segment, g)
		return nil
	}
	err = w.whole(ctx)
	v.report.Node, v.report.Size, v.report.Root = w.node, w.tree.size, w.tree.root()
	if err == nil && w.rest.end > w.end {
		v.report.Torn = w.rest.end - w.end
	}
	v.anchored(marks[:len(marks)-len(w.marks)])
	if err == nil && v.erased != nil {
		v.report.Destroyed, err = v.erased.judge(w)
	}
	v.report.Joints = w.joints
	if err == nil && len(w.marks) > 0 {
		err = kept.gone(w.marks[len(w.marks)-1], w.position)
	}
	v.tell(v.total, true)
	return err
}

// anchored counts the checkpoints that the log agrees with.
func (v *verifier) anchored(marks []Checkpoint) {
	for _, m := range marks {
		if !m.counted && !m.attested() {
			v.report.Checkpoints, v.report.Anchored = v.report.Checkpoints+1, m.Size
		}
	}
}

// checkpoints returns what the log has to agree with.
func (v *verifier) checkpoints(fsys files, segments []uint32, kept shelf, check Check) ([]Checkpoint, error) {
	all, err := kept.load()
	if err != nil {
		return nil, err
	}
	links, err := chainOf(fsys, segments)
	if err != nil {
		return nil, err
	}
	if len(links) == 0 {
		return withHead(fsys, all) // the walk says what is wrong
	}
	last := links[len(links)-1]
	key, err := newCheckpointKey(kept.ring, last.origin())
	if err != nil {
		return nil, err
	}
	v.report.Key = key.vkey
	if all, err = kept.of(last.identity, all); err != nil {
		return nil, err
	}
	if v.report.Witnessed, v.report.Stamped, err = check.Attesters.judge(all); err != nil {
		return nil, err
	}
	given, err := links.opened(kept.ring, check.Against)
	if err != nil {
		return nil, err
	}
	if given, err = v.gathered(links, given, check.Gathered); err != nil {
		return nil, err
	}
	for _, l := range links[:len(links)-1] {
		earlier, err := kept.earlier(l.identity).load()
		if err != nil {
			return nil, err
		}
		given = append(given, earlier...)
	}
	for _, c := range given {
		if c.Size > links.until(c.Origin) {
			if !slices.ContainsFunc(v.report.Lost, func(l Checkpoint) bool { return l.Origin == c.Origin && l.Size == c.Size }) {
				v.report.Lost = append(v.report.Lost, c)
			}
			continue
		}
		all = append(all, c)
	}
	slices.SortStableFunc(all, bySize)
	return withHead(fsys, all)
}

// gathered adds what the root log holds of the log, under any of its names. Its entries are
// sealed: their signatures needn't be checked here.
func (v *verifier) gathered(links chain, given, gathered []Checkpoint) ([]Checkpoint, error) {
	node := links[len(links)-1].node
	for _, c := range gathered {
		of, err := identityOf(c.Origin)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		case slices.ContainsFunc(links, func(l link) bool { return l.identity == of }):
			given = append(given, c)
		case of.node == node || of.node == baseNode(node):
			if v.report.Earlier == nil {
				v.report.Earlier = map[string]uint64{}
			}
			v.report.Earlier[c.Origin] = max(v.report.Earlier[c.Origin], c.Size)
		}
	}
	return given, nil
}

func sizes(fsys files, segments []uint32) (int64, error) {
	var total int64
	for _, n := range segments {
		f, err := fsys.open(segmentName(n), false)
		if err != nil {
			return 0, err
		}
		size, err := f.size()
		if err := errors.Join(err, f.Close()); err != nil {
			return 0, err
		}
		total += size
	}
	return total, nil
}

func (v *verifier) group(_ uint32, g *group) {
	v.report.Groups++
	v.report.Bytes += g.end - g.start
	if g.header != nil {
		v.report.Segments++
		v.done += g.header.previousEnd
	}
	v.tell(v.done+g.end, false)
}

func (v *verifier) tell(done int64, last bool) {
	if v.progress != nil && (last || done-v.told >= 1<<20) {
		v.told = done
		v.progress(min(done, v.total), v.total)
	}
}

func (v *verifier) entry(s *Stored, segment uint32) error {
	switch s.Entry.Kind {
	case Intent:
		v.report.Intents++
	case Disclosure:
		v.report.Disclosures++
	case Control:
		v.report.Controls++
	}
	if err := v.joined(s, segment); err != nil {
		return err
	}
	if s.Entry.Event == Start || s.Entry.Event == UncleanStart || s.Entry.Event == Restored {
		v.report.Unfinished += len(v.open.requests)
	}
	v.erased.named(s)
	v.open.take(s.Seq, &s.Entry)
	return nil
}
