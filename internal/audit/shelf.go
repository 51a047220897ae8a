package audit

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/keys"
)

const (
	checkpointDir    = "checkpoints"
	checkpointSuffix = ".checkpoint"
	// maxCheckpoint holds the signatures of several witnesses, or a time stamp.
	maxCheckpoint = 32 << 10
)

// shelf is where the checkpoints are kept, apart from the log: the last one of
// each day in a file of its own.
type shelf struct {
	files files
	// dir is the directory's name for files, where the one for people.
	dir, where string
	ring       *keys.Ring
	// only and upto, if set, are the origin and the largest size of what is loaded.
	only string
	upto uint64
	// second, if set, is where each is kept, too: beside a database that may
	// lose both log and checkpoints.
	second *shelf
}

func (o *Options) shelf(dir string, ring *keys.Ring) shelf {
	own := shelf{files: o.files, dir: checkpointDir, where: path.Join(dir, checkpointDir), ring: ring}
	if o.Rows != nil {
		own.where = o.Rows.String()
	}
	if o.Checkpoints == "" {
		return own
	}
	named := shelf{files: osFiles{o.Checkpoints}, dir: ".", where: o.Checkpoints, ring: ring}
	if o.Rows == nil {
		return named
	}
	own.second = &named
	return own
}

func (s shelf) name(file string) string { return path.Join(s.dir, file) }

// make makes the directory, durably.
func (s shelf) make() error {
	if err := s.files.mkdir(s.dir); err != nil {
		return fmt.Errorf("making the directory of the checkpoints: %w", err)
	}
	if err := syncParent(s.files, s.dir); err != nil || s.second == nil {
		return err
	}
	return s.second.make()
}

