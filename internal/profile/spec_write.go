package profile

// writeSpec says where a request holds values to be saved.
type writeSpec struct {
	// At is an expression for the object of values, or for a list of them.
	At string `yaml:"at"`
	// Syntax is how the values of relations stand: `object` (default), `commands`,
	// Tryton's lists of commands on related records (`["create", [{…}]]`), or
	// `numbered`, Odoo's (`[0, 0, {…}]`, `[1, id, {…}]`).
	Syntax string `yaml:"syntax"`
	// Mode: partial (only what is sent is saved), full (what is missing is
	// emptied), create (a new record), save (partial, or create where the operation
	// has no ids), copy (new records made of stored ones, but for these values) or
	// echo (nothing is saved: the CRM computes with the values, and placeholders are
	// filled in).
	Mode string `yaml:"mode"`
	// Self is the member of the values that holds the record's id. Default: the
	// records are the operation's.
	Self string `yaml:"self"`
	// Type leads, through members of each object of values, to the type of its record:
	// `attributes.type`. A type that the operation takes from its address has to be the
	// same. Of new records, those that a relation lists (`relations.list`) are new, too.
	Type string `yaml:"type"`
	// Beside are further members of the object in which Type stands, all of them texts
	// without meaning for what is saved: `[referenceId]`.
	Beside []string `yaml:"beside"`
	// Pairs says that ids and values take turns in the call's arguments.
	Pairs bool `yaml:"pairs"`
	// Stored is the gateway's own request for the stored values.
	Stored storedSpec `yaml:"stored"`
}

// storedSpec is the gateway's own read before a save.
type storedSpec struct {
	// Call is the remote call that reads fields of records by their ids, the first
	// two of its arguments: `model.{type}.read`, or the call's name where transports
	// have a Method.
	Call string `yaml:"call"`
	// Get is the path to GET, with the variables of Match, `{type}` and `{id}` of the
	// record: `/api/contacts/{id}`; `{fields}` in its query stands
	// for the names of the fields that are needed, with commas between them.
	Get string `yaml:"get"`
	// Query is, for GraphQL, the field that reads a record: with `{type}`, its `{id}` (a
	// text in quotes) and `{fields}`: `{type}(filter: {id: {eq: {id}}}) { id {fields} }`.
	Query string `yaml:"query"`
	// At is the path to the record in the answer to Get or Query.
	At string `yaml:"at"`
	// Form is a selector, in the place of At, where the answer to Get is a page: of the
	// one form in it that holds the record. What a browser would send of that form,
	// untouched, are the stored values; the entity's id has to be among them.
	Form string `yaml:"form"`
}
