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

// A key file is one line: version, id, month and the wrapped key.
var dataKeyLine = regexp.MustCompile(`^crmgate-data-key-1 ([0-9]{8}) ([0-9]{4}-[0-9]{2}) ([0-9a-f]{122})\n$`)

// ErrKey says that a data key is missing or doesn't open with this master key.
var ErrKey = errors.New("data key is not at hand")

// dataKey encrypts the entries of one month. Destroying its file erases them.
type dataKey struct {
	id    uint32
	month string
	aead  cipher.AEAD
	// secret is the key itself, for exports that carry it.
	secret []byte
	// index makes the keys of the index: it goes with the secret.
	index [sha256.Size]byte
}

// dataKeys are the log's data keys, wrapped in files by the master key.
type dataKeys struct {
	files files
	ring  *keys.Ring
	// commits checks what the groups were committed with.
	commits *commitKey

	mu      sync.RWMutex
	byID    map[uint32]*dataKey
	current *dataKey
}

func newDataKeys(fs files, ring *keys.Ring) *dataKeys {
	return &dataKeys{files: fs, ring: ring, commits: newCommitKey(ring), byID: map[uint32]*dataKey{}}
}

// loadAll opens every key: a writer must know that it can read what it goes on
// from, and which ids are taken.
func (k *dataKeys) loadAll() error {
	names, err := k.files.list(keyDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range names {
		stem, ok := strings.CutSuffix(name, keySuffix)
		if !ok {
			continue
		}
		id, err := strconv.ParseUint(stem, 10, 32)
		if err != nil {
			return fmt.Errorf("%w: %s/%s is not the name of a data key; move it elsewhere", ErrKey, keyDir, name)
		}
		key, err := k.get(uint32(id))
		if err != nil {
			return err
		}
		if k.current == nil || k.current.id < key.id {
			k.current = key
		}
	}
	return nil
}

// get returns the key of that id.
func (k *dataKeys) get(id uint32) (*dataKey, error) {
	k.mu.RLock()
	key := k.byID[id]
	k.mu.RUnlock()
	if key != nil {
		return key, nil
	}
	key, err := k.load(id)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.byID[id] = key
	return key, nil
}

func keyName(id uint32) string { return fmt.Sprintf("%s/%08d%s", keyDir, id, keySuffix) }

func (k *dataKeys) load(id uint32) (*dataKey, error) {
	name := keyName(id)
	f, err := k.files.open(name, false)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	defer f.Close()
	size, err := f.size()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	text := make([]byte, min(size, 1024))
	if _, err := f.ReadAt(text, 0); err != nil {
		return nil, fmt.Errorf("%w: reading %s: %w", ErrKey, name, err)
	}
	m := dataKeyLine.FindSubmatch(text)
	if m == nil || string(m[1]) != fmt.Sprintf("%08d", id) {
		return nil, fmt.Errorf("%w: %s is malformed; restore it from a backup", ErrKey, name)
	}
	wrapped, err := hex.DecodeString(string(m[3]))
	if err != nil {
		return nil, fmt.Errorf("%w: %s is malformed; restore it from a backup", ErrKey, name)
	}
	month := string(m[2])
	secret, err := k.ring.Open(keyPurpose, wrapped, keyBound(id, month))
	if err != nil {
		return nil, fmt.Errorf("%w: %s does not open with this master key; restore the %s that the log was written with: %w",
			ErrKey, name, keys.FileName, err)
	}
	return newDataKey(id, month, secret)
}

func newDataKey(id uint32, month string, secret []byte) (*dataKey, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	k := &dataKey{id: id, month: month, aead: aead, secret: secret}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("crmgate audit index"))
	mac.Sum(k.index[:0])
	return k, nil
}

func keyBound(id uint32, month string) []byte { return fmt.Appendf(nil, "%08d %s", id, month) }

// forMonth returns the key that encrypts at that time. The first call in a month
// makes it, durably: no entry may outlive its key by accident. A clock that steps
// back goes on with the newest key of the earlier month, if there is one.
func (k *dataKeys) forMonth(t time.Time) (*dataKey, error) {
	month := t.UTC().Format("2006-01")
	k.mu.RLock()
	key := k.current
	k.mu.RUnlock()
	if key != nil && key.month == month {
		return key, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.current != nil && k.current.month == month {
		return k.current, nil
	}
	id := uint32(1)
	var found *dataKey
	for _, other := range k.byID {
		id = max(id, other.id+1)
		if other.month == month && (found == nil || found.id < other.id) {
			found = other
		}
	}
	if found == nil {
		var err error
		if found, err = k.make(id, month); err != nil {
			return nil, err
		}
		k.byID[id] = found
	}
	k.current = found
	return found, nil
}

func (k *dataKeys) make(id uint32, month string) (*dataKey, error) {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return nil, fmt.Errorf("drawing a data key: %w", err)
	}
	wrapped, err := k.ring.Seal(keyPurpose, secret, keyBound(id, month))
	if err != nil {
		return nil, fmt.Errorf("wrapping a data key: %w", err)
	}
	text := fmt.Appendf(nil, "crmgate-data-key-1 %08d %s %x\n", id, month, wrapped)
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
	return newDataKey(id, month, secret)
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
