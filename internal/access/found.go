package access

// Found is what a profile located in one document: records, the fields that
// hold personal data, and what has to be withheld as a whole. Nodes are indexes
// into the document's tree.
type Found struct {
	Records []FoundRecord
	Fields  []FoundField
	// Withheld are nodes whose text could carry any value (an error text, a
	// report, a file name): each is replaced as a whole.
	Withheld []Withheld
	// Rows counts rows of data that name no record.
	Rows int
	// Told are the values of the fields that were asked for besides masking: the dates
	// at which retention begins.
	Told []Told
	// Said are what fields of no named record say of consents.
	Said []SaidAt
}

// SaidAt is what a field says that belongs to no named record.
type SaidAt struct {
	Said
	// Node is the field's value, and Entity what it would be a record of.
	Node   int
	Entity Entity
}

// Told is what a record says in one field.
type Told struct {
	// Record is an index into Found.Records.
	Record int
	Name   string
	Node   int
}

// FoundRecord is a record that the document discloses.
type FoundRecord struct {
	Record
	Facts Facts
	// Said is what the record's own fields say of consents.
	Said []Said
}

// Said is what a field of a record says of a consent, or a request that changes one.
type Said struct {
	// Field is its name, as the CRM spells it.
	Field string
	// Purpose and Channel are what the field is about; empty is all of them.
	Purpose, Channel string
	// State is false for a withdrawal or an objection, true for a consent, and unknown
	// for neither of them.
	State FactState
}

// About reports whether something is said of a fact by its name:
// `consent:<purpose>[:<channel>]`.
func (s *Said) About(purpose, channel string) bool {
	return (s.Purpose == "" || s.Purpose == purpose) && (s.Channel == "" || channel == "" || s.Channel == channel)
}

// FoundField is a value of a record.
type FoundField struct {
	// Node is the value; a container stands for every scalar below it that is
	// not found by itself.
	Node int
	// Record is an index into Found.Records, or -1.
	Record int
	Entity Entity
	// Name is the field's name as the CRM spells it, for the log.
	Name string
	// Categories are what the value can hold; the least revealing verdict among
	// them decides.
	Categories []Category
	// Shape says which form a placeholder needs where the node alone doesn't
	// tell ("" = infer it from the node's kind and the category).
	Shape Shape
	// Keys says that object keys below the node hold values too.
	Keys bool
	// Echo says that a value which the client itself sent in this request stays
	// clear here: a save's answer repeats what was saved.
	Echo bool
	// Revealed says that this employee may see this field of this record for a
	// while, whatever the plan hides of it. What the plan drops stays dropped, and
	// a credential hidden.
	Revealed bool
	// Overdue says that the record may not be kept any longer: the value is at most
	// hidden, whatever the plan says.
	Overdue bool
}

// Shape is the form that a value has beyond its node's kind: the parts of a
// typed object ({"__class__": "date", "year": …}) keep their types this way.
type Shape string

// The shapes.
const (
	ShapeDecimal Shape = "decimal" // a number in a string
	ShapeBase64  Shape = "base64"
	ShapePicture Shape = "picture" // a picture in base64
	ShapeDate    Shape = "date"    // ISO 8601 date in a string
	ShapeYear    Shape = "year"
	ShapeMonth   Shape = "month"
	ShapeDay     Shape = "day"
	ShapeNumber  Shape = "number" // any other number that has to stay one
)

// Withheld is a node that is replaced as a whole unless everything is clear.
type Withheld struct {
	Node int
	// Entity is the entity whose values the text can carry.
	Entity Entity
	// Text is what stands in its place.
	Text string
	// Masked says that Text is the node's own text, masked already as a document
	// of its own: it stands in the node's place whatever the plan says.
	Masked bool
}

// Disclosure is what a response disclosed: the records, and how each category
// was treated. It holds names and categories, never values.
type Disclosure struct {
	Records []DisclosedRecord `json:"records,omitempty"`
	// Rows counts disclosed rows that name no record.
	Rows int `json:"rows,omitempty"`
	// Identifying are the identifying values of unnamed rows. They exist until
	// the log has keyed them and are never written.
	Identifying []Identifier `json:"-"`
	// Withheld counts texts that were replaced as a whole.
	Withheld int `json:"withheld,omitempty"`
	// Unread says that nobody read what was released: only a site that observes
	// does so.
	Unread bool `json:"unread,omitempty"`
}

// Identifier is a value by which a person can be found: the log keeps a keyed
// hash of it.
type Identifier struct {
	Category Category
	Value    string
}

// DisclosedRecord is one record of a disclosure.
type DisclosedRecord struct {
	Record
	// Treated maps each category found in the record to its least masked
	// treatment. Records may share a map: don't change it.
	Treated map[Category]Treatment `json:"treated,omitempty"`
}
