package access

// Outcome says what became of a change.
type Outcome string

// The outcomes. The zero value is none: what isn't said was not done.
const (
	// Changed: the CRM says that it has saved.
	Changed Outcome = "changed"
	// Unchanged: nothing was forwarded, or the CRM has refused.
	Unchanged Outcome = "unchanged"
	// Unsure: no answer came, or one that doesn't tell.
	Unsure Outcome = "unknown"
)

// Change is what a request changed of one or several records, or was to change. It
// holds names and categories, and of values keyed hashes at most.
type Change struct {
	Entity Entity `json:"entity"`
	// Type is the CRM's own word for the kind of record.
	Type string `json:"type,omitempty"`
	// IDs are the records; none for new ones that the answer doesn't name.
	IDs []string `json:"ids,omitempty"`
	// Action is create, update or delete.
	Action  Action  `json:"action"`
	Outcome Outcome `json:"outcome"`
	// Fields are those that were written.
	Fields []ChangedField `json:"fields,omitempty"`
	// Same counts fields that were written as they were stored: forms send all they have.
	Same int `json:"same,omitempty"`
	// More counts fields that are not named here: there were too many.
	More int `json:"more,omitempty"`
	// Unread says that the profile doesn't say which fields the request writes.
	Unread bool `json:"unread,omitempty"`
}

// ChangedField is a field that was written.
type ChangedField struct {
	// Name is the field's as the profile has it. One that the profile doesn't list by
	// name is the client's own word, which can be a person's name: Key is its hash.
	Name string `json:"name,omitempty"`
	Key  string `json:"name_key,omitempty"`
	// Categories are what its value can hold.
	Categories []Category `json:"categories,omitempty"`
	// Before and After are keyed hashes of what was stored and what was written; EmptyValue
	// for no value, "" for one that isn't known or is never hashed.
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`

	// Word is the client's own word, and Was and Is are the values; nil for not known.
	// They exist until the log has keyed them and are never written.
	Word string  `json:"-"`
	Was  *string `json:"-"`
	Is   *string `json:"-"`
}

// EmptyValue stands for no value in the place of a hash.
const EmptyValue = "-"
