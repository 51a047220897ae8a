package policy

import (
	"fmt"
	"slices"

	"github.com/crmgate/crmgate/internal/access"
)

// The closed list of reasons for a refusal.
const (
	// ReasonNoRole: the policy knows none of the employee's roles.
	ReasonNoRole = "no_role"
	// ReasonNoPolicy: no allow line covers the entity and the action.
	ReasonNoPolicy = "no_policy"
	// ReasonDenied: a deny line covers the action as a whole.
	ReasonDenied = "denied"
	// ReasonAsksMasked: the request asks about a field that isn't clear for
	// every record.
	ReasonAsksMasked = "asks_masked"
	// ReasonWritesMasked: the request writes a field that may not be written.
	ReasonWritesMasked = "writes_masked"
	// ReasonCredential: the request names a credential.
	ReasonCredential = "credential"
	// ReasonUndecided: the policy could not be asked.
	ReasonUndecided = "undecided"
)

// Decide judges the accesses of one request: all must be allowed, or none is.
//
// Fields asked about must be clear for every record, whatever its facts; where
// the answer shows no record (a create, an update, a delete, a contact), for
// reading too, since the effect answers the question. Fields selected never
// lead to a refusal: the answer is masked. Fields written by an update are not
// judged here but listed in Decision.Unchanged: a form sends back every field
// it has, placeholders included, and only a comparison with the stored record
// tells an edited one from those. Fields written otherwise must be clear under
// the action's own plan; reading them isn't required, since what one creates
// one has seen. A credential may be neither selected, asked about nor written.
// A reference without a category counts as unclassified.
//
// An error comes with a refusal: nothing may be forwarded.
func (s *Snapshot) Decide(roles []string, accesses []access.Access) (access.Decision, error) {
	return s.DecideKnowing(roles, accesses, nil)
}

// DecideKnowing is Decide where the facts of the records that are written or
// deleted are known. Without them (Decide), a line with a condition opens no
// create, update, delete or contact, and Decision.Facts says so. They say
// nothing of a question, which touches any record. Where an access touches
// several records, each one's facts have to be judged.
func (s *Snapshot) DecideKnowing(roles []string, accesses []access.Access, known access.Facts) (access.Decision, error) {
	return s.decide(roles, accesses, func(int) access.Facts { return known })
}

// DecideEach is DecideKnowing where each access has facts of its own: those of the one
// record that it is about. Accesses behind the last of them have none.
func (s *Snapshot) DecideEach(roles []string, accesses []access.Access, known []access.Facts) (access.Decision, error) {
	return s.decide(roles, accesses, func(i int) access.Facts {
		if i < len(known) {
			return known[i]
		}
		return nil
	})
}

func (s *Snapshot) decide(roles []string, accesses []access.Access, known func(access int) access.Facts) (access.Decision, error) {
	switch {
	case len(s.known(roles)) == 0:
		return access.Decision{Refused: true, Reason: ReasonNoRole, Text: "The policy knows none of your roles.", Line: "no line names any of the roles"}, nil
	case len(accesses) == 0:
		return access.Decision{Refused: true, Reason: ReasonNoPolicy, Text: "The request was not understood as an access.", Line: "no access to judge"}, nil
	}
	h := &hearing{s: s, roles: roles}
	for i := range accesses {
		h.known = known(i)
		if err := h.access(&accesses[i]); err != nil {
			return access.Decision{Refused: true, Reason: ReasonUndecided, Text: "The policy could not be asked.", Line: "no line was asked"}, fmt.Errorf("deciding: %w", err)
		}
	}
	if h.refusal != nil {
		return *h.refusal, nil
	}
	shown, err := s.plan(roles, h.shown...)
	if err != nil {
		return access.Decision{Refused: true, Reason: ReasonUndecided, Text: "The policy could not be asked.", Line: "no line was asked"}, fmt.Errorf("deciding: %w", err)
	}
	return access.Decision{Plan: shown.plan, Plans: h.plans, Unchanged: h.unchanged}, nil
}

// hearing is what has been found out about one request.
type hearing struct {
	s     *Snapshot
	roles []string
	// known are the facts of the record that the access at hand is about.
	known access.Facts

	plans     []*access.Plan
	shown     []access.Action
	unchanged []access.Ref
	refusal   *access.Decision
}

// refuse keeps the first refusal; one that narrowing can't lift replaces one
// that it can.
func (h *hearing) refuse(d access.Decision) {
	if h.refusal == nil || (h.refusal.Narrow && !d.Narrow) {
		d.Refused = true
		h.refusal = &d
	}
}

func (h *hearing) access(a *access.Access) error {
	own, err := h.s.plan(h.roles, a.Action)
	if err != nil {
		return err
	}
	shown := own
	if !shows(a.Action) {
		if shown, err = h.s.plan(h.roles, access.Read); err != nil {
			return err
		}
	}
	if !slices.Contains(h.plans, own.plan) {
		h.plans = append(h.plans, own.plan)
	}
	if !slices.Contains(h.shown, shown.plan.Action) {
		h.shown = append(h.shown, shown.plan.Action)
	}
	h.whole(a, own)
	for _, ref := range a.Refs {
		h.ref(a, ref, own.plan, shown.plan)
	}
	return nil
}

