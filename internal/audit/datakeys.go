package audit

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/crmgate/crmgate/internal/keys"
)

const (
	keyDir     = "keys"
	keySuffix  = ".key"
	tmpSuffix  = ".tmp"
	keyPurpose = "audit data key"
)

// A key file is one line: version, id, month, from version 2 on the class, and the
// wrapped key. A key of version 1 is for entries of every class.
var dataKeyLine = regexp.MustCompile(`^crmgate-data-key-(?:1 ([0-9]{8}) ([0-9]{4}-[0-9]{2})|2 ([0-9]{8}) ([0-9]{4}-[0-9]{2}) ([a-z]+)) ([0-9a-f]{122})\n$`)

// ErrKey says that a data key is missing or doesn't open with this master key.
var ErrKey = errors.New("data key is not at hand")

// dataKey encrypts the entries of one month and class. Destroying it erases them.
type dataKey struct {
	id    uint32
	month string
	class Class // "": every one
	aead  cipher.AEAD
	// secret is the key itself, for exports that carry it.
	secret []byte
	// index makes the keys of the index: it goes with the secret.
	index [sha256.Size]byte
	// changes makes the hashes in changes.
	changes [sha256.Size]byte
}

// dataKeys are the log's data keys, wrapped in files by the master key.
type dataKeys struct {
	files files
	ring  *keys.Ring
	// commits checks what the groups were committed with.
	commits *commitKey

	mu      sync.RWMutex
	byID    map[uint32]*dataKey
	current map[Class]*dataKey
	gone    map[uint32]*Destroyed
	// last is the highest id that was ever taken: none is given twice.
	last uint32
}

func newDataKeys(fs files, ring *keys.Ring) *dataKeys {
	return &dataKeys{
		files: fs, ring: ring, commits: newCommitKey(ring),
		byID: map[uint32]*dataKey{}, current: map[Class]*dataKey{}, gone: map[uint32]*Destroyed{},
	}
}

