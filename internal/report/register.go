package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/access"
)

// Register is the body of the technical part of a register of processing: what the
// configuration in force says, and how it differs from an earlier version.
type Register struct {
	// Number is 0 while the log doesn't hold this version yet.
	Number int `json:"number"`
	// Hash is the SHA-256 of its lines, in hexadecimal.
	Hash  string         `json:"sha256"`
	Since *time.Time     `json:"since,omitempty"`
	Sites []RegisterSite `json:"sites"`
	// Retain are the months that the audit log is kept for; 0 is for good.
	Retain map[string]int `json:"retain_months"`
	// Store is where sessions and, where it is a database, the log are.
	Store string `json:"store"`
	// About is what is stated of all sites.
	About RegisterAbout `json:"about"`
	// Systems are those that all sites share: this gateway, its database, and where
	// the log's entries are passed on to.
	Systems []RegisterSystem `json:"systems"`
	// Measures are those that hold for all sites.
	Measures []RegisterMeasure `json:"measures"`
	// Settings are the other words of the configuration that hold for all sites.
	Settings map[string]string `json:"settings"`
	// Counted says how far the sites' traffic was counted, Elsewhere names hosts in the
	// log that belong to no site of this configuration. Neither is part of a version.
	Counted   []RegisterCounted `json:"counted,omitempty"`
	Elsewhere []string          `json:"elsewhere,omitempty"`
	// Missing is how many gaps there are.
	Missing int `json:"missing"`
	// Versions are those that the log holds, the newest first.
	Versions []RegisterVersion `json:"versions"`
	// Changes lead from one version to another; nil where there is one alone.
	Changes *Changes `json:"changes,omitempty"`
}

// RegisterSite is a gate with its site.
type RegisterSite struct {
	// Name is the site's first address.
	Name      string   `json:"name"`
	Addresses []string `json:"addresses"`
	// Upstreams are where the CRM is asked.
	Upstreams []string `json:"upstreams"`
	Profile   string   `json:"profile"`
	Evidence  string   `json:"evidence"`
	// Policies are the files, Policy the version of what they say.
	Policies []string `json:"policies"`
	Policy   string   `json:"policy"`
	// Issuer is who signs employees in, Factors what proves the second factor.
	Issuer  string   `json:"issuer"`
	Factors []string `json:"second_factor"`
	// Sessions are the limits of a session.
	Sessions map[string]string `json:"sessions"`
	// Machines are API clients: they prove no second factor.
	Machines []RegisterMachine `json:"machines"`
	// Routes are the profile's.
	Routes   []string         `json:"routes"`
	Entities []RegisterEntity `json:"entities"`
	Roles    []RegisterRole   `json:"roles"`
	// Exceptions are the lines that open something, with their reasons.
	Exceptions map[string]string `json:"exceptions"`
	// Desk says which roles may read the log here; nil where there is no desk.
	Desk map[string]string `json:"desk"`
	// Served are the addresses, with how the way to them is protected; Ways where
	// requests are sent on to.
	Served []RegisterServed `json:"served"`
	Ways   []RegisterWay    `json:"ways"`
	// About is what is stated of this site: it goes before what is stated of all.
	About RegisterAbout `json:"about"`
	// Systems are the CRM, the identity provider, the machines, and recipients.
	Systems  []RegisterSystem  `json:"systems"`
	Measures []RegisterMeasure `json:"measures"`
	// Settings are the other words of the configuration.
	Settings map[string]string `json:"settings"`
	// Traffic is what the log says was shown; nil where nobody counted. It is no part
	// of a version.
	Traffic *RegisterTraffic `json:"traffic,omitempty"`
}

// RegisterMachine is an API client.
type RegisterMachine struct {
	Name string `json:"name"`
	// By is how it signs in: token, certificate or secret.
	By    string   `json:"by"`
	Roles []string `json:"roles"`
}

// RegisterEntity is a kind of record, with the categories of its fields.
type RegisterEntity struct {
	Name       string            `json:"name"`
	Categories []access.Category `json:"categories"`
}

// RegisterRole is a role of the policy.
type RegisterRole struct {
	Name string         `json:"name"`
	Sees []RegisterSees `json:"sees"`
}

// RegisterSees is what a role may do with a kind of record. What isn't listed is
// refused.
type RegisterSees struct {
	Entity string        `json:"entity"`
	Action access.Action `json:"action"`
	// How says how each category is treated.
	How map[access.Category]access.Treatment `json:"how"`
	// If says what changes where a fact holds: own, for the record's own employee.
	If map[string]map[access.Category]access.Treatment `json:"if,omitempty"`
}

// Line is one line of a register: of a site ("" for the server), a field of the
// closed list, what it is about, and its value.
type Line struct {
	Site  string `json:"site,omitempty"`
	Field string `json:"field"`
	Name  string `json:"name,omitempty"`
	Value string `json:"value"`
}

