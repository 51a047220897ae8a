package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"time"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	"github.com/crmgate/crmgate/internal/upgrade"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// systemd is the gateway as a unit.
type systemd struct {
	unit string
	// admin is the address of the gateway's admin API.
	admin string
	// program is the file that the service has to be of.
	program string
	wait    time.Duration
}

// Active reports whether the unit runs. Where there is no systemd, nothing can be restarted.
func (s *systemd) Active(ctx context.Context) (bool, error) {
	out, err := exec.CommandContext(ctx, "systemctl", "show", "--property=ActiveState", "--value", s.unit).Output() //nolint:gosec // root names the unit
	if errors.Is(err, exec.ErrNotFound) {
		return false, nil
	}
	var failed *exec.ExitError
	if errors.As(err, &failed) && strings.Contains(string(failed.Stderr), "not been booted with systemd") {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("asking systemd about %s: %w", s.unit, err)
	}
	switch state := strings.TrimSpace(string(out)); state {
	case "active", "reloading", "activating", "failed": // one that fails may be mended by the new version
		return true, nil
	default:
		return false, nil
	}
}

// Restart restarts the unit. It is up when the gateway says so (Type=notify).
func (s *systemd) Restart(ctx context.Context) error {
	if out, err := exec.CommandContext(ctx, "systemctl", "restart", s.unit).CombinedOutput(); err != nil { //nolint:gosec // root names the unit
		return fmt.Errorf("restarting %s: %w: %s", s.unit, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// steady is the part of the wait for which the version has to go on serving: one that ends soon after its start
// is no good.
const steady = 6

// Healthy waits until the gateway's admin API names the version, and goes on naming it.
func (s *systemd) Healthy(ctx context.Context, version string) error {
	ctx, cancel := context.WithTimeout(ctx, s.wait)
	defer cancel()
	tick := time.NewTicker(s.wait / 60)
	defer tick.Stop()
	var since time.Time
	for {
		err := s.serves(version)
		switch {
		case err != nil:
			since = time.Time{}
		case since.IsZero():
			since = time.Now()
		case time.Since(since) >= s.wait/steady:
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("it didn't serve within %s: %w; journalctl -u %s says more", s.wait, err, s.unit)
		}
	}
}

func (s *systemd) serves(version string) error {
	resp, err := caddycmd.AdminAPIRequest(s.admin, http.MethodGet, crmgate.VersionPath, nil, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var said crmgate.Version
	if err := json.NewDecoder(resp.Body).Decode(&said); err != nil {
		return fmt.Errorf("reading the gateway's version: %w", err)
	}
	at, err := upgrade.Built(said.Version)
	if err != nil {
		return err
	}
	if at != version {
		return fmt.Errorf("version %s runs, not %s", at, version)
	}
	return nil
}
