package command

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/demo/provider"
	"github.com/crmgate/crmgate/internal/policy"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/policies"
)

// guest is somebody who can sign in to the demo.
type guest struct {
	Login    string   `json:"login"`
	Password string   `json:"password"`
	Roles    []string `json:"roles"`
	// TOTPSecret is for an authenticator, base32; empty is no second factor.
	TOTPSecret string `json:"totp_secret,omitempty"`
	Sees       string `json:"sees"`
}

func (g guest) roles() string { return strings.Join(g.Roles, ", ") }

func (g guest) factor() string {
	if g.TOTPSecret == "" {
		return "none"
	}
	return "code"
}

// guests lists the demo's employees with what the policy lets them see.
func (h *house) guests() ([]guest, error) {
	s, err := demoPolicy()
	if err != nil {
		return nil, err
	}
	var list []guest
	for _, e := range provider.Employees() {
		g := guest{Login: e.Login, Password: e.Password, Roles: e.Roles, TOTPSecret: e.TOTPSecret}
		if g.Sees, err = sees(s, e); err != nil {
			return nil, err
		}
		list = append(list, g)
	}
	return list, nil
}

func demoPolicy() (*policy.Snapshot, error) {
	src, err := profile.Builtin(demoName)
	if err != nil {
		return nil, fmt.Errorf("reading the demo's profile: %w", err)
	}
	p, err := profile.Load(src)
	if err != nil {
		return nil, fmt.Errorf("reading the demo's profile: %w", err)
	}
	raw, err := policies.Files.ReadFile(demoName + ".csv")
	if err != nil {
		return nil, fmt.Errorf("reading the demo's policy: %w", err)
	}
	return loadPolicies([]policy.File{{Name: demoName + ".csv", Bytes: raw}}, p.Entities())
}

// sees says in one line what an employee sees of a contact.
func sees(s *policy.Snapshot, e provider.Employee) (string, error) {
	if e.TOTPSecret == "" {
		return "nothing: refused at sign-in, for want of a second factor", nil
	}
	d, err := s.Decide(e.Roles, []access.Access{{Action: access.Read, Entity: demoEntity, Type: string(demoEntity)}})
	if err != nil {
		return "", fmt.Errorf("asking the demo's policy: %w", err)
	}
	if d.Refused {
		return "nothing: no line of the policy lets the role into the CRM", nil
	}
	by := map[access.Treatment][]string{}
	var own []string
	for _, c := range demoCategories() {
		name, v := strings.ReplaceAll(string(c), "_", " "), d.Plan.Verdict(demoEntity, c, nil)
		by[v.Treatment] = append(by[v.Treatment], name)
		if t := d.Plan.Verdict(demoEntity, c, access.Facts{"own": access.FactTrue}).Treatment; t != v.Treatment {
			own = append(own, name+" "+t.String())
		}
	}
	order := access.Treatments()
	slices.Reverse(order)
	var parts []string
	for _, t := range order {
		switch {
		case len(by[t]) == 0:
		case len(by[t]) == len(demoCategories()):
			return "everything " + t.String(), nil
		case t <= access.Hidden:
			parts = append(parts, "the rest "+t.String())
		default:
			parts = append(parts, strings.Join(by[t], ", ")+" "+t.String())
		}
	}
	if len(own) > 0 {
		parts = append(parts, "of their own "+strings.Join(own, ", "))
	}
	return strings.Join(parts, "; "), nil
}

const (
	demoName                 = "demo"
	demoEntity access.Entity = "contact"
)

// demoCategories are the kinds of personal data that a contact of the demo has.
func demoCategories() []access.Category {
	return []access.Category{
		access.Name, access.Email, access.Phone, access.Address, access.Birthdate, access.Bank, access.TaxID, access.FreeText,
	}
}
