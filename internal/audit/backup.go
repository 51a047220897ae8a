package audit

import (
	"context"
	"encoding/json"
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

// ErrBackup says that a directory isn't a backup of this log, or not a whole one.
var ErrBackup = errors.New("not a backup of this log")

const (
	// copySuffix is that of segments in a backup: put back by hand they are no log.
	// A log that goes on from an older copy of itself hides what it has lost.
	copySuffix = ".copy"
	backupName = "backup.json"
	copyChunk  = 256 << 10
)

// Backing says how a log is backed up.
type Backing struct {
	// Checkpoints is what Options says it is.
	Checkpoints string
	// Keys is the directory for the data keys, apart from the backup: it is made
	// the same as the log's own, so that a key that was destroyed goes from it, too.
	Keys string
	// Rate is how many bytes a second are copied at most; 0 is no limit.
	Rate int64
	// Progress is told how many bytes are done; it may be nil.
	Progress func(done, total int64)
	// Rows are what Options says they are. The backup is one of a log in a directory
	// all the same.
	Rows Rows

	out, keys files // other file layers, in tests
}

// Backed is what a backup holds.
type Backed struct {
	Origin string    `json:"origin"`
	Size   uint64    `json:"size"`
	Root   string    `json:"root"`
	Time   time.Time `json:"time"`
	// Segment and End are where the log ended.
	Segment uint32 `json:"segment"`
	End     int64  `json:"end"`
	// Copied is how many bytes were, beside those of an earlier backup.
	Copied int64 `json:"copied"`
}

// Backup copies the log in dir to the directory out, up to a commit, and its data
// keys to another one; the log may be written meanwhile. Segments that an earlier
// backup in out has already aren't copied again. A backup holds neither master keys
// nor an index. That somebody backs the log up is for the caller to append before.
func Backup(ctx context.Context, dir string, ring *keys.Ring, out string, how Backing) (Backed, error) {
	how.out, how.keys = osFiles{out}, osFiles{how.Keys}
	o := Options{Checkpoints: how.Checkpoints, Rows: how.Rows, files: filesOf(dir, how.Rows)}
	b := &backup{log: o.files, kept: o.shelf(dir, ring), ring: ring, how: how}
	if how.Keys == "" || within(out, how.Keys) || within(how.Keys, out) {
		return Backed{}, fmt.Errorf("%w: name a directory for the data keys that lies apart from the backup: whoever keeps old backups must not keep old keys", ErrBackup)
	}
	if err := b.run(ctx); err != nil {
		return b.done, fmt.Errorf("backing up the log to %s: %w", out, err)
	}
	return b.done, nil
}

type backup struct {
	log  files
	kept shelf
	ring *keys.Ring
	how  Backing
	done Backed

	began       time.Time
	paced       int64
	total, told int64
}

func (b *backup) run(ctx context.Context) error {
	for _, f := range []files{b.how.out, b.how.keys} {
		if err := f.mkdir("."); err != nil {
			return err
		}
	}
	b.began = time.Now()
	segments, err := listSegments(b.log)
	if err != nil {
		return err
	}
	links, err := chainOf(b.log, segments)
	if err != nil {
		return err
	}
	if len(links) == 0 {
		return errors.New("the log has no entry, or is damaged at its beginning")
	}
	if err := b.same(links); err != nil {
		return err
	}
	// Before the log: one that is younger than the copy would call it cut.
	if err := b.checkpoints(links); err != nil {
		return err
	}
	if err := copyCursors(b.log, b.how.out); err != nil { // before the log, too
		return err
	}
	for range 10 {
		if err := b.segments(ctx); err != nil {
			return err
		}
		// Behind the log: each entry's key was there before it. An entry that
		// names a destroyed key has to be in the copy.
		again, err := b.dataKeys()
		if err != nil {
			return err
		}
		if !again {
			return b.finish()
		}
	}
	return errors.New("data keys were destroyed again and again meanwhile")
}

// same reports an error if there is another log's backup, or something else.
func (b *backup) same(links chain) error {
	names, err := b.how.out.list(".")
	if err != nil || len(names) == 0 {
		return err
	}
	had, err := readBacked(b.how.out)
	if errors.Is(err, fs.ErrNotExist) {
		// One that was cut off has segments and no more.
		if slices.ContainsFunc(names, func(n string) bool { return strings.HasSuffix(n, copySuffix) || n == checkpointDir }) {
			return nil
		}
		return fmt.Errorf("%w: the directory holds other files", ErrBackup)
	}
	if err != nil {
		return err
	}
	// One from before a restoration stays what it was: what is in it and not in the log
	// any more would stand beside what came after.
	if len(links) == 0 || had.Origin != links[len(links)-1].origin() {
		return fmt.Errorf("%w: it is of %s; keep it, and name a new directory", ErrBackup, had.Origin)
	}
	return nil
}

func readBacked(out files) (Backed, error) {
	text, err := readSmall(out, backupName)
	if err != nil {
		return Backed{}, err
	}
	var b Backed
	if err := json.Unmarshal(text, &b); err != nil {
		return b, fmt.Errorf("%w: %s: %w", ErrBackup, backupName, err)
	}
	return b, nil
}

// checkpoints copies the notes of all the log's names.
func (b *backup) checkpoints(links chain) error {
	shelves := []shelf{b.kept}
	for _, l := range links[:len(links)-1] {
		shelves = append(shelves, b.kept.earlier(l.identity))
	}
	for i, s := range shelves {
		to := shelf{files: b.how.out, dir: checkpointDir, where: checkpointDir, ring: b.ring}
		if i > 0 {
			to = to.earlier(links[i-1].identity)
		}
		all, err := s.load()
		if err != nil {
			return err
		}
		if err := to.copy(all); err != nil {
			return err
		}
	}
	return nil
}

// copy keeps checkpoints under their own names.
func (s shelf) copy(all []Checkpoint) error {
	if len(all) == 0 {
		return nil
	}
	if err := s.make(); err != nil {
		return err
	}
	for _, c := range all {
		if err := putFile(s.files, s.dir, s.name(c.Name), c.Note); err != nil {
			return err
		}
	}
	if s.second != nil {
		return s.second.copy(all)
	}
	return nil
}

func putFile(fsys files, dir, name string, content []byte) error {
	return place(fsys, dir, name, func(f file) error {
		_, err := f.WriteAt(content, 0)
		return err
	})
}

// segments copies up to the log's last commit.
func (b *backup) segments(ctx context.Context) error {
	segments, err := listSegments(b.log)
	if err != nil {
		return err
	}
	last, err := lastStarted(b.log, segments)
	if err != nil {
		return err
	}
	w := &walk{files: b.log, segments: segments[last:], key: newCommitKey(b.ring)}
	if err := w.run(ctx); err != nil {
		return err
	}
	b.done.Origin, b.done.Size, b.done.Root = w.origin(), w.tree.size, w.tree.root().String()
	b.done.Segment, b.done.End, b.done.Time = w.number, w.end, time.Now().UTC().Truncate(time.Second)
	ends := map[uint32]int64{w.number: w.end}
	b.total = w.end
	for _, n := range segments {
		if n >= w.number {
			break
		}
		if ends[n], err = previousEnd(b.log, n+1); err != nil {
			return err
		}
		b.total += ends[n]
	}
	for _, n := range segments {
		if end, ok := ends[n]; ok {
			if err := b.segment(ctx, n, end, n == w.number); err != nil {
				return err
			}
		}
	}
	return nil
}

func copyName(n uint32) string { return strings.TrimSuffix(segmentName(n), segmentSuffix) + copySuffix }

// segment copies one up to its end. A whole one that is there was copied before:
// nothing is ever written in front of a segment's end.
func (b *backup) segment(ctx context.Context, n uint32, end int64, last bool) error {
	if end < 0 {
		return fmt.Errorf("segment %s is damaged; verify the log", segmentName(n))
	}
	if there, err := b.how.out.open(copyName(n), false); err == nil {
		size, err := there.size()
		if err := errors.Join(err, there.Close()); err != nil {
			return err
		}
		if size == end && !last {
			b.tell(end)
			return nil
		}
	}
	from, err := b.log.open(segmentName(n), false)
	if err != nil {
		return err
	}
	defer from.Close()
	return place(b.how.out, ".", copyName(n), func(to file) error {
		buf := make([]byte, copyChunk)
		for at := int64(0); at < end; at += int64(len(buf)) {
			buf = buf[:min(int64(len(buf)), end-at)]
			if _, err := from.ReadAt(buf, at); err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			if _, err := to.WriteAt(buf, at); err != nil {
				return err
			}
			b.tell(int64(len(buf)))
			if err := b.pace(ctx, int64(len(buf))); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *backup) tell(n int64) {
	b.told += n
	if b.how.Progress != nil {
		b.how.Progress(min(b.told, b.total), b.total)
	}
}

// pace waits for as long as the rate demands: a copy at full speed would hold up
// the appends.
func (b *backup) pace(ctx context.Context, n int64) error {
	b.paced += n
	b.done.Copied += n
	if b.how.Rate <= 0 {
		return ctx.Err()
	}
	due := time.Duration(float64(b.paced) / float64(b.how.Rate) * float64(time.Second))
	wait := time.NewTimer(due - time.Since(b.began))
	defer wait.Stop()
	select {
	case <-wait.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// dataKeys makes the directory of the keys the same as the log's. It asks for
// another look at the log where a key was destroyed by an entry behind the copy.
func (b *backup) dataKeys() (again bool, err error) {
	k := newDataKeys(b.log, b.ring)
	gone, err := k.tombstones()
	if err != nil {
		return false, err
	}
	if err := b.how.out.mkdir(keyDir); err != nil {
		return false, err
	}
	for _, d := range gone {
		if d.Entry >= b.done.Size {
			return true, nil
		}
		if err := b.bury(d); err != nil {
			return false, err
		}
	}
	if again, err := b.wrapped(gone); err != nil || again {
		return again, err
	}
	return false, b.how.out.syncDir(".")
}

// bury puts a tombstone into the backup and its keys, and destroys the key there.
func (b *backup) bury(d *Destroyed) error {
	return errors.Join(
		putFile(b.how.keys, ".", path.Base(goneName(d.Key)), d.note),
		putFile(b.how.out, keyDir, goneName(d.Key), d.note),
		(&dataKeys{files: flat{b.how.keys}}).shred(d.Key),
	)
}

// wrapped copies the keys that weren't destroyed, as they are. It asks for another
// look where one has gone meanwhile.
func (b *backup) wrapped(gone []*Destroyed) (again bool, err error) {
	names, err := b.log.list(keyDir)
	if err != nil {
		return false, err
	}
	for _, name := range names {
		id, ok, err := keyFile(name)
		if err != nil {
			return false, err
		}
		if !ok || !strings.HasSuffix(name, keySuffix) {
			continue
		}
		if slices.ContainsFunc(gone, func(d *Destroyed) bool { return d.Key == id }) {
			continue
		}
		text, err := readSmall(b.log, keyName(id))
		if errors.Is(err, fs.ErrNotExist) {
			return true, nil // meanwhile
		}
		if err != nil {
			return false, err
		}
		if err := putFile(b.how.keys, ".", name, text); err != nil {
			return false, err
		}
	}
	return false, nil
}

// finish says that the backup is whole.
func (b *backup) finish() error {
	text, err := json.Marshal(b.done)
	if err != nil {
		return fmt.Errorf("encoding what was backed up: %w", err)
	}
	return putFile(b.how.out, ".", backupName, text)
}
