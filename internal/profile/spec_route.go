package profile

// operationSpec is what calls and routes share: what is done, and where records
// and fields stand.
type operationSpec struct {
	// Action defaults to read; for routes to what the method says (POST create,
	// PUT and PATCH update, DELETE delete).
	Action string `yaml:"action"`
	// Entity is a type, `{variable}` or an expression for the type, or
	// `{variable}.{variable}`: the type to which the relation leads that the second
	// names. Calls default to `{type}`.
	Entity string `yaml:"entity"`
	// IDs are expressions for the records asked for.
	IDs []string `yaml:"ids"`
	// Refs are the places of the request that name fields.
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
	// OpaqueIf are expressions for what makes it opaque: where none of them has a value,
	// it isn't. `[reports, attachments]` of a mail that the CRM's server sends.
	OpaqueIf []string `yaml:"opaque_if"`
	// Contact says whom the request makes the CRM write to or call: `contact` has to be
	// allowed of each of them, too, and where nobody is named, without a condition.
	Contact []contactSpec `yaml:"contact"`
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
	// Stream is the place of the records in a response that is streamed: `$` (the
	// elements of the document), `$.data.items` (those of a member's), `lines`
	// (one document per line), or `rows` (of a CSV). Below records, `$` is the
	// record then.
	Stream string `yaml:"stream"`
	// Public are members of the answer, at any depth outside records, whose texts
	// are no personal data.
	Public []string `yaml:"public"`
	// Links are expressions for the places of the answer, outside records, that hold
	// addresses of the CRM's which clients ask next: `$.paging.next.link`, of a call's
	// result `@['web.base.url']`. They lead to the gateway when the client gets them.
	// What they hold beside the host is no personal data but what the request itself
	// asked. One that leads to another host is withheld; so is one that leads to no route
	// of the profile, or repeats a value that is masked in the answer. With `pass` the
	// answer is read for them, nothing else of it changes, and they may lead anywhere at
	// the CRM.
	Links []string `yaml:"links"`
}

// refSpec is a place in a request that names fields.
type refSpec struct {
	// Role is what the request does with the fields: select, filter, sort, group,
	// aggregate or search. All but select ask about values. A language has its own.
	Role string `yaml:"role"`
	// At is an expression for the place.
	At string `yaml:"at"`
	// Syntax is how the place names fields: name (default), list (of JSON, be it
	// in a text), csv, domain
	// (nested lists of clauses), prefix_domain (a list of clauses with `&`, `|` and
	// `!` before them), clauses (a tree of objects, see `calls.refs.clauses`), comparisons
	// (`or(a.b[like]:'%x%',not(c[is]:NULL))`, or without values `a[Asc],b`), criteria
	// (`((a:equals:x)and(b:starts_with:y))`), expression (`a = 'x' && (b > 1 OR c ~ 'y')`,
	// texts in single quotes alone), terms (`name:x;mail:y`, see `calls.refs.terms`), order, order_by (`name desc,
	// id`, `name:desc`, `-name`), keys (of an object), specification (an object of fields, each with an
	// object whose `fields` are those of the related record), aggregates (a list of
	// `field` and `field:function`), search (the value is searched in Field), params
	// (each query parameter but those in Except is a filter on the field of its name; at
	// `body` each field of a form, and at `body.x` each member of the JSON that x holds),
	// stored (the name of a query that the CRM keeps: it can ask about any field of any
	// record, so it is for roles that see everything, but for those in Except),
	// or a language with roles of its own: fetchxml (for routes that are read as
	// OData), soql, sosl, or search_parameters, Salesforce's parameterised search in
	// `body` or `query`, coql, Zoho's, or vtql, vtiger's. The last five say themselves which entities a route is about,
	// and which columns the answer has: leave the route's entity out. What isn't
	// understood is refused. `IN NAME FIELDS` is the entity's search `name fields`.
	Syntax string `yaml:"syntax"`
	// Narrow is the query parameter by which the CRM limits a search to some of
	// its fields (`query.in`: comma-separated). A search that may not be asked
	// of all its parts is narrowed to the others by it.
	Narrow string `yaml:"narrow"`
	// Except are the parameters that name no field, for params; for keys of a nested
	// query the members that don't; for stored the names of queries that ask about
	// nothing that somebody doesn't see. For params they are globs, and `name=value` is
	// one with that value alone.
	Except []string `yaml:"except"`
	// Listed says, for params, that a parameter has to be empty unless it is in Except or
	// names a field that the entity lists. Then the route may take any (`query: ["*"]`,
	// `members: ["*"]`). Of `name[]` the word counts.
	Listed bool `yaml:"listed"`
	// Order are, for params, the parameters (globs) whose value names a field, in whatever
	// case, by which is sorted: `["*_ORDER_BY"]`.
	Order []string `yaml:"order"`
	// Separator joins the steps of a dotted name. Default ".".
	Separator string `yaml:"separator"`
	// Entity defaults to the operation's.
	Entity string `yaml:"entity"`
	// Field is the field that is asked about where At holds only a value, for
	// search.
	Field string `yaml:"field"`
	// Clauses says how a tree of objects filters, for clauses.
	Clauses clausesSpec `yaml:"clauses"`
	// Terms says how terms stand in a row, for terms.
	Terms termsSpec `yaml:"terms"`
	// Member is the member that holds the name where an element is an object, for
	// list and order: `sorts: ["a", {propertyName: "b"}]`.
	Member string `yaml:"member"`
	// Map translates the names at this place to fields; others are refused, but where
	// `"*": "*"` says that they are fields' own. `{field}` in a name and behind it stands
	// for what is there: `"t.{field}": "{field}"`. Is there a `{type}` in the name, the
	// field is one of that type: "`tab{type}`.`{field}`": "{field}".
	Map map[string]string `yaml:"map"`
}

