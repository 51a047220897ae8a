// Package access holds the words of the house as plain types: what one request
// asks for, who asks, what the policy says of it and what a response disclosed.
// It is the leaf of the import graph and uses the standard library only.
package access

import (
	"fmt"
	"slices"
)

// Action is what an access does to records.
type Action string

// The closed list of actions.
const (
	Read    Action = "read"
	Search  Action = "search"
	Create  Action = "create"
	Update  Action = "update"
	Delete  Action = "delete"
	Export  Action = "export"
	Contact Action = "contact"
	Reveal  Action = "reveal"
)

// Actions lists every action in a fixed order.
func Actions() []Action {
	return []Action{Read, Search, Create, Update, Delete, Export, Contact, Reveal}
}

// Valid reports whether a is in the closed list.
func (a Action) Valid() bool { return slices.Contains(Actions(), a) }

// Category is what kind of personal data a field holds. Policies speak of
// categories, never of a CRM's fields.
type Category string

// The closed list of categories.
const (
	Name      Category = "name"
	Email     Category = "email"
	Phone     Category = "phone"
	Address   Category = "address"
	Birthdate Category = "birthdate"
	Bank      Category = "bank"
	TaxID     Category = "tax_id"
	Identity  Category = "identity"
	Special   Category = "special"
	// Credential is never disclosed and never asked about, whatever a policy says.
	Credential Category = "credential"
	FreeText   Category = "free_text"
	Online     Category = "online"
	// Public is not personal data: always clear, and may be asked about.
	Public Category = "public"
	// Unclassified is what a profile does not know. A policy's `*` does not
	// cover it; it has to be named.
	Unclassified Category = "unclassified"
)

// Categories lists every category in a fixed order.
func Categories() []Category {
	return []Category{
		Name, Email, Phone, Address, Birthdate, Bank, TaxID, Identity, Special,
		Credential, FreeText, Online, Public, Unclassified,
	}
}

// Valid reports whether c is in the closed list.
func (c Category) Valid() bool { return slices.Contains(Categories(), c) }

// Treatment is what happens to a value before it is disclosed. The order is the
// order of revealing; the zero value reveals least.
type Treatment uint8

// The treatments, from the least to the most revealing.
const (
	// Drop takes the value out; it leaves no placeholder.
	Drop Treatment = iota
	// Hidden puts a placeholder of fixed width in the value's place.
	Hidden
	// Pseudonym puts a keyed name in its place: equal values within one
	// session and category get equal names.
	Pseudonym
	// Generalise makes it coarser: a year for a date, a city for an address.
	Generalise
	// Partial shows a part that does not identify.
	Partial
	// Clear leaves the bytes as the CRM sent them.
	Clear
)

var treatmentNames = [...]string{"drop", "hidden", "pseudonym", "generalise", "partial", "clear"}

// String returns the treatment's name as policies write it.
func (t Treatment) String() string {
	if int(t) < len(treatmentNames) {
		return treatmentNames[t]
	}
	return "drop"
}

// MarshalText writes the treatment's name, in JSON too.
func (t Treatment) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads a treatment's name.
func (t *Treatment) UnmarshalText(name []byte) error {
	got, ok := ParseTreatment(string(name))
	if !ok {
		return fmt.Errorf("unknown treatment %q", name)
	}
	*t = got
	return nil
}

// Treatments lists every treatment, from the least to the most revealing.
func Treatments() []Treatment {
	return []Treatment{Drop, Hidden, Pseudonym, Generalise, Partial, Clear}
}

// ParseTreatment returns the treatment of that name.
func ParseTreatment(name string) (Treatment, bool) {
	i := slices.Index(treatmentNames[:], name)
	return Treatment(max(i, 0)), i >= 0
}

// Entity is a kind of record in a profile: contact, lead, account.
type Entity string

// Record is one instance of an entity.
type Record struct {
	Entity Entity `json:"entity"`
	// Type is the CRM's own word for the kind of record ("party.party"). It
	// equals Entity where the CRM has none.
	Type string `json:"type"`
	// ID is the record's id in the CRM. Empty where the CRM gave none.
	ID string `json:"id"`
}

// String returns type/id, the way commands and the log name a record.
func (r Record) String() string { return r.Type + "/" + r.ID }
