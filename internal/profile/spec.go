package profile

import "go.yaml.in/yaml/v3"

// The types of this file are the language of profiles, as YAML writes it. Their
// comments are its reference.

// spec is a whole profile.
type spec struct {
	// Profile is the name and the version of the CRM's interface: tryton/6.0.
	Profile string `yaml:"profile"`
	// Evidence says how sure the profile is: `live VERSION`, `recorded` or
	// `documented`.
	Evidence string `yaml:"evidence"`
	// Blocks hold nothing but YAML anchors for use elsewhere.
	Blocks yaml.Node `yaml:"blocks"`

	Normalize  normalizeSpec   `yaml:"normalize"`
	Wrapped    wrappedSpec     `yaml:"wrapped"`
	Entities   ordered         `yaml:"entities"`
	Relations  relationsSpec   `yaml:"relations"`
	Transports []transportSpec `yaml:"transports"`
	Calls      []callSpec      `yaml:"calls"`
	Routes     []routeSpec     `yaml:"routes"`
	Error      errorSpec       `yaml:"error"`
	// Withheld is what stands in place of a text that could carry any value.
	Withheld string `yaml:"withheld"`
}

// normalizeSpec says what the CRM makes of a request before it looks at it.
type normalizeSpec struct {
	Query querySpec `yaml:"query"`
	// IDs is `integer` where every id is a whole number. Any other spelling in a
	// request (1.0, "1", true) is refused: the CRM could take it for an id that
	// the entry doesn't name. In a response it is a value. Default: any text.
	IDs string `yaml:"ids"`
}

// querySpec says how the CRM reads a query.

type querySpec struct {
	// Lists are the query parameters that the CRM takes several times.
	Lists []string `yaml:"lists"`
	// Semicolon says that the CRM takes a raw `;` in a query literally.
	Semicolon bool `yaml:"semicolon"`
	// LiteralNames says that the CRM takes the names of parameters as they are.
	// PHP doesn't: it reads `order.by` as `order_by`.
	LiteralNames bool `yaml:"literal_names"`
}

// wrappedSpec describes objects that stand for one value:
// {"__class__": "Decimal", "decimal": "1.0"}.
type wrappedSpec struct {
	// Key is the member that names the kind.
	Key string `yaml:"key"`
	// Kinds maps each kind to its other members and their shapes (decimal,
	// base64, date, year, month, day, number). A kind or member that isn't
	// listed is a malformed response.
	Kinds map[string]map[string]string `yaml:"kinds"`
}

// entitySpec is a kind of record.
type entitySpec struct {
	// Types are the CRM's own words for it; globs. Default: the entity's name.
	Types []string `yaml:"types"`
	// Internal says that its records are no persons' data: they aren't named
	// in the log.
	Internal bool `yaml:"internal"`
	// ID is the field that holds a record's id. Default `id`.
	ID string `yaml:"id"`
	// Fields maps names (globs, `|` between alternatives; exact beats glob,
	// then the first match wins) to a category, a list of categories or a
	// fieldSpec.
	Fields ordered `yaml:"fields"`
	// Unknown says what a field is that Fields doesn't list: `mask` (default:
	// unclassified), `mask_if_string` (numbers, booleans and null are public)
	// or `pass`.
	Unknown string `yaml:"unknown"`
	// Relations maps fields to the type of the records that they hold or name.
	Relations map[string]string `yaml:"relations"`
	// Owner is the field that names the employee, as the CRM knows them, to whom
	// a record belongs: the fact `own`.
	Owner string `yaml:"owner"`
	// Display is the field by which the CRM shows, sorts and searches a record
	// that another one refers to.
	Display string `yaml:"display"`
	// Search maps a field that the CRM searches as a composite to its parts.
	Search map[string]searchSpec `yaml:"search"`
}

// fieldSpec is a field in the long form.
type fieldSpec struct {
	// Category or Categories: what the value can hold.
	Category   string   `yaml:"category"`
	Categories []string `yaml:"categories"`
	// By names a sibling field whose value picks the category: {by: type,
	// values: {mobile: phone, "*": online}}. Without the sibling all of them
	// apply.
	By     string            `yaml:"by"`
	Values map[string]string `yaml:"values"`
	// Detect picks among the categories by the value's form (e-mail, phone,
	// IBAN, address of a web page) where the sibling is missing.
	Detect bool `yaml:"detect"`
	// Decode says that the text is a document of its own (`json`) which holds
	// records of the field's entity; one that isn't is masked as the category says.
	Decode string `yaml:"decode"`
	// Withhold says that the text can quote any value (an error message): it is
	// withheld whole, with the profile's sentence in its place.
	Withhold bool `yaml:"withhold"`
	// Keys says that object keys hold values too.
	Keys bool `yaml:"keys"`
	// Reference says that the value names a record: "party.party,47".
	Reference bool `yaml:"reference"`
	// File says that the value is a file: it is never masked; asking for it is
	// refused unless everything in it may be seen. SizeContext is a key of the
	// call's context that makes the CRM answer with its size instead.
	File        bool   `yaml:"file"`
	SizeContext string `yaml:"size_context"`
	// Picture says that the file is a picture: where its bytes come although
	// only its size was asked for, a neutral one stands in its place.
	Picture bool `yaml:"picture"`
}