// clausesSpec describes a filter as a tree of objects: each is a clause on a field,
// or a group of further clauses. A clause is an object of three members (`{field: email,
// op: eq, value: x}`), for which Name, Operator and Value are needed; or, without these,
// a member whose name is the field's: `{"$or": [{"email": {"$eq": "x"}}, {"city": "y"}]}`,
// `{">=date": "x"}`. What it doesn't list is refused.
type clausesSpec struct {
	// Name is the member that names the field, or the way to it:
	// `field.name|field.id`, the first that is there.
	Name string `yaml:"name"`
	// Operator is the member that names the operator: `operator|condition`; with `.*`
	// at its end, an object whose one member has the operator's name, and the value:
	// `parameter.*` of `{attribute: {name: email}, parameter: {eq: x}}`.
	Operator string `yaml:"operator"`
	// Value is the member that a clause's value, or a group's clauses, stand in.
	Value string `yaml:"value"`
	// Group is the member that a group's clauses stand in. Default: Value.
	Group string `yaml:"group"`
	// Groups are the operators that join further clauses, or the members in which
	// these stand (`$or`). Without Name, a member whose name is a number is one of them.
	Groups []string `yaml:"groups"`
	// Operators are those that compare a field's value. Without Name they are the
	// members of an object in a field's place, and can be globs (`$*`); another
	// member there is a part of the field, or a field of the related record.
	Operators []string `yaml:"operators"`
	// Prefixes are the operators that stand before a field's name: `>=` of `>=date`.
	Prefixes []string `yaml:"prefixes"`
	// Suffixes are those behind it: `__gte` of `date__gte`.
	Suffixes []string `yaml:"suffixes"`
	// IDs are those that compare a relation with ids.
	IDs []string `yaml:"ids"`
	// Stored are those that name a filter of the CRM's own, and no field.
	Stored []string `yaml:"stored"`
	// Search maps operators that search to the field that they look into.
	Search map[string]string `yaml:"search"`
	// Members are further members of a clause, without meaning for what is asked.
	Members []string `yaml:"members"`
	// Tuples are the forms of clauses that are lists, told apart by how many parts
	// they have: type, name, operator, value, or "" for one without meaning.
	// `[[name, operator, value], [type, name, operator, value]]` reads `[["Lead",
	// "email", "like", "x"], ["city", "=", "y"]]`. Groups are then words in front of
	// clauses or between them, in any case: `["OR", […], […]]`. Without Operators,
	// signs and words compare.
	Tuples [][]string `yaml:"tuples"`
}

