package access

// RefRole is the way in which a request refers to a field.
type RefRole string

// The roles of a reference. All but Select and Write ask about a field's value.
const (
	RefSelect    RefRole = "select"
	RefFilter    RefRole = "filter"
	RefSort      RefRole = "sort"
	RefGroup     RefRole = "group"
	RefAggregate RefRole = "aggregate"
	RefSearch    RefRole = "search"
	RefWrite     RefRole = "write"
)

// Asks reports whether the reference asks about values: its answer depends on
// them even where it shows none.
func (r RefRole) Asks() bool { return r != RefSelect && r != RefWrite }

// Ref is a field that a request names.
type Ref struct {
	Role   RefRole `json:"role"`
	Entity Entity  `json:"entity"`
	// Field is the CRM's own name, with the path that leads to it
	// ("party.bank_accounts.rec_name").
	Field string `json:"field"`
	// Categories are all categories that the field's value can hold. A
	// composite field has several; each of them is asked about.
	Categories []Category `json:"categories"`
	// Narrow says that the profile knows how to narrow this search to its
	// readable parts: a refusal of this reference alone leads to the narrowed
	// request, which is classified and judged anew.
	Narrow bool `json:"narrow,omitempty"`
}

// Access is one classified operation of a request: what is done to which
// records, and the fields asked for and asked about.
type Access struct {
	// Route is the name of the profile's route, and Call that of the remote
	// call behind it ("party.party.read"), if any.
	Route  string `json:"route"`
	Call   string `json:"call,omitempty"`
	Action Action `json:"action"`
	Entity Entity `json:"entity"`
	// Type is the CRM's own word for the entity.
	Type string `json:"type"`
	// IDs are the records asked for by id.
	IDs  []string `json:"ids,omitempty"`
	Refs []Ref    `json:"refs,omitempty"`
	// Question is the request's own text where its answer names no ids: it is
	// sealed into the entry so that an auditor can tell what was asked.
	Question string `json:"question,omitempty"`
}
