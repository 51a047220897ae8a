// Package reveal knows when an employee sees one masked field of one record in
// clear: for a reason, for a while, so many times a day, and where the rules say so
// with a second person's consent. It keeps who asked for what, never a value.
package reveal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/access"
)

// Rules are a site's.
type Rules struct {
	// Reasons are those that an employee chooses from.
	Reasons []string
	// Lasts is how long a field is shown.
	Lasts time.Duration
	// Quota is how many wishes an employee has within any 24 hours.
	Quota int
	// Approvals say what takes a second person.
	Approvals []Approval
}

// Approval names the roles that decide on some categories; on all where it names none.
type Approval struct {
	Roles      []string
	Categories []access.Category
}

// The bounds of rules, and how long a wish can be answered and an allowed one begun.
const (
	MinLasts  = time.Minute
	MaxLasts  = 8 * time.Hour
	MaxQuota  = 200
	WishLasts = 8 * time.Hour

	maxReasons = 20
	maxReason  = 80
	day        = 24 * time.Hour
)

// The longest and shortest text beside a reason, in bytes.
const (
	MinNote = 5
	MaxNote = 300
)

// Check says what is wrong with rules, by the words of the configuration.
func (r *Rules) Check() error {
	if len(r.Reasons) == 0 || len(r.Reasons) > maxReasons {
		return fmt.Errorf("reveal needs 1 to %d reasons that employees choose from: reasons \"the customer called\" complaint", maxReasons)
	}
	for i, reason := range r.Reasons {
		if reason != strings.TrimSpace(reason) || reason == "" || !plain(reason, maxReason) || slices.Contains(r.Reasons[:i], reason) {
			return fmt.Errorf("reveal: the reason %q is empty, there twice, longer than %d bytes or no line of text", cut(reason), maxReason)
		}
	}
	if r.Lasts < MinLasts || r.Lasts > MaxLasts {
		return fmt.Errorf("reveal lasts %s: it takes %s to %s", r.Lasts, MinLasts, MaxLasts)
	}
	if r.Quota < 1 || r.Quota > MaxQuota {
		return fmt.Errorf("reveal quota %d: an employee has 1 to %d wishes in 24 hours", r.Quota, MaxQuota)
	}
	for _, a := range r.Approvals {
		if err := a.check(); err != nil {
			return err
		}
	}
	return nil
}

func (a *Approval) check() error {
	if len(a.Roles) == 0 {
		return errors.New("reveal: approval needs roles: approval role team_lead")
	}
	for _, role := range a.Roles {
		if role == "" || role == "*" || strings.ContainsAny(role, " \t\r\n{}") {
			return fmt.Errorf("reveal: approval: %q is no role: write one as the provider does", cut(role))
		}
	}
	for _, c := range a.Categories {
		if !c.Valid() || c == access.Public || c == access.Credential {
			return fmt.Errorf("reveal: approval: %q is no category that can be revealed", cut(string(c)))
		}
	}
	return nil
}

func cut(s string) string { return s[:min(len(s), maxReason)] }

// covers reports whether the approval is about a category.
func (a *Approval) covers(c access.Category) bool {
	return len(a.Categories) == 0 || slices.Contains(a.Categories, c)
}

// Needs reports whether a field of these categories takes a second person.
func (r *Rules) Needs(cats []access.Category) bool {
	return slices.ContainsFunc(r.Approvals, func(a Approval) bool { return slices.ContainsFunc(cats, a.covers) })
}

// Decides reports whether somebody with these roles decides on anything.
func (r *Rules) Decides(roles []string) bool {
	return slices.ContainsFunc(r.Approvals, func(a Approval) bool { return a.has(roles) })
}

func (a *Approval) has(roles []string) bool {
	return slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(a.Roles, role) })
}

// MayDecide reports whether somebody with these roles decides on a field of these
// categories: on each of them that takes a second person.
func (r *Rules) MayDecide(roles []string, cats []access.Category) bool {
	if !r.Needs(cats) {
		return r.Decides(roles) // the rules were another before
	}
	for _, c := range cats {
		needs := slices.ContainsFunc(r.Approvals, func(a Approval) bool { return a.covers(c) })
		if needs && !slices.ContainsFunc(r.Approvals, func(a Approval) bool { return a.covers(c) && a.has(roles) }) {
			return false
		}
	}
	return true
}

// Note brings the text beside a reason into one line, and reports whether it is one.
func (r *Rules) Note(reason, note string) (string, bool) {
	note = strings.Join(strings.Fields(note), " ")
	return note, slices.Contains(r.Reasons, reason) && len(note) >= MinNote && plain(note, MaxNote)
}

// plain reports whether s is a line of text of at most n bytes.
func plain(s string, n int) bool {
	return len(s) <= n && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