// recordSpec is a place in a response where records stand.
type recordSpec struct {
	// At is an expression for the place, for JSON: `@[*]`, `$.items[*]`.
	At string `yaml:"at"`
	// Select is a CSS selector, for HTML.
	Select string `yaml:"select"`
	// Entity is the type of the records here, a path below the record to it, or
	// `@key`: the name of the member in which they stand. Default: the operation's.
	Entity string `yaml:"entity"`
	// ID is where the record's id stands: a path below the record (`[3]`), an
	// expression for the request (`{id}`, `values.id`), for HTML `@attribute` or a
	// selector, `@href?record` for a parameter of an address there (as Entity can
	// be), for JSON `@key`: the name of the member in which the record stands
	// (`{"7": {…}}`), for CSV a column's field. Default: the entity's id (of a CSV, where a
	// header names its columns); `none`: nowhere.
	ID string `yaml:"id"`
	// Cut is what ends a field's name in a member's: `:` of `date:month`.
	Cut string `yaml:"cut"`
	// Bare: the value is a record's id and nothing else.
	Bare bool `yaml:"bare"`
	// Field: the value is this field's.
	Field string `yaml:"field"`
	// Keys: the value is an object whose keys are values of Field, which can be the
	// name of an argument that names the field.
	Keys bool `yaml:"keys"`
	// Columns is an expression for the request's list of fields that names the
	// columns of positional rows, or for that of the answer (`$.keys` of `{"keys":
	// ["id", "email"], "values": [[7, "…"]]}`; Fields says which fields columns with
	// other names are), or `header` for a CSV whose first row does. One that has the
	// name of the entity's id holds it.
	Columns string `yaml:"columns"`
	// Headings is an expression for the request's texts of the first row, where they
	// aren't the columns' names. A CSV that begins with neither isn't released.
	Headings string `yaml:"headings"`
	// Separator joins the steps of a column's name. Default ".".
	Separator string `yaml:"separator"`
	// Tuple names the fields of positional rows; "" is public.
	Tuple []string `yaml:"tuple"`
	// Fields maps columns of a header, names of elements and properties (XML and its
	// like) or selectors of HTML to fields. Without Fields, columns and names are the
	// fields' own; behind a query in a language, what that calls them.
	// "" is public, but for a selector; what isn't listed is unclassified, and so are
	// columns of a header that stands over two of them. For HTML
	// the first match wins, "" is the page's own text, and `@class` is the field
	// that this attribute of the element, or of the nearest around it, names.
	// A selector `@data-name` is an attribute of the record's own element,
	// `input@value` one of an element in it. Texts of a record that no selector
	// names, and what people type into inputs, are unclassified.
	Fields ordered `yaml:"fields"`
	// Page says that texts of the element that no selector names are the page's
	// own, not the record's, and in clear.
	Page bool `yaml:"page"`
	// Pairs says that fields of the record stand as pairs of a name and a value:
	// `{at: ".name_value_list[*]", name: .name, value: .value}`.
	Pairs pairsSpec `yaml:"pairs"`
	// List is a selector, for HTML: the element around the records. What stands in
	// it and in no record is unclassified: rows of a kind that Select doesn't name.
	List string `yaml:"list"`
	// Empty is a selector, for HTML: the element that stands in a page only where
	// there are no records. A page in which neither records nor this element are
	// found has another shape than the profile knows, and isn't released.
	Empty string `yaml:"empty"`
	// Status restricts the place to answers of that class or status: 2xx, 422.
	// Default: all below 400.
	Status string `yaml:"status"`
}

