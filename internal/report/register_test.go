package report

import (
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

func register() *Register {
	return &Register{
		Store: "sqlite", Retain: map[string]int{"access": 36, "employee": 12, "gateway": 0},
		Sites: []RegisterSite{{
			Name: "https://crm.example.de", Addresses: []string{"https://crm.example.de"}, Upstreams: []string{"crm:80"},
			Profile: "demo", Evidence: "live 1", Policies: []string{"builtin:demo"}, Policy: "abc", Issuer: "https://login.example.de",
			Factors: []string{"amr mfa"}, Sessions: map[string]string{"idle": "30m0s"}, Machines: []RegisterMachine{{Name: "nightly", By: "token", Roles: []string{"sales"}}},
			Routes: []string{"contacts"}, Entities: []RegisterEntity{{Name: "contact", Categories: []access.Category{access.Name, access.Bank}}},
			Roles: []RegisterRole{{Name: "sales", Sees: []RegisterSees{{
				Entity: "contact", Action: access.Read, How: map[access.Category]access.Treatment{access.Name: access.Clear, access.Bank: access.Hidden},
				If: map[string]map[access.Category]access.Treatment{"own": {access.Bank: access.Clear}},
			}}}},
			Exceptions: map[string]string{"plain_http": "behind a balancer"}, Desk: map[string]string{"auditors": "auditor, revision", "purpose_lasts": "8h0m0s"},
		}},
	}
}

// keep writes a register down as a start does.
func keep(t *testing.T, l *logOf, r *Register, minute int) bool {
	t.Helper()
	versions, err := Versions(t.Context(), l, "k")
	if err != nil {
		t.Fatal(err)
	}
	e := Keeping(r, versions, *at(minute))
	if e == nil {
		return false
	}
	e.Keyed, e.Time = []string{"k"}, *at(minute)
	l.add(*e)
	return true
}

func TestRegisterKeepsAVersionOfEachChange(t *testing.T) {
	l, r := newLog(), register()
	if !keep(t, l, r, 1) || keep(t, l, r, 2) || keep(t, l, register(), 3) {
		t.Fatal("one configuration is one version")
	}
	r.Sites[0].Roles[0].Sees[0].How[access.Bank] = access.Clear
	r.Sites[0].Routes = append(r.Sites[0].Routes, "export")
	r.Retain["employee"] = 6
	r.Sites[0].Machines = nil
	if !keep(t, l, r, 4) {
		t.Fatal("the change isn't kept")
	}
	rep, err := MakeRegister(t.Context(), l, "k", r, Query{Kind: RegisterKind}, "n1/9")
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, c := range rep.Register.Changes.Lines {
		side := func(s *string) string {
			if s == nil {
				return "-"
			}
			return *s
		}
		said = append(said, c.Field+"|"+c.Name+"|"+side(c.Before)+"|"+side(c.After))
	}
	want := []string{
		"retain|employee|12 months|6 months",
		"machine|nightly|token: sales|-",
		"route|export|-|",
		"sees|sales · read contact|clear: name; hidden: bank|clear: name, bank",
	}
	if !slices.Equal(said, want) || rep.Register.Number != 2 || rep.Register.Changes.From != 1 {
		t.Errorf("version %d, changes %q", rep.Register.Number, said)
	}
	back, err := MakeRegister(t.Context(), l, "k", r, Query{Kind: RegisterKind, Of: 1, Against: 2}, "n1/9")
	if err != nil || back.Register.Changes.From != 1 {
		t.Errorf("the other way round: %+v, %v", back, err)
	}
}

// A month can be destroyed: what is in force is written down anew in each.
func TestRegisterIsKeptAnewEachMonth(t *testing.T) {
	l, r := newLog(), register()
	keep(t, l, r, 1)
	month := 60 * 24 * 40
	if !keep(t, l, r, month) || keep(t, l, r, month+1) {
		t.Fatal("it is kept once a month")
	}
	l.entries[0].Entry.Event = audit.Start // the first one is gone
	versions, err := Versions(t.Context(), l, "k")
	if err != nil || len(versions) != 1 || versions[0].Number != 1 {
		t.Fatalf("%+v, %v", versions, err)
	}
	if lines, err := Content(t.Context(), l, versions[0]); err != nil || len(lines) != len(r.Lines()) {
		t.Errorf("%d lines, %v", len(lines), err)
	}
}

// A large one takes several leaves; one that isn't what was written isn't shown.
func TestRegisterVersionIsWhatItsHashSays(t *testing.T) {
	l, r := newLog(), register()
	keep(t, l, r, 1)
	first := &l.entries[0].Entry
	rest := *first
	rest.Lines, rest.Keyed, rest.Piece, rest.Pieces, rest.Detail = first.Lines[5:], nil, 2, 2, ""
	first.Lines, first.Piece, first.Pieces = first.Lines[:5:5], 1, 2
	l.add(rest)
	versions, _ := Versions(t.Context(), l, "k")
	if lines, err := Content(t.Context(), l, versions[0]); err != nil || len(lines) != len(r.Lines()) {
		t.Errorf("%d lines, %v", len(lines), err)
	}
	l.entries[1].Entry.Lines = append([]string{"x\tretain\ty\tz"}, rest.Lines...)
	if _, err := Content(t.Context(), l, versions[0]); err == nil || !strings.Contains(err.Error(), "hash") {
		t.Errorf("a changed version: %v", err)
	}
}

func TestRegisterLinesAreReadAsTheyWereWritten(t *testing.T) {
	r := register()
	r.Sites[0].Exceptions["ungated"] = "a reason\twith\ntabs"
	for _, l := range r.Lines() {
		got, ok := ParseLine(l.text())
		if !ok || got.Field != l.Field || got.text() != l.text() {
			t.Errorf("%+v is read as %+v", l, got)
		}
	}
	names := NamesIn(r.Lines())
	if !names["sales"] || !names["auditor"] || !names["revision"] || names["8h0m0s"] || names["nightly"] {
		t.Errorf("names %v", names)
	}
}

func TestRegisterKeepsItsShape(t *testing.T) {
	l, r := newLog(), register()
	keep(t, l, r, 1)
	r.Sites[0].Issuer = "https://other.example.de"
	keep(t, l, r, 2)
	rep, err := MakeRegister(t.Context(), l, "k", r, Query{Kind: RegisterKind}, "n1/9")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "register.json", rep)
}