// searchSpec are the parts of a composite search field.
type searchSpec struct {
	Parts []string `yaml:"parts"`
	// Narrow are the fields to which the search may be narrowed; only those
	// which the role may read are used.
	Narrow []string `yaml:"narrow"`
}

// relationsSpec says how related records stand in responses.
type relationsSpec struct {
	// Suffix is what the CRM appends to a field's name when it nests the
	// related record: Tryton's "party.".
	Suffix string `yaml:"suffix"`
	// Changes are the keys of an object that lists changes to related records
	// instead of the records: add, update, remove.
	Changes []string `yaml:"changes"`
	// Renderings are words that ask, behind a dot, for another rendering of a
	// field's value where another separator joins the steps: `type.translated`.
	Renderings []string `yaml:"renderings"`
	// Any maps fields of every entity to a type; an entity's own fields go before.
	Any map[string]string `yaml:"any"`
}

// transportSpec is one wire form of a remote call.
type transportSpec struct {
	// Match is the route: `POST /{db}/`.
	Match string `yaml:"match"`
	// Body is the request's type: json.
	Body string `yaml:"body"`
	// Members are the members that the request's object has, all of them and
	// no others: another set can mean another protocol to the CRM.
	Members []string `yaml:"members"`
	// Call is the path to the call's name, and Pattern how it is made:
	// `model.{type**}.{method}`; names that fit no pattern are tried as they are.
	Call string `yaml:"call"`
	// Args is the path to the positional arguments; Context says that the last
	// of them is the call's context.
	Args    string `yaml:"args"`
	Context bool   `yaml:"context"`
	// Result and Failure are where the response holds the one or the other.
	// Members of the response besides them have to be listed in Envelope.
	Result   string      `yaml:"result"`
	Failure  failureSpec `yaml:"failure"`
	Envelope []string    `yaml:"envelope"`
}

// failureSpec says which parts of an error that comes as an answer are safe.
type failureSpec struct {
	At string `yaml:"at"`
	// Name is the path to the error's name, below At.
	Name string `yaml:"name"`
	// Known maps an error's name to the paths below At whose texts hold no values
	// (the name itself). Every other text, and every text of an error that isn't
	// listed, is withheld.
	Known map[string][]string `yaml:"known"`
}

// operation is what routes and calls share: what is done, and where records
// and fields stand.
type operationSpec struct {
	// Action defaults to read; for routes to what the method says (POST create,
	// PUT and PATCH update, DELETE delete).
	Action string `yaml:"action"`
	// Entity is an entity, a type, `{variable}` or an expression.
	Entity string `yaml:"entity"`
	// IDs are expressions for the records asked for.
	IDs  []string  `yaml:"ids"`
	Refs []refSpec `yaml:"refs"`
	// Records says where records stand in the response.
	Records []recordSpec `yaml:"records"`
	// Pass: no personal data in request or response; no entry is written.
	Pass bool `yaml:"pass"`
	// Deny refuses with this text.
	Deny string `yaml:"deny"`
	// Status is the HTTP status of a refusal by Deny. Default: the profile's
	// error shape.
	Status int `yaml:"status"`
	// Opaque: the answer can't be masked (a report, a file): refused unless
	// everything of the entity may be seen.
	Opaque bool `yaml:"opaque"`
	// Holds are further types whose values an opaque answer can hold: everything
	// of them may have to be seen, too. `*` is every entity with persons' data.
	Holds []string `yaml:"holds"`
	// Image: as Opaque, but answered with a neutral picture.
	Image bool `yaml:"image"`
	// Question says that the answer names no records (a count): the entry
	// keeps the question.
	Question bool `yaml:"question"`
	// Echo says that the answer is computed from what the request holds: values
	// of a new record that the client sent itself stay clear. Those of a stored
	// record don't: one that does would confirm a guess.
	Echo bool `yaml:"echo"`
	// Alone says that the answer is computed from the values of the request's
	// own object and from no stored record, not even those that the object
	// refers to: what is typed into a new one comes back, in whatever notation.
	Alone bool `yaml:"alone"`
	// Write says where the request holds values to be saved.
	Write *writeSpec `yaml:"write"`
	// Stream is the path to the rows of a response that is streamed: `$[*]`.
	Stream string `yaml:"stream"`
	// Public are members outside records whose texts are no personal data.
	Public []string `yaml:"public"`
}

