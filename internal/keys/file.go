package keys

import (
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
)

// FileName is the name of the master key's file in its directory.
const FileName = "master.key"

// A key file is one line: a version, the key's id and 64 hexadecimal digits.
var keyLine = regexp.MustCompile(`^crmgate-key-1 ([0-9a-f]{2}) ([0-9a-f]{64})\n$`)

// Open loads the master key from dir, and makes the directory and a random key
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
	text, err := io.ReadAll(io.LimitReader(f, 1024))
	if err != nil {
		return nil, fmt.Errorf("reading the master key: %w", err)
	}
	id, secret, ok := parse(text)
	if !ok {
		return nil, fmt.Errorf("master key %s is malformed; restore it from a backup (a new key can't open what the old one sealed)", path)
	}
	return &Ring{current: id, secrets: map[byte][secretSize]byte{id: secret}}, nil
}

func parse(text []byte) (id byte, secret [secretSize]byte, ok bool) {
	m := keyLine.FindSubmatch(text)
	if m == nil {
		return 0, secret, false
	}
	n, err := strconv.ParseUint(string(m[1]), 16, 8)
	if err != nil {
		return 0, secret, false
	}
	if _, err := hex.Decode(secret[:], m[2]); err != nil {
		return 0, secret, false
	}
	// A file of zeros is a disk's fault, not a key.
	return byte(n), secret, n > 0 && secret != [secretSize]byte{}
}

// create makes the key in a file of another name and links it into place: a
// crash leaves no half key, and of two processes one wins and both load its key.
func create(dir, path string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the key directory: %w", err)
	}
	tmp, err := writeKey(dir)
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

func writeKey(dir string) (string, error) {
	var secret [secretSize]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return "", fmt.Errorf("drawing a master key: %w", err)
	}
	// CreateTemp opens with O_EXCL and mode 0600.
	f, err := os.CreateTemp(dir, FileName+".*.tmp")
	if err != nil {
		return "", fmt.Errorf("creating the master key: %w", err)
	}
	_, err = fmt.Fprintf(f, "crmgate-key-1 01 %x\n", secret)
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
