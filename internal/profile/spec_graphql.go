package profile

// graphqlSpec describes an address that takes GraphQL: by POST as JSON, and where the
// route matches GET as a query. Each field of the query or mutation is an operation;
// several in one document are each judged and logged. What lies below it is read by
// the profile's entities, relations and fields, whatever it is called in the answer.
// Subscriptions, lists of operations, persisted queries without their text, and
// directives but @include and @skip are refused.
type graphqlSpec struct {
	// Fields are those of the query and of the mutation; the first that fits counts.
	// One that isn't listed is refused.
	Fields []graphqlFieldSpec `yaml:"fields"`
	// Arguments says what arguments ask, wherever they stand: filter, sort, group,
	// aggregate, select, search (of the composite field of the argument's name) or none.
	// Behind filter, sort and group, `names` says that the argument holds a field's name,
	// as in `rules: [{column: "email", value: "x"}]`: `{rules.column: filter names,
	// rules.value: none}`. A name with dots (`input.where`) leads to a member of an
	// argument, or of each object in it. One that isn't listed, nor named by its field's `ids`, `write`, `refs` or `entity`, is refused.
	Arguments ordered `yaml:"arguments"`
	// Operators are the members below a field of a filter, an order or a group that
	// compare its value or say how it is meant: `[eq, like]` of `{email: {like: "x"}}`.
	Operators []string `yaml:"operators"`
	// Groups are the members that join further ones: `[and, or, not, some]`.
	Groups []string `yaml:"groups"`
	// Around says what stands between a field and its records: `records` leads on to
	// them (`edges|node|nodes: records`), `aggregates` to an object in whose fields
	// aggregates stand (`aggregate|max: aggregates`), `aggregate` is one, its name made
	// of the field's (`"min{Field}|max{Field}": aggregate`), `count` a number of values
	// (`"countEmpty{Field}": count`), `groups` are the values by which the answer is
	// grouped. Anything else is in the form of `entities.fields`.
	// `{type}` stands for a type of the records. An entity's own field goes before.
	Around ordered `yaml:"around"`
	// Errors are the codes (`extensions.code`) of errors whose texts hold no values:
	// those of all others are withheld.
	Errors []string `yaml:"errors"`
	// Introspection says that the schema may be asked for.
	Introspection bool `yaml:"introspection"`
}

// graphqlFieldSpec is a field of the query or of the mutation. Expressions begin with
// an argument's name (`data`, `input.id`); in `records`, `$` is the field's value.
type graphqlFieldSpec struct {
	// Query is the name of a field of the query, `|` between several. `{type}` in it
	// stands for a type of the profile, `{Type}` for one that begins with a capital; a
	// dot leads into a field of fields (`uiapi.query.{type}`). The default action is
	// read.
	Query string `yaml:"query"`
	// Mutation is the same for the mutation. The default action is what `write` says.
	Mutation string `yaml:"mutation"`
	// Types restricts the field to these types; globs.
	Types         []string `yaml:"types"`
	operationSpec `yaml:",inline"`
}
