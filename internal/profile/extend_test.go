package profile

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
)

const extension = `
profile: acme/9
extends: espocrm
evidence: recorded
entities:
  contact:
    types: [CMember]
    unknown: mask
    fields:
      emailAddress|cShoe: special
      "cIban*": free_text
      opportunitiesPrimary: bank
      accounts: name
    relations: {cHobbies: CHobby}
    search: {textFilter: {parts: [name, cShoe]}}
  hobby:
    like: activity
    types: [CHobby]
    fields: {name: public, cMotto: free_text}
relations: {any: {cHobby: CHobby}}
routes:
  - {match: GET /api/v1/CHobby/action/ranking, entity: CHobby, action: search, records: [{at: "$.list[*]"}]}
`

func loaded(t *testing.T, src string) *Profile {
	t.Helper()
	p, err := Load([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestExtendedProfileGoesBeforeTheOneThatShips(t *testing.T) {
	p := loaded(t, extension)
	if p.Name != "acme/9" || p.Evidence != "recorded" || p.withheld == "" {
		t.Errorf("%q %q %q", p.Name, p.Evidence, p.withheld)
	}
	for name, want := range map[string]string{
		"Contact.emailAddress": "special", "Contact.cShoe": "special", "CMember.cShoe": "special", "Contact.cIbanPrivate": "free_text", "Contact.cBic": "bank",
		"Contact.name": "name", "Contact.unheardOf": "unclassified", "Lead.emailAddress": "email", "Lead.cIban": "bank", "CHobby.name": "public", "CHobby.cMotto": "free_text",
		"CHobby.subject": "free_text", "Contact.opportunitiesPrimary": "bank", "Contact.accounts": "name", "CHobby.modifiedAt": "public",
	} {
		typ, field, _ := strings.Cut(name, ".")
		r := p.resolve(typ, []string{field})
		if got := string(r.field.categories[0]); r.entity == nil || got != want || r.related != "" {
			t.Errorf("%s: %q (%q), want %q", name, got, r.related, want)
		}
	}
	if f := p.entityOf("Contact").lookup("x", true); f.public() {
		t.Error("unknown: mask of the extension isn't heeded")
	}
	for name, want := range map[string]string{"Contact.cHobbies": "CHobby", "Lead.cHobby": "CHobby", "Contact.casesPrimary": "Case", "CHobby.attachments": "Attachment"} {
		typ, field, _ := strings.Cut(name, ".")
		if got, _ := p.relates(p.entityOf(typ), field); got != want {
			t.Errorf("%s leads to %q, want %q", name, got, want)
		}
	}
	if got := p.entityOf("Contact").search["textFilter"].Parts; !slices.Equal(got, []string{"name", "cShoe"}) {
		t.Errorf("search looks into %q", got)
	}
	if p.entityOf("CHobby").search != nil || p.entityOf("CHobby").name != "hobby" || p.entityOf("CHobby").owner != "assignedUserId" {
		t.Errorf("%+v", p.entityOf("CHobby"))
	}
}

func TestAddedTypesAreServedByTheRoutesThatShip(t *testing.T) {
	p := loaded(t, extension)
	x, err := p.Classify(Request{Method: "GET", Path: "/api/v1/CHobby", Query: []Param{{Name: "select", Value: "name,cMotto"}}})
	if err != nil {
		t.Fatal(err)
	}
	a := x.Accesses[0]
	if a.Entity != "hobby" || len(a.Refs) != 2 || a.Refs[1].Categories[0] != access.FreeText {
		t.Errorf("%+v", a)
	}
	if _, err := p.Classify(Request{Method: "GET", Path: "/api/v1/CHobby/action/ranking"}); err != nil {
		t.Error(err)
	}
	_, err = p.Classify(Request{Method: "GET", Path: "/api/v1/CUnheardOf"})
	if _, ok := errors.AsType[*Refusal](err); !ok {
		t.Errorf("a type that nothing lists: %v", err)
	}
}

func TestExtensionsAreLoadedStrictly(t *testing.T) {
	for _, c := range []struct{ name, old, with, want string }{
		{"no such profile", "extends: espocrm", "extends: espo", `no profile "espo" ships with crmgate; there are:`},
		{"another key", "relations: {any:", "headers: {X-A: [b]}\nrelations: {any:", "headers: a profile that extends another has entities"},
		{"another key within one", "relations: {any:", "relations: {suffix: ., any:", "relations: a profile that extends another"},
		{"another word of normalize", "relations: {any:", "normalize: {ids: integer}\nrelations: {any:", "normalize: a profile that extends another"},
		{"id of an entity that ships", "    unknown: mask\n", "    id: key\n", "entity contact (line 6): id is said by the profile that is extended"},
		{"like an entity that isn't there", "like: activity", "like: activities", `entity hobby (line 16): like: the profile that is extended has no entity "activities"; nearest: "activity"`},
		{"like beside the same name", "    unknown: mask\n", "    like: lead\n", "has this entity; leave `like` out"},
		{"unknown key of an entity", "    unknown: mask\n", "    unknwon: mask\n", `unknown key "unknwon"; nearest: "unknown"`},
		{"unknown key of a field", "cMotto: free_text", "cMotto: {categories: [name], keyz: true}", `unknown key "keyz"; nearest: "keys"`},
		{"type twice", "types: [CHobby]", "types: [CHobby, Lead]", `the type "Lead" belongs to entity lead already`},
		{"field twice", "emailAddress|cShoe: special", "emailAddress|cShoe: special\n      cShoe|cBoot: special", `"cShoe" is listed before already`},
		{"relation to nowhere", "{cHobbies: CHobby}", "{cHobbies: CHobbies}", `leads to type "CHobbies", which no entity has`},
		{"route before all others", "GET /api/v1/CHobby/action/ranking", "\"GET /{rest**}\"", "can never match"},
		{"fields that are none", "fields: {name: public, cMotto: free_text}", "fields: [name]", "expected a mapping"},
		{"like without extends", "extends: espocrm", "withheld: x", "`like` is for an entity that a profile adds to the one that it extends"},
		{"no evidence", "evidence: recorded", "evidence: good", "say how sure the profile is"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(extension, c.old) {
				t.Fatalf("the extension has no %q", c.old)
			}
			_, err := Load([]byte(strings.Replace(extension, c.old, c.with, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nwant %s", err, c.want)
			}
		})
	}
}

// Every profile that ships can be extended, and an extension that says nothing is
// the same profile.
func TestEveryProfileThatShipsCanBeExtended(t *testing.T) {
	for _, name := range BuiltinNames() {
		src, err := Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		base := loaded(t, string(src))
		p := loaded(t, "profile: x/1\nevidence: documented\nextends: "+name+"\n")
		if d := Diff(base, p); len(d) > 0 {
			t.Errorf("%s: %v", name, d)
		}
		for _, e := range base.entities {
			p := loaded(t, "profile: x/1\nevidence: documented\nextends: "+name+"\nentities:\n  "+string(e.name)+": {types: [Xx], fields: {xx: bank}, relations: {xy: Xx}, search: {xz: {parts: [xx]}}}\n  twin: {like: "+string(e.name)+", types: [Xy]}\n")
			for _, d := range Diff(base, p) {
				if d.Name != "twin" && d.Name != string(e.name)+".xx" && d.Name != string(e.name)+".xy" {
					t.Errorf("%s: %v", name, d)
				}
			}
		}
	}
}

// What an extension lists by name is taken out of the alternatives that ship,
// whatever the case where case doesn't count.
func TestNamesAreFoldedWhereTheProfileThatShipsFoldsThem(t *testing.T) {
	p := loaded(t, "profile: x/1\nevidence: documented\nextends: salesforce\nentities:\n  contact: {fields: {firstname: public, Reportsto: bank}}\nnormalize: {prefixes: {a01: Contact}}\n")
	if got := p.resolve("Contact", []string{"FirstName"}).field.categories[0]; got != access.Public {
		t.Errorf("%s", got)
	}
	if r := p.resolve("Contact", []string{"ReportsTo"}); r.related != "" || r.field.categories[0] != access.Bank {
		t.Errorf("%+v", r)
	}
	if p.prefixes["a01"] != "Contact" || p.prefixes["003"] != "Contact" {
		t.Error("prefixes")
	}
}

// FuzzExtend: whatever entities an extension has, it is refused, or the types and the
// fields of the profile that ships are still known.
func FuzzExtend(f *testing.F) {
	_, entities, _ := strings.Cut(extension, "entities:")
	f.Add("entities:" + entities)
	f.Add("entities: {contact: {types: &a [X], fields: &b {name|x: bank, <<: *b}}}")
	f.Add("entities: {contact: {types: x, relations: {<<: [{a: Y}]}, search: 1}, y: {like: contact, fields: }}")
	f.Fuzz(func(t *testing.T, entities string) {
		p, err := Load([]byte("profile: x/1\nevidence: documented\nextends: espocrm\n" + entities))
		if err != nil {
			return
		}
		for _, typ := range []string{"Contact", "Lead", "User"} {
			if !p.Knows(typ, "name") {
				t.Errorf("%s is lost", typ)
			}
		}
	})
}