// Lines are all that a register says, sorted: what the log keeps of it, and what
// versions are compared by.
func (r *Register) Lines() []Line {
	var all []Line
	add := func(site, field, name, value string) {
		if value != "" || name != "" {
			all = append(all, Line{site, field, name, value})
		}
	}
	for kind, months := range r.Retain {
		add("", "retain", kind, fmt.Sprintf("%d months", months))
	}
	add("", "store", "", r.Store)
	of := func(field, name, value string) { add("", field, name, value) }
	r.About.lines(of)
	systemLines(r.Systems, of)
	measureLines(r.Measures, of)
	for word, value := range r.Settings {
		of("setting", word, value)
	}
	for i := range r.Sites {
		r.Sites[i].lines(func(field, name, value string) { add(r.Sites[i].Name, field, name, value) })
	}
	slices.SortFunc(all, func(a, b Line) int { return strings.Compare(a.text(), b.text()) })
	return all
}

func (s *RegisterSite) lines(add func(field, name, value string)) {
	each := func(field string, names []string) {
		for _, n := range names {
			add(field, n, "")
		}
	}
	pairs := func(field string, m map[string]string) {
		for name, value := range m {
			add(field, name, value)
		}
	}
	each("address", s.Addresses)
	each("upstream", s.Upstreams)
	add("profile", "", s.Profile+" ("+s.Evidence+")")
	add("policy", "", strings.Join(s.Policies, ", ")+" ("+s.Policy+")")
	add("issuer", "", s.Issuer)
	each("second_factor", s.Factors)
	pairs("session", s.Sessions)
	for _, m := range s.Machines {
		add("machine", m.Name, m.By+": "+strings.Join(m.Roles, ", "))
	}
	each("route", s.Routes)
	for _, e := range s.Entities {
		add("entity", e.Name, joined(e.Categories))
	}
	for _, role := range s.Roles {
		add("role", role.Name, "")
		for _, sees := range role.Sees {
			name := role.Name + " · " + string(sees.Action) + " " + sees.Entity
			add("sees", name, treatments(sees.How))
			for fact, how := range sees.If {
				add("sees", name+" · "+fact, treatments(how))
			}
		}
	}
	pairs("exception", s.Exceptions)
	pairs("desk", s.Desk)
	pairs("setting", s.Settings)
	for _, a := range s.Served {
		add("served", a.Address, because(a.Protection, a.Reason))
	}
	for i := range s.Ways {
		s.Ways[i].lines(add)
	}
	s.About.lines(add)
	systemLines(s.Systems, add)
	measureLines(s.Measures, add)
}

func systemLines(all []RegisterSystem, add func(field, name, value string)) {
	for i := range all {
		all[i].lines(add)
	}
}

func measureLines(all []RegisterMeasure, add func(field, name, value string)) {
	for _, m := range all {
		add("measure", m.What, m.Value)
	}
}

func because(what, reason string) string {
	if reason == "" {
		return what
	}
	return what + ": " + reason
}

func (w *RegisterWay) lines(add func(field, name, value string)) {
	field, name := "way", w.To
	if w.Around {
		field = "around"
	}
	if name == "" {
		name = "?"
	}
	what := w.Protection
	if w.Dynamic {
		what += ", found at run time"
	}
	add(field, name+" · "+what, because(strings.Join(w.Where, "; "), w.Reason))
}

func joined(all []access.Category) string {
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = string(c)
	}
	return strings.Join(names, ", ")
}

// treatments writes which categories are treated how, the most revealing first.
func treatments(how map[access.Category]access.Treatment) string {
	var parts []string
	for _, t := range slices.Backward(access.Treatments()) {
		var cs []access.Category
		for _, c := range access.Categories() {
			if got, ok := how[c]; ok && got == t {
				cs = append(cs, c)
			}
		}
		if cs != nil {
			parts = append(parts, t.String()+": "+joined(cs))
		}
	}
	return strings.Join(parts, "; ")
}

// text is a line as the log keeps it.
func (l Line) text() string {
	clean := strings.NewReplacer("\t", " ", "\n", " ")
	return strings.Join([]string{clean.Replace(l.Site), l.Field, clean.Replace(l.Name), clean.Replace(l.Value)}, "\t")
}

// Texts are lines as the log keeps them.
func Texts(all []Line) []string {
	texts := make([]string, len(all))
	for i, l := range all {
		texts[i] = l.text()
	}
	return texts
}

// ParseLine reads a line of the log.
func ParseLine(text string) (Line, bool) {
	p := strings.Split(text, "\t")
	if len(p) != 4 || p[1] == "" {
		return Line{}, false
	}
	return Line{p[0], p[1], p[2], p[3]}, true
}

// HashLines is the hash by which a version is told from others.
func HashLines(texts []string) string {
	sum := sha256.Sum256([]byte(strings.Join(texts, "\n")))
	return hex.EncodeToString(sum[:])
}
