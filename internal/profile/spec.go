package profile

import "go.yaml.in/yaml/v3"

// The types of this file and of spec_route.go are the language of profiles, as
// YAML writes it. Their comments are its reference: refdoc makes
// docs/profile-language.md of them.

// spec is a whole profile.
type spec struct {
	// Profile is the name and the version of the CRM's interface: tryton/6.0.
	Profile string `yaml:"profile"`
	// Extends is a profile that ships, by its name (`espocrm`): what this one says goes
	// before what that one says, and the rest is that one's. Beside it stand what differs
	// from company to company: `entities`, `routes`, `normalize.prefixes`,
	// `relations.any` and `withheld`. An entity of the same name is the same: its
	// `types` are added to that one's, its fields, relations and searches go before. A
	// field listed by its name goes before a glob, whichever of the two lists it.
	Extends string `yaml:"extends"`
	// Evidence says how sure the profile is: `live VERSION` (tried against a running
	// CRM), `recorded` or `documented`. A gate enforces the last two only with the
	// line `accept documented`.
	Evidence string `yaml:"evidence"`
	// Withheld is what stands in place of a text that could carry any value.
	Withheld string `yaml:"withheld"`
	// Blocks hold nothing but YAML anchors for use elsewhere.
	Blocks yaml.Node `yaml:"blocks"`
	// Normalize says what the CRM makes of a request before it looks at it.
	Normalize normalizeSpec `yaml:"normalize"`
	// Wrapped describes objects that stand for one value.
	Wrapped wrappedSpec `yaml:"wrapped"`
	// Annotations says what members hold whose names are a field's, or nothing, and
	// an annotation behind an `@`: `value` repeats the field's value in another
	// notation (of a link what the record is called), `record` is the address of a
	// record, `context` one of metadata, `next` that of the next page, `cookie`
	// what the client sends for it, and `public` holds no personal data. What isn't listed is unclassified.
	Annotations map[string]string `yaml:"annotations"`
	// Entities are the kinds of records, by name. Policies speak of them.
	Entities ordered `yaml:"entities"`
	// Relations says how related records stand in answers.
	Relations relationsSpec `yaml:"relations"`
	// Described are the forms of records that say themselves what they are, at whatever
	// depth: what a record says goes before what its place says.
	Described []describedSpec `yaml:"described"`
	// Transports are the wire forms of remote calls.
	Transports []transportSpec `yaml:"transports"`
	// Calls are the remote calls; the first that fits counts. One that isn't
	// listed is refused.
	Calls []callSpec `yaml:"calls"`
	// Routes are the addresses, tried after the transports; the first that fits
	// counts. One that isn't listed is refused.
	Routes []routeSpec `yaml:"routes"`
	// Headers are response headers that the CRM's own client needs to see, beside the
	// usual ones, and the values that each may have: `X-App-Content: ["yes"]`. With
	// another value, one isn't handed on.
	Headers map[string][]string `yaml:"headers"`
	// Hosts are names of the vendor's hosts, `*.` and a domain for many: an address
	// there that an answer wants followed (`links`, annotations, Location) is one of the CRM's
	// and is made the gateway's, as one at the host is to which the gate forwards. One
	// at another host is withheld.
	Hosts []string `yaml:"hosts"`
	// Sessions says how the CRM knows sessions of its own again, so that one can
	// be tied to the employee who got it.
	Sessions []sessionSpec `yaml:"sessions"`
	// Error is the shape of the gateway's own answers.
	Error errorSpec `yaml:"error"`
}

// normalizeSpec says what the CRM makes of a request before it looks at it.
type normalizeSpec struct {
	// Query says how the CRM reads a query.
	Query querySpec `yaml:"query"`
	// Paths maps other addresses of the same thing to the one that the routes use:
	// `/crm/objects/{version}/{rest**}: /crm/v3/objects/{rest}`. The first that fits
	// counts; the request is forwarded as it came.
	Paths ordered `yaml:"paths"`
	// Empty is `false` where the CRM writes false for a text, a date or a relation
	// that has no value. In fields that can't hold a boolean it stays as it is.
	Empty string `yaml:"empty"`
	// IDs is `integer` where every id is a whole number. Any other spelling in a
	// request (1.0, "1", true) is refused: the CRM could take it for an id that
	// the entry doesn't name. In a response it is a value. `salesforce` is the same for
	// Salesforce's ids of 15 or 18 characters; the log has them with 18, and a
	// variable `{id}` of a route takes nothing else. Default: any text.
	IDs string `yaml:"ids"`
	// Prefixes maps what ids begin with to the type of their records, `003: Contact`:
	// for links, and for routes whose entity is `{id}`.
	Prefixes map[string]string `yaml:"prefixes"`
	// Names is `folded` where the CRM takes the names of types, relations and fields in
	// any case (`EMAIL`, `email`). Default: case counts.
	Names string `yaml:"names"`
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
	// Nested says that the CRM reads `where[0][type]=x` as a tree, as PHP does. An
	// expression leads into it: `query.where[*].type`; Lists names its lists
	// (`where[*][value][]`), a route's Query the first word alone.
	Nested bool `yaml:"nested"`
	// JSON is a parameter that holds others as one JSON object: they are judged as if
	// they had come by themselves, and refused where they did so, too. Needs Nested.
	JSON string `yaml:"json"`
	// Aliases maps other spellings of a parameter to the one that the profile uses.
	// A request with two of them is refused: the CRM heeds one.
	Aliases map[string]string `yaml:"aliases"`
}

