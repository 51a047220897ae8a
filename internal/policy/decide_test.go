package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
)

func ref(role access.RefRole, field string, categories ...access.Category) access.Ref {
	return access.Ref{Role: role, Entity: "contact", Field: field, Categories: categories}
}

func on(action access.Action, refs ...access.Ref) access.Access {
	return access.Access{Action: action, Entity: "contact", Refs: refs}
}

func decide(t *testing.T, s *Snapshot, roles []string, accesses ...access.Access) access.Decision {
	t.Helper()
	d, err := s.Decide(roles, accesses)
	if err != nil {
		t.Fatal(err)
	}
	if d.Refused == (d.Plan != nil) || d.Refused == (d.Reason == "") || d.Refused == (d.Text == "") || d.Refused == (d.Line == "") {
		t.Fatalf("Decide = %+v: a refusal has a reason, a text, a line and no plan", d)
	}
	return d
}

// office is the policy that most of the tests below ask.
func office(tb testing.TB) *Snapshot {
	tb.Helper()
	return loaded(tb,
		"g2, email, contact_data", "g2, phone, contact_data",
		"p, sales, contact, name,         read,   clear,   , allow",
		"p, sales, contact, contact_data, read,   partial, , allow",
		"p, sales, contact, bank,         read,   clear,   own, allow",
		"p, sales, contact, name,         search, clear,   , allow",
		"p, sales, contact, contact_data, search, partial, , allow",
		"p, sales, contact, name,         create, clear,   , allow",
		"p, sales, contact, phone,        create, clear,   , allow",
		"p, sales, contact, bank,         create, clear,   own, allow",
		"p, sales, contact, name,         update, clear,   , allow",
		"p, sales, contact, phone,        update, clear,   , allow",
		"p, sales, contact, email,        update, partial, , allow",
		"p, sales, contact, name,         delete, clear,   own, allow",
		"p, sales, lead,    *,            contact, clear,  consent:news, allow",
		"p, boss,  *,       *,            *,      clear,   , allow",
		"p, intern, *,      *,            export, ,        , deny",
		"p, intern, lead,   *,            delete, ,        own, deny",
	)
}

func TestUnknownRolesAreRefusedWithoutNamingThem(t *testing.T) {
	t.Parallel()
	for _, roles := range [][]string{nil, {}, {""}, {"stranger-7"}, {"Sales"}} {
		d := decide(t, office(t), roles, on(access.Read))
		if d.Reason != ReasonNoRole || strings.Contains(fmt.Sprintf("%+v", d), "stranger") {
			t.Errorf("Decide(%q) = %+v", roles, d)
		}
	}
}

func TestRolesOfOtherSystemsCountForNothing(t *testing.T) {
	t.Parallel()
	s := office(t)
	d := decide(t, s, []string{"offline_access", "sales", "sales", "uma_authorization"}, on(access.Read))
	p, err := s.Plan([]string{"sales"}, access.Read)
	if err != nil || d.Plan != p {
		t.Errorf("Decide gives plan of %v, want the plan of sales alone (%v)", d.Plan.Roles, err)
	}
}

func TestNoAccessAndUnknownActionAreRefused(t *testing.T) {
	t.Parallel()
	s := office(t)
	if d := decide(t, s, []string{"boss"}); d.Reason != ReasonNoPolicy {
		t.Errorf("Decide of no access = %+v", d)
	}
	d, err := s.Decide([]string{"boss"}, []access.Access{{Action: "erase", Entity: "contact"}})
	if err == nil || !d.Refused {
		t.Errorf("Decide of an unknown action = %+v, %v", d, err)
	}
}

func TestActionWithoutALineIsRefused(t *testing.T) {
	t.Parallel()
	s := office(t)
	for _, a := range []access.Access{on(access.Export), {Action: access.Read, Entity: "lead"}, {Action: access.Read, Entity: "unheard_of"}} {
		if d := decide(t, s, []string{"sales"}, a); d.Reason != ReasonNoPolicy || !strings.Contains(d.Text, string(a.Entity)) {
			t.Errorf("%s of %s: %+v", a.Action, a.Entity, d)
		}
	}
	if d := decide(t, s, []string{"boss"}, access.Access{Action: access.Read, Entity: "unheard_of"}); d.Refused {
		t.Errorf("a star covers every entity: %+v", d)
	}
}

