package gate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/report"
	"github.com/crmgate/crmgate/internal/session"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// RegisterSite says what stands in the register of processing of this gate. Each
// field is named here: nothing of the configuration gets in by itself, so that no
// secret does.
func (h *Handler) RegisterSite() (report.RegisterSite, error) {
	idle, longest := session.Limits(time.Duration(h.SessionIdle), time.Duration(h.SessionMax))
	s := report.RegisterSite{
		Profile: h.profile.Name, Evidence: h.profile.Evidence, Policies: h.Policies, Policy: h.policy.Version(),
		Issuer: h.OIDC.Issuer, Factors: h.OIDC.factors(), Routes: h.profile.Routes(),
		Sessions:   map[string]string{"idle": idle.String(), "max": longest.String()},
		Exceptions: h.registerExceptions(), Machines: []report.RegisterMachine{}, Entities: []report.RegisterEntity{}, Roles: []report.RegisterRole{},
	}
	h.HouseRules.register(s.Sessions)
	slices.Sort(s.Routes)
	s.Routes = slices.Compact(s.Routes)
	for i := range h.Machines {
		m := &h.Machines[i]
		s.Machines = append(s.Machines, report.RegisterMachine{Name: m.Name, By: m.by(), Roles: m.Roles})
	}
	entities := h.profile.Entities()
	slices.Sort(entities)
	for _, e := range slices.Compact(entities) {
		s.Entities = append(s.Entities, report.RegisterEntity{Name: string(e), Categories: slices.DeleteFunc(h.profile.Categories(e), isPublic)})
	}
	for _, role := range h.policy.Roles() {
		sees, err := h.sees(role, s.Entities)
		if err != nil {
			return s, err
		}
		s.Roles = append(s.Roles, report.RegisterRole{Name: role, Sees: sees})
	}
	if h.desk != nil {
		s.Desk = h.desk.Says()
	}
	s.About, s.Measures, s.Settings = h.Details.About(), h.registerMeasures(), h.registerSettings()
	s.About.Retention = h.registerRetention(s.About.Retention)
	return s, nil
}

func isPublic(c access.Category) bool { return c == access.Public }

// factors say what proves the second factor.
func (o *OIDC) factors() []string {
	var all []string
	add := func(word, value string) {
		if value != "" {
			all = append(all, word+" "+value)
		}
	}
	add("gateway", strings.Join(o.MFAGateway, ", "))
	add("provider", o.Provider)
	add("amr", strings.Join(o.MFAAMR, ", "))
	add("acr", strings.Join(o.MFAACR, ", "))
	if o.MFAPhishingResistant {
		all = append(all, "phishing_resistant")
	}
	if o.MFAMaxAge > 0 {
		add("max_age", time.Duration(o.MFAMaxAge).String())
	}
	return all
}

// by is how a machine signs in.
func (m *Machine) by() string {
	switch {
	case m.Issuer != "":
		return "token"
	case m.Secret != "":
		return "secret"
	}
	return "certificate"
}

// registerExceptions are the lines that open something.
func (h *Handler) registerExceptions() map[string]string {
	all := map[string]string{}
	for word, why := range map[string]string{
		"ungated": h.Ungated, "plain_http": h.PlainHTTP, "clear_upstream": h.ClearUpstream, "accept": h.Accept,
		"mfa open_enrolment": h.OIDC.MFAOpenEnrolment, "public": strings.Join(h.Public, " "), "cors": strings.Join(h.CORS, " "),
	} {
		if why != "" {
			all[word] = why
		}
	}
	if h.Observe != nil {
		all["observe"] = "until " + h.Observe.Until
	}
	if o := h.Overdue; o != nil && o.observes(time.Now()) {
		all["overdue observe"] = "until " + o.ObserveUntil
	}
	return all
}

// sees lists what a role may do with the kinds of record of the profile.
func (h *Handler) sees(role string, entities []report.RegisterEntity) ([]report.RegisterSees, error) {
	all := []report.RegisterSees{}
	for _, e := range entities {
		for _, a := range access.Actions() {
			p, err := h.policy.Plan([]string{role}, a)
			if err != nil {
				return nil, fmt.Errorf("registering what role %s sees: %w", role, err)
			}
			none := access.Facts{}
			for _, f := range p.FactNames {
				none[f] = access.FactFalse
			}
			entity := access.Entity(e.Name)
			how, allowed := treatedAs(p, entity, e.Categories, none)
			s := report.RegisterSees{Entity: e.Name, Action: a, How: how}
			for _, f := range p.FactNames {
				facts := access.Facts{}
				for name := range none {
					facts[name] = access.FactFalse
				}
				facts[f] = access.FactTrue
				with, may := treatedAs(p, entity, e.Categories, facts)
				allowed = allowed || may
				differ(&s, f, with)
			}
			if allowed {
				all = append(all, s)
			}
		}
	}
	return all, nil
}

// differ adds what is otherwise where a fact holds.
func differ(s *report.RegisterSees, fact string, with map[access.Category]access.Treatment) {
	other := map[access.Category]access.Treatment{}
	for c, how := range with {
		if s.How[c] != how {
			other[c] = how
		}
	}
	if len(other) == 0 {
		return
	}
	if s.If == nil {
		s.If = map[string]map[access.Category]access.Treatment{}
	}
	s.If[fact] = other
}

// treatedAs says how a plan treats categories, and whether it allows anything.
func treatedAs(p *access.Plan, e access.Entity, categories []access.Category, facts access.Facts) (map[access.Category]access.Treatment, bool) {
	how, allowed := map[access.Category]access.Treatment{}, false
	for _, c := range access.Categories() {
		v := p.Verdict(e, c, facts)
		allowed = allowed || v.Allowed && c != access.Public
		if slices.Contains(categories, c) {
			how[c] = v.Treatment
		}
	}
	return how, allowed
}

var _ crmgate.Registered = (*Handler)(nil)
