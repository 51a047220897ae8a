package crmgate

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/report"
	"github.com/crmgate/crmgate/internal/transfer"
)

// Placed is a store that says where it is, without a secret. Local says that it is on
// this machine.
type Placed interface {
	Place(dataDir string) (at []string, local bool)
}

// Systemed is a gate that says which systems its site has: the CRM first.
type Systemed interface {
	RegisterSystems() []report.RegisterSystem
}

// shared are the systems that all sites share.
func (a *App) shared() []report.RegisterSystem {
	gateway := report.RegisterSystem{Kind: report.SystemGateway, At: []string{"data " + a.DataDir}}
	store := report.RegisterSystem{Kind: report.SystemStore, Name: a.store()}
	local := false
	if p, ok := a.opener.(Placed); ok {
		store.At, local = p.Place(a.DataDir)
	}
	if local {
		gateway.At = append(gateway.At, prefixed(store.Name+" ", store.At)...)
	}
	a.Details.Fill(&gateway, systemGateway)
	all := []report.RegisterSystem{gateway}
	if !local {
		a.Details.Fill(&store, systemStore)
		all = append(all, store)
	}
	for _, c := range a.sinks {
		s := report.RegisterSystem{Kind: report.SystemSink, Name: c.name}
		if _, to, err := c.module.Target(); err == nil {
			s.At = []string{c.kind + " " + to}
		}
		a.Details.Fill(&s, sinkPrefix+c.name)
		all = append(all, s)
	}
	return append(all, a.Details.Others()...)
}

func prefixed(prefix string, all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = prefix + s
	}
	return out
}

// checkRegister judges what the global option states.
func (a *App) checkRegister() error {
	systems := []string{systemGateway, systemStore}
	if p, ok := a.opener.(Placed); ok {
		if _, local := p.Place(a.DataDir); local {
			systems = systems[:1]
		}
	}
	for _, c := range a.sinks {
		systems = append(systems, sinkPrefix+c.name)
	}
	return a.Details.Check(RegisterScope{Systems: systems})
}

// settings are the words of the global option that stand nowhere else in the register.
func (a *App) settings() map[string]string {
	l := &a.Log
	all := map[string]string{"data_dir": a.DataDir, "keys": "file"}
	set := func(word, value string) {
		if value != "" {
			all[word] = value
		}
	}
	if m, ok := a.keyModule.(caddy.Module); ok {
		all["keys"] = m.CaddyModule().ID.Name()
	}
	set("log node", l.Node)
	if l.SegmentMiB != 0 {
		set("log segment_mib", strconv.Itoa(l.SegmentMiB))
	}
	if l.Local {
		set("log local", "yes")
	}
	for _, c := range a.sinks {
		var said []string
		if s, ok := c.module.(AlarmSink); ok {
			said = append(said, s.Says())
		}
		if c.module.Common().FromStart {
			said = append(said, "from start")
		}
		set("log sink "+c.name, strings.Join(said, ", "))
	}
	return all
}

// measures are those that hold for all sites.
func (a *App) measures() []report.RegisterMeasure {
	l := &a.Log
	all := []report.RegisterMeasure{
		{What: "logged_before"}, {What: "log_signed"}, {What: "sealed_at_rest"},
	}
	for _, w := range l.Witnesses {
		name, _, _ := strings.Cut(w.Key, "+")
		all = append(all, report.RegisterMeasure{What: "witness " + name, Value: origin(w.URL)})
	}
	if len(l.Witnesses) > 0 {
		all = append(all, report.RegisterMeasure{What: "witnesses", Value: "at_least " + strconv.Itoa(max(1, l.AtLeast))})
	}
	for _, c := range l.Anchors {
		value := c.Kind
		if c.Every > 0 {
			value += " every " + time.Duration(c.Every).String()
		}
		all = append(all, report.RegisterMeasure{What: "anchor " + origin(c.Address), Value: value})
	}
	return all
}

// origin is an address without what it may keep secret.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		if u != nil && u.Scheme == "unix" {
			return "unix://" + u.Path
		}
		return "?"
	}
	return u.Scheme + "://" + u.Host
}

// located notes sites of which nobody says where the CRM is (at a start), and places that
// have to be looked at.
func (c *check) located(a *App, start bool) {
	now := time.Now()
	for _, s := range a.shared() {
		c.doubts("the global option crmgate: register: ", &s, now)
	}
	for _, g := range a.gates {
		x, ok := g.(Systemed)
		if !ok {
			continue
		}
		where := "the gate of " + g.Describe()
		if i := slices.IndexFunc(c.gates, func(p *passage) bool { return p.gate == g }); i >= 0 {
			where = c.gates[i].way.at + ": crm_gate"
		}
		for _, s := range x.RegisterSystems() {
			if start && s.Kind == report.SystemCRM && len(s.Places) == 0 {
				c.note(where, "it isn't said in which country the CRM keeps its data",
					"Write it into crm_gate: location DE. The register marks it as missing until then")
			}
			c.doubts(where+": ", &s, now)
		}
	}
}

func (c *check) doubts(where string, s *report.RegisterSystem, now time.Time) {
	for _, d := range transfer.Doubts(s.Places, s.Transfers, now) {
		what, remedy := d.Says()
		c.note(where+s.Called(), what, remedy)
	}
}

// doubtsEvery is how often it is looked whether an adequacy decision runs out while the
// gateway runs.
const doubtsEvery = 24 * time.Hour

// watchTransfers says in the process log what has to be looked at, once a day: a start can
// be years ago.
func (a *App) watchTransfers() {
	a.Every(doubtsEvery, func(context.Context) {
		c := &check{}
		c.located(a, false)
		for _, f := range c.found {
			a.logger.Warn(f.What, zap.String("where", f.Where), zap.String("remedy", f.Remedy))
		}
	})
}

// LocalHost reports whether a host is this machine.
func LocalHost(host string) bool {
	return host == "" || isLoopback(host) || strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@")
}

// HostPort joins a host and a port, for the register.
func HostPort(host string, port uint16) string {
	if strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") {
		return host
	}
	return net.JoinHostPort(host, fmt.Sprint(port))
}
