package batch

import (
	"bytes"
	"errors"
	"math"
	"net/textproto"
	"strings"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/doc/coding"
)

// ErrBoundary says that the type of a batch isn't one that all readers read alike.
var ErrBoundary = errors.New("the type is no multipart/mixed with a plain boundary")

// Boundary reads the Content-Type of a batch: multipart/mixed with a boundary of
// letters, digits and -_.+= and no further parameter.
func Boundary(contentType string) (string, error) {
	m, err := coding.ParseMedia(contentType)
	if err != nil || m.Type != "multipart/mixed" || m.Further || len(m.Charsets) > 0 || m.Header != "" || !plainBoundary(m.Boundary) {
		return "", ErrBoundary
	}
	return m.Boundary, nil
}

func plainBoundary(b string) bool {
	if b == "" || len(b) > 70 {
		return false
	}
	for i := range len(b) {
		if c := b[i]; !isAlnum(c) && strings.IndexByte("+_-.=", c) < 0 {
			return false
		}
	}
	return true
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// ParseRequests reads a multipart/mixed body of requests. Each part is an
// application/http message or a change set: multipart/mixed of such messages, none
// of which may be a GET. Refused with a doc.SyntaxError: text before the first or
// behind the last boundary (but one line end), line ends other than CRLF, folded,
// repeated or unknown headers of parts, transfer encodings that change bytes,
// batches within change sets, the boundary within a content, a Content-Length that
// isn't that of the body, headers that say how a message is framed, and more than
// most messages.
func ParseRequests(src []byte, boundary string, most int) (*Batch, error) {
	return parse(src, boundary, most, false)
}

// ParseAnswers reads a multipart/mixed body of answers in the same way. Headers of
// parts that aren't known don't go on.
func ParseAnswers(src []byte, boundary string, most int) (*Batch, error) {
	return parse(src, boundary, most, true)
}

func parse(src []byte, boundary string, most int, answers bool) (*Batch, error) {
	if len(src) > math.MaxInt32 {
		return nil, syntax(0, "longer than 2 GiB")
	}
	if !plainBoundary(boundary) {
		return nil, syntax(0, "a boundary that is none: 1 to 70 letters, digits and marks")
	}
	r := &reader{b: &Batch{src: src}, src: src, answers: answers, most: min(most, MaxMessages)}
	err := r.divide(span{0, len(src)}, boundary, func(s span) error { return r.part(s, boundary) })
	if err != nil {
		return nil, err
	}
	return r.b, nil
}

type reader struct {
	b       *Batch
	src     []byte
	answers bool
	most    int
	groups  int
}

func (r *reader) at(from, to int, s string) bool {
	return bytes.HasPrefix(r.src[from:to], []byte(s))
}

// divide calls part for the content of each part of a multipart body.
func (r *reader) divide(s span, boundary string, part func(span) error) error {
	r.b.words = append(r.b.words, boundary)
	delimiter := []byte("--" + boundary)
	at := s.from
	if r.at(at, s.to, "\r\n") {
		at += 2
	}
	if !bytes.HasPrefix(r.src[at:s.to], delimiter) {
		return syntax(at, "no boundary at the start")
	}
	at += len(delimiter)
	for count := 0; ; count++ {
		if r.at(at, s.to, "--") {
			at += 2
			if r.at(at, s.to, "\r\n") {
				at += 2
			}
			if at != s.to || count == 0 {
				return syntax(at, "bytes behind the last boundary, or no part before it")
			}
			return nil
		}
		if !r.at(at, s.to, "\r\n") {
			return syntax(at, "a boundary without a line end behind it")
		}
		at += 2
		n := bytes.Index(r.src[at:s.to], delimiter)
		if n < 2 || string(r.src[at+n-2:at+n]) != "\r\n" {
			return syntax(at, "a part without a boundary behind it on a line of its own")
		}
		if err := part(span{at, at + n - 2}); err != nil {
			return err
		}
		at += n + len(delimiter)
	}
}

// part reads one part of the batch itself.
func (r *reader) part(s span, outer string) error {
	head, err := r.head(s, false)
	if err != nil {
		return err
	}
	first := len(r.b.Messages)
	if head.isMessage() {
		if err := r.message(head, 0); err != nil {
			return err
		}
		r.b.units = append(r.b.units, unit{first, 1, false})
		return nil
	}
	boundary := head.media.Boundary
	if head.media.Type != "multipart/mixed" || head.media.Further || head.id != "" || !plainBoundary(boundary) ||
		strings.HasPrefix(boundary, outer) || strings.HasPrefix(outer, boundary) {
		return syntax(s.from, "a part that is neither application/http nor a change set with a boundary of its own")
	}
	r.groups++
	err = r.divide(head.body, boundary, func(s span) error {
		head, err := r.head(s, false)
		if err != nil {
			return err
		}
		if !head.isMessage() {
			return syntax(s.from, "a change set that holds something else than requests")
		}
		return r.message(head, r.groups)
	})
	r.b.units = append(r.b.units, unit{first, len(r.b.Messages) - first, true})
	return err
}

// header is what stands before a content.
type header struct {
	lines []line
	body  span
	open  bool
	// Of a part:
	media coding.Media
	id    string
}

func (h *header) isMessage() bool {
	return h.media.Type == "application/http" && h.media.Boundary == ""
}

// maxHead bounds the headers of a part, or of a message, in bytes.
const maxHead = 16 << 10

// head reads headers and the blank line behind them. Those of a message may be all
// there is: the last one's line end is the content's, then.
func (r *reader) head(s span, message bool) (header, error) {
	var h header
	seen := map[string]bool{}
	at := s.from
	for {
		if r.at(at, s.to, "\r\n") {
			at += 2
			break
		}
		if at == s.to && message {
			h.open = true
			break
		}
		n := bytes.Index(r.src[at:s.to], []byte("\r\n"))
		if n < 0 || at+n-s.from > maxHead {
			return h, syntax(at, "headers without an end")
		}
		l, err := r.line(at, at+n)
		if err != nil {
			return h, err
		}
		if seen[l.name] {
			return h, syntax(at, "a header that is given twice")
		}
		seen[l.name] = true
		h.lines = append(h.lines, l)
		at += n + 2
	}
	h.body = span{at, s.to}
	if message {
		return h, nil
	}
	return h, r.partHead(s.from, &h)
}

// line reads the header src[from:to].
func (r *reader) line(from, to int) (line, error) {
	text := r.src[from:to]
	colon := bytes.IndexByte(text, ':')
	if colon < 0 || !isToken(text[:colon]) {
		return line{}, syntax(from, "a header without a name, or a folded one")
	}
	for i, c := range text {
		if c < ' ' && c != '\t' || c == 0x7f {
			return line{}, syntax(from+i, "a control character in a header")
		}
	}
	if !utf8.Valid(text) {
		return line{}, syntax(from, "a header that is not UTF-8")
	}
	value := span{from + colon + 1, to}
	for value.from < value.to && isBlank(r.src[value.from]) {
		value.from++
	}
	for value.from < value.to && isBlank(r.src[value.to-1]) {
		value.to--
	}
	return line{textproto.CanonicalMIMEHeaderKey(string(text[:colon])), span{from, to + 2}, value}, nil
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

func isToken(b []byte) bool {
	for _, c := range b {
		if !isAlnum(c) && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return len(b) > 0
}

func (r *reader) text(s span) string { return string(r.src[s.from:s.to]) }

// partHead judges the headers of a part.
func (r *reader) partHead(at int, h *header) error {
	for _, l := range h.lines {
		value := r.text(l.value)
		switch l.name {
		case "Content-Type":
			if err := r.partType(at, h, l.value); err != nil {
				return err
			}
		case "Content-Transfer-Encoding":
			if v := strings.ToLower(value); v != "binary" && v != "8bit" && v != "7bit" {
				return syntax(at, "a transfer encoding")
			}
		case "Content-Id":
			if !plainID(value) {
				return syntax(at, "a Content-ID of other characters than letters, digits and -_.")
			}
			h.id = value
		default:
			if !r.answers {
				return syntax(at, "a header of a part that is not known")
			}
			r.b.fixed = append(r.b.fixed, l.whole.edit(nil))
		}
	}
	return nil
}

// partType reads a part's type. What an answer says of it beside the boundary doesn't
// go on.
func (r *reader) partType(at int, h *header, value span) (err error) {
	if h.media, err = coding.ParseMedia(r.text(value)); err != nil || len(h.media.Charsets) > 0 || h.media.Header != "" {
		return syntax(at, "a Content-Type that can't be read")
	}
	if r.answers && h.media.Further {
		r.b.fixed = append(r.b.fixed, value.edit([]byte(h.media.Type)))
	}
	return nil
}

// plainID reports whether an id is nothing but one.
func plainID(id string) bool {
	for i := range len(id) {
		if c := id[i]; !isAlnum(c) && strings.IndexByte("-_.", c) < 0 {
			return false
		}
	}
	return id != "" && len(id) <= 64
}