// loadAll opens every key: a writer must know that it can read what it goes on
// from, and which ids are taken. A key whose destruction was cut off is destroyed.
func (k *dataKeys) loadAll() error {
	names, err := k.files.list(keyDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	// The tombstones stand before the keys: "00000001.gone", "00000001.key".
	for _, name := range names {
		id, ok, err := keyFile(name)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := k.take(id, strings.HasSuffix(name, goneSuffix)); err != nil {
			return err
		}
	}
	return nil
}

// keyFile returns the id that a file in the directory of the keys is for.
func keyFile(name string) (id uint32, ok bool, err error) {
	stem, ok := strings.CutSuffix(name, keySuffix)
	if !ok {
		if stem, ok = strings.CutSuffix(name, goneSuffix); !ok {
			return 0, false, nil
		}
	}
	n, err := strconv.ParseUint(stem, 10, 32)
	if err != nil {
		return 0, false, fmt.Errorf("%w: %s/%s is not the name of a data key; move it elsewhere", ErrKey, keyDir, name)
	}
	return uint32(n), true, nil
}

// take loads a key, or what is left of it.
func (k *dataKeys) take(id uint32, tombstone bool) error {
	key, err := k.get(id)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last = max(k.last, id)
	if errors.Is(err, ErrDestroyed) && tombstone {
		return nil
	}
	if errors.Is(err, ErrDestroyed) {
		return k.shred(id)
	}
	if err != nil {
		return err
	}
	if now := k.current[key.class]; now == nil || now.id < id {
		k.current[key.class] = key
	}
	return nil
}

// get returns the key of that id; the error is a *Destroyed where it was
// destroyed.
func (k *dataKeys) get(id uint32) (*dataKey, error) {
	k.mu.RLock()
	key, d := k.byID[id], k.gone[id]
	k.mu.RUnlock()
	if d != nil {
		return nil, d
	}
	if key != nil {
		return key, nil
	}
	key, err := k.load(id)
	k.mu.Lock()
	defer k.mu.Unlock()
	if d, ok := errors.AsType[*Destroyed](err); ok {
		k.gone[id] = d
	}
	if err != nil {
		return nil, err
	}
	k.byID[id] = key
	return key, nil
}

func keyName(id uint32) string { return fmt.Sprintf("%s/%08d%s", keyDir, id, keySuffix) }

func (k *dataKeys) load(id uint32) (*dataKey, error) {
	// First: a key that is still there was not destroyed to its end.
	d, err := k.tombstone(id)
	if err != nil {
		return nil, err
	}
	if d != nil {
		return nil, d
	}
	name := keyName(id)
	text, err := readSmall(k.files, name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	m := dataKeyLine.FindSubmatch(text)
	if m == nil || string(m[1])+string(m[3]) != fmt.Sprintf("%08d", id) {
		return nil, fmt.Errorf("%w: %s is malformed; restore it from a backup", ErrKey, name)
	}
	month, class := string(m[2])+string(m[4]), Class(m[5])
	wrapped, err := hex.DecodeString(string(m[6]))
	if err != nil || class != "" && !class.Valid() {
		return nil, fmt.Errorf("%w: %s is malformed; restore it from a backup", ErrKey, name)
	}
	secret, err := k.ring.Open(keyPurpose, wrapped, keyBound(id, month, class))
	if err != nil {
		return nil, fmt.Errorf("%w: %s does not open with this master key; restore the %s that the log was written with: %w",
			ErrKey, name, keys.FileName, err)
	}
	return newDataKey(id, month, class, secret)
}

// readSmall reads a file of a kilobyte at most.
func readSmall(fsys files, name string) ([]byte, error) { return readUpTo(fsys, name, 1024) }

func readUpTo(fsys files, name string, most int64) ([]byte, error) {
	f, err := fsys.open(name, false)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.size()
	if err != nil {
		return nil, err
	}
	text := make([]byte, min(size, most))
	if _, err := f.ReadAt(text, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return text, nil
}

func newDataKey(id uint32, month string, class Class, secret []byte) (*dataKey, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	k := &dataKey{id: id, month: month, class: class, aead: aead, secret: secret}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("crmgate audit index"))
	mac.Sum(k.index[:0])
	mac = hmac.New(sha256.New, secret)
	mac.Write([]byte("crmgate audit changes"))
	mac.Sum(k.changes[:0])
	return k, nil
}

// keyBound is what a wrapped key is authenticated with.
func keyBound(id uint32, month string, class Class) []byte {
	if class == "" {
		return fmt.Appendf(nil, "%08d %s", id, month)
	}
	return fmt.Appendf(nil, "%08d %s %s", id, month, class)
}

// forMonth returns the key that encrypts entries of a class at that time. The
// first call in a month makes it, durably: no entry may outlive its key by
// accident. It never goes back to a key of an earlier month: with the clock set
// back, entries of today would be destroyed with those of then. They get a key of
// their own instead, and its number tells when it was made.
func (k *dataKeys) forMonth(t time.Time, class Class) (*dataKey, error) {
	k.mu.RLock()
	key := k.current[class]
	k.mu.RUnlock()
	if key != nil && key.serves(t) {
		return key, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if key := k.current[class]; key != nil && key.serves(t) {
		return key, nil
	}
	key, err := k.make(k.last+1, t.UTC().Format(monthFormat), class)
	if err != nil {
		return nil, err
	}
	k.last = key.id
	k.byID[key.id], k.current[class] = key, key
	return key, nil
}

const monthFormat = "2006-01"

// serves reports whether the key is for that time: for its month, and for a caller
// that has read the time before midnight and comes after one that has read it later.
func (k *dataKey) serves(t time.Time) bool {
	if t.UTC().Format(monthFormat) == k.month {
		return true
	}
	began, err := time.Parse(monthFormat, k.month)
	return err == nil && t.Before(began) && began.Sub(t) < time.Hour
}

func (k *dataKeys) make(id uint32, month string, class Class) (*dataKey, error) {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return nil, fmt.Errorf("drawing a data key: %w", err)
	}
	wrapped, err := k.ring.Seal(keyPurpose, secret, keyBound(id, month, class))
	if err != nil {
		return nil, fmt.Errorf("wrapping a data key: %w", err)
	}
	text := fmt.Appendf(nil, "crmgate-data-key-2 %08d %s %s %x\n", id, month, class, wrapped)
	if err := k.files.mkdir(keyDir); err != nil {
		return nil, err
	}
	if err := k.files.syncDir("."); err != nil {
		return nil, err
	}
	if err := place(k.files, keyDir, keyName(id), func(f file) error {
		_, err := f.WriteAt(text, 0)
		return err
	}); err != nil {
		return nil, fmt.Errorf("writing a data key: %w", err)
	}
	return newDataKey(id, month, class, secret)
}

// place makes a file whole: written and synced under another name, renamed, and
// its name synced. A crash leaves the file as it was before, or nothing.
func place(fsys files, dir, name string, fill func(file) error) error {
	tmp := name + tmpSuffix
	if err := fsys.remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing %s: %w", tmp, err)
	}
	f, err := fsys.create(tmp)
	if err != nil {
		return err
	}
	err = fill(f)
	if err == nil {
		err = f.sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		// What is left of it would take the place that the disk may lack.
		return errors.Join(fmt.Errorf("writing %s: %w", tmp, err), fsys.remove(tmp))
	}
	if err := fsys.rename(tmp, name); err != nil {
		return fmt.Errorf("renaming %s: %w", tmp, err)
	}
	return fsys.syncDir(dir)
}
