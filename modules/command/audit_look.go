package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// named is the look without its employees.
func (s *search) named(d data) *crmgate.Look {
	l := &crmgate.Look{DataDir: d.dir, UID: os.Getuid(), Record: s.record, Kind: s.query.Kind, Node: s.node}
	l.Changed, l.Value = s.changed, s.query.Value != nil
	l.Since, l.Until = given(s.query.Since), given(s.query.Until)
	return l
}

func given(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// writeDown makes the look durable: in the log itself where no gateway holds
// its lock, otherwise through the gateway that does.
func (d data) writeDown(ctx context.Context, ring *keys.Ring, look *crmgate.Look) error {
	log, err := audit.Open(ctx, d.place.Dir, ring, d.place.Options())
	if errors.Is(err, audit.ErrLocked) {
		return d.tell(look)
	}
	if err != nil {
		return fmt.Errorf("writing down that the log is searched: %w", err)
	}
	e, err := look.Entry()
	if err == nil {
		_, err = log.Append(ctx, e)
	}
	if err := errors.Join(err, log.Close()); err != nil {
		return fmt.Errorf("writing down that the log is searched: %w", err)
	}
	return nil
}

// tell has the running gateway write the look down.
func (d data) tell(look *crmgate.Look) error {
	body, err := json.Marshal(look)
	if err != nil {
		return fmt.Errorf("writing down that the log is searched: %w", err)
	}
	resp, err := caddycmd.AdminAPIRequest(d.admin, http.MethodPost, crmgate.LookPath, nil, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("a running gateway holds the log in %s, and that it is searched can't be written down: %w; "+
			"name the gateway's configuration by --config, switch its admin API on, or stop it", d.dir, err)
	}
	return resp.Body.Close()
}