func TestDenyBeatsEveryOtherRole(t *testing.T) {
	t.Parallel()
	d := decide(t, office(t), []string{"boss", "intern"}, on(access.Export))
	if d.Reason != ReasonDenied || d.Line != "policy.csv:17: p, intern, *,      *,            export, ,        , deny" {
		t.Errorf("Decide = %+v", d)
	}
}

func TestOneRefusedAccessRefusesAll(t *testing.T) {
	t.Parallel()
	if d := decide(t, office(t), []string{"sales"}, on(access.Read), on(access.Export)); d.Reason != ReasonNoPolicy {
		t.Errorf("Decide = %+v", d)
	}
}

func TestMaskedFieldsCannotBeAskedAbout(t *testing.T) {
	t.Parallel()
	s := office(t)
	for _, role := range []access.RefRole{access.RefFilter, access.RefSort, access.RefGroup, access.RefAggregate, access.RefSearch, "", "unheard_of"} {
		for _, c := range []access.Category{access.Phone, access.Bank, access.Special, access.Unclassified} {
			d := decide(t, s, []string{"sales"}, on(access.Read, ref(role, "field_x", access.Name, c)))
			if d.Reason != ReasonAsksMasked || !strings.Contains(d.Text, `"field_x"`) || !strings.Contains(d.Text, string(c)) || d.Narrow {
				t.Errorf("%s by %s: %+v", role, c, d)
			}
		}
		if d := decide(t, s, []string{"sales"}, on(access.Read, ref(role, "id", access.Public), ref(role, "name", access.Name))); d.Refused {
			t.Errorf("%s by name: %+v", role, d)
		}
	}
}

// A field of which the profile says nothing is unclassified, not free.
func TestReferenceWithoutACategoryIsUnclassified(t *testing.T) {
	t.Parallel()
	s := office(t)
	if d := decide(t, s, []string{"boss"}, on(access.Search, ref(access.RefFilter, "x"))); d.Reason != ReasonAsksMasked {
		t.Errorf("filter: %+v", d)
	}
	if d := decide(t, s, []string{"boss"}, on(access.Create, ref(access.RefWrite, "x"))); d.Reason != ReasonWritesMasked {
		t.Errorf("create: %+v", d)
	}
}

func TestFieldsOfOtherEntitiesAreJudgedByTheirOwn(t *testing.T) {
	t.Parallel()
	r := ref(access.RefFilter, "lead.name", access.Name)
	r.Entity = "lead"
	if d := decide(t, office(t), []string{"sales"}, on(access.Read, r)); d.Reason != ReasonAsksMasked {
		t.Errorf("Decide = %+v", d)
	}
}

func TestRefusalIsNarrowOnlyIfEveryFailingReferenceIs(t *testing.T) {
	t.Parallel()
	s := office(t)
	narrow := ref(access.RefSearch, "q", access.Name, access.Phone)
	narrow.Narrow = true
	hard := ref(access.RefFilter, "mobile", access.Phone)
	cases := []struct {
		want     bool
		accesses []access.Access
	}{
		{true, []access.Access{on(access.Read, narrow)}},
		{true, []access.Access{on(access.Read, narrow, ref(access.RefFilter, "name", access.Name), narrow)}},
		{false, []access.Access{on(access.Read, narrow, hard)}},
		{false, []access.Access{on(access.Read, hard, narrow)}},
		{false, []access.Access{on(access.Read, narrow), on(access.Export)}},
		{false, []access.Access{on(access.Read, narrow, ref(access.RefSelect, "hash", access.Credential))}},
	}
	for i, c := range cases {
		if d := decide(t, s, []string{"sales"}, c.accesses...); !d.Refused || d.Narrow != c.want {
			t.Errorf("case %d: %+v, want it refused with Narrow %v", i, d, c.want)
		}
	}
}

func TestSelectedFieldsAreMaskedAndNotRefused(t *testing.T) {
	t.Parallel()
	if d := decide(t, office(t), []string{"sales"}, on(access.Read, ref(access.RefSelect, "iban", access.Bank, access.Unclassified))); d.Refused {
		t.Errorf("Decide = %+v", d)
	}
}

func TestCredentialsAreRefusedHoweverNamed(t *testing.T) {
	t.Parallel()
	for _, role := range []access.RefRole{access.RefSelect, access.RefFilter, access.RefSort, access.RefWrite, ""} {
		for _, action := range access.Actions() {
			d := decide(t, office(t), []string{"boss"}, on(action, ref(role, "password_hash", access.Public, access.Credential)))
			if d.Reason != ReasonCredential {
				t.Errorf("%s %s: %+v", action, role, d)
			}
		}
	}
}