// refSpec is a place in a request that names fields.
type refSpec struct {
	Role string `yaml:"role"`
	At   string `yaml:"at"`
	// Syntax: name (default), list, csv, domain, order, keys, search (the
	// value is searched in Field), params (each query parameter but those in
	// Except is a filter on the field of its name).
	Syntax string `yaml:"syntax"`
	// Narrow is the query parameter by which the CRM limits a search to some of
	// its fields (`query.in`: comma-separated). A search that may not be asked
	// of all its parts is narrowed to the others by it.
	Narrow string `yaml:"narrow"`
	// Except are the parameters that name no field, for params.
	Except []string `yaml:"except"`
	// Separator joins the steps of a dotted name. Default ".".
	Separator string `yaml:"separator"`
	// Entity defaults to the operation's.
	Entity string `yaml:"entity"`
	// Field is the field that is asked about where At holds only a value.
	Field string `yaml:"field"`
	// Map translates the names at this place to fields; others are refused.
	Map map[string]string `yaml:"map"`
}

// recordSpec is a place in a response where records stand.
type recordSpec struct {
	// At is a path: JSON `@[*]`, CSV `rows`, HTML a selector.
	At string `yaml:"at"`
	// Select is a CSS selector, for HTML.
	Select string `yaml:"select"`
	// Entity defaults to the operation's.
	Entity string `yaml:"entity"`
	// ID is a path below the record (default: the entity's id), a selector
	// with @attribute for HTML, a column for CSV, an expression for the
	// request, or `none`.
	ID string `yaml:"id"`
	// Bare: the value is a record's id and nothing else.
	Bare bool `yaml:"bare"`
	// Field: the value is this field's.
	Field string `yaml:"field"`
	// Columns is an expression for the list of fields that names the columns
	// of positional rows, or `header` (CSV); Separator joins its steps.
	Columns   string `yaml:"columns"`
	Separator string `yaml:"separator"`
	// Tuple names the fields of positional rows ("" = public).
	Tuple []string `yaml:"tuple"`
	// Fields maps columns of a header or selectors of HTML to fields; for HTML
	// the first match wins, "" is the page's own text, and `@class` is the field
	// that this attribute of the element, or of the nearest around it, names.
	// A selector `@data-name` is an attribute of the record's own element.
	Fields ordered `yaml:"fields"`
	// Page says that texts of the element that no selector names are the page's
	// own, not the record's.
	Page bool `yaml:"page"`
	// Status restricts the place to answers of that class: 2xx, 422.
	Status string `yaml:"status"`
}

// writeSpec says where a request holds values to be saved.
type writeSpec struct {
	// At is the object of values; Syntax is `object` (default) or `commands`
	// (Tryton: values with lists of commands for related records).
	At     string `yaml:"at"`
	Syntax string `yaml:"syntax"`
	// Mode: partial (only what is sent is saved), full (what is missing is
	// emptied), create (a new record), copy (new records made of stored ones,
	// but for these values) or echo (nothing is saved: the CRM computes with the
	// values, and placeholders are filled in).
	Mode string `yaml:"mode"`
	// IDs are the records; default: the operation's. `id` below the object
	// with Self.
	Self string `yaml:"self"`
	// Pairs says that ids and values repeat in the arguments.
	Pairs bool `yaml:"pairs"`
	// Stored is the request that reads the stored values.
	Stored storedSpec `yaml:"stored"`
}

// storedSpec is the gateway's own read before a save.
type storedSpec struct {
	// Call with Args, for transports; {ids} and {fields} are filled in.
	Call string `yaml:"call"`
	// Get is a path for routes: `/api/contacts/{id}`; At is the record in its
	// answer.
	Get string `yaml:"get"`
	At  string `yaml:"at"`
}

// callSpec is a remote call: `*.read`, `party.address.autocomplete_city`.
type callSpec struct {
	Call string `yaml:"call"`
	// Types restricts the call to these types; globs.
	Types []string `yaml:"types"`
	// Sig names the positional arguments. A call with more is refused.
	Sig           []string `yaml:"sig"`
	operationSpec `yaml:",inline"`
}

// routeSpec is a route: `GET /api/contacts/{id}`.
type routeSpec struct {
	Match string `yaml:"match"`
	Name  string `yaml:"name"`
	// Body is the request's type: json, form, none (default: none for GET and
	// DELETE, json otherwise).
	Body string `yaml:"body"`
	// Type is the response's: json (default), html, csv, none.
	Type string `yaml:"type"`
	// CSV says how the rows are written; values are constants or expressions.
	CSV csvSpec `yaml:"csv"`
	// Query lists the parameters that the route takes; others are refused.
	Query         []string `yaml:"query"`
	operationSpec `yaml:",inline"`
}

// csvSpec describes a CSV answer.
type csvSpec struct {
	Comma   string `yaml:"comma"`
	Quote   string `yaml:"quote"`
	Charset string `yaml:"charset"`
	Header  string `yaml:"header"` // "true", "false", or a query expression: absent or other than 0 = header
}

// errorSpec is the shape of the gateway's own refusals.
type errorSpec struct {
	Status  int               `yaml:"status"`
	Headers map[string]string `yaml:"headers"`
	// Body is written as JSON; {text} and {id} (the request's) are filled in.
	Body yaml.Node `yaml:"body"`
	// SignedOut is what a call gets when the session has ended.
	SignedOut *errorSpec `yaml:"signed_out"`
}
