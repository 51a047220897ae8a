package gate

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/reveal"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// Reveal lets employees see one masked field of one record in clear, for a reason and
// for a while. Whose fields may be revealed to whom is the policy's: the action
// `reveal`.
type Reveal struct {
	// Reasons are those that an employee chooses from. Required.
	Reasons []string `json:"reasons,omitempty"`
	// Lasts is how long a field is shown. Default 15m; at most 8h.
	Lasts caddy.Duration `json:"lasts,omitempty"`
	// Quota is how many wishes an employee has within any 24 hours. Default 10.
	Quota int `json:"quota,omitempty"`
	// Approvals say what takes the consent of a second person. Default: nothing.
	Approvals []RevealApproval `json:"approval,omitempty"`
}

// RevealApproval names who decides on wishes.
type RevealApproval struct {
	// Roles are those of the second person. Required.
	Roles []string `json:"roles,omitempty"`
	// For are the categories that it takes them for. Default: all.
	For []access.Category `json:"for,omitempty"`
}

const (
	defaultRevealLasts = 15 * time.Minute
	defaultRevealQuota = 10
)

// revealer is what reveals: nil where the configuration doesn't.
type revealer struct {
	*reveal.Keeper

	rules reveal.Rules
	logs  logs
	names fieldNames
}

// checkReveal judges the configuration.
func (h *Handler) checkReveal() error {
	r := h.Reveal
	if r == nil {
		return nil
	}
	if r.Lasts == 0 {
		r.Lasts = caddy.Duration(defaultRevealLasts)
	}
	if r.Quota == 0 {
		r.Quota = defaultRevealQuota
	}
	if h.Observe != nil {
		return errors.New("reveal: a site that only observes masks nothing; leave reveal out until it enforces")
	}
	rules := r.rules()
	return rules.Check()
}

func (r *Reveal) rules() reveal.Rules {
	rules := reveal.Rules{Reasons: r.Reasons, Lasts: time.Duration(r.Lasts), Quota: r.Quota}
	for _, a := range r.Approvals {
		rules.Approvals = append(rules.Approvals, reveal.Approval{Roles: a.Roles, Categories: a.For})
	}
	return rules
}

// newRevealer opens what reveals, at the start.
func newRevealer(h *Handler, s *crmgate.Services) (*revealer, error) {
	if h.Reveal == nil {
		return nil, nil //nolint:nilnil // there is none
	}
	keeper, err := reveal.NewKeeper(s.Store, s.Ring, reveal.NewClock(nil))
	if err != nil {
		return nil, err
	}
	if !h.revealsAnything() {
		h.logger.Warn("reveal is configured, and the policy gives nobody the right: it takes a line with the action reveal and the treatment clear",
			zap.String("example", "p, support, contact, phone, reveal, clear, , allow"))
	}
	if h.desk == nil {
		h.app.FollowNodes(s)
	}
	return &revealer{Keeper: keeper, rules: h.Reveal.rules(), logs: s.Logs}, nil
}

// learners are those of an answer's records.
func (r *revealer) learners() []learner {
	if r == nil {
		return nil
	}
	return []learner{revealLearner{}}
}

func (h *Handler) revealsAnything() bool {
	return slices.ContainsFunc(h.policy.Roles(), func(role string) bool {
		may, err := h.mayReveal([]string{role})
		return err == nil && may.anything()
	})
}

// rights say what may be revealed to somebody.
type rights struct{ plan *access.Plan }

func (h *Handler) mayReveal(roles []string) (rights, error) {
	plan, err := h.plan(roles, access.Reveal)
	return rights{plan}, err
}

// factReason holds for whatever is revealed: nothing is without a reason.
const factReason = "reason"