// Writing is judged by the action's own plan: a phone number that sales reads
// in part it may enter in full.
func TestCreateNeedsTheCategoryClear(t *testing.T) {
	t.Parallel()
	s := office(t)
	if d := decide(t, s, []string{"sales"}, on(access.Create, ref(access.RefWrite, "phone", access.Phone), ref(access.RefWrite, "kind", access.Public))); d.Refused {
		t.Errorf("phone: %+v", d)
	}
	for _, c := range []access.Category{access.Email, access.Special, access.Unclassified} {
		d := decide(t, s, []string{"sales"}, on(access.Create, ref(access.RefWrite, "field_x", access.Name, c)))
		if d.Reason != ReasonWritesMasked || !strings.Contains(d.Text, string(c)) || len(d.Facts) != 0 {
			t.Errorf("%s: %+v", c, d)
		}
	}
}

func TestUpdateListsWhatMayOnlyGoOnUnchanged(t *testing.T) {
	t.Parallel()
	write := func(c access.Category) access.Ref { return ref(access.RefWrite, string(c), c) }
	both := ref(access.RefWrite, "both", access.Name, access.Bank)
	d := decide(t, office(t), []string{"sales"}, on(access.Update,
		write(access.Name), write(access.Public), write(access.Phone), write(access.Email), write(access.Bank), both, ref(access.RefWrite, "x")))
	if d.Refused {
		t.Fatalf("Decide = %+v", d)
	}
	var fields []string
	for _, r := range d.Unchanged {
		fields = append(fields, r.Field)
	}
	// phone may be updated and isn't read in full; email is read in part and
	// updated in part; bank has no line for update.
	if want := []string{"phone", "email", "bank", "both", "x"}; !slices.Equal(fields, want) {
		t.Errorf("Unchanged = %q, want %q", fields, want)
	}
}

func TestAnswersOfWritesAreMaskedAsReadingIs(t *testing.T) {
	t.Parallel()
	s := office(t)
	for _, action := range []access.Action{access.Create, access.Update} {
		d := decide(t, s, []string{"sales"}, on(action, ref(access.RefWrite, "name", access.Name)))
		if v := d.Plan.Verdict("contact", access.Phone, nil); v.Treatment != access.Partial {
			t.Errorf("%s: the answer shows a phone number %s, want partial", action, v.Treatment)
		}
		if d.Plan.Action != access.Read || len(d.Plans) != 1 || d.Plans[0].Action != action {
			t.Errorf("%s: Plan is of %s, Plans of %v", action, d.Plan.Action, d.Plans)
		}
	}
}

// The effect of a write answers the question in it, so what may be updated
// without being read can't be asked about in an update.
func TestQuestionsInWritesAreJudgedByReadingToo(t *testing.T) {
	t.Parallel()
	d := decide(t, office(t), []string{"sales"}, on(access.Update, ref(access.RefFilter, "phone", access.Phone)))
	if d.Reason != ReasonAsksMasked {
		t.Errorf("Decide = %+v", d)
	}
}

func TestSeveralAccessesAreMaskedByTheMostReserved(t *testing.T) {
	t.Parallel()
	s := loaded(t,
		"p, a, contact, email, read, clear, , allow", "p, a, contact, name, read, hidden, , allow",
		"p, a, contact, email, search, partial, own, allow", "p, a, contact, name, search, clear, , allow",
	)
	d := decide(t, s, []string{"a"}, on(access.Read), on(access.Search), on(access.Read))
	if len(d.Plans) != 2 || d.Plans[0].Action != access.Read || d.Plans[1].Action != access.Search || d.Plan.Action != "" {
		t.Fatalf("Plans = %v, Plan of %q", d.Plans, d.Plan.Action)
	}
	for _, c := range []struct {
		category access.Category
		facts    access.Facts
		want     access.Treatment
	}{
		{access.Email, access.Facts{"own": access.FactTrue}, access.Partial},
		{access.Email, nil, access.Hidden},
		{access.Name, nil, access.Hidden},
		{access.Bank, nil, access.Hidden},
	} {
		if v := d.Plan.Verdict("contact", c.category, c.facts); v.Treatment != c.want {
			t.Errorf("%s %v: %s, want %s", c.category, c.facts, v.Treatment, c.want)
		}
	}
}

