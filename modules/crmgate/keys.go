package crmgate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
)

// KeySource is a module of crmgate.keys: it says where the master keys are.
type KeySource interface {
	// Source returns the source of a gateway with that data directory. It opens
	// nothing.
	Source(dataDir string) (keys.Source, error)
}

// keyNamespace holds the key sources.
const keyNamespace = "crmgate.keys"

// KeyDir is where a data directory keeps the master keys.
func KeyDir(dataDir string) string { return filepath.Join(dataDir, "keys") }

// keyTimeout bounds how long a source of keys may take.
const keyTimeout = time.Minute

// OpenKeys loads the master keys of a data directory. A first one is made where there
// is no log that was written with another; without one, and without make, it is
// fs.ErrNotExist.
func OpenKeys(ctx context.Context, dataDir string, src keys.Source, mayMake bool) (*keys.Ring, error) {
	ctx, cancel := context.WithTimeout(ctx, keyTimeout)
	defer cancel()
	if err := plainBeside(dataDir, src); err != nil {
		return nil, err
	}
	ring, err := src.Load(ctx)
	if !errors.Is(err, fs.ErrNotExist) {
		return ring, err
	}
	logs, globErr := filepath.Glob(filepath.Join(dataDir, "log", "*.seg"))
	if globErr != nil {
		return nil, fmt.Errorf("looking for the audit log: %w", globErr)
	}
	if len(logs) > 0 {
		return nil, fmt.Errorf("there is an audit log in %s, and its master key is missing: put it back from the backup, a new one opens nothing of the log: %w", dataDir, err)
	}
	if !mayMake {
		return nil, err
	}
	return keys.OpenSource(ctx, src)
}

// plainBeside refuses a plain key file beside a source that is to keep the keys
// better: it would be backed up, and found.
func plainBeside(dataDir string, src keys.Source) error {
	plain := keys.InDir(KeyDir(dataDir))
	at, err := filepath.Abs(plain.Path)
	if err != nil {
		return fmt.Errorf("looking for a plain key file: %w", err)
	}
	if named, err := filepath.Abs(src.String()); err == nil && named == at {
		return nil
	}
	_, err = os.Lstat(plain.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking for a plain key file: %w", err)
	}
	return fmt.Errorf("the master keys stand in clear in %s, and are to be kept in %s: bring them there (crmgate keys move), and take the file off this machine", plain, src)
}

// KeySource is the configured source of the master keys.
func (a *App) KeySource() (keys.Source, error) {
	if a.keyModule == nil {
		return keys.InDir(KeyDir(a.DataDir)), nil
	}
	return a.keyModule.Source(a.DataDir)
}

// plainText is a module's configuration in a form in which the order of its fields and
// the space between them make no difference.
func plainText(raw json.RawMessage) (string, error) {
	var fields any
	if err := json.Unmarshal(raw, &fields); err != nil {
		return "", err
	}
	text, err := json.Marshal(fields)
	return string(text), err
}

// adopt takes from a new configuration what services can take while they are in
// use: further master keys. Another store is refused; going on with the old one
// would be a silent no.
func (s *Services) adopt(a *App, reloaded bool) error {
	if s.store != a.storeText {
		return errors.New("another session store can't be taken at a reload: stop the gateway and start it anew (everybody signs in again)")
	}
	if reloaded {
		if err := s.place.stays(a.Log); err != nil {
			return err
		}
	}
	id, _ := s.Ring.Newest()
	changed := !reloaded && id > 1
	if reloaded {
		src, err := a.KeySource()
		if err != nil {
			return err
		}
		if err := plainBeside(a.DataDir, src); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), keyTimeout)
		defer cancel()
		if changed, err = s.Ring.Reload(ctx, src); err != nil {
			return fmt.Errorf("reloading the master keys: %w", err)
		}
	}
	if !changed {
		return nil
	}
	id, from := s.Ring.Newest()
	_, err := s.Log.Append(context.Background(), &audit.Entry{
		Kind: audit.Control, Event: audit.KeyChange,
		Detail: fmt.Sprintf("the newest master key is %02x; it seals from %s", id, from.UTC().Format(time.RFC3339)),
	})
	if err != nil {
		return fmt.Errorf("writing the audit log: %w", err)
	}
	return nil
}