// of reports whether each of the categories may be revealed, of a record of which
// these facts are known. No category is none that anybody knows.
func (r rights) of(e access.Entity, cats []access.Category, facts access.Facts) bool {
	if slices.Contains(r.plan.FactNames, factReason) {
		known := access.Facts{factReason: access.FactTrue}
		for name, state := range facts {
			if name != factReason {
				known[name] = state
			}
		}
		facts = known
	}
	for _, c := range cats {
		v := r.plan.Verdict(e, c, facts)
		if !v.Allowed || v.Treatment != access.Clear || c == access.Credential || c == access.Public {
			return false
		}
	}
	return len(cats) > 0
}

// perhaps reports whether a category may be revealed, of a record of which nobody has
// looked up the facts yet: they decide where it is shown.
func (r rights) perhaps(e access.Entity, c access.Category) bool {
	for _, state := range []access.FactState{access.FactUnknown, access.FactFalse, access.FactTrue} {
		facts := access.Facts{}
		for _, name := range r.plan.FactNames {
			facts[name] = state
		}
		if r.of(e, []access.Category{c}, facts) {
			return true
		}
	}
	return false
}

// anything reports whether there is anything that may be revealed.
func (r rights) anything() bool {
	for _, cells := range r.plan.Cells {
		for c, verdicts := range cells {
			if c != access.Public && c != access.Credential && slices.ContainsFunc(verdicts, func(v access.Verdict) bool {
				return v.Allowed && v.Treatment == access.Clear
			}) {
				return true
			}
		}
	}
	return false
}

// unmarshalReveal reads the block in crm_gate:
//
//	reveal {
//	    reasons  <reason>...
//	    lasts    <duration>
//	    quota    <wishes in 24 hours>
//	    approval role <role>... [for <category>...]
//	}
func (h *Handler) unmarshalReveal(d *caddyfile.Dispenser) error {
	if h.Reveal != nil {
		return d.Err("reveal stands once in crm_gate: put all into one block")
	}
	if d.NextArg() {
		return d.Errf("reveal takes a block, not %q: reveal { reasons … }", d.Val())
	}
	opening := *d
	h.Reveal = new(Reveal)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if err := h.Reveal.unmarshalWord(d); err != nil {
			return err
		}
	}
	if len(h.Reveal.Reasons) == 0 {
		return opening.Err("reveal needs reasons that employees choose from: reasons \"the customer called\" complaint")
	}
	return nil
}

func (r *Reveal) unmarshalWord(d *caddyfile.Dispenser) error {
	switch word := d.Val(); word {
	case "reasons":
		args := d.RemainingArgs()
		if len(args) == 0 {
			return d.ArgErr()
		}
		r.Reasons = append(r.Reasons, args...)
	case "lasts":
		var s string
		if !d.AllArgs(&s) {
			return d.Err("lasts takes a duration: lasts 15m")
		}
		return duration(d, s, &r.Lasts)
	case "quota":
		var s string
		n, err := 0, error(nil)
		if d.AllArgs(&s) {
			n, err = strconv.Atoi(s)
		}
		if err != nil || n < 1 {
			return d.Errf("quota takes how many wishes an employee has in 24 hours: quota %d", defaultRevealQuota)
		}
		r.Quota = n
	case "approval":
		return r.unmarshalApproval(d)
	default:
		return crmgate.UnknownWord(d, word, "reasons", "lasts", "quota", "approval")
	}
	return nil
}

func (r *Reveal) unmarshalApproval(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) < 2 || args[0] != "role" {
		return d.Err("approval takes `role`, one or more roles, and perhaps `for` and categories: approval role team_lead for bank tax_id")
	}
	a := RevealApproval{Roles: args[1:]}
	if i := slices.Index(args, "for"); i > 0 {
		a.Roles = args[1:i]
		for _, c := range args[i+1:] {
			a.For = append(a.For, access.Category(c))
		}
		if len(a.Roles) == 0 || len(a.For) == 0 {
			return d.Err("approval role takes one or more roles, and `for` one or more categories: approval role team_lead for bank tax_id")
		}
	}
	r.Approvals = append(r.Approvals, a)
	return nil
}
