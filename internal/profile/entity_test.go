package profile

import (
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
)

// partNames are the categories of all entities that a question asks about.
func partNames(found []asked) string {
	var cats []access.Category
	for _, a := range found {
		cats = append(cats, a.categories...)
	}
	return names(unique(cats))
}

func names(cats []access.Category) string {
	var out []string
	for _, c := range cats {
		out = append(out, string(c))
	}
	slices.Sort(out)
	return strings.Join(out, "+")
}

// TestExactNameBeatsGlob: then the first glob that matches.
func TestExactNameBeatsGlob(t *testing.T) {
	src := change(t, "      any_*: online\n", "      any_*: online\n      \"any_m*|other_*\": tax_id\n      any_mail: email\n")
	p, err := Load([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	e := p.entityOf("crm.person")
	for name, want := range map[string]string{
		"any_mail": "email", "any_more": "online", "other_x": "tax_id", "id": "public", "unheard": "unclassified",
	} {
		if got := names(e.lookup(name, false).categories); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if got := names(e.lookup("unheard", true).categories); got != "public" {
		t.Errorf("an unknown number is %s, want public", got)
	}
}

func TestExactTypeBeatsGlob(t *testing.T) {
	p := mini(t)
	for typ, want := range map[string]access.Entity{
		"crm.person": "person", "crm.account": "account", "crm.account.line": "account", "ref.x": "place",
	} {
		if e := p.entityOf(typ); e == nil || e.name != want {
			t.Errorf("entityOf(%q) = %v, want %s", typ, e, want)
		}
	}
	for _, typ := range []string{"", "crm", "crm.person ", "Crm.Person", "crm.persons", "account"} {
		if e := p.entityOf(typ); e != nil {
			t.Errorf("entityOf(%q) = %s, want none", typ, e.name)
		}
	}
}

// TestDottedNamesFollowDeclaredRelationsOnly: a step that the profile doesn't
// know leads to something unclassified, even in an entity where unknown fields
// pass.
func TestDottedNamesFollowDeclaredRelationsOnly(t *testing.T) {
	p := mini(t)
	for _, c := range []struct{ typ, name, entity, want, related string }{
		{"crm.person", "phone", "person", "phone", ""},
		{"crm.person", "boss.boss.phone", "person", "phone", ""},
		{"crm.person", "accounts.iban", "account", "bank", ""},
		{"crm.person", "create_uid.secret", "person", "credential", ""},
		{"crm.person", "accounts", "person", "public", "crm.account"},
		{"crm.person", "nosuch.phone", "", "unclassified", ""},
		{"crm.person", "boss..phone", "", "unclassified", ""},
		{"crm.person", ".phone", "", "unclassified", ""},
		{"crm.person", "phone.x", "", "unclassified", ""},
		{"ref.place", "anything", "place", "public", ""},
		{"ref.place", "keeper.phone", "person", "phone", ""},
		{"ref.place", "unknown.phone", "", "unclassified", ""},
		{"ref.place", "parent", "place", "public", "ref.place"},
		{"crm.account", "parent", "account", "public", "crm.account"},
		{"no.such", "phone", "", "unclassified", ""},
	} {
		r := p.resolve(c.typ, strings.Split(c.name, "."))
		entity := ""
		if r.entity != nil {
			entity = string(r.entity.name)
		}
		if entity != c.entity || names(r.field.categories) != c.want || r.related != c.related {
			t.Errorf("%s.%s is %s of %q, related %q; want %s of %q, related %q",
				c.typ, c.name, names(r.field.categories), entity, r.related, c.want, c.entity, c.related)
		}
	}
}

// TestOwnRelationBeatsFieldBeatsAnyRelation keeps the order in which a name is
// looked up.
func TestOwnRelationBeatsFieldBeatsAnyRelation(t *testing.T) {
	src := change(t, "      email: email\n", "      email|boss|create_uid: public\n")
	src = strings.Replace(src, "relations: {owners: crm.person, parent: crm.account}", "relations: {owners: crm.person, parent: \"\"}", 1)
	p, err := Load([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ typ, name, related string }{
		{"crm.person", "boss", "crm.person"},
		{"crm.person", "create_uid", ""},
		{"crm.account", "create_uid", "crm.person"},
		{"crm.account", "parent", ""},
	} {
		if r := p.resolve(c.typ, []string{c.name}); r.related != c.related {
			t.Errorf("%s.%s leads to %q, want %q", c.typ, c.name, r.related, c.related)
		}
	}
}

// TestCompositeAsksForAllItsParts: parts that lead back to where they came from
// end the search, they don't hide the others.
func TestCompositeAsksForAllItsParts(t *testing.T) {
	p := mini(t)
	for _, c := range []struct {
		role access.RefRole
		name string
		want string
	}{
		{access.RefFilter, "rec_name", "bank+name+phone"},
		{access.RefSearch, "rec_name", "bank+name+phone"},
		{access.RefSort, "rec_name", "name"},
		{access.RefFilter, "boss", "bank+name+phone"},
		{access.RefFilter, "accounts", "bank+name+phone"},
		{access.RefSort, "accounts", "bank"},
		{access.RefFilter, "vat", "bank"},
		{access.RefFilter, "place", "public"},
		{access.RefFilter, "nosuch", "unclassified"},
	} {
		if got := partNames(p.parts(c.role, p.resolve("crm.person", strings.Split(c.name, ".")))); got != c.want {
			t.Errorf("%s by %s asks for %s, want %s", c.role, c.name, got, c.want)
		}
	}
}

// TestQuestionAsksEachEntityByItself: a policy can show a category in the records
// of one entity and hide it in another's.
func TestQuestionAsksEachEntityByItself(t *testing.T) {
	p := mini(t)
	for _, c := range []struct{ typ, name, want string }{
		{"crm.account", "iban", "account:bank"},
		{"crm.account", "rec_name", "account:bank person:name+phone"},
		{"crm.account", "owners", "person:name+phone account:bank"},
		{"ref.place", "keeper", "person:name+phone account:bank"},
		{"ref.place", "nosuch", "place:public"},
		{"no.such", "name", "no.such:unclassified"},
	} {
		var got []string
		for _, a := range p.parts(access.RefFilter, p.resolve(c.typ, []string{c.name})) {
			got = append(got, string(a.entity)+":"+names(a.categories))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s.%s asks %s, want %s", c.typ, c.name, s, c.want)
		}
	}
}

func TestCompositeOfNothingButItselfIsUnclassified(t *testing.T) {
	src := change(t, "search:\n      rec_name: {parts: [iban, owners.rec_name]}", "search:\n      rec_name: {parts: [parent.rec_name]}")
	p, err := Load([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	if got := partNames(p.parts(access.RefFilter, p.resolve("crm.account", []string{"rec_name"}))); got != "unclassified" {
		t.Errorf("asks for %s, want unclassified", got)
	}
}

func TestValuesAreKnownByTheirForm(t *testing.T) {
	for in, want := range map[string]access.Category{
		"a@b.example": access.Email, "mailto:a@b.example": access.Email, "+49 171 3920099": access.Phone, "tel:0221/4710": access.Phone,
		"DE89 3704 0044 0532 0130 00": access.Bank, "www.x.example": access.Online, "https://x.example/a": access.Online,
		"Vera Lindqvist": "", "": "", "12": "", "a@b": "", "+49 171 3920099 (privat)": "",
	} {
		if got := detect(in); got != want {
			t.Errorf("detect(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestNearestWordIsSuggested(t *testing.T) {
	if got := nearest("evidense", []string{"entities", "evidence", "error"}); got != "evidence" {
		t.Errorf("nearest = %q", got)
	}
}