// pairsSpec says where a record's fields stand as pairs, for JSON and XML.
type pairsSpec struct {
	// At is the path to the pairs below the record. It begins with a member of the
	// record; what stands in that and is no pair is unclassified.
	At string `yaml:"at"`
	// Name is the path to the field's name below a pair.
	Name string `yaml:"name"`
	// Value is the path to its value.
	Value string `yaml:"value"`
	// Public are the members of a pair beside these whose texts are no personal
	// data: the field's label, its type.
	Public []string `yaml:"public"`
}

// routeSpec is an address.
type routeSpec struct {
	// Match is the method and the path: `GET /api/contacts/{id}`. Behind a `?` stand
	// parameters that the query has to have: `GET /?entryPoint=download&id={id}`.
	Match string `yaml:"match"`
	// When names values that places of the body have to have, where several routes
	// share an address: `{body.operation: query|lookup, body.module: Contacts}`. A
	// place has to hold one value; `""` is none or an empty one, `{variable}` any other, and where Match binds it, too, the same. Of a form with `form`, places are its fields.
	When map[string]string `yaml:"when"`
	// Types restricts the route to these types, globs, where its entity is a variable;
	// requests about others are for the routes behind it.
	Types []string `yaml:"types"`
	// Name is the route's name in the log. Default: Match.
	Name string `yaml:"name"`
	// Body is the request's type: json, form (what browsers send, urlencoded or
	// multipart), urlencoded or multipart (one of them, for a CRM that would take the
	// other for an empty form), nested (an urlencoded form whose names are read as a
	// tree, as PHP does: `filter[email]=x` is `body.filter.email`; saves aren't served
	// so), soap, none or any; `json|nested` where the CRM takes either. Default: none
	// for GET and DELETE, json otherwise. Names of a form are flat but for nested:
	// `body['emails[]']` is every field of that name. Where a name stands in two spellings (`id` and `id[]`, `Id`), and
	// where a part holds a file but no field with `file: true` is saved by it, the
	// request is refused.
	Body string `yaml:"body"`
	// Form describes a form that holds the request as JSON.
	Form formSpec `yaml:"form"`
	// SOAP describes a request of the body soap.
	SOAP soapSpec `yaml:"soap"`
	// Type is the answer's: json (default), ndjson (one document per line), html,
	// csv, xlsx, xml, vcard, ical, ldif, sse (server-sent events) or none. Of a workbook (xlsx) the first
	// visible sheet is read; its first row names the columns, as in a CSV with a
	// header, and a new workbook is made of the masked cells. For vcard, ical and
	// ldif see `routes.xml`: a property's or an attribute's name is a member's,
	// `@TYPE` a parameter's, and records stand at `$.VCARD`, `$.VCALENDAR.VEVENT` or, entries of LDIF, `$[*]`.
	Type string `yaml:"type"`
	// SSE describes server-sent events.
	SSE sseSpec `yaml:"sse"`
	// Media are further media types under which the CRM sends such answers:
	// `[text/html]` where JSON comes under that.
	Media []string `yaml:"media"`
	// JSON says what stands around a JSON answer.
	JSON jsonSpec `yaml:"json"`
	// XML says how an answer of the type xml is read.
	XML xmlSpec `yaml:"xml"`
	// CSV says how the rows of such an answer are written.
	CSV csvSpec `yaml:"csv"`
	// Query lists the parameters that the route takes (`page[size]` in a nested
	// query); others are refused. `*`, for opaque answers alone, is any. For a
	// route that passes it is heeded where it is written, be it empty.
	Query []string `yaml:"query"`
	// Members lists the members that the request's object may have, `search.where`
	// those of a member; others are refused: the CRM could understand what Refs
	// doesn't speak of. A body of JSON, or a form, needs it, or Write.
	Members []string `yaml:"members"`
	// OData says that the address is read as OData v4's, and that answers have its
	// form; what isn't understood is refused. `read`: the variable `{resource}` is the
	// resource path (`contacts(…)/parentcustomerid_account`), in which sets are types
	// and navigation properties are relations; query options are read, and those of
	// Query are further parameters. `write`: the same for saving and deleting one
	// record by its id. `function Target`: the variable `{args}` are a function's
	// parameters, of which Target names a record, whose id is `{id}`. `search`: the
	// body is one of Dataverse's search. `read v2` and `write v2`: the same for OData
	// v2, whose answers are JSON in `d`.
	OData string `yaml:"odata"`
	// GraphQL describes an address that takes GraphQL.
	GraphQL *graphqlSpec `yaml:"graphql"`
	// Error is the shape of the gateway's refusals at this address, where it isn't the
	// profile's.
	Error *errorSpec `yaml:"error"`
	// Upgrade says that a `pass` route for GET may become a WebSocket: what goes
	// through it isn't looked at, so no personal data may be in it.
	Upgrade bool `yaml:"upgrade"`
	// Batch describes a request that carries several.
	Batch batchSpec `yaml:"batch"`
	// Gives are the handles in the route's answers: who brings one back is answered by
	// a route that `continues`.
	Gives []givesSpec `yaml:"gives"`
	// Continues says where the request brings handles back, by their names: `{job:
	// "{id}", page: query.locator}`. It is judged, logged and masked as the request that
	// got them would be now. One that this employee wasn't given at this site, or not
	// lately, is refused, and so are handles of different requests together. A route
	// with a type, records or public says itself how its answer is read, where
	// expressions for the body are for that of the first request; without them it is
	// read as the first one's. Who continues says nothing of what is asked.
	Continues map[string]string `yaml:"continues"`
	// Optional says that a request with a handle that isn't known is for the routes
	// behind this one.
	Optional      bool `yaml:"optional"`
	operationSpec `yaml:",inline"`
}