// wrappedSpec describes objects that stand for one value:
// {"__class__": "Decimal", "decimal": "1.0"}.
type wrappedSpec struct {
	// Key is the member that names the kind.
	Key string `yaml:"key"`
	// Kinds maps each kind to its other members and their shapes: decimal,
	// base64, date, year, month, day or number. An object of another kind, or
	// with another member, is no value but a container.
	Kinds map[string]map[string]string `yaml:"kinds"`
}

// entitySpec is a kind of record.
type entitySpec struct {
	// Types are the CRM's own words for it; globs. Default: the entity's name. What is
	// told apart in an address or an answer are types; elsewhere in the profile the
	// entity's name stands for the first of them.
	Types []string `yaml:"types"`
	// Like is, in a profile that extends another, an entity of that one: what isn't said
	// here of fields, relations, ID, Unknown, Owner and Display is as there.
	Like string `yaml:"like"`
	// Internal says that its records are no persons' data: they aren't named
	// in the log.
	Internal bool `yaml:"internal"`
	// ID is the field that holds a record's id. Default `id`.
	ID string `yaml:"id"`
	// Fields maps names (globs, `|` between alternatives; exact beats glob,
	// then the first match wins) to a category, a list of categories or what
	// `entities.fields` has.
	Fields ordered `yaml:"fields"`
	// Unknown says what a field is that Fields doesn't list: `mask` (default:
	// unclassified), `mask_if_string` (numbers, booleans and null, and
	// lists of them, are public) or `pass`.
	Unknown string `yaml:"unknown"`
	// Relations maps fields to the type of the records that they hold or name.
	// They go before Fields; an empty type takes one of `relations.any` back, and `.`
	// is the record's own type.
	Relations map[string]string `yaml:"relations"`
	// Owner is the field that names the employee, as the CRM knows them, to whom
	// a record belongs: the fact `own`.
	Owner string `yaml:"owner"`
	// Display is the field by which the CRM shows, sorts and searches a record
	// that another one refers to. Without it such a question is unclassified.
	Display string `yaml:"display"`
	// Search maps a field that the CRM searches as a composite to its parts. A
	// part can be a dotted name; one that is a composite itself counts with its
	// parts.
	Search map[string]searchSpec `yaml:"search"`
	// Read is the gateway's own request for one record, where its age isn't known and
	// where it has to be seen that it is gone.
	Read requestSpec `yaml:"read"`
	// Delete is the gateway's own request that deletes one record, once two people
	// said so.
	Delete requestSpec `yaml:"delete"`
}

// requestSpec is a request of the gateway's own. The profile's routes and calls have to
// say of it that it does so to that record and to no other.
type requestSpec struct {
	// Request is the method and the address: `DELETE /api/v1/{type}/{id}`. `{type}` is
	// the record's type as the CRM calls it, `{id}` its id.
	Request string `yaml:"request"`
	// Body is the body in JSON; in it `{type}` and `{id}` stand within quotes, a number as
	// id without.
	Body string `yaml:"body"`
	// Remains says what the CRM keeps after a deletion: `marked` (it marks the record as
	// deleted, and removes it later, or when its administrator does) or `archived` (its users can bring it
	// back). Default: nothing.
	Remains string `yaml:"remains"`
}

