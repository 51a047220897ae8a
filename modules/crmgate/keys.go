package crmgate

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
)

func (a *App) keyDir() string { return filepath.Join(a.DataDir, "keys") }

// adopt takes from a new configuration what services can take while they are in
// use: further master keys. Another store is refused; going on with the old one
// would be a silent no.
func (s *Services) adopt(a *App, reloaded bool) error {
	if s.store != string(a.StoreRaw) {
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
		var err error
		if changed, err = s.Ring.Reload(a.keyDir()); err != nil {
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
