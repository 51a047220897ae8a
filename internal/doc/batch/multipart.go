package batch

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/textproto"
	"strconv"
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
			var err error
			if h.media, err = coding.ParseMedia(value); err != nil || len(h.media.Charsets) > 0 {
				return syntax(at, "a Content-Type that can't be read")
			}
			if r.answers && h.media.Further {
				r.b.fixed = append(r.b.fixed, l.value.edit([]byte(h.media.Type)))
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

// plainID reports whether an id is nothing but one.
func plainID(id string) bool {
	for i := range len(id) {
		if c := id[i]; !isAlnum(c) && strings.IndexByte("-_.", c) < 0 {
			return false
		}
	}
	return id != "" && len(id) <= 64
}

// message reads an application/http message.
func (r *reader) message(part header, group int) error {
	if len(r.b.Messages) >= r.most {
		return syntax(part.body.from, fmt.Sprintf("more than %d requests", r.most))
	}
	n := bytes.Index(r.src[part.body.from:part.body.to], []byte("\r\n"))
	if n < 0 {
		return syntax(part.body.from, "a message without its first line")
	}
	m := Message{ID: part.id, Group: group, Header: http.Header{}, headers: -1}
	begin := span{part.body.from, part.body.from + n}
	if err := r.begin(&m, begin); err != nil {
		return err
	}
	start := r.groupStart(group)
	if r.b.find(unit{start, len(r.b.Messages) - start, true}, part.id) >= 0 {
		return syntax(begin.from, "a Content-ID that is given twice")
	}
	h, err := r.head(span{begin.to + 2, part.body.to}, true)
	if err != nil {
		return err
	}
	m.body, m.open = h.body, h.open
	for _, l := range h.lines {
		switch l.name {
		case "Content-Length":
			if err := r.contentLength(&m, l.value); err != nil {
				return err
			}
			continue
		case "Transfer-Encoding", "Connection", "Te", "Trailer", "Upgrade", "Expect", "Keep-Alive":
			return syntax(l.whole.from, "a header that says how a message is framed")
		}
		m.Header.Set(l.name, r.text(l.value))
		m.lines = append(m.lines, l)
	}
	m.Body = r.src[m.body.from:m.body.to]
	if len(bytes.Trim(m.Body, "\r\n")) == 0 {
		m.Body = nil
	}
	r.b.Messages = append(r.b.Messages, m)
	return nil
}

// groupStart is the first message of the change set that is being read; without one
// the batch's.
func (r *reader) groupStart(group int) int {
	if group == 0 {
		return 0
	}
	start := len(r.b.Messages)
	for start > 0 && r.b.Messages[start-1].Group == group {
		start--
	}
	return start
}

// begin reads the first line: METHOD target HTTP/1.1, or HTTP/1.1 status phrase.
func (r *reader) begin(m *Message, s span) error {
	words := strings.SplitN(r.text(s), " ", 3)
	for i, c := range r.src[s.from:s.to] {
		if c < ' ' || c >= 0x7f {
			return syntax(s.from+i, "a first line with other characters than ASCII's")
		}
	}
	if r.answers {
		return r.status(m, s, words)
	}
	if len(words) != 3 || words[2] != "HTTP/1.1" || !isMethod(words[0]) || words[1] == "" {
		return syntax(s.from, "a first line other than METHOD address HTTP/1.1")
	}
	if m.Group > 0 && (words[0] == http.MethodGet || words[0] == http.MethodHead) {
		return syntax(s.from, "a change set that reads")
	}
	m.Method, m.Target = words[0], words[1]
	m.target = span{s.from + len(words[0]) + 1, s.from + len(words[0]) + 1 + len(words[1])}
	return nil
}

func isMethod(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func (r *reader) status(m *Message, s span, words []string) error {
	if len(words) < 2 || words[0] != "HTTP/1.1" || len(words[1]) != 3 {
		return syntax(s.from, "an answer without its status")
	}
	n, err := strconv.Atoi(words[1])
	if err != nil || n < 200 || n > 599 {
		return syntax(s.from, "an answer without its status")
	}
	m.Status = n
	m.phrase = span{s.from + len("HTTP/1.1 200"), s.to}
	return nil
}

// contentLength holds the length that a message names against its body: line ends
// before the boundary don't count.
func (r *reader) contentLength(m *Message, value span) error {
	n, err := strconv.Atoi(r.text(value))
	rest := m.body.to - m.body.from - n
	if err != nil || n < 0 || rest < 0 || strconv.Itoa(n) != r.text(value) ||
		strings.Trim(r.text(span{m.body.from + n, m.body.to}), "\r\n") != "" {
		return syntax(value.from, "a Content-Length that is not the body's")
	}
	m.length = value
	m.body.to = m.body.from + n
	return nil
}
