package e2e

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/test/stack"
)

// facts is what test/tryton/seed.py has put into the database.
type facts struct {
	Parties map[string]party `json:"parties"`
	Users   map[string]struct {
		Password string `json:"password"`
	} `json:"users"`
}

type party struct {
	Name        string          `json:"name"`
	Person      string          `json:"person"`
	IsPerson    bool            `json:"is_person"`
	AvatarURL   string          `json:"avatar_url"`
	Phones      []phone         `json:"phones"`
	Emails      []contactValue  `json:"emails"`
	Websites    []contactValue  `json:"websites"`
	IBANs       []iban          `json:"ibans"`
	Identifiers []identifier    `json:"identifiers"`
	Addresses   []postalAddress `json:"addresses"`
	Notes       []struct {
		Message string `json:"message"`
	} `json:"notes"`
	Attachments   []struct{ Name string } `json:"attachments"`
	Opportunities []struct {
		Comment, Description, Reference string
	} `json:"opportunities"`
}

type (
	phone struct {
		Value string   `json:"value"`
		Forms []string `json:"forms"`
	}
	contactValue struct{ Value string }
	iban         struct{ Value, Compact string }
	identifier   struct{ Code string }
)

type postalAddress struct{ Street, Full string }

func (c *tryton) facts(t *testing.T) *facts {
	t.Helper()
	raw, err := os.ReadFile(c.factsFile())
	if err != nil {
		t.Fatal(err)
	}
	f := new(facts)
	if err := json.Unmarshal(raw, f); err != nil {
		t.Fatal(err)
	}
	return f
}

// secret is a value that somebody must not see.
type secret struct {
	kind  string
	party string
	value string
}

// byKind lists the values of a party as the categories of a policy name them.
func (p party) byKind() map[string][]string {
	kinds := map[string][]string{"name": {p.Name, p.Person}}
	add := func(kind string, values ...string) {
		for _, v := range values {
			if v != "" && !slices.Contains(kinds[kind], v) {
				kinds[kind] = append(kinds[kind], v)
			}
		}
	}
	for _, n := range p.Phones {
		add("phone", n.Forms...)
	}
	for _, v := range p.Emails {
		add("email", v.Value)
	}
	for _, v := range p.Websites {
		add("online", v.Value)
	}
	for _, v := range p.IBANs {
		add("bank", v.Value, v.Compact)
	}
	for _, v := range p.Identifiers {
		add("tax_id", v.Code)
	}
	for _, v := range p.Addresses {
		add("address", v.Street)
	}
	for _, v := range p.Notes {
		add("free_text", v.Message)
		add("phone", privateNumber.FindAllString(v.Message, -1)...)
	}
	for _, v := range p.Attachments {
		add("free_text", v.Name)
	}
	for _, v := range p.Opportunities {
		add("free_text", v.Comment, v.Description, v.Reference)
	}
	return kinds
}

// privateNumber is a telephone number in a text.
var privateNumber = regexp.MustCompile(`(\+49 ?|\b0)1\d\d ?\d{7,8}`)

// hidden are the categories that a role must not see in clear, whatever it asks:
// policies/tryton.csv says the same in its own words.
func hidden(role string) []string {
	switch role {
	case "sales":
		return []string{"phone", "bank", "tax_id", "free_text"}
	case "marketing":
		return []string{"phone", "bank", "tax_id", "free_text", "address", "online"}
	}
	return nil
}

// secretsOf lists all values that a role must not see.
func (f *facts) secretsOf(role string) []secret {
	var list []secret
	for id, p := range f.Parties {
		kinds := p.byKind()
		for _, kind := range hidden(role) {
			for _, v := range kinds[kind] {
				list = append(list, secret{kind, id, v})
			}
		}
	}
	return list
}

// all lists every personal value.
func (f *facts) all() []secret {
	var list []secret
	for id, p := range f.Parties {
		for kind, values := range p.byKind() {
			for _, v := range values {
				list = append(list, secret{kind, id, v})
			}
		}
	}
	return list
}

// spotted returns the secrets that can be read out of an answer, but for those
// that the client sent itself.
func spotted(secrets []secret, answer, sent *stack.Reading) []secret {
	var found []secret
	for _, s := range secrets {
		if answer.Holds(s.value) && !sent.Holds(s.value) {
			found = append(found, s)
		}
	}
	return found
}

func (s secret) String() string { return strings.Join([]string{s.kind, s.party, s.value}, " ") }
