package policy

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/crmgate/crmgate/internal/access"
)

// maxVerdicts bounds what the plans of one snapshot keep in memory (some 60
// bytes each). Over it they are all forgotten and compiled anew as needed.
const maxVerdicts = 1_000_000

// shelf holds the compiled plans. It doesn't change: a new plan makes a new
// shelf, so that a hit takes no lock.
type shelf struct {
	plans map[string]*compiled
	// verdicts is how many verdicts the plans hold.
	verdicts int
}

// Plan returns the plan of a role set for an action, compiled at its first use
// and kept until the snapshot is dropped. Roles that the policy doesn't know
// count for nothing; with none that it knows the plan hides everything. An
// error means that Casbin couldn't judge: nothing may be disclosed then.
func (s *Snapshot) Plan(roles []string, action access.Action) (*access.Plan, error) {
	c, err := s.plan(roles, action)
	if err != nil {
		return nil, err
	}
	return c.plan, nil
}

// plan finds or compiles the plan of some actions: of one, or of several the
// least revealing verdict.
func (s *Snapshot) plan(roles []string, actions ...access.Action) (*compiled, error) {
	var room [64]byte
	k, err := s.key(room[:0], roles, actions)
	if err != nil {
		return nil, err
	}
	if c := s.plans.Load().plans[string(k)]; c != nil {
		return c, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.plans.Load().plans[string(k)]; c != nil {
		return c, nil
	}
	c, err := s.build(s.known(roles), actions)
	if err != nil {
		return nil, err
	}
	s.keep(string(k), c)
	return c, nil
}

// build compiles one action, or several into the least revealing of them.
// Callers hold s.mu.
func (s *Snapshot) build(roles []string, actions []access.Action) (*compiled, error) {
	if len(actions) == 1 {
		return s.compile(roles, actions[0])
	}
	plans := make([]*access.Plan, 0, len(actions))
	for _, a := range actions {
		c, err := s.compile(roles, a)
		if err != nil {
			return nil, err
		}
		plans = append(plans, c.plan)
	}
	return &compiled{plan: meet(plans)}, nil
}

// key names a role set and a set of actions. It appends to dst, so that a hit
// allocates nothing.
func (s *Snapshot) key(dst []byte, roles []string, actions []access.Action) ([]byte, error) {
	var bits byte
	for _, a := range actions {
		i := actionNumber(a)
		if i < 0 {
			return nil, fmt.Errorf("action %q is not in the closed list", brief(string(a)))
		}
		bits |= 1 << i
	}
	dst = append(dst, bits)
	for _, role := range roles {
		if n, ok := s.numbers[role]; ok {
			dst = insert(dst, n)
		}
	}
	return dst, nil
}

// insert puts a number in its place behind the first byte, once.
func insert(dst []byte, n uint32) []byte {
	at := len(dst)
	for i := 1; i < len(dst); i += 4 {
		if other := binary.BigEndian.Uint32(dst[i:]); other == n {
			return dst
		} else if other > n {
			at = i
			break
		}
	}
	dst = binary.BigEndian.AppendUint32(dst, 0)
	copy(dst[at+4:], dst[at:])
	binary.BigEndian.PutUint32(dst[at:], n)
	return dst
}

func actionNumber(a access.Action) int {
	switch a {
	case access.Read:
		return 0
	case access.Search:
		return 1
	case access.Create:
		return 2
	case access.Update:
		return 3
	case access.Delete:
		return 4
	case access.Export:
		return 5
	case access.Contact:
		return 6
	case access.Reveal:
		return 7
	}
	return -1
}

// known returns the roles that the policy speaks of, sorted, each once.
func (s *Snapshot) known(roles []string) []string {
	var known []string
	for _, role := range roles {
		if _, ok := s.numbers[role]; ok {
			known = append(known, role)
		}
	}
	slices.Sort(known)
	return slices.Compact(known)
}

// keep puts a plan on the shelf. Callers hold s.mu.
func (s *Snapshot) keep(k string, c *compiled) {
	old := s.plans.Load()
	next := &shelf{plans: make(map[string]*compiled, len(old.plans)+1), verdicts: size(c.plan)}
	if old.verdicts+next.verdicts <= maxVerdicts {
		maps.Copy(next.plans, old.plans)
		next.verdicts += old.verdicts
	}
	next.plans[k] = c
	s.plans.Store(next)
}

// size counts a plan's verdicts, and one for the plan itself.
func size(p *access.Plan) int {
	n := 1
	for _, cell := range p.Cells {
		for _, verdicts := range cell {
			n += len(verdicts)
		}
	}
	return n
}
