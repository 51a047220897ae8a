package profile

import (
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/csv"
	"github.com/crmgate/crmgate/internal/doc/html"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/doc/xml"
)

// answerTypes are the words for a route's `type`.
func answerTypes() []string { return []string{"json", "html", "csv", "xml", "none"} }

// Accepts reports whether an answer of that media type, in lower case and without
// parameters, can be of the exchange's type.
func (x *Exchange) Accepts(media string) bool {
	switch x.Type {
	case "json":
		return media == "application/json" || strings.HasSuffix(media, "+json")
	case "html":
		return media == "text/html"
	case "csv":
		return media == "text/csv"
	case "xml":
		// Browsers run the scripts of these.
		if media == "application/xhtml+xml" || media == "image/svg+xml" {
			return false
		}
		return media == "text/xml" || media == "application/xml" || strings.HasSuffix(media, "+xml")
	}
	return false
}

// OwnCharset reports whether the type's reader deals with charsets itself.
func (x *Exchange) OwnCharset() bool { return x.Type == "csv" || x.Type == "xml" }

// Parse reads an answer. charset is the one that its Content-Type names, "" for
// none. Errors are *doc.SyntaxError, for a CSV csv.ErrDialect too.
func (x *Exchange) Parse(body []byte, charset string) (*doc.Tree, error) {
	lim := doc.DefaultLimits()
	switch x.Type {
	case "html":
		return html.Parse(body, lim)
	case "csv":
		return csv.Parse(body, x.Dialect(), lim)
	case "xml":
		return xml.Parse(body, xml.Options{Namespaces: x.rt.namespaces, Charset: charset}, lim)
	}
	return json.Parse(body, lim)
}
