package canon

import "errors"

// ErrAmbiguous is what every error of this package wraps: the CRM could read the
// request otherwise than the gateway does, or nobody could read it. The answer
// is 400.
var ErrAmbiguous = errors.New("ambiguous request")

// Reason is a closed word for why a request was refused, for logs, metrics and
// pages.
type Reason string

// The reasons.
const (
	MethodUnknown   Reason = "method_unknown"
	MethodOverride  Reason = "method_override"
	Framing         Reason = "framing"
	RepeatedHeader  Reason = "repeated_header"
	HostInvalid     Reason = "host_invalid"
	HostMismatch    Reason = "host_mismatch"
	HostRepeated    Reason = "host_repeated"
	TargetForm      Reason = "target_form"
	TooLong         Reason = "too_long"
	BadEscape       Reason = "bad_escape"
	BadUTF8         Reason = "bad_utf8"
	BadCharacter    Reason = "bad_character"
	ControlChar     Reason = "control_character"
	Backslash       Reason = "backslash"
	DoubleEncoding  Reason = "double_encoding"
	EncodedSlash    Reason = "encoded_slash"
	EmptySegment    Reason = "empty_segment"
	DotSegment      Reason = "dot_segment"
	Semicolon       Reason = "semicolon"
	Fragment        Reason = "fragment"
	PathMismatch    Reason = "path_mismatch"
	RepeatedParam   Reason = "repeated_parameter"
	MixedParam      Reason = "mixed_parameter"
	ParamName       Reason = "parameter_name"
	TooManyParams   Reason = "too_many_parameters"
	unknownSentence        = "The request is ambiguous."
)

// Reasons lists every reason in a fixed order.
func Reasons() []Reason {
	return []Reason{
		MethodUnknown, MethodOverride, Framing, RepeatedHeader, HostInvalid, HostMismatch,
		HostRepeated, TargetForm, TooLong, BadEscape, BadUTF8, BadCharacter, ControlChar,
		Backslash, DoubleEncoding, EncodedSlash, EmptySegment, DotSegment, Semicolon,
		Fragment, PathMismatch, RepeatedParam, MixedParam, ParamName, TooManyParams,
	}
}

// Sentence says the reason in a sentence for people. It quotes nothing.
func (r Reason) Sentence() string {
	switch r {
	case MethodUnknown:
		return "The method is none of GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS."
	case MethodOverride:
		return "A query parameter overrides the method, and the profile doesn't declare it."
	case Framing:
		return "Content-Length and Transfer-Encoding contradict or repeat each other."
	case RepeatedHeader:
		return "A header that may stand only once is repeated."
	case HostInvalid:
		return "The host is missing or not a valid name."
	case HostMismatch:
		return "The request names two different hosts."
	case HostRepeated:
		return "The Host header is repeated."
	case TargetForm:
		return "The request-target is not a path of this host."
	case TooLong:
		return "The path or the query is too long."
	default:
		return r.targetSentence()
	}
}

func (r Reason) targetSentence() string {
	switch r {
	case BadEscape:
		return "A percent sign is not followed by two hexadecimal digits."
	case BadUTF8:
		return "The decoded path or query is not valid UTF-8."
	case BadCharacter:
		return "The query holds a character that has to be percent-encoded."
	case ControlChar:
		return "The path or the query holds a control character."
	case Backslash:
		return "The path holds a backslash."
	case DoubleEncoding:
		return "The path is percent-encoded twice."
	case EncodedSlash:
		return "The path holds an encoded slash."
	case EmptySegment:
		return "The path holds two slashes in a row."
	case DotSegment:
		return "The path holds a segment of dots."
	case Semicolon:
		return "A semicolon stands in the path, or in the query of a CRM whose profile doesn't take it literally."
	case Fragment:
		return "The path or the query holds a number sign."
	case PathMismatch:
		return "The path and its encoded form differ: a rewrite before the gate changed only one of them."
	default:
		return r.paramSentence()
	}
}

func (r Reason) paramSentence() string {
	switch r {
	case RepeatedParam:
		return "A query parameter is repeated that the profile doesn't declare a list."
	case MixedParam:
		return "A query parameter is used both as a single value and as a list."
	case ParamName:
		return "A query parameter's name is one that programs read differently, and the profile doesn't say how its CRM does."
	case TooManyParams:
		return "The query has too many parameters."
	}
	return unknownSentence
}

// Error is a refused request. Neither the reason nor the sentence quotes the
// request: a URL can hold personal data.
type Error struct {
	Reason Reason
	// Text is the reason's sentence.
	Text string
}

// Error returns the word and the sentence.
func (e *Error) Error() string { return string(e.Reason) + ": " + e.Text }

// Unwrap makes every Error an ErrAmbiguous.
func (e *Error) Unwrap() error { return ErrAmbiguous }

func refuse(r Reason) *Error { return &Error{Reason: r, Text: r.Sentence()} }
