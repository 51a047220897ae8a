package profile

import "go.yaml.in/yaml/v3"

// jsonSpec says what stands around a JSON answer. It stays as it is; an answer
// without it is taken, too.
type jsonSpec struct {
	// Prefix is a text that keeps scripts from running the answer: `")]}',\n"`.
	Prefix string `yaml:"prefix"`
	// Callback is the query parameter that names the function which gets the
	// document (JSONP): `query.callback`. A name with anything but letters, digits,
	// `_`, `$` and dots in it is refused.
	Callback string `yaml:"callback"`
}

// sseSpec describes an answer of server-sent events, which is released event by
// event. The data of each is a JSON document, with records at the places that
// `records` gives. An event of another name, and one whose data aren't a JSON
// document or hold no such place, is left out; texts of comments are, and ids but
// numbers and UUIDs.
type sseSpec struct {
	// Events are the names that events may have. Those without a name are known.
	Events []string `yaml:"events"`
}

// xmlSpec says how an XML answer is read. Elements and attributes go by their
// local names, attributes with an `@` before them. `.name` leads to every element
// of that name, `[*]` and `.*` to every element; a field below another element of
// the record is named by the way to it (`address.city`), an attribute of a field's
// element with it (`email@label`).
type xmlSpec struct {
	// Namespaces maps words to the namespaces that the profile tells apart: names
	// of theirs begin with the word then (`sf:Email`), those of all others don't.
	// Prefixes in the document mean nothing.
	Namespaces map[string]string `yaml:"namespaces"`
	// Fault is the path to what says that the answer is an error, whatever its
	// status: its texts are withheld. Default: SOAP's Fault.
	Fault string `yaml:"fault"`
}

// errorSpec is the shape of the gateway's own refusals: those of remote calls, or,
// where the profile has no transports, all that aren't shown as a page.
type errorSpec struct {
	// Status is the HTTP status. Default 403, signed out 401.
	Status int `yaml:"status"`
	// Headers are added to the answer's; `{text}` is filled in.
	Headers map[string]string `yaml:"headers"`
	// Body is written as JSON; `{text}` and `"{id}"`, the call's own, are filled in.
	Body yaml.Node `yaml:"body"`
	// Page stands instead of Body where the CRM's scripts put HTML on the screen:
	// `{text}` is filled in, escaped.
	Page string `yaml:"page"`
	// SignedOut is what a call gets when the session has ended.
	SignedOut *errorSpec `yaml:"signed_out"`
}