// shows reports whether an action's answer shows records under its own plan.
func shows(a access.Action) bool {
	switch a {
	case access.Read, access.Search, access.Export, access.Reveal:
		return true
	case access.Create, access.Update, access.Delete, access.Contact:
	}
	return false
}

// whole judges the action as a whole. Where the answer shows records, it is
// enough that a line allows some of them: each is masked by its own facts.
// Where nothing can be masked any more, it must be allowed whatever the facts.
func (h *hearing) whole(a *access.Access, own *compiled) {
	stances := own.stances(a.Entity)
	all := newStates(own.plan.FactNames)
	known := h.known
	if shows(a.Action) {
		known = nil
	}
	var shut stance
	opens, shuts := 0, 0
	all.open(known, func(i int) {
		if stances[i].allowed {
			opens++
			return
		}
		if shuts++; !shut.denied {
			shut = stances[i]
		}
	})
	if opens > 0 && (shuts == 0 || shows(a.Action)) {
		return
	}
	d := access.Decision{
		Reason: ReasonNoPolicy, Line: fmt.Sprintf("no line allows %s of %s", a.Action, a.Entity),
		Text: fmt.Sprintf("Your roles don't allow %s of %s.", a.Action, a.Entity),
	}
	if shut.denied {
		d.Reason, d.Line = ReasonDenied, shut.line
		d.Text = fmt.Sprintf("A rule denies you %s of %s.", a.Action, a.Entity)
	}
	if opens > 0 {
		d.Facts = h.unknown(own.plan)
	}
	h.refuse(d)
}

// unknown lists the plan's facts of which nothing is known.
func (h *hearing) unknown(p *access.Plan) []string {
	var names []string
	for _, name := range p.FactNames {
		if h.known[name] == access.FactUnknown {
			names = append(names, name)
		}
	}
	return names
}

func (h *hearing) ref(a *access.Access, ref access.Ref, own, shown *access.Plan) {
	categories := ref.Categories
	if len(categories) == 0 {
		categories = []access.Category{access.Unclassified}
	}
	if slices.Contains(categories, access.Credential) {
		h.refuse(access.Decision{
			Field: ref.Field, Reason: ReasonCredential, Line: "credentials are never shown",
			Text: fmt.Sprintf("The request names %q, a credential, which nobody may see, ask about or write here.", ref.Field),
		})
		return
	}
	for _, c := range categories {
		var ok bool
		switch {
		case ref.Role == access.RefSelect:
			continue
		case ref.Role != access.RefWrite:
			ok = h.asks(ref, c, own, shown)
		case a.Action == access.Update:
			if ok = h.free(ref, c, own, shown); !ok {
				h.unchanged = append(h.unchanged, ref)
			}
		default:
			ok = h.writes(ref, c, own)
		}
		if !ok {
			return
		}
	}
}

// asks refuses a question about a category that isn't clear for every record.
func (h *hearing) asks(ref access.Ref, c access.Category, own, shown *access.Plan) bool {
	for _, p := range []*access.Plan{own, shown} {
		if v, ok := p.AlwaysClear(ref.Entity, c); !ok {
			h.refuse(access.Decision{
				Field: ref.Field, Reason: ReasonAsksMasked, Line: v.Line, Narrow: ref.Narrow,
				Text: fmt.Sprintf("The request asks about %q (%s), which isn't shown to you in full.", ref.Field, c),
			})
			return false
		}
	}
	return true
}

// free reports whether an update may change a field: it may be written, and
// its author sees what it changes.
func (h *hearing) free(ref access.Ref, c access.Category, own, shown *access.Plan) bool {
	for _, p := range []*access.Plan{own, shown} {
		if !allClear(open(p, ref.Entity, c, h.known)) {
			return false
		}
	}
	return true
}

// writes refuses to write a category that isn't clear under the action's plan.
func (h *hearing) writes(ref access.Ref, c access.Category, own *access.Plan) bool {
	verdicts := open(own, ref.Entity, c, h.known)
	if allClear(verdicts) {
		return true
	}
	d := access.Decision{
		Field: ref.Field, Reason: ReasonWritesMasked,
		Text: fmt.Sprintf("Your roles don't allow to write %q (%s).", ref.Field, c),
	}
	for _, v := range verdicts {
		if v.Allowed && v.Treatment == access.Clear {
			d.Facts = h.unknown(own)
		} else {
			d.Line = v.Line
		}
	}
	h.refuse(d)
	return false
}

// allClear reports whether every verdict allows and is clear.
func allClear(verdicts []access.Verdict) bool {
	return !slices.ContainsFunc(verdicts, func(v access.Verdict) bool {
		return !v.Allowed || v.Treatment != access.Clear
	})
}
