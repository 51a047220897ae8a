package gate

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/retain"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// Overdue says who still sees records that may not be kept any longer, and who deletes
// them.
type Overdue struct {
	// Roles see overdue records, have the work list, and ask for deletions. Required
	// where something is retained.
	Roles []string `json:"roles,omitempty"`
	// Confirm are the roles whose consent a deletion takes, always that of another person
	// than who asks. Default: Roles.
	Confirm []string `json:"confirm,omitempty"`
	// ObserveUntil is the last day (2026-12-31, at most 30 days ahead) on which overdue
	// records only get on the list and aren't masked. Default: they are masked.
	ObserveUntil string `json:"observe_until,omitempty"`

	// end is when overdue records are masked.
	end time.Time
}

// unmarshalRetain reads `retain <entity> <period> after <field> [else <field>]… [unless
// <fact>]`.
func (h *Handler) unmarshalRetain(d *caddyfile.Dispenser) error {
	words := d.RemainingArgs()
	if _, err := retain.ParseRule(words); err != nil {
		return d.WrapErr(err)
	}
	h.Retain = append(h.Retain, strings.Join(words, " "))
	return nil
}

// unmarshalOverdue reads `overdue role <role>…`, `overdue confirm <role>…` and `overdue
// observe until <date>`.
func (h *Handler) unmarshalOverdue(d *caddyfile.Dispenser) error {
	if h.Overdue == nil {
		h.Overdue = new(Overdue)
	}
	args := d.RemainingArgs()
	if len(args) < 2 {
		return d.Errf("overdue takes `role <role>...`, `confirm <role>...` or `observe until <date>`: overdue role data_protection")
	}
	switch args[0] {
	case "role":
		h.Overdue.Roles = append(h.Overdue.Roles, args[1:]...)
	case "confirm":
		h.Overdue.Confirm = append(h.Overdue.Confirm, args[1:]...)
	case "observe":
		if len(args) != 3 || args[1] != "until" {
			return d.Errf("overdue observe takes its last day: overdue observe until 2026-12-31")
		}
		h.Overdue.ObserveUntil = args[2]
	default:
		return crmgate.UnknownWord(d, args[0], "role", "confirm", "observe")
	}
	return nil
}

var factName = regexp.MustCompile(`^(?:own|consent:[a-z0-9_.-]+(?::[a-z0-9_.-]+)?)$`)

// loadRetention judges the rules against the profile and the policy.
func (h *Handler) loadRetention() error {
	if len(h.Retain) == 0 {
		if h.Overdue != nil {
			return errors.New("overdue: nothing is retained; write a rule, such as `retain contact 3y after closed_at`, or take the line out")
		}
		return nil
	}
	var all []retain.Rule
	var errs []error
	for _, line := range h.Retain {
		r, err := retain.ParseRule(strings.Fields(line))
		if err == nil {
			err = h.checkRetain(r)
		}
		errs, all = append(errs, err), append(all, r)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	rules, err := retain.NewRules(all)
	if err != nil {
		return err
	}
	h.retention = rules
	return h.checkOverdue(time.Now())
}

func (h *Handler) checkRetain(r retain.Rule) error {
	var names []string
	for _, e := range h.profile.Entities() {
		if !h.profile.Internal(e) {
			names = append(names, string(e))
		}
	}
	slices.Sort(names)
	if !slices.Contains(names, string(r.Entity)) {
		return fmt.Errorf("retain %s: the profile %s has no such kind of record with persons' data; there are: %s", r.Entity, h.profile.Name, strings.Join(slices.Compact(names), ", "))
	}
	for _, f := range r.After {
		if !h.profile.Describes(r.Entity, f) {
			return fmt.Errorf("retain %s: the profile %s lists no field %s there; write it as the CRM's interface does, or add it in a profile of your own that extends this one", r.Entity, h.profile.Name, f)
		}
	}
	if r.Unless != "" && !factName.MatchString(r.Unless) {
		return fmt.Errorf("retain %s: %q is no fact; write unless consent:<purpose>, consent:<purpose>:<channel> or own", r.Entity, r.Unless)
	}
	return nil
}

func (h *Handler) checkOverdue(now time.Time) error {
	o := h.Overdue
	if o == nil || len(o.Roles) == 0 {
		return errors.New("retain: say who still sees overdue records and has the list of them: overdue role data_protection")
	}
	for i, r := range slices.Concat(o.Roles, o.Confirm) {
		if r == "" || r == "*" || strings.ContainsAny(r, " \t\r\n{}") {
			return fmt.Errorf("overdue: %q is no role: write one as the provider does", r)
		}
		if i < len(o.Roles) && slices.Contains(o.Roles[:i], r) {
			return fmt.Errorf("overdue: the role %q stands there twice", r)
		}
	}
	if o.ObserveUntil == "" {
		return nil
	}
	day, err := time.ParseInLocation(time.DateOnly, o.ObserveUntil, now.Location())
	if err != nil {
		return fmt.Errorf("overdue observe until: %q is not a day; write overdue observe until 2026-12-31", o.ObserveUntil)
	}
	if last := now.Add(maxObserve); day.After(last) {
		return fmt.Errorf("overdue observe until: %s is more than 30 days ahead; the last day that can be is %s, and then it can be renewed", o.ObserveUntil, last.Format(time.DateOnly))
	}
	o.end = day.AddDate(0, 0, 1)
	return nil
}

// observes reports whether overdue records only get on the list.
func (o *Overdue) observes(now time.Time) bool { return now.Before(o.end) }

// sees reports whether one of the roles sees overdue records.
func (o *Overdue) sees(roles []string) bool { return anyOf(roles, o.Roles) }

// confirms reports whether one of the roles may consent to a deletion.
func (o *Overdue) confirms(roles []string) bool {
	if len(o.Confirm) == 0 {
		return o.sees(roles)
	}
	return anyOf(roles, o.Confirm)
}

func anyOf(roles, of []string) bool {
	return slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(of, r) })
}

// logRetention says at load what holds.
func (h *Handler) logRetention() {
	if len(h.Retain) == 0 {
		return
	}
	h.logger.Info("records are kept for so long; overdue ones are seen by these roles alone",
		zap.Strings("retain", h.Retain), zap.Strings("roles", h.Overdue.Roles), zap.Strings("confirm", h.Overdue.Confirm))
	if h.Overdue.observes(time.Now()) {
		h.logger.Warn("overdue records only get on the list and are NOT masked", zap.Time("until", h.Overdue.end))
	}
	for e := range h.retention {
		if !h.profile.CanReadEntity(e) {
			h.logger.Warn("the profile doesn't say how one record is read: where an answer doesn't have the dates, the record counts as overdue", zap.String("entity", string(e)))
		}
	}
}

// retained reports whether records of an entity have to go one day.
func (h *Handler) retained(e access.Entity) bool { return len(h.retention[e]) > 0 }
