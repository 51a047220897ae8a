package profile

import "go.yaml.in/yaml/v3"

// errorSpec is the shape of the gateway's own refusals: those of remote calls, or,
// where the profile has no transports, all that aren't shown as a page.
type errorSpec struct {
	// Status is the HTTP status. Default 403, signed out 401.
	Status int `yaml:"status"`
	// Headers are added to the answer's; `{text}` is filled in.
	Headers map[string]string `yaml:"headers"`
	// Body is written as JSON; `{text}` and `"{id}"`, the call's own, are filled in.
	Body yaml.Node `yaml:"body"`
	// SignedOut is what a call gets when the session has ended.
	SignedOut *errorSpec `yaml:"signed_out"`
}
