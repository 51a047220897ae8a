package witness

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// The files of a witness. They belong together: a key without its state would
// countersign anything.
const (
	keyFile   = "witness.key"
	stateFile = "witness.state"
	lockFile  = "lock"
)

// ErrLost says that a witness's directory isn't whole.
var ErrLost = errors.New("the witness has lost a part of what it has to remember")

// Make draws a witness's key and begins its state in dir, and returns the public key.
// A directory with a witness in it is refused.
func Make(dir, name string) (public string, err error) {
	secret, public, err := newKey(name)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("making the witness's directory: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	for _, name := range []string{keyFile, stateFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("making a witness in %s: %s is there already (%w); give it a new directory", dir, name, errors.Join(err, fs.ErrExist))
		}
	}
	// The state first: a key alone is what Open refuses.
	s := &state{dir: dir, logs: map[string]seen{}}
	if err := s.write(); err != nil {
		return "", err
	}
	return public, replace(dir, keyFile, []byte(secret+"\n"))
}

// Made reports whether there is a witness in dir, or a part of one.
func Made(dir string) bool {
	_, key := os.Stat(filepath.Join(dir, keyFile))
	_, state := os.Stat(filepath.Join(dir, stateFile))
	return key == nil || state == nil
}

func readKey(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, keyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: there is no %s in %s; make a witness of a new name by crmgate witness init", ErrLost, keyFile, dir)
	}
	if err != nil {
		return "", fmt.Errorf("reading the witness's key: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// seen is the last checkpoint of a log that was countersigned.
type seen struct {
	head head
	note []byte
}

// state is what a witness remembers. One goroutine at a time uses it.
type state struct {
	dir  string
	logs map[string]seen // by origin
	// broken says that nobody knows which state is durable.
	broken error
}

// stored is the form of the file: the notes, by origin.
type stored struct {
	Logs map[string]string `json:"logs"`
}

// openState reads the state. Each note has to carry the witness's own cosignature: one
// that was changed by others would have it countersign what it shouldn't.
func openState(dir string, own note.Verifier) (*state, error) {
	text, err := os.ReadFile(filepath.Join(dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is no %s in %s; put it back if you are sure that it is the last one, "+
			"else make a witness of a new name by crmgate witness init", ErrLost, stateFile, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the witness's state: %w", err)
	}
	var in stored
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return nil, fmt.Errorf("%w: %s has another form: %w", ErrLost, stateFile, err)
	}
	s := &state{dir: dir, logs: map[string]seen{}}
	for origin, msg := range in.Logs {
		n, err := note.Open([]byte(msg), note.VerifierList(own))
		if err != nil {
			return nil, fmt.Errorf("%w: the checkpoint of %s isn't one that this witness has countersigned: %w", ErrLost, origin, err)
		}
		h, err := parseHead(n.Text)
		if err != nil || h.origin != origin {
			return nil, fmt.Errorf("%w: the checkpoint of %s has another form", ErrLost, origin)
		}
		s.logs[origin] = seen{h, []byte(msg)}
	}
	return s, nil
}

// put makes a log's checkpoint durable. Until it has returned nil nobody may get the
// cosignature.
func (s *state) put(origin string, h head, msg []byte) error {
	if s.broken != nil {
		return s.broken
	}
	before, had := s.logs[origin]
	s.logs[origin] = seen{h, msg}
	err := s.write()
	if err == nil {
		return nil
	}
	if delete(s.logs, origin); had {
		s.logs[origin] = before
	}
	return err
}

func (s *state) write() error {
	out := stored{Logs: map[string]string{}}
	for origin, l := range s.logs {
		out.Logs[origin] = string(l.note)
	}
	text, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the witness's state: %w", err)
	}
	err = replace(s.dir, stateFile, append(text, '\n'))
	if errors.Is(err, errUndecided) {
		s.broken = err
	}
	return err
}

// errUndecided says that a file may have been replaced, or not.
var errUndecided = errors.New("nobody knows which state is durable; mend the disk and start the witness anew")

// replace puts a file in the place of another, durably and whole.
func replace(dir, name string, content []byte) error {
	path := filepath.Join(dir, name)
	tmp := path + ".tmp"
	if err := writeSynced(tmp, content); err != nil {
		return fmt.Errorf("writing %s: %w", tmp, err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("writing %s: %w: %w", path, errUndecided, err)
	}
	d, err := os.Open(dir)
	if err == nil {
		err = errors.Join(d.Sync(), d.Close())
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w: %w", path, errUndecided, err)
	}
	return nil
}

func writeSynced(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// originID is what the protocol calls a log by in addresses.
func originID(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return hex.EncodeToString(sum[:])
}
