package crmgate

import (
	"context"
	"slices"
)

// RulesGate is a gate whose employees may have to acknowledge the company's rules.
type RulesGate interface {
	Gate
	// Rules are those in force, nil where there are none.
	Rules() *RulesInForce
}

// RulesInForce are the rules of a gate, as its desk shows them.
type RulesInForce struct {
	// ID is one for gates whose rules, roles and sessions are the same.
	ID string
	// Sites name the gates' sites.
	Sites   []string
	Version string
	// SignIns is the keyed word by which the log finds the sign-ins that count there.
	SignIns string
	// Concern reports whether employees with these roles have to acknowledge.
	Concern func(roles []string) bool
	// Names are the roles that see who hasn't.
	Names []string
	// Outstanding returns those of the pseudonyms who haven't.
	Outstanding func(ctx context.Context, pseudonyms []string) ([]string, error)
}

// rulesOf are the rules of a gate.
func rulesOf(g Gate) *RulesInForce {
	if r, ok := g.(RulesGate); ok {
		return r.Rules()
	}
	return nil
}

// HasRules reports whether any gate has rules to acknowledge.
func (a *App) HasRules() bool {
	return slices.ContainsFunc(a.gates, func(g Gate) bool { return rulesOf(g) != nil })
}

// SeesRuleNames reports whether one of the roles sees at some gate who hasn't.
func (a *App) SeesRuleNames(roles []string) bool {
	return slices.ContainsFunc(a.gates, func(g Gate) bool {
		r := rulesOf(g)
		return r != nil && slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(r.Names, role) })
	})
}

// Rules are those of all gates, each once.
func (a *App) Rules() []*RulesInForce {
	var all []*RulesInForce
	for _, g := range a.gates {
		r := rulesOf(g)
		if r == nil {
			continue
		}
		i := slices.IndexFunc(all, func(had *RulesInForce) bool { return had.ID == r.ID })
		if i < 0 {
			i, all = len(all), append(all, r)
		}
		for _, base := range a.bases(g) {
			if !slices.Contains(all[i].Sites, base) {
				all[i].Sites = append(all[i].Sites, base)
			}
		}
	}
	return all
}
