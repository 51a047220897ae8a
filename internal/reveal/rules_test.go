package reveal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/reveal"
)

func TestWhoDecidesOnWhat(t *testing.T) {
	t.Parallel()
	r := rules()
	r.Approvals = append(r.Approvals, reveal.Approval{Roles: []string{"dpo", "lead"}, Categories: []access.Category{access.Special}})
	for _, c := range []struct {
		cats  []access.Category
		roles []string
		needs bool
		may   bool
	}{
		{[]access.Category{access.Phone}, []string{"lead"}, false, true},
		{[]access.Category{access.Phone}, []string{"sales"}, false, false},
		{[]access.Category{access.Bank}, []string{"lead"}, true, true},
		{[]access.Category{access.Bank}, []string{"dpo"}, true, false},
		{[]access.Category{access.Phone, access.Special}, []string{"sales", "dpo"}, true, true},
		{[]access.Category{access.Bank, access.Special}, []string{"dpo"}, true, false},
		{[]access.Category{access.Bank, access.Special}, []string{"lead"}, true, true},
	} {
		if r.Needs(c.cats) != c.needs || r.MayDecide(c.roles, c.cats) != c.may {
			t.Errorf("%v, %v: needs %v, may %v", c.cats, c.roles, r.Needs(c.cats), r.MayDecide(c.roles, c.cats))
		}
	}
}

func TestRulesAreJudged(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*reveal.Rules){
		"":                   func(*reveal.Rules) {},
		"needs 1 to 20":      func(r *reveal.Rules) { r.Reasons = nil },
		"there twice":        func(r *reveal.Rules) { r.Reasons = []string{"a", "a"} },
		"no line of text":    func(r *reveal.Rules) { r.Reasons = []string{"a\nb"} },
		"lasts 1s":           func(r *reveal.Rules) { r.Lasts = time.Second },
		"lasts 9h":           func(r *reveal.Rules) { r.Lasts = 9 * time.Hour },
		"quota 0":            func(r *reveal.Rules) { r.Quota = 0 },
		"quota 201":          func(r *reveal.Rules) { r.Quota = 201 },
		"needs roles":        func(r *reveal.Rules) { r.Approvals[0].Roles = nil },
		`"*" is no role`:     func(r *reveal.Rules) { r.Approvals[0].Roles = []string{"*"} },
		`"mail" is no`:       func(r *reveal.Rules) { r.Approvals[0].Categories = []access.Category{"mail"} },
		`"credential" is no`: func(r *reveal.Rules) { r.Approvals[0].Categories = []access.Category{access.Credential} },
	} {
		r := rules()
		change(r)
		if err := r.Check(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
	r := rules()
	for note, ok := range map[string]bool{"case 4711": true, " ca  se\n1 ": true, "x": false, "": false, strings.Repeat("x", 301): false, "bell \a here": false, "\xff\xfe\xfd\xfc\xfb": false} {
		if _, got := r.Note("a call", note); got != ok {
			t.Errorf("%.20q: %v", note, got)
		}
	}
	if _, ok := r.Note("curiosity", "case 4711"); ok {
		t.Error("a reason that isn't in the list")
	}
}
