package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// ErrDestroyed says that an entry's data key was destroyed, and the entry with it.
// Its place in the tree stays, and is proved as before.
var ErrDestroyed = errors.New("data key was destroyed")

// Destroyed says when a data key was destroyed, by whom, and which entry says so.
// It is a note that is signed with the key of the checkpoints and stands in the
// key's place. As an error it Is ErrDestroyed.
type Destroyed struct {
	Key   uint32 `json:"key"`
	Month string `json:"month"`
	// Class is empty where the key was for all of them.
	Class Class     `json:"class,omitempty"`
	At    time.Time `json:"at"`
	By    string    `json:"by"`
	// Entry is the seq of the retention_run that names the key.
	Entry  uint64 `json:"entry"`
	Origin string `json:"origin"`
	// Entries counts what it has erased, where a verification has counted.
	Entries uint64 `json:"entries,omitempty"`

	note []byte
}

func (d *Destroyed) Error() string {
	return fmt.Sprintf("data key %d (%s) was destroyed on %s, by %s (entry %d)", d.Key, monthAndClass(d.Month, d.Class), d.At.Format(time.DateOnly), d.By, d.Entry)
}

// Is makes errors.Is(err, ErrDestroyed) true.
func (d *Destroyed) Is(target error) bool { return target == ErrDestroyed }

// monthAndClass is a month and class in words.
func monthAndClass(month string, class Class) string {
	if class == "" {
		return month + ", all kinds"
	}
	return month + ", " + string(class)
}

const goneSuffix = ".gone"

func goneName(id uint32) string { return fmt.Sprintf("%s/%08d%s", keyDir, id, goneSuffix) }

// The first line keeps it apart from a checkpoint, which begins with its origin.
var tombstoneText = regexp.MustCompile(`^crmgate destroyed data key\n` +
	`(crmgate/[A-Za-z0-9.-]{1,63}/[0-9a-f]{32})\n` +
	`([0-9]{8}) ([0-9]{4}-[0-9]{2}) (access|employee|gateway|all)\n` +
	`([0-9TZ:-]{20})\n([^\n]{1,200})\n(0|[1-9][0-9]{0,18})\n$`)

// sign makes the tombstone's note.
func (d *Destroyed) sign(key *checkpointKey) error {
	class := d.Class
	if class == "" {
		class = "all"
	}
	text := fmt.Sprintf("crmgate destroyed data key\n%s\n%08d %s %s\n%s\n%s\n%d\n",
		d.Origin, d.Key, d.Month, class, d.At.UTC().Format(time.RFC3339), d.By, d.Entry)
	if !tombstoneText.MatchString(text) {
		return fmt.Errorf("writing down that a data key is destroyed: %q is no line", d.By)
	}
	signed, err := note.Sign(&note.Note{Text: text}, key.signer)
	if err != nil {
		return fmt.Errorf("signing that a data key is destroyed: %w", err)
	}
	d.note = signed
	return nil
}

// openTombstone reads a note that v verifies, which has to be of the log that v is
// named by.
func openTombstone(v note.Verifier, msg []byte) (*Destroyed, error) {
	n, err := note.Open(msg, note.VerifierList(v))
	if err != nil {
		return nil, fmt.Errorf("%w: the note that says so isn't this log's: %w", ErrKey, err)
	}
	m := tombstoneText.FindStringSubmatch(n.Text)
	if m == nil || m[1] != v.Name() {
		return nil, fmt.Errorf("%w: the note that says so has another form", ErrKey)
	}
	d := &Destroyed{Origin: m[1], Month: m[3], By: m[6], note: msg}
	id, err := strconv.ParseUint(m[2], 10, 32)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	d.Key = uint32(id)
	if m[4] != "all" {
		d.Class = Class(m[4])
	}
	if d.At, err = time.Parse(time.RFC3339, m[5]); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if d.Entry, err = strconv.ParseUint(m[7], 10, 64); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return d, nil
}

