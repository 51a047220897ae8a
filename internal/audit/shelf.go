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
	maxCheckpoint    = 4096
)

// shelf is where the checkpoints are kept, apart from the log: the last one of
// each day in a file of its own.
type shelf struct {
	files files
	// dir is the directory's name for files, where the one for people.
	dir, where string
	ring       *keys.Ring
}

func (o *Options) shelf(dir string, ring *keys.Ring) shelf {
	if o.Checkpoints != "" {
		return shelf{osFiles{o.Checkpoints}, ".", o.Checkpoints, ring}
	}
	return shelf{o.files, checkpointDir, path.Join(dir, checkpointDir), ring}
}

func (s shelf) name(file string) string { return path.Join(s.dir, file) }

// make makes the directory, durably.
func (s shelf) make() error {
	if err := s.files.mkdir(s.dir); err != nil {
		return fmt.Errorf("making the directory of the checkpoints: %w", err)
	}
	return syncParent(s.files, s.dir)
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
		all = append(all, c)
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
	name := s.name(day.UTC().Format(time.DateOnly) + checkpointSuffix)
	err := place(s.files, s.dir, name, func(f file) error {
		_, err := f.WriteAt(c.Note, 0)
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping a checkpoint in %s: %w", s.where, err)
	}
	return nil
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
	// Those of a first start that was cut off: nothing was in their log.
	for _, o := range old {
		if err := s.files.remove(s.name(o.Name)); err != nil {
			return Checkpoint{}, fmt.Errorf("removing a checkpoint: %w", err)
		}
	}
	return c, s.put(c, time.Now())
}

// of returns the checkpoints of that log, or why the log can't be trusted beside
// what is there.
func (s shelf) of(id identity, all []Checkpoint) ([]Checkpoint, error) {
	if len(all) == 0 {
		return nil, fmt.Errorf("%w in %s: put them back from a backup; "+
			"if there is none, `crmgate audit adopt` takes the log as it is, and says so in it", ErrNoCheckpoint, s.where)
	}
	for _, c := range all {
		if c.Origin != id.origin() {
			return nil, fmt.Errorf("%w: %s in %s is of %s, the log is %s: put log and checkpoints that belong together back",
				ErrCheckpoint, c.Name, s.where, c.Origin, id.origin())
		}
	}
	return all, nil
}

// ErrNoCheckpoint says that there are entries but no checkpoint, which every log
// has from its beginning on.
var ErrNoCheckpoint = errors.New("the log's checkpoints are missing")

// gone is the finding that a log is shorter than a checkpoint says.
func (s shelf) gone(c Checkpoint, at position) *Damage {
	return &Damage{
		Seq: at.tree.size, Last: c.Size - 1, Segment: at.number, Offset: at.end,
		What: fmt.Sprintf("the log ends here, but %s in %s was signed over %d entries: entries %d to %d are missing",
			c.Name, s.where, c.Size, at.tree.size, c.Size-1),
		Remedy: remedyGone,
	}
}

const remedyGone = "move the log away and restore its backup (crmgate audit restore); if there is none, move log and checkpoints away together, " +
	"keep both, and start: a log of its own begins, which never claims to continue this one"