// syncParent makes a directory's own name durable. A parent that this user may
// not read isn't one that the gateway has made something in.
func syncParent(fsys files, dir string) error {
	if err := fsys.syncDir(path.Join(dir, "..")); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

// load returns all checkpoints, the smallest first. One that this gateway's keys
// haven't signed is an error: who exchanges a checkpoint has a reason.
func (s shelf) load() ([]Checkpoint, error) {
	names, err := s.files.list(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for the checkpoints in %s: %w", s.where, err)
	}
	var all []Checkpoint
	for _, name := range names {
		if !strings.HasSuffix(name, checkpointSuffix) {
			continue
		}
		c, err := s.read(name)
		if err != nil {
			return nil, fmt.Errorf("%s in %s: %w; put back what was there, from a backup", name, s.where, err)
		}
		if (s.only == "" || s.only == c.Origin) && (s.upto == 0 || c.Size <= s.upto) {
			all = append(all, c)
		}
	}
	if s.second != nil {
		more, err := s.second.load()
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	slices.SortStableFunc(all, bySize)
	return all, nil
}

func bySize(a, b Checkpoint) int { return cmp.Compare(a.Size, b.Size) }

func (s shelf) read(name string) (Checkpoint, error) {
	f, err := s.files.open(s.name(name), false)
	if err != nil {
		return Checkpoint{}, err
	}
	defer f.Close()
	msg := make([]byte, maxCheckpoint)
	n, err := f.ReadAt(msg, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Checkpoint{}, fmt.Errorf("reading a checkpoint: %w", err)
	}
	c, err := openCheckpoint(s.ring, msg[:n])
	c.Name = name
	return c, err
}

// put keeps a checkpoint, durably, in place of the one of the same day.
func (s shelf) put(c Checkpoint, day time.Time) error {
	c.Name = day.UTC().Format(time.DateOnly) + checkpointSuffix
	return s.keep(c)
}

// keep keeps a checkpoint under its name, durably, in place of the one of that name.
func (s shelf) keep(c Checkpoint) error {
	err := place(s.files, s.dir, s.name(c.Name), func(f file) error {
		_, err := f.WriteAt(c.Note, 0)
		return err
	})
	if err != nil {
		err = fmt.Errorf("keeping a checkpoint in %s: %w", s.where, err)
	}
	if s.second != nil {
		return errors.Join(err, s.second.keep(c))
	}
	return err
}

// begin keeps the checkpoint of a log that has no entry yet. From then on a log
// without one has lost it.
func (s shelf) begin(id identity, old []Checkpoint) (Checkpoint, error) {
	if err := s.make(); err != nil {
		return Checkpoint{}, err
	}
	k, err := newCheckpointKey(s.ring, id.origin())
	if err != nil {
		return Checkpoint{}, err
	}
	c, err := k.sign(id.origin(), head{root: tree{}.root()})
	if err != nil {
		return Checkpoint{}, err
	}
	if s.second != nil {
		if err := s.second.make(); err != nil {
			return Checkpoint{}, err
		}
	}
	// Those of a first start that was cut off: nothing was in their log.
	for _, o := range old {
		if err := s.drop(o.Name); err != nil {
			return Checkpoint{}, fmt.Errorf("removing a checkpoint: %w", err)
		}
	}
	return c, s.put(c, time.Now())
}

// anchors are the last checkpoints of each place, the smallest first.
func (s shelf) anchors(all []Checkpoint) ([]Checkpoint, error) {
	list := all[len(all)-1:]
	if s.second == nil {
		return list, nil
	}
	more, err := s.second.load()
	if err != nil || len(more) == 0 {
		return list, err
	}
	return append(more[len(more)-1:], list...), nil
}

// drop removes a checkpoint, which one of two places may not have.
func (s shelf) drop(file string) error {
	err := s.files.remove(s.name(file))
	if s.second == nil {
		return err
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if e := s.second.drop(file); !errors.Is(e, fs.ErrNotExist) {
		err = errors.Join(err, e)
	}
	return err
}

// of returns the checkpoints of that log, or why the log can't be trusted beside
// what is there.
func (s shelf) of(id identity, all []Checkpoint) ([]Checkpoint, error) {
	if len(all) == 0 {
		return nil, fmt.Errorf("%w in %s: put them back from a backup; "+
			"if there is none, `crmgate audit adopt` takes the log as it is, and says so in it", ErrNoCheckpoint, s.places())
	}
	for _, c := range all {
		if c.Origin != id.origin() {
			return nil, fmt.Errorf("%w: %s in %s is of %s, the log is %s: put log and checkpoints that belong together back",
				ErrCheckpoint, c.Name, s.places(), c.Origin, id.origin())
		}
	}
	return all, nil
}

// ErrNoCheckpoint says that there are entries but no checkpoint, which every log
// has from its beginning on.
var ErrNoCheckpoint = errors.New("the log's checkpoints are missing")

// gone is the finding that a log is shorter than a checkpoint says.
func (s shelf) gone(c Checkpoint, at position) *Damage {
	says := "was signed over"
	if c.counted {
		says = "counts"
	}
	where := s.places()
	if c.held != "" {
		where = c.held
	}
	remedy := remedyGone
	if _, ok := s.files.(*rowFiles); ok {
		remedy = remedyOlder
	}
	return &Damage{
		Seq: at.tree.size, Last: c.Size - 1, Segment: at.number, Offset: at.end,
		What: fmt.Sprintf("the log ends here, but %s in %s %s %d entries: entries %d to %d are missing",
			c.Name, where, says, c.Size, at.tree.size, c.Size-1),
		Remedy: remedy,
	}
}

// places names where the checkpoints are, for people.
func (s shelf) places() string {
	if s.second == nil {
		return s.where
	}
	return s.where + " or " + s.second.where
}

const remedyOlder = "bring the database back that has all entries; if it is lost, stop the gateways and run crmgate audit restore on each node: " +
	"its log goes on from what there is under a name of its own, and names what is lost"

const remedyGone = "move the log away and restore its backup (crmgate audit restore); if there is none, move log and checkpoints away together, " +
	"keep both, and start: a log of its own begins, which never claims to continue this one"
