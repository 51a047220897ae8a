package retain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/access"
)

// Rule says how long records of an entity may be kept.
type Rule struct {
	Entity access.Entity
	Period Period
	// After are the fields with the date at which the period begins: the first that
	// isn't empty counts.
	After []string
	// Unless is a fact that keeps the record, "" for none.
	Unless string
}

// ParseRule reads the words of `retain contact 3y after closed_at else created_at
// unless consent:newsletter`, without the first.
func ParseRule(words []string) (Rule, error) {
	const form = "write `retain <entity> <period> after <field> [else <field>]… [unless <fact>]`, such as `retain contact 3y after closed_at`"
	if len(words) < 4 || words[2] != "after" || len(words)%2 != 0 {
		return Rule{}, fmt.Errorf("retain %s: %s", strings.Join(words, " "), form)
	}
	p, err := ParsePeriod(words[1])
	if err != nil {
		return Rule{}, fmt.Errorf("retain %s: %w", words[0], err)
	}
	r := Rule{Entity: access.Entity(words[0]), Period: p}
	for rest := words[2:]; len(rest) > 0; rest = rest[2:] {
		switch word, value := rest[0], rest[1]; {
		case value == "" || strings.ContainsAny(value, " \t\r\n{}\"") || r.Unless != "":
			return Rule{}, fmt.Errorf("retain %s: %s", words[0], form)
		case word == "after" && len(r.After) == 0, word == "else":
			if slices.Contains(r.After, value) {
				return Rule{}, fmt.Errorf("retain %s: the field %s stands there twice", words[0], value)
			}
			r.After = append(r.After, value)
		case word == "unless":
			r.Unless = value
		default:
			return Rule{}, fmt.Errorf("retain %s: %s", words[0], form)
		}
	}
	return r, nil
}

// Words are those of the rule, without the entity: `3y after closed_at`.
func (r Rule) Words() string {
	s := r.Period.String() + " after " + strings.Join(r.After, " else ")
	if r.Unless != "" {
		s += " unless " + r.Unless
	}
	return s
}

// Rules are those of a site, by entity.
type Rules map[access.Entity][]Rule

// NewRules sorts rules by entity. The same rule twice is an error.
func NewRules(all []Rule) (Rules, error) {
	rules := Rules{}
	for _, r := range all {
		for _, before := range rules[r.Entity] {
			if before.Words() == r.Words() {
				return nil, fmt.Errorf("retain %s %s stands there twice", r.Entity, r.Words())
			}
		}
		rules[r.Entity] = append(rules[r.Entity], r)
	}
	return rules, nil
}

// Fields are the fields whose dates the rules of each entity need.
func (rules Rules) Fields() map[access.Entity][]string {
	out := make(map[access.Entity][]string, len(rules))
	for e, list := range rules {
		for _, r := range list {
			for _, f := range r.After {
				if !slices.Contains(out[e], f) {
					out[e] = append(out[e], f)
				}
			}
		}
	}
	return out
}

// Facts are the facts by which a rule keeps records.
func (rules Rules) Facts() []string {
	var facts []string
	for _, list := range rules {
		for _, r := range list {
			if r.Unless != "" && !slices.Contains(facts, r.Unless) {
				facts = append(facts, r.Unless)
			}
		}
	}
	slices.Sort(facts)
	return facts
}

// Verdict is what the rules say of a record.
type Verdict struct {
	// Overdue says that the record must not be kept any longer, or that nobody knows.
	Overdue bool
	// Unknown says that it is overdue because a date isn't known.
	Unknown bool
	// Rule is the one that decided, in its own words; "" where the record isn't overdue.
	Rule string
	// Last is the last day on which the record could be kept, zero where unknown.
	Last time.Time
}

// Judge says whether a record of an entity is overdue. An unknown fact keeps nothing,
// an unknown date counts as overdue. A rule whose dates are all empty hasn't begun to run. A
// rule that is over for certain is named before one of which it isn't known.
func (rules Rules) Judge(e access.Entity, dates Dates, facts access.Facts, now time.Time) Verdict {
	var v Verdict
	for _, r := range rules[e] {
		if r.Unless != "" && facts[r.Unless] == access.FactTrue {
			continue
		}
		switch d := r.begins(dates); d.State {
		case Given:
			last := r.Period.After(d.Day)
			if over(last, now) && (!v.Overdue || v.Unknown || last.Before(v.Last)) {
				v = Verdict{Overdue: true, Rule: r.Words(), Last: last}
			}
		case Empty:
		default:
			if !v.Overdue {
				v = Verdict{Overdue: true, Unknown: true, Rule: r.Words()}
			}
		}
	}
	return v
}

// begins is the date at which the rule's period begins.
func (r Rule) begins(dates Dates) Date {
	for _, field := range r.After {
		if d := dates[field]; d.State != Empty {
			return d
		}
	}
	return Date{State: Empty}
}

// over reports whether a day is over, where the server stands.
func over(last, now time.Time) bool {
	y, m, d := now.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).After(last)
}

// Complete reports whether the rules of an entity can be judged by what is told: of each
// rule, everything up to the first date that isn't empty.
func (rules Rules) Complete(e access.Entity, dates Dates) bool {
	for _, r := range rules[e] {
		for _, field := range r.After {
			d, told := dates[field]
			if !told {
				return false
			}
			if d.State != Empty {
				break
			}
		}
	}
	return true
}
