package upgrade

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// State is what is kept between two upgrades, in a directory of root's: the files to go back with, what was seen, and
// what is under way.
type State struct {
	dir  string
	lock io.Closer
	kept kept
}

// kept is what the file says.
type kept struct {
	// Issued is the youngest index that was seen: one before it is an old one, shown again.
	Issued time.Time `json:"issued,omitzero"`
	// Failed are versions that didn't come up here, with the reason. They aren't tried
	// again by themselves.
	Failed map[string]string `json:"failed,omitempty"`
	// Under is the replacement that is under way.
	Under *under `json:"under_way,omitempty"`
}

// under is a replacement between its first and last step.
type under struct {
	From string `json:"from"`
	To   string `json:"to"`
	// Old and New are the files, within the directory.
	Old string `json:"old"`
	New string `json:"new"`
	// Active says that the service ran, and so has to run afterwards.
	Active bool `json:"active,omitempty"`
	// Placed says that the new one is where the old one was.
	Placed bool `json:"placed,omitempty"`
}

const (
	stateFile = "state.json"
	lockFile  = "lock"
	filesDir  = "files"
)

// OpenState opens the directory, which is made where it isn't there, and keeps other upgrades out of it until Close.
func OpenState(dir string) (*State, error) {
	if err := os.MkdirAll(filepath.Join(dir, filesDir), 0o700); err != nil {
		return nil, fmt.Errorf("opening the state of upgrades: %w; an upgrade is root's work: sudo crmgate upgrade …", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s := &State{dir: dir, lock: lock}
	raw, err := os.ReadFile(filepath.Join(dir, stateFile))
	if err == nil {
		err = json.Unmarshal(raw, &s.kept)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(fmt.Errorf("reading %s: %w; without it nobody knows whether an upgrade is under way: look at it, then move it away",
			filepath.Join(dir, stateFile), err), lock.Close())
	}
	return s, nil
}

// Close lets others in.
func (s *State) Close() error { return s.lock.Close() }

// save makes the state durable.
func (s *State) save() error {
	raw, err := json.MarshalIndent(s.kept, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the state of upgrades: %w", err)
	}
	return replace(filepath.Join(s.dir, stateFile), 0o600, func(f *os.File) error {
		_, err := f.Write(raw)
		return err
	})
}

func (s *State) files() string { return filepath.Join(s.dir, filesDir) }

func (s *State) path(name string) string { return filepath.Join(s.files(), name) }

// saw refuses an index before one that was seen.
func (s *State) saw(x *Index) error {
	if x.Issued.Before(s.kept.Issued) {
		return fmt.Errorf("the source shows an index of %s, and has shown one of %s: an old one is no reason to do anything",
			x.Issued.UTC().Format(time.RFC3339), s.kept.Issued.UTC().Format(time.RFC3339))
	}
	if x.Issued.Equal(s.kept.Issued) {
		return nil
	}
	s.kept.Issued = x.Issued
	return s.save()
}

// tidy removes all files but those named.
func (s *State) tidy(keep ...string) error {
	list, err := os.ReadDir(s.files())
	if err != nil {
		return fmt.Errorf("tidying up: %w", err)
	}
	named := map[string]bool{}
	for _, k := range keep {
		named[k] = true
	}
	for _, f := range list {
		if !named[f.Name()] {
			err = errors.Join(err, os.Remove(s.path(f.Name())))
		}
	}
	return err
}

// replace puts a file in another's place: whole and durable, or not at all.
func replace(path string, mode fs.FileMode, write func(*os.File) error) error {
	dir := filepath.Dir(path)
	part := filepath.Join(dir, partly+filepath.Base(path)) // one name: what a killed run left is used up
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("replacing %s: %w", path, err)
	}
	f, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("replacing %s: %w", path, err)
	}
	defer os.Remove(f.Name()) // it has another name when all went well
	if err := errors.Join(write(f), f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("replacing %s: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("replacing %s: %w", path, err)
	}
	return syncDir(dir)
}
