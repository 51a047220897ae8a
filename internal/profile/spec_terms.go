package profile

// termsSpec describes a filter as terms in a row: `name==zoe;city==Ulm`,
// `type:user email:zoe@x`, `active=true^emailLIKEzoe^ORDERBYname`. A term is a field's
// name, an operator and a value. The text is divided wherever one of Joins stands, in
// quotes and brackets, too: what could be a further term is read as one. A value in
// which a further name and operator stand is refused, and so is all that isn't listed.
type termsSpec struct {
	// Joins are the signs or words between terms: `[";", ","]`, `[" AND ", " OR "]`,
	// `[" "]`. A longer one goes first.
	Joins []string `yaml:"joins"`
	// Operators are those that compare a field with a value, as they are written:
	// `[":"]`, `["==", "=gt="]`, `["=", "LIKE"]`. One that compares it with another
	// field has to be left out. The first in a term ends the field's name.
	Operators []string `yaml:"operators"`
	// Sort are words before a field's name that sort by it: `[ORDERBYDESC, ORDERBY]`.
	Sort []string `yaml:"sort"`
	// Words is the composite field that the CRM searches for a term without an
	// operator. Without it such a term is refused.
	Words string `yaml:"words"`
}
