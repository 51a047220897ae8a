package crmgate

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/report"
)

// Registered is a gate that says what stands in the register of processing of it.
type Registered interface {
	RegisterSite() (report.RegisterSite, error)
}

// DeskConsent is the word of a desk's configuration that says whose consent it takes
// to see what one employee did.
const DeskConsent = "consent"

// InForce is the register of processing of this configuration.
func (a *App) InForce() (*report.Register, error) {
	r := &report.Register{About: a.Details.About(), Systems: a.shared(), Measures: a.measures(), Settings: a.settings(), Sites: []report.RegisterSite{}, Store: a.store(), Retain: map[string]int{
		string(audit.ClassAccess): a.Log.Retain.Access, string(audit.ClassEmployee): a.Log.Retain.Employee, string(audit.ClassGateway): a.Log.Retain.Gateway,
	}}
	for _, g := range a.gates {
		one, ok := g.(Registered)
		if !ok {
			continue
		}
		s, err := one.RegisterSite()
		if err != nil {
			return nil, err
		}
		s.Served, s.Ways = a.served(g), a.ways(g)
		s.Systems = systemsOf(g, s.Ways)
		s.Addresses, s.Upstreams = append([]string{}, a.bases(g)...), append([]string{}, a.Upstreams(g)...)
		if s.Name = unknownHost; len(s.Addresses) > 0 {
			s.Name = s.Addresses[0]
		}
		base := s.Name
		for n := 2; slices.ContainsFunc(r.Sites, func(had report.RegisterSite) bool { return had.Name == s.Name }); n++ {
			s.Name = base + " #" + strconv.Itoa(n)
		}
		r.Sites = append(r.Sites, s)
	}
	slices.SortFunc(r.Sites, func(x, y report.RegisterSite) int {
		if x.Name < y.Name {
			return -1
		}
		return 1
	})
	return r, nil
}

// systemsOf are the systems of a gate's site; the CRM is reached where the site's requests
// are sent on to.
func systemsOf(g Gate, ways []report.RegisterWay) []report.RegisterSystem {
	x, ok := g.(Systemed)
	if !ok {
		return []report.RegisterSystem{}
	}
	all := x.RegisterSystems()
	for i := range all {
		if all[i].Kind != report.SystemCRM {
			continue
		}
		for _, w := range ways {
			if !w.Around && w.To != "" && !slices.Contains(all[i].At, w.To) {
				all[i].At = append(all[i].At, w.To)
			}
		}
	}
	return all
}

// consentOf is whose consent some site's desk demands.
func consentOf(r *report.Register) string {
	for i := range r.Sites {
		if roles := r.Sites[i].Desk[DeskConsent]; roles != "" {
			return roles
		}
	}
	return ""
}

// registerEvery is how often it is looked whether the log holds the register in
// force: a month begins anew, or it couldn't be written down at the start.
const registerEvery = time.Hour

// registerAtOnce is how far the index may be behind for a start to wait for it.
const registerAtOnce = 20_000

// startRegister has the log hold the register in force, now where that costs
// little, and soon otherwise.
func (s *Services) startRegister(a *App) error {
	size, _ := s.Log.Head()
	indexed, err := s.index.Size()
	if err == nil && indexed+registerAtOnce >= size {
		if err := s.keepRegister(a.ctx, a); err != nil {
			return err
		}
	} else {
		a.run(func(ctx context.Context) { s.followRegister(ctx, a) })
	}
	a.Every(registerEvery, func(ctx context.Context) { s.followRegister(ctx, a) })
	return nil
}

func (s *Services) followRegister(ctx context.Context, a *App) {
	if err := s.keepRegister(ctx, a); err != nil && ctx.Err() == nil {
		a.logger.Error("the version of the register that is in force couldn't be written down; it is tried again", zap.Error(err))
	}
}

// keepRegister writes the register in force down, where the log doesn't hold it.
func (s *Services) keepRegister(ctx context.Context, a *App) error {
	live, err := a.InForce()
	if err != nil {
		return err
	}
	keyed := s.Log.Keyed("register", "versions")
	versions, err := report.Versions(ctx, &source{node: s.Log.Node(), log: s.Log, ix: s.index}, keyed)
	if err != nil {
		return err
	}
	e := report.Keeping(live, versions, time.Now())
	if e == nil {
		return nil
	}
	e.Keyed = []string{keyed}
	if _, err := s.Log.Append(ctx, e); err != nil {
		return fmt.Errorf("writing down the register in force: %w", err)
	}
	return nil
}

// store names the session store.
func (a *App) store() string {
	if m, ok := a.opener.(caddy.Module); ok {
		return m.CaddyModule().ID.Name()
	}
	return ""
}
