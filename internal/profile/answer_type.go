package profile

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/csv"
	"github.com/crmgate/crmgate/internal/doc/html"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/doc/lines"
	"github.com/crmgate/crmgate/internal/doc/xlsx"
	"github.com/crmgate/crmgate/internal/doc/xml"
	"github.com/crmgate/crmgate/internal/doc/xmlrpc"
)

// answerTypes are the words for a route's `type`.
func answerTypes() []string {
	return []string{"json", "ndjson", "html", "csv", "xlsx", "xml", "vcard", "ical", "ldif", "sse", "none"}
}

// Accepts reports whether an answer of that media type, in lower case and without
// parameters, can be of the exchange's type.
func (x *Exchange) Accepts(media string) bool {
	if x.rt != nil && contains(x.rt.media, media) {
		return true
	}
	switch x.Type {
	case "json":
		return media == "application/json" || strings.HasSuffix(media, "+json") || x.wrapper().Callback != "" && isScript(media)
	case "ndjson":
		return slices.Contains([]string{"application/x-ndjson", "application/ndjson", "application/jsonl"}, media)
	case "html":
		return media == "text/html"
	case "csv":
		return media == "text/csv"
	case "xlsx":
		return media == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case xmlrpc.Name:
		return media == "text/xml" || media == "application/xml"
	case "xml":
		// Browsers run the scripts of these.
		if media == "application/xhtml+xml" || media == "image/svg+xml" {
			return false
		}
		return media == "text/xml" || media == "application/xml" || strings.HasSuffix(media, "+xml")
	case "vcard":
		return slices.Contains([]string{"text/vcard", "text/x-vcard", "text/directory"}, media)
	case "ical":
		return media == "text/calendar"
	case "sse":
		return media == "text/event-stream"
	case "ldif":
		return media == "text/ldif" || media == "application/ldif"
	}
	return false
}

// isJSON reports whether a media type is one that ends with +json.
func isJSON(media string) bool {
	return strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")
}

func isScript(media string) bool {
	return slices.Contains([]string{"text/javascript", "application/javascript", "application/x-javascript"}, media)
}

// wrapper is what may stand around the answer's document.
func (x *Exchange) wrapper() json.Wrapper {
	if x.rt == nil {
		return json.Wrapper{}
	}
	return json.Wrapper{Prefix: x.rt.prefix, Callback: x.option(x.rt.callback)}
}

// checkCallback refuses a function's name that could be more than one: the CRM
// writes it into a script.
func (x *Exchange) checkCallback() error {
	if name := x.wrapper().Callback; name != "" && !json.ValidCallback(name) {
		return &Refusal{Reason: "malformed", Text: "The name of a callback is no plain name.", Status: 400}
	}
	return nil
}

// Cut divides an answer into its document, and what stands before and behind it.
func (x *Exchange) Cut(body []byte) (before, document, behind []byte) { return x.wrapper().Cut(body) }

// Event reports whether the profile knows events of that name in the stream.
func (x *Exchange) Event(name string) bool { return name == "" || contains(x.rt.events, name) }

// OwnCharset reports whether the type's reader deals with charsets itself.
func (x *Exchange) OwnCharset() bool {
	return x.Type == "csv" || x.Type == "xml" || x.Type == xmlrpc.Name
}

// Parse reads an answer. charset is the one that its Content-Type names, "" for
// none. Errors are *doc.SyntaxError, for a CSV csv.ErrDialect too.
func (x *Exchange) Parse(body []byte, charset string) (*doc.Tree, error) {
	lim := doc.DefaultLimits()
	switch x.Type {
	case "html":
		return html.Parse(body, lim)
	case "csv":
		return csv.Parse(body, x.Dialect(), lim)
	case "xlsx":
		return xlsx.Parse(body, lim)
	case "ndjson":
		return json.ParseLines(body, lim)
	case "vcard", "ical", "ldif":
		return lines.Parse(body, lines.Kind(x.Type), lim)
	case xmlrpc.Name:
		return xmlrpc.Parse(body, charset, lim)
	case "xml":
		return xml.Parse(body, xml.Options{Namespaces: x.rt.namespaces, Charset: charset}, lim)
	}
	return json.Parse(body, lim)
}

// Build makes an answer of a document's masked bytes: they are the answer, but for
// a workbook, which is made anew of its cells whether any was masked or not.
func (x *Exchange) Build(document []byte) ([]byte, error) {
	if x.Type == "xlsx" {
		return xlsx.Build(document)
	}
	return document, nil
}