// tombstone returns what stands in a key's place, nil for nothing.
func (k *dataKeys) tombstone(id uint32) (*Destroyed, error) {
	msg, err := readSmall(k.files, goneName(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	lines := strings.SplitN(string(msg), "\n", 3)
	if len(lines) < 3 || len(lines[1]) > maxOrigin {
		return nil, fmt.Errorf("%w: %s has another form", ErrKey, goneName(id))
	}
	key, err := newCheckpointKey(k.ring, lines[1])
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrKey, goneName(id), err)
	}
	d, err := openTombstone(key.verifier, msg)
	if err == nil && d.Key != id {
		err = fmt.Errorf("%w: it is of key %d", ErrKey, d.Key)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", goneName(id), err)
	}
	return d, nil
}

// destroy destroys a key: it is gone as soon as its tombstone is durable, and what
// a crash leaves of it goes with the next start. The entry that names it has to be
// durable before.
func (k *dataKeys) destroy(d *Destroyed) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	err := place(k.files, keyDir, goneName(d.Key), func(f file) error {
		_, err := f.WriteAt(d.note, 0)
		return err
	})
	if err != nil {
		return fmt.Errorf("destroying data key %d: %w", d.Key, err)
	}
	k.drop(d)
	return k.shred(d.Key)
}

// drop takes a key out of memory.
func (k *dataKeys) drop(d *Destroyed) {
	if key := k.byID[d.Key]; key != nil {
		clear(key.secret)
		delete(k.byID, d.Key)
		if k.current[key.class] == key {
			delete(k.current, key.class)
		}
	}
	k.gone[d.Key] = d
}

// forget takes keys out of memory that another dataKeys has destroyed.
func (k *dataKeys) forget(all []*Destroyed) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, d := range all {
		k.drop(d)
	}
}

// shred overwrites a key's file and takes it away. What lay under the bytes before
// is the disk's to keep or not; it is wrapped by the master key.
func (k *dataKeys) shred(id uint32) error {
	name := keyName(id)
	err := overwrite(k.files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = k.files.remove(name)
	}
	if err == nil {
		err = k.files.syncDir(keyDir)
	}
	if err != nil {
		return fmt.Errorf("destroying data key %d: %w", id, err)
	}
	return nil
}

// overwriter is a file layer in which bytes that are written take the place of
// those that were there.
type overwriter interface{ overwrites() }

// overwrite overwrites a file with zeros, where that means something.
func overwrite(fsys files, name string) error {
	_, can := fsys.(overwriter)
	f, err := fsys.open(name, can)
	if err != nil || !can {
		if err == nil {
			err = f.Close()
		}
		return err
	}
	size, err := f.size()
	if err == nil {
		_, err = f.WriteAt(make([]byte, size), 0)
	}
	if err == nil {
		err = f.sync()
	}
	return errors.Join(err, f.Close())
}

// tombstones reads them all, by id.
func (k *dataKeys) tombstones() ([]*Destroyed, error) {
	names, err := k.files.list(keyDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []*Destroyed
	for _, name := range names {
		if !strings.HasSuffix(name, goneSuffix) {
			continue
		}
		id, _, err := keyFile(name)
		if err != nil {
			return nil, err
		}
		d, err := k.tombstone(id)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// destroyed lists the keys that were destroyed, by id, as far as loadAll and
// destroy know of them.
func (k *dataKeys) destroyed() []*Destroyed {
	k.mu.RLock()
	defer k.mu.RUnlock()
	var all []*Destroyed
	for _, id := range slices.Sorted(maps.Keys(k.gone)) {
		all = append(all, k.gone[id])
	}
	return all
}

// list names all keys, destroyed or not, in the order in which they were made.
func (k *dataKeys) list() []MonthKey {
	k.mu.RLock()
	defer k.mu.RUnlock()
	var all []MonthKey
	for id := uint32(1); id <= k.last; id++ {
		if key := k.byID[id]; key != nil {
			all = append(all, MonthKey{Key: id, Month: key.month, Class: key.class})
		} else if d := k.gone[id]; d != nil {
			all = append(all, MonthKey{Key: id, Month: d.Month, Class: d.Class})
		}
	}
	return all
}

// mayGo reports whether a key is there, and nothing is written under it any more.
func (k *dataKeys) mayGo(id uint32, now time.Time) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	key := k.byID[id]
	return key != nil && (key.class == "" || k.current[key.class] != key || !key.serves(now))
}

// has reports whether a class has a key for that time.
func (k *dataKeys) has(class Class, t time.Time) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	key := k.current[class]
	return key != nil && key.serves(t)
}
