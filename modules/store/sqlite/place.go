package sqlite

import "github.com/crmgate/crmgate/modules/crmgate"

// Place implements crmgate.Placed: a file is on this machine.
func (s *Store) Place(dataDir string) (at []string, local bool) {
	return []string{s.file(dataDir)}, true
}

var _ crmgate.Placed = (*Store)(nil)
