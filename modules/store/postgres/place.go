package postgres

import (
	"slices"

	"github.com/crmgate/crmgate/modules/crmgate"
)

// Place implements crmgate.Placed: the servers, each with the database, without user and
// password.
func (s *Store) Place(string) (at []string, local bool) {
	cfg, err := s.config()
	if err != nil {
		return nil, false
	}
	c := cfg.ConnConfig
	local = true
	add := func(host string, port uint16) {
		to := crmgate.HostPort(host, port) + ", database " + c.Database
		if !slices.Contains(at, to) {
			at = append(at, to)
		}
		local = local && crmgate.LocalHost(host)
	}
	add(c.Host, c.Port)
	for _, f := range c.Fallbacks {
		add(f.Host, f.Port)
	}
	return at, local
}

var _ crmgate.Placed = (*Store)(nil)
