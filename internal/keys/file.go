package keys

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// FileName is the name of the master keys' file in its directory.
const FileName = "master.key"

// A key file has a line for each key, the oldest first: a version, the key's id,
// from the second one on the time from which it seals (UTC, by the second), and
// 64 hexadecimal digits. Ids ascend.
var keyLine = regexp.MustCompile(`^crmgate-key-1 ([0-9a-f]{2})(?: (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ))? ([0-9a-f]{64})\n$`)

// maxFile is the length of a file with every id.
const maxFile = 255 * 110

// Open loads the master keys from dir, and makes the directory and a random key
// on the first call. The file appears whole or not at all, with mode 0600, and
// is durable before Open returns. A file that others may read, or that isn't a
// key, is refused: a new key in its place would leave everything sealed so far
// unreadable.
func Open(dir string) (*Ring, error) {
	path := filepath.Join(dir, FileName)
	ring, err := load(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return ring, err
	}
	if err := create(dir, path); err != nil {
		return nil, err
	}
	return load(path)
}

func load(path string) (*Ring, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the master key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("opening the master key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("master key %s is not a regular file; put the key file itself there", path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("master key %s has mode %04o: others than its owner may read it; run: chmod 600 %s",
			path, info.Mode().Perm(), path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the master key: %w", err)
	}
	keys, ok := parse(text)
	if !ok {
		return nil, fmt.Errorf("master key %s is malformed; restore it from a backup (a new key can't open what the old one sealed)", path)
	}
	return newRing(keys), nil
}

func parse(text []byte) ([]master, bool) {
	if len(text) > maxFile {
		return nil, false
	}
	var keys []master
	for line := range bytes.Lines(text) {
		k, ok := parseLine(line)
		if !ok || k.from.IsZero() != (len(keys) == 0) {
			return nil, false
		}
		if n := len(keys); n > 0 && (k.id <= keys[n-1].id || k.from.Before(keys[n-1].from)) {
			return nil, false
		}
		for _, other := range keys {
			if other.secret == k.secret {
				return nil, false
			}
		}
		keys = append(keys, k)
	}
	return keys, len(keys) > 0
}

func parseLine(line []byte) (k master, ok bool) {
	m := keyLine.FindSubmatch(line)
	if m == nil {
		return k, false
	}
	n, err := strconv.ParseUint(string(m[1]), 16, 8)
	if err != nil {
		return k, false
	}
	if len(m[2]) > 0 {
		if k.from, err = time.Parse(time.RFC3339, string(m[2])); err != nil || k.from.IsZero() {
			return k, false
		}
	}
	if _, err := hex.Decode(k.secret[:], m[3]); err != nil {
		return k, false
	}
	k.id = byte(n)
	// A file of zeros is a disk's fault, not a key.
	return k, n > 0 && k.secret != [secretSize]byte{}
}

// Rotate adds a key to the file in dir that begins to seal at from, and returns
// its id. The file is replaced whole or not at all and is durable when Rotate
// returns; running gateways take it with their next Reload. Keys are never taken
// away: the log's and the sessions' of the past hang on them.
func Rotate(dir string, from time.Time) (id byte, err error) {
	unlock, err := lock(dir)
	if err != nil {
		return 0, err
	}
	defer unlock()
	path := filepath.Join(dir, FileName)
	ring, err := load(path)
	if err != nil {
		return 0, err
	}
	last, lastFrom := ring.Newest()
	if last == 0xff {
		return 0, errors.New("the key file has no room for a further key: 255 were made")
	}
	from = from.UTC().Truncate(time.Second)
	if from.Before(lastFrom) {
		return 0, fmt.Errorf("key %d begins to seal at %s only: give a later time", last, lastFrom.Format(time.RFC3339))
	}
	old, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("reading the master key: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, fmt.Errorf("reading the master key: %w", err)
	}
	tmp, err := writeKey(dir, old, last+1, from)
	if err != nil {
		return 0, err
	}
	err = keepOwner(tmp, info)
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return 0, errors.Join(fmt.Errorf("putting the new master key into place: %w", err), os.Remove(tmp))
	}
	return last + 1, syncDir(dir)
}

// lock keeps two rotations from losing one another's key.
func lock(dir string) (unlock func(), err error) {
	path := filepath.Join(dir, FileName+".lock")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("adding a master key: %w: is another rotation running? If not, remove the file", err)
	}
	return func() { _ = errors.Join(f.Close(), os.Remove(path)) }, nil // what stays is named by the next rotation
}

// create makes the key in a file of another name and links it into place: a
// crash leaves no half key, and of two processes one wins and both load its key.
func create(dir, path string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the key directory: %w", err)
	}
	tmp, err := writeKey(dir, nil, 1, time.Time{})
	if err != nil {
		return err
	}
	linkErr := os.Link(tmp, path)
	if err := os.Remove(tmp); err != nil {
		return fmt.Errorf("removing %s: %w", tmp, err)
	}
	if linkErr != nil && !errors.Is(linkErr, fs.ErrExist) {
		return fmt.Errorf("putting the master key into place: %w", linkErr)
	}
	if err := syncDir(dir); err != nil {
		return err
	}
	return syncDir(filepath.Dir(filepath.Clean(dir)))
}

// writeKey writes a file with the old keys and a new one.
func writeKey(dir string, old []byte, id byte, from time.Time) (string, error) {
	var secret [secretSize]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return "", fmt.Errorf("drawing a master key: %w", err)
	}
	// CreateTemp opens with O_EXCL and mode 0600.
	f, err := os.CreateTemp(dir, FileName+".*.tmp")
	if err != nil {
		return "", fmt.Errorf("creating the master key: %w", err)
	}
	begins := ""
	if !from.IsZero() {
		begins = from.Format(time.RFC3339) + " "
	}
	_, err = fmt.Fprintf(f, "%scrmgate-key-1 %02x %s%x\n", old, id, begins, secret)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return "", errors.Join(fmt.Errorf("writing the master key: %w", err), os.Remove(f.Name()))
	}
	return f.Name(), nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("syncing directory %s: %w", dir, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("syncing directory %s: %w", dir, err)
	}
	return nil
}
