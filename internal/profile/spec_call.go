package profile

// transportSpec is one wire form of a remote call.
type transportSpec struct {
	// Match is the route: `POST /{db}/`.
	Match string `yaml:"match"`
	// Body is the request's type: json, or xmlrpc. A call of XML-RPC is read as an
	// object of its `methodName` and the list of its `params`, its answer as one of its
	// `result` or its `fault`, in which a struct is an object.
	Body string `yaml:"body"`
	// When tells calls of one address apart, by places of the body and the values that
	// they may have: `{body.methodName: execute|execute_kw}`. One that fits no transport
	// is tried with the routes. `"{method}"` in the place of values is a variable.
	When map[string]string `yaml:"when"`
	// Members are the members that the request's object has, all of them and
	// no others: another set can mean another protocol to the CRM. Without them they
	// are the named arguments.
	// For json.
	Members []string `yaml:"members"`
	// Call is the path to the call's name. Of `model.party.party.read`, `{kind}`
	// is model, `{type}` party.party and `{method}` read.
	Call string `yaml:"call"`
	// Method, in the place of Call, is where the call's name stands: a path
	// (`body.params.method`), or a text with variables of Match in it
	// (`/mail/{action}`).
	Method string `yaml:"method"`
	// Type is where the type of the records stands, in the same way; without it the
	// calls say it themselves. In XML-RPC, both are parameters: `body.params[3]`.
	Type string `yaml:"type"`
	// Args is the path to the list of positional arguments.
	Args string `yaml:"args"`
	// Skip is how many of that list stand before the arguments: the database, the user
	// and the key that a CRM wants with each call of XML-RPC. They are kept in no log.
	Skip int `yaml:"skip"`
	// Named is the path to the object of named arguments: `body.params.kwargs`.
	Named string `yaml:"named"`
	// Context says that the call has a context, an object: the last positional
	// argument or, where there are named ones, that of the name context.
	Context bool `yaml:"context"`
	// Defaults is what the context's keys begin with whose values new records get:
	// `default_` of `default_phone`.
	Defaults string `yaml:"defaults"`
	// Result is the path to the answer's result. `$` is the answer as a whole: one
	// with a status from 400 on is an error. XML-RPC says itself where both stand.
	Result string `yaml:"result"`
	// Failure is where the answer holds an error instead.
	Failure failureSpec `yaml:"failure"`
	// Envelope lists the answer's other members. With one more, or with both or
	// neither of result and failure, it isn't released.
	Envelope []string `yaml:"envelope"`
	// Error is the shape of the gateway's refusals of these calls. Default: the
	// profile's, and for XML-RPC a fault.
	Error *errorSpec `yaml:"error"`
}

// failureSpec says which parts of an error that comes as an answer are safe.
type failureSpec struct {
	// At is the path to the error.
	At string `yaml:"at"`
	// Name is the path to the error's name, below At.
	Name string `yaml:"name"`
	// Known maps an error's name to the paths below At whose texts hold no values
	// (the name itself). Every other text, and every text of an error that isn't
	// listed, is withheld.
	Known map[string][]string `yaml:"known"`
}

// callSpec is a remote call.
type callSpec struct {
	// Call is the call's name with `*` for any characters, and at its end one
	// variable: `model.*.read`, `model.*.on_change_{field}`. A glob lets every
	// method pass that fits it.
	Call string `yaml:"call"`
	// Types restricts the call to these types; globs.
	Types []string `yaml:"types"`
	// Sig names the positional arguments. A call with more is refused. Where the
	// transport has named ones, each can come by its name.
	Sig []string `yaml:"sig"`
	// Named are the arguments that come by name alone. Others are refused.
	Named         []string `yaml:"named"`
	operationSpec `yaml:",inline"`
}
