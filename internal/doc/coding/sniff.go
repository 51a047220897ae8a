package coding

import (
	"bytes"
	"strings"

	"golang.org/x/net/html/atom"
)

// Kind is what the first bytes of a body show it to be.
type Kind string

// The kinds.
const (
	Unknown Kind = "unknown"
	HTML    Kind = "html"
	JSON    Kind = "json"
	XML     Kind = "xml"
	Zip     Kind = "zip"
	Gzip    Kind = "gzip"
	Zstd    Kind = "zstd"
	PDF     Kind = "pdf"
	PNG     Kind = "png"
	JPEG    Kind = "jpeg"
	GIF     Kind = "gif"
	// UTF16 is text in UTF-16 or UTF-32, by its byte order mark: browsers believe
	// the mark and not the header.
	UTF16 Kind = "utf-16"
)

// SniffLen is how many first bytes tell the kind.
const SniffLen = 512

// Sniff tells the kind of a body from its first bytes.
func Sniff(first []byte) Kind {
	for _, m := range []struct {
		magic string
		kind  Kind
	}{
		{"%PDF-", PDF},
		{"PK\x03\x04", Zip},
		{"PK\x05\x06", Zip},
		{"\x1f\x8b", Gzip},
		{"\x28\xb5\x2f\xfd", Zstd},
		{"\x89PNG\r\n\x1a\n", PNG},
		{"\xff\xd8\xff", JPEG},
		{"GIF87a", GIF},
		{"GIF89a", GIF},
		{"\xff\xfe", UTF16},
		{"\xfe\xff", UTF16},
		{"\x00\x00\xfe\xff", UTF16},
	} {
		if bytes.HasPrefix(first, []byte(m.magic)) {
			return m.kind
		}
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(first, []byte("\xef\xbb\xbf")), " \t\r\n\f")
	switch {
	case len(text) == 0:
		return Unknown
	case bytes.HasPrefix(text, []byte("%PDF-")):
		return PDF
	case text[0] == '{' || text[0] == '[':
		return JSON
	case text[0] == '<':
		return markup(text[1:])
	}
	return Unknown
}

// markup tells HTML from XML behind the first `<`.
func markup(s []byte) Kind {
	if bytes.HasPrefix(s, []byte("!--")) {
		return HTML
	}
	s = bytes.ToLower(s[:min(len(s), 32)])
	n := 0
	for n < len(s) && (s[n] >= 'a' && s[n] <= 'z' || s[n] >= '0' && s[n] <= '9' || s[n] == '-' || s[n] == ':') {
		n++
	}
	switch {
	case bytes.HasPrefix(s, []byte("?xml")):
		return XML
	case bytes.HasPrefix(s, []byte("!doctype")):
		if rest := bytes.TrimLeft(s[len("!doctype"):], " \t\r\n"); bytes.HasPrefix(rest, []byte("html")) {
			return HTML
		}
		return XML
	case n == 0 || s[0] < 'a':
		return Unknown
	case string(s[:n]) == "svg" || atom.Lookup(s[:n]) == 0:
		return XML
	}
	return HTML
}

// family is a group of media types whose bodies look alike.
type family uint8

const (
	other family = iota
	jsonText
	htmlText
	xmlText
	rows   // csv, forms, folded lines
	source // scripts, style sheets
	anyText
	media // pictures, sound and fonts that Sniff doesn't know
	anything
)

// Agrees reports whether the first bytes can be of the media type: it finds out
// the lies that would lead a body around the parser of what it really is. It
// returns false for types that it doesn't know. An empty body agrees with every
// type that it knows; only the parser says that a body is what it should be.
func Agrees(mediaType string, first []byte) bool {
	mediaType = strings.ToLower(mediaType)
	kind := Sniff(first)
	if want, known := exact(mediaType); known {
		return kind == want || len(first) == 0
	}
	switch familyOf(mediaType) {
	case jsonText:
		return kind == JSON || kind == Unknown
	case htmlText:
		return kind == HTML || kind == Unknown || kind == XML && mediaType == "application/xhtml+xml"
	case xmlText:
		return kind == XML || kind == Unknown || kind == HTML && !isPage(first)
	case rows:
		return kind == Unknown
	case source:
		return kind == Unknown || kind == JSON
	case anyText:
		return kind == Unknown || kind == JSON || kind == HTML || kind == XML
	case media:
		return kind == Unknown
	case anything:
		return true
	}
	return false
}

// isPage reports whether the body is a whole HTML page, which some elements of
// XML formats only look like.
func isPage(first []byte) bool {
	text := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(first, []byte("\xef\xbb\xbf")), " \t\r\n\f"))
	return bytes.HasPrefix(text, []byte("<!doctype html")) || bytes.HasPrefix(text, []byte("<html"))
}

// exact returns the kind that bodies of the type begin with.
func exact(mediaType string) (Kind, bool) {
	switch mediaType {
	case "application/pdf":
		return PDF, true
	case "image/png":
		return PNG, true
	case "image/jpeg":
		return JPEG, true
	case "image/gif":
		return GIF, true
	case "application/gzip", "application/x-gzip":
		return Gzip, true
	case "application/zip", "application/x-zip-compressed":
		return Zip, true
	}
	for _, office := range []string{"application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.opendocument."} {
		if strings.HasPrefix(mediaType, office) {
			return Zip, true
		}
	}
	return Unknown, false
}

func familyOf(mediaType string) family {
	switch mediaType {
	case "application/json", "text/json", "application/x-ndjson", "application/ndjson", "application/jsonl":
		return jsonText
	case "text/html", "application/xhtml+xml":
		return htmlText
	case "application/xml", "text/xml":
		return xmlText
	case "text/csv", "text/comma-separated-values", "text/tab-separated-values", "application/x-www-form-urlencoded", "multipart/form-data",
		"text/vcard", "text/x-vcard", "text/directory", "text/calendar", "text/ldif", "application/ldif",
		"text/event-stream":
		return rows
	case "text/javascript", "application/javascript", "application/x-javascript", "text/css":
		return source
	case "text/plain":
		return anyText
	case "application/octet-stream":
		return anything
	case "application/font-woff", "application/font-woff2", "image/svg":
		return media
	}
	switch main, _, _ := strings.Cut(mediaType, "/"); {
	case strings.HasSuffix(mediaType, "+json"):
		return jsonText
	case strings.HasSuffix(mediaType, "+xml"):
		return xmlText
	case main == "image" || main == "audio" || main == "video" || main == "font":
		return media
	}
	return other
}
