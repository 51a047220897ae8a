package profile

// batchSpec describes a request that carries several. Each of them is read,
// judged and logged as if it had come by itself, and one that is refused refuses
// them all. Their answers have to be JSON, without anything around it. A request
// whose address names a record that another of the batch is still to make (`$1`) is
// refused.
type batchSpec struct {
	// Multipart says that the CRM takes multipart/mixed, as OData does: parts of the
	// type application/http, and change sets of them. In a change set a save may link
	// to the new record of a request before it (`"$1"`).
	Multipart bool `yaml:"multipart"`
	// Requests are those of a batch in JSON: `{at: requests, id: id, method: method,
	// url: url, headers: headers, body: body}`.
	Requests batchListSpec `yaml:"requests"`
	// Answers are theirs: `{at: responses, id: id, status: status, headers: headers,
	// body: body}`. With an ID an answer belongs to the request of that id; without
	// one to that in the same place, and there have to be as many.
	Answers batchListSpec `yaml:"answers"`
	// References is what a reference to another request's answer begins with: `@{`. A
	// request in JSON that holds it anywhere is refused, but for IDs.
	References string `yaml:"references"`
	// IDs are the members of an answer that hold ids and nothing else: `[Id, id]`. A
	// value in the query or the body of a later request may be a reference that ends in
	// one of them (`@{contact.id}`), where the answer holds nothing that its request has
	// named so itself. In a path no reference is served. Needs `normalize.ids`.
	IDs []string `yaml:"ids"`
	// Headers are those that a request in a batch may have beside Accept,
	// Accept-Language, Content-Type, Content-Language, If-Match, Prefer, OData-Version,
	// OData-MaxVersion and OData-Isolation; globs, in whatever case. Conditions and
	// wishes that the gateway takes out of any request go, another header is refused:
	// what a proxy behind the gate sets or takes out, it leaves alone in a batch.
	Headers []string `yaml:"headers"`
	// Root is the path at which relative addresses begin: `/services/data/`. Default:
	// the batch's own up to its last slash.
	Root string `yaml:"root"`
	// Most is the largest number of requests, up to 1000. Default 100.
	Most int `yaml:"most"`
}

// batchListSpec says where requests or answers stand, by names of members. What it
// doesn't name is refused, and withheld in an answer.
type batchListSpec struct {
	// Groups is the document's member that holds a list of groups of messages, each with
	// a list of its own: then At and Beside are members of a group. An id is one in
	// its group.
	Groups string `yaml:"groups"`
	// GroupID is the member by which a group is known.
	GroupID string `yaml:"group_id"`
	// At is the document's member that holds the list; dots lead through objects.
	At string `yaml:"at"`
	// ID is the member by which an answer is known.
	ID string `yaml:"id"`
	// Method is the member with a request's method.
	Method string `yaml:"method"`
	// URL is the member with a request's address.
	URL string `yaml:"url"`
	// Status is the member with an answer's status, a number.
	Status string `yaml:"status"`
	// Headers is the member with the headers, an object.
	Headers string `yaml:"headers"`
	// Body is the member with the body, an object or a list.
	Body string `yaml:"body"`
	// Members are further members, without meaning for what is asked: words of letters,
	// digits, `-`, `_` and `.`, numbers, booleans, or lists of them.
	Members []string `yaml:"members"`
	// Beside are further members beside the list, of the same kind.
	Beside []string `yaml:"beside"`
}