// fieldSpec is a field in the long form.
type fieldSpec struct {
	// Category is what the value can hold.
	Category string `yaml:"category"`
	// Categories are all that the value can hold, where that is several: the
	// least revealing treatment decides.
	Categories []string `yaml:"categories"`
	// By names a sibling field whose value picks the category, or the way to it
	// (`kind.type`). Without the sibling all of Values apply. Who writes the sibling of a stored record has
	// to see all that it picks among.
	By string `yaml:"by"`
	// Values maps the sibling's values to categories: `{mobile: phone, "*": online}`.
	Values map[string]string `yaml:"values"`
	// Companies says that a name which ends with a company's legal form (`… GmbH`, `…
	// Ltd`, `… S.A.`) and has no comma in it is no person's: it is public.
	Companies bool `yaml:"companies"`
	// Position says that a text which is a place in a list is public: a number of up to
	// six digits behind a version (`v1:20`), as it is or in base64.
	Position bool `yaml:"position"`
	// Tag is a word that a list begins with whose other elements are the value:
	// `markup` of `["markup", "<p>…"]`.
	Tag string `yaml:"tag"`
	// Detect picks among the categories by the value's form (e-mail, phone,
	// IBAN, address of a web page) where the sibling is missing.
	Detect bool `yaml:"detect"`
	// Decode says that the text is a document of its own (`json`, or `base64_json`:
	// JSON in base64) which holds records of the field's entity; one that isn't is
	// masked as the category says.
	Decode string `yaml:"decode"`
	// Withhold says that the text can quote any value (an error message): it is
	// withheld whole, with the profile's sentence in its place.
	Withhold bool `yaml:"withhold"`
	// Keys says that object keys hold values too.
	Keys bool `yaml:"keys"`
	// Reference says that the value names a record: `party.party,47`. A text of
	// another form is unclassified.
	Reference bool `yaml:"reference"`
	// File says that the value is a file: asking for it is refused unless its
	// categories may be seen. A multipart form may upload one into such a field
	// alone; a form without it leaves the stored one.
	File bool `yaml:"file"`
	// SizeContext is a key of the call's context by which the CRM answers with
	// the file's size instead, where it is `size` or true.
	SizeContext string `yaml:"size_context"`
	// Picture says that the file is a picture: where its bytes come although
	// only its size was asked for, a neutral one stands in its place.
	Picture bool `yaml:"picture"`
	// Link is the type of the records whose ids the value holds: one, or a list of
	// them; with `keys`, an object whose values they are. Ids are public, and in the
	// log: `accountId: {link: Account}`.
	Link string `yaml:"link"`
	// LinkBy names a sibling that holds the type of such records (`model|res_model`:
	// the first that is there; `*` stands for the field's own name); for an object of
	// ids, an object with the same keys. Beside it, Link is for answers without the
	// sibling.
	LinkBy string `yaml:"link_by"`
	// Parts are the fields that an object, or each object of a list, consists of, in
	// the form of `entities.fields`; a request names them behind a dot
	// (`emails.primary`). What isn't listed, and a value that is no object, can hold
	// what all of them can.
	Parts ordered `yaml:"parts"`
	// Flat says that the value is an object whose members are fields of the record
	// itself: `properties: {flat: true}`.
	Flat bool `yaml:"flat"`
	// Value are the paths below each member of a flat object at which its value
	// stands: `[".value", ".versions[*].value"]`. Default: the member is the value.
	Value []string `yaml:"value"`
	// Public are the keys of texts beside such a value that are no personal data.
	Public []string `yaml:"public"`
	// Named names a sibling that holds the name of the record's field whose value
	// this is, be it a number, or the way to it (`definition.id`): rows of a history. Without one it is a member of the nearest object
	// around it, up to the record: `{"field": "email", "value": {"old": …, "new": …}}`.
	Named string `yaml:"named"`
	// Filter says that the value is a filter on the record's fields, in the form of
	// the syntax prefix_domain: the values in it are those of the fields.
	Filter bool `yaml:"filter"`
	// Context maps keys of a context in the request to what the CRM then writes into
	// the value besides: `{show_email: email}`.
	Context map[string]string `yaml:"context"`
	// Of says that the value is an object of fields of another record.
	Of ofSpec `yaml:"of"`
}

// ofSpec names the record whose fields an object holds.
type ofSpec struct {
	// Type is the member with the record's type, in the object around the value or
	// the nearest around that which has it.
	Type string `yaml:"type"`
	// ID is the member with its id, beside Type.
	ID string `yaml:"id"`
}

// searchSpec are the parts of a composite search field.
type searchSpec struct {
	// Parts are all fields that the search looks at. A search asks about each.
	Parts []string `yaml:"parts"`
	// Narrow are the fields to which the search may be narrowed; only those
	// which the role may read are used.
	Narrow []string `yaml:"narrow"`
}

// relationsSpec says how related records stand in responses.
type relationsSpec struct {
	// Suffix is what the CRM appends to a field's name when it nests the
	// related record: the dot of Tryton's `party.`. A nested record of a relation
	// that isn't declared is unclassified as a whole.
	Suffix string `yaml:"suffix"`
	// Changes are the keys of an object that lists changes to related records
	// instead of the records: add, update, remove.
	Changes []string `yaml:"changes"`
	// Numbered says that a list in the list of related records is a command on them:
	// `[1, id, {…}]`.
	Numbered bool `yaml:"numbered"`
	// Renderings are words that ask, behind a dot, for another rendering of a
	// field's value where another separator joins the steps: `type.translated`.
	Renderings []string `yaml:"renderings"`
	// List is the member in which an object holds a list of related records:
	// `records` of `{totalSize: 1, records: [{…}]}`.
	List string `yaml:"list"`
	// Any maps fields of every entity to a type; an entity's own fields go before.
	Any map[string]string `yaml:"any"`
}

// describedSpec is a form of records that say themselves what they are.
type describedSpec struct {
	// Type is the path below a record to its type: `.attributes.type`.
	Type string `yaml:"type"`
	// ID is the path to its id, or to an address that ends in it. Default: the entity's
	// id.
	ID string `yaml:"id"`
}
