package profile

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
	// At is the path to the record in the answer to Get.
	At string `yaml:"at"`
	// Form is a selector, in the place of At, where the answer to Get is a page: of the
	// one form in it that holds the record. What a browser would send of that form,
	// untouched, are the stored values; the entity's id has to be among them.
	Form string `yaml:"form"`
}