// formSpec describes a form of which one field holds the request as JSON; an
// expression for the body begins in that.
type formSpec struct {
	// JSON is the field's name: `data`.
	JSON string `yaml:"json"`
	// Fields are the form's other fields; one that isn't listed is refused.
	Fields []string `yaml:"fields"`
	// Members are the members that the JSON object may have; others are refused. Where
	// the object is what is saved (`write: {at: body}`) there are none to list.
	Members []string `yaml:"members"`
	// Empty are those of them that have to be empty: with them the answer has another
	// shape.
	Empty []string `yaml:"empty"`
}

// csvSpec says how a CSV is written. Each value is a constant, or a query
// parameter with a default: `query.dl|,`.
type csvSpec struct {
	// Comma separates cells. Default: what the first row tells.
	Comma string `yaml:"comma"`
	// Quote encloses cells. Default `"`.
	Quote string `yaml:"quote"`
	// Charset is the charset's name. Default: UTF-8.
	Charset string `yaml:"charset"`
	// Header says whether the first row names the columns: 1 or true, 0 or false
	// (default).
	Header string `yaml:"header"`
}

// soapSpec describes a SOAP request. Routes with the same address and other
// operations stand beside each other; an operation that no route names is refused.
// `body.name` is an element of the operation, `body.ids[*]` every element in one;
// `entity: body.module_name` takes the type from one. Saves aren't served.
type soapSpec struct {
	// Operation is the local name of the one element in SOAP's body. An action (the
	// header SOAPAction, or the media type's parameter) has to end with it or be empty.
	Operation string `yaml:"operation"`
	// Elements are the operation's, all of them, in the order in which clients send
	// them: for some servers the place counts, not the name. The last ones may be
	// missing; one that isn't listed is refused.
	Elements []string `yaml:"elements"`
	// Repeated are those that may stand several times in a row.
	Repeated []string `yaml:"repeated"`
	// Empty are those that have to be empty: what they ask can't be told (SQL).
	Empty []string `yaml:"empty"`
	// Headers are the elements that may stand in SOAP's header.
	Headers []string `yaml:"headers"`
}
