// Package desk is the module crmgate.desk: the pages below /.crmgate/desk for
// auditors and data protection officers, and /.crmgate/mine for employees. A gate
// hands it who is signed in; internal/desk knows what the pages show.
package desk

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/desk"
	"github.com/crmgate/crmgate/modules/crmgate"
)

func init() { caddy.RegisterModule(Desk{}) }

// Desk shows the audit log of this server, all its sites together, to those whose
// role says so. Each look is an entry that is durable before the page is sent.
// What one employee did is shown for a stated purpose only, which is an entry too.
type Desk struct {
	// Auditors are the roles that may search the log, see records' histories,
	// volumes and the log's state, verify it and take it along. One of auditors
	// and officers is required.
	Auditors []string `json:"auditors,omitempty"`
	// Officers are the roles that may do all that auditors may, and resolve a
	// pseudonym besides: see who somebody is, or look somebody up by name.
	Officers []string `json:"officers,omitempty"`
	// Consent are the roles of the second person whose consent it takes to see
	// what one employee did: somebody else than who asks. Default: the purpose
	// alone is enough.
	Consent []string `json:"consent,omitempty"`
	// PurposeLasts is how long a purpose, or the consent to it, lets somebody
	// look. Default 8h.
	PurposeLasts caddy.Duration `json:"purpose_lasts,omitempty"`
	// OwnAccesses lets every employee see on a page what the log says of them.
	// Default: there is no such page.
	OwnAccesses bool `json:"own_accesses,omitempty"`

	logger   *zap.Logger
	app      *crmgate.App
	services *crmgate.Services
	// asks is the keyed word by which the log finds what was asked and consented.
	asks string
	work *work
}

// work is what goes on behind the pages.
type work struct {
	mu     sync.Mutex
	verify desk.VerifyView
	// tallies are those of the nodes, by name; uncounted are the nodes of which there
	// is none.
	tallies   map[string]*desk.Tally
	uncounted []desk.Unread
	counted   bool
	counts    bool // somebody is counting
}

const (
	defaultPurposeLasts = 8 * time.Hour
	longestPurpose      = 31 * 24 * time.Hour
)

// CaddyModule returns the module's information.
func (Desk) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "crmgate.desk", New: func() caddy.Module { return new(Desk) }}
}

// Provision judges the configuration.
func (d *Desk) Provision(ctx caddy.Context) error {
	d.logger, d.work = ctx.Logger(), new(work)
	if d.PurposeLasts == 0 {
		d.PurposeLasts = caddy.Duration(defaultPurposeLasts)
	}
	if l := time.Duration(d.PurposeLasts); l < time.Minute || l > longestPurpose {
		return fmt.Errorf("purpose lasts %s: it takes a minute to 31 days", l)
	}
	if len(d.Auditors)+len(d.Officers) == 0 {
		return errors.New("nobody could come: name roles by `auditors role …` or `officers role …`")
	}
	for _, list := range []struct {
		word  string
		roles []string
	}{{"auditors", d.Auditors}, {"officers", d.Officers}, {"consent", d.Consent}} {
		if err := checkRoles(list.word, list.roles); err != nil {
			return err
		}
	}
	d.logger.Info("employees with one of these roles see the audit log",
		zap.Strings("auditors", d.Auditors), zap.Strings("officers", d.Officers), zap.Strings("consent", d.Consent))
	return nil
}

// checkRoles refuses roles that nobody has, or that would be anybody's.
func checkRoles(word string, roles []string) error {
	for i, r := range roles {
		switch {
		case r == "" || r == "*" || strings.ContainsAny(r, " \t\r\n{}"):
			return fmt.Errorf("%s: %q is no role: write one as the provider does", word, r)
		case slices.Contains(roles[:i], r):
			return fmt.Errorf("%s: the role %q stands there twice", word, r)
		}
	}
	return nil
}

// Says is what the configuration says.
func (d *Desk) Says() map[string]string {
	said := map[string]string{"purpose_lasts": time.Duration(d.PurposeLasts).String(), "own_accesses": strconv.FormatBool(d.OwnAccesses)}
	for word, roles := range map[string][]string{"auditors": d.Auditors, "officers": d.Officers, crmgate.DeskConsent: d.Consent} {
		if len(roles) > 0 {
			said[word] = strings.Join(roles, ", ")
		}
	}
	return said
}

// Open takes what the app has opened.
func (d *Desk) Open(app *crmgate.App, s *crmgate.Services) error {
	d.app, d.services = app, s
	d.asks = s.Log.Keyed("desk", "asks")
	app.FollowNodes(s)
	return nil
}

var (
	_ caddy.Module      = (*Desk)(nil)
	_ caddy.Provisioner = (*Desk)(nil)
	_ crmgate.Desk      = (*Desk)(nil)
)