// Six facts over two actions are more than one plan holds: none opens anything.
func TestTooManyFactsTogetherOpenNothing(t *testing.T) {
	t.Parallel()
	lines := []string{"p, a, contact, name, search, clear, , allow", "p, a, contact, email, search, clear, own, allow"}
	for i := range maxFacts {
		lines = append(lines, fmt.Sprintf("p, a, contact, email, read, clear, consent:c%d, allow", i))
	}
	s := loaded(t, append(lines, "p, a, contact, name, read, clear, , allow")...)
	d := decide(t, s, []string{"a"}, on(access.Read), on(access.Search))
	if v := d.Plan.Verdict("contact", access.Email, access.Facts{"own": access.FactTrue, "consent:c0": access.FactTrue}); v.Treatment != access.Hidden {
		t.Errorf("email: %s, want hidden", v.Treatment)
	}
	if v := d.Plan.Verdict("contact", access.Name, nil); v.Treatment != access.Clear {
		t.Errorf("name: %s, want clear", v.Treatment)
	}
}

func TestConditionsOpenReadingAndNoWriteUntilTheFactsAreKnown(t *testing.T) {
	t.Parallel()
	s := office(t)
	own := access.Facts{"own": access.FactTrue}
	other := access.Facts{"own": access.FactFalse}
	del := []access.Access{on(access.Delete)}
	for _, c := range []struct {
		facts   access.Facts
		refused bool
		facts2  []string
	}{{nil, true, []string{"own"}}, {other, true, nil}, {own, false, nil}} {
		d, err := s.DecideKnowing([]string{"sales"}, del, c.facts)
		if err != nil || d.Refused != c.refused || !slices.Equal(d.Facts, c.facts2) {
			t.Errorf("delete knowing %v: %+v, %v", c.facts, d, err)
		}
	}
	create := []access.Access{on(access.Create, ref(access.RefWrite, "iban", access.Bank))}
	if d, err := s.DecideKnowing([]string{"sales"}, create, nil); err != nil || d.Reason != ReasonWritesMasked || !slices.Equal(d.Facts, []string{"own"}) {
		t.Errorf("create: %+v, %v", d, err)
	}
	if d, err := s.DecideKnowing([]string{"sales"}, create, own); err != nil || d.Refused {
		t.Errorf("create of one's own: %+v, %v", d, err)
	}
	contact := []access.Access{{Action: access.Contact, Entity: "lead"}}
	if d, err := s.DecideKnowing([]string{"sales"}, contact, own); err != nil || !slices.Equal(d.Facts, []string{"consent:news"}) {
		t.Errorf("contact without consent: %+v, %v", d, err)
	}
	// An unknown fact meets a deny.
	lead := []access.Access{{Action: access.Delete, Entity: "lead"}}
	if d, err := s.DecideKnowing([]string{"boss", "intern"}, lead, nil); err != nil || d.Reason != ReasonDenied || !slices.Equal(d.Facts, []string{"own"}) {
		t.Errorf("delete of a lead: %+v, %v", d, err)
	}
	if d, err := s.DecideKnowing([]string{"boss", "intern"}, lead, other); err != nil || d.Refused {
		t.Errorf("delete of another's lead: %+v, %v", d, err)
	}
}

// A question touches any record: what is clear for some can't be asked about,
// whatever is known of the records at hand.
func TestKnownFactsOpenNoQuestion(t *testing.T) {
	t.Parallel()
	s := office(t)
	d, err := s.DecideKnowing([]string{"sales"}, []access.Access{on(access.Read, ref(access.RefFilter, "iban", access.Bank))}, access.Facts{"own": access.FactTrue})
	if err != nil || d.Reason != ReasonAsksMasked {
		t.Errorf("DecideKnowing = %+v, %v", d, err)
	}
}

// A read is allowed where any record could be shown; the others are masked by
// their own facts, so that a list with both doesn't fail.
func TestReadingIsAllowedWhereSomeRecordsAreShown(t *testing.T) {
	t.Parallel()
	s := loaded(t, "p, a, contact, *, read, clear, own, allow", "p, a, lead, *, read, clear, , allow", "p, a, lead, *, read, , own, deny")
	other := access.Facts{"own": access.FactFalse}
	for _, facts := range []access.Facts{nil, other, {"own": access.FactTrue}} {
		for _, e := range []access.Entity{"contact", "lead"} {
			if d, err := s.DecideKnowing([]string{"a"}, []access.Access{{Action: access.Read, Entity: e}}, facts); err != nil || d.Refused {
				t.Errorf("reading %s knowing %v: %+v, %v", e, facts, d, err)
			}
		}
	}
}
