package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/crmgate/crmgate/modules/crmgate"
)

// gatedSite is a gate of a configuration and the hosts that it serves; none
// means every host.
type gatedSite struct {
	hosts []string
	gate  json.RawMessage
}

// route is as much of a Caddy route as leads to a gate.
type route struct {
	Match []struct {
		Host []string `json:"host"`
	} `json:"match"`
	Handle []json.RawMessage `json:"handle"`
}

const gateModule = "crm_gate"

// gatedSites finds the gates of a configuration.
func (c *config) gatedSites() ([]*gatedSite, error) {
	var sites []*gatedSite
	for _, name := range slices.Sorted(maps.Keys(c.Apps.HTTP.Servers)) {
		found, err := gatesIn(c.Apps.HTTP.Servers[name].Routes, nil)
		if err != nil {
			return nil, fmt.Errorf("server %s: %w", name, err)
		}
		sites = append(sites, found...)
	}
	if len(sites) == 0 {
		return nil, errors.New("there is no crm_gate in it")
	}
	return sites, nil
}

// gatesIn walks routes and the subroutes in them. The innermost hosts count.
func gatesIn(raw json.RawMessage, hosts []string) ([]*gatedSite, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var routes []route
	if err := json.Unmarshal(raw, &routes); err != nil {
		return nil, fmt.Errorf("reading routes: %w", err)
	}
	var sites []*gatedSite
	for _, r := range routes {
		within := hosts
		for _, m := range r.Match {
			if len(m.Host) > 0 {
				within = m.Host
			}
		}
		for _, h := range r.Handle {
			var handler struct {
				Handler string          `json:"handler"`
				Routes  json.RawMessage `json:"routes"`
			}
			if err := json.Unmarshal(h, &handler); err != nil {
				return nil, fmt.Errorf("reading a handler: %w", err)
			}
			if handler.Handler == gateModule {
				sites = append(sites, &gatedSite{hosts: within, gate: h})
			}
			found, err := gatesIn(handler.Routes, within)
			if err != nil {
				return nil, err
			}
			sites = append(sites, found...)
		}
	}
	return sites, nil
}

// serves reports whether a request to host comes to this site.
func (s *gatedSite) serves(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return len(s.hosts) == 0 || slices.ContainsFunc(s.hosts, func(h string) bool {
		return strings.EqualFold(h, host) || (strings.HasPrefix(h, "*.") && strings.HasSuffix(host, h[1:]))
	})
}

// pair is an exchange and the site that it belongs to.
type pair struct {
	site     *gatedSite
	recorded *recorded
}

// match finds the site of each exchange. One that was picked, or is the only
// one, belongs to the only gate whatever its host: it was recorded at the CRM's
// own address.
func match(sites []*gatedSite, list []*recorded) ([]pair, error) {
	if len(list) == 1 && len(sites) == 1 {
		return []pair{{sites[0], list[0]}}, nil
	}
	var pairs []pair
	for _, r := range list {
		if i := slices.IndexFunc(sites, func(s *gatedSite) bool { return s.serves(r.host()) }); i >= 0 {
			pairs = append(pairs, pair{sites[i], r})
		}
	}
	if len(pairs) > 0 {
		return pairs, nil
	}
	var hosts []string
	for _, s := range sites {
		hosts = append(hosts, strings.Join(s.hosts, " "))
	}
	return nil, fmt.Errorf("none of its %d exchanges is with %s: pick one by its number or id behind #", len(list), strings.Join(hosts, ", "))
}

// loadGate provisions one gate with the app, and nothing else of the
// configuration: no listener, no certificate, no log file is opened.
func (c *config) loadGate(s *gatedSite) (crmgate.Explainer, func(), error) {
	cfg := &caddy.Config{
		Logging: &caddy.Logging{Logs: map[string]*caddy.CustomLog{
			"default": {BaseLog: caddy.BaseLog{Level: "ERROR"}},
		}},
	}
	if len(c.Apps.CRMGate) > 0 {
		cfg.AppsRaw = caddy.ModuleMap{"crmgate": c.Apps.CRMGate}
	}
	ctx, err := caddy.ProvisionContext(cfg)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := caddy.NewContext(ctx)
	mod, err := ctx.LoadModuleByID("http.handlers."+gateModule, withoutHandler(s.gate))
	if err != nil {
		cancel()
		return nil, nil, err
	}
	gate, ok := mod.(crmgate.Explainer)
	if !ok {
		cancel()
		return nil, nil, fmt.Errorf("the gate %T can't explain", mod)
	}
	return gate, cancel, nil
}

// withoutHandler takes the module's name out of its configuration: unknown keys
// are refused.
func withoutHandler(raw json.RawMessage) json.RawMessage {
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil {
		return raw
	}
	delete(m, "handler")
	out, err := json.Marshal(m)
	if err != nil {
		return raw
	}
	return out
}
