package report

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/transfer"
)

// stated is a register that says all that Art. 30 asks for.
func statedAll(t *testing.T) *Register {
	t.Helper()
	places, err := transfer.Judge([]string{"DE"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	who := &Party{Name: "Example GmbH", Contact: "post@example.de"}
	return &Register{
		Retain:  map[string]int{"access": 36},
		About:   RegisterAbout{Controller: who, Officer: &Party{Contact: "fewer than 20 people"}, Responsible: who, Measures: []string{"keys"}},
		Systems: []RegisterSystem{{Kind: SystemGateway, Self: true, Places: places}},
		Sites: []RegisterSite{{
			Name: "a", Upstreams: []string{"crm:80"}, Ways: []RegisterWay{{To: "crm:80", Protection: Protected}},
			Entities: []RegisterEntity{
				{Name: "contact", Categories: []access.Category{access.Name, access.Special}}, {Name: "lead", Categories: []access.Category{access.Name, access.Email}}, {Name: "product"},
			},
			About: RegisterAbout{
				System: "CRM", Subjects: []RegisterStated{{"*", "customers"}}, Retention: []RegisterStated{{"*", "3 years"}},
				Purposes: []RegisterPurpose{
					{"contact", []string{"6b"}, "serving"}, {"category:special", []string{"9a"}, "diets"},
					{"category:name", []string{"6f"}, "mail"}, {"category:email", []string{"6a"}, "mail"},
				},
			},
			Systems: []RegisterSystem{
				{Kind: SystemCRM, Operator: who, Contract: "1", Places: places}, {Kind: SystemProvider, Self: true, Places: places},
				{Kind: SystemRecipient, Name: "adviser", Purpose: "accounts", Places: places},
			},
		}},
	}
}

func saidGaps(r *Register, now time.Time) []string {
	var all []string
	for _, g := range r.RegisterGaps(now) {
		all = append(all, strings.Trim(g.What+" "+g.Site+" "+g.Name, " "))
	}
	return all
}

// Each thing that is left out is a gap, by its own name, and nothing else is one.
func TestEachOmissionIsAGap(t *testing.T) {
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	if all := saidGaps(statedAll(t), now); len(all) != 0 {
		t.Fatalf("nothing is left out: %q", all)
	}
	for want, leave := range map[string]func(*Register){
		"controller":                            func(r *Register) { r.About.Controller = nil },
		"controller a":                          func(r *Register) { own(r, "b"); r.About.Controller = nil },
		"controller_contact  Example":           func(r *Register) { r.About.Controller = &Party{Name: "Example"} },
		"dpo":                                   func(r *Register) { r.About.Officer = nil },
		"responsible":                           func(r *Register) { r.About.Responsible = nil },
		"system a":                              func(r *Register) { r.Sites[0].About.System = "" },
		"subjects a":                            func(r *Register) { r.Sites[0].About.Subjects = nil },
		"subjects a lead":                       func(r *Register) { r.Sites[0].About.Subjects[0].Of = "contact" },
		"erasure a":                             func(r *Register) { r.Sites[0].About.Retention = nil },
		"purposes a lead":                       func(r *Register) { r.Sites[0].About.Purposes = r.Sites[0].About.Purposes[:3] },
		"special_basis a contact":               func(r *Register) { r.Sites[0].About.Purposes[1].Bases = []string{"6a"} },
		"own_measures a":                        func(r *Register) { r.About.Measures = nil },
		"location a crm":                        func(r *Register) { r.Sites[0].Systems[0].Places = nil },
		"location  gateway":                     func(r *Register) { r.Systems[0].Places = nil },
		"processor a crm":                       func(r *Register) { r.Sites[0].Systems[0].Operator = nil },
		"contract a crm":                        func(r *Register) { r.Sites[0].Systems[0].Contract = "" },
		"recipient_purpose a recipient adviser": func(r *Register) { r.Sites[0].Systems[2].Purpose = "" },
		"upstream_unknown a":                    func(r *Register) { r.Sites[0].Ways[0].Dynamic = true },
		"log_kept_for_good_access":              func(r *Register) { r.Retain["access"] = 0 },
		"adequacy_expired a crm GB 2031-12-27":  func(r *Register) { elsewhere(t, r, "GB") },
		"adequacy_table_old a crm 2026-11-24":   func(r *Register) { elsewhere(t, r, "CH") },
	} {
		r := statedAll(t)
		leave(r)
		at := now
		if strings.HasPrefix(want, "adequacy") {
			at = now.AddDate(6, 0, 0)
		}
		got := saidGaps(r, at)
		if want == "adequacy_expired a crm GB 2031-12-27" {
			got = slices.DeleteFunc(got, func(g string) bool { return strings.HasPrefix(g, "adequacy_table_old") })
		}
		if !slices.Equal(got, []string{want}) {
			t.Errorf("want %q, got %q", want, got)
		}
	}
}

// own adds a site that names a controller of its own.
func own(r *Register, name string) {
	s := r.Sites[0]
	s.Name, s.About.Controller = name, &Party{Name: "Other GmbH", Contact: "post@other.example"}
	r.Sites = append(r.Sites, s)
}

func elsewhere(t *testing.T, r *Register, country string) {
	t.Helper()
	places, err := transfer.Judge([]string{country}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Sites[0].Systems[0].Places = places
}

// Two lines of a register never have one name: versions are compared by it.
func TestLinesHaveNamesOfTheirOwn(t *testing.T) {
	r := statedAll(t)
	r.Sites[0].About.Purposes = append(r.Sites[0].About.Purposes, RegisterPurpose{"contact", []string{"6f"}, "also"})
	r.Sites[0].Ways = append(r.Sites[0].Ways, RegisterWay{To: "crm:80", Protection: InClear}, RegisterWay{To: "crm:80", Protection: InClear, Around: true})
	seen := map[Line]bool{}
	for _, l := range r.Lines() {
		l.Value = ""
		if seen[l] {
			t.Errorf("two lines %+v", l)
		}
		seen[l] = true
	}
	before := statedAll(t)
	before.Sites[0].Systems[0].Places = nil
	var fields []string
	for _, c := range Compare(before.Lines(), r.Lines()) {
		fields = append(fields, c.Field)
	}
	if want := []string{"around", "location", "purpose", "way"}; !slices.Equal(fields, want) {
		t.Errorf("changes of %q", fields)
	}
}
