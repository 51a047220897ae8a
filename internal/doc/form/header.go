package form

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/doc/coding"
)

// headers reads a part's headers and the blank line behind them.
func (p *partParser) headers() (Part, error) {
	const most = 4096
	var h Part
	seen := map[string]bool{}
	start := p.at
	for !p.take("\r\n") {
		n := bytes.Index(p.src[p.at:], []byte("\r\n"))
		if n < 0 || p.at+n-start > most {
			return h, refusePart(p.at, "headers without an end")
		}
		line := p.src[p.at : p.at+n]
		colon := bytes.IndexByte(line, ':')
		if colon < 0 || line[0] == ' ' || line[0] == '\t' {
			return h, refusePart(p.at, "a header without a name, or a folded one")
		}
		if err := p.cleanLine(line); err != nil {
			return h, err
		}
		key := strings.ToLower(string(line[:colon]))
		if seen[key] {
			return h, refusePart(p.at, "a header that is given twice")
		}
		seen[key] = true
		if err := p.header(&h, key, p.at+colon+1, p.at+n); err != nil {
			return h, err
		}
		p.at += n + 2
	}
	if h.Name == "" {
		return h, refusePart(start, "a part without a name")
	}
	return h, h.checkType(start)
}

// checkType refuses what isn't a text or a file.
func (h *Part) checkType(start int) error {
	if h.Type == "" {
		return nil
	}
	m, err := coding.ParseMedia(h.Type)
	if err != nil {
		return refusePart(start, "a Content-Type that can't be read")
	}
	if strings.HasPrefix(m.Type, "multipart/") || strings.HasPrefix(m.Type, "message/") {
		return refusePart(start, "parts within a part")
	}
	cs, err := m.Charset()
	if !h.File && (err != nil || cs.Name() != "utf-8" && cs.Name() != "us-ascii") {
		return refusePart(start, "a text in a charset other than UTF-8")
	}
	return nil
}

func (p *partParser) cleanLine(line []byte) error {
	for i, c := range line {
		if c < ' ' && c != '\t' || c == 0x7f {
			return refusePart(p.at+i, "a control character in a header")
		}
	}
	if !utf8.Valid(line) {
		return refusePart(p.at, "a header that is not UTF-8")
	}
	return nil
}

// header reads the value src[from:to] of one header.
func (p *partParser) header(h *Part, key string, from, to int) error {
	value := strings.Trim(string(p.src[from:to]), " \t")
	switch key {
	case "content-disposition":
		return p.disposition(h, from, to)
	case "content-type":
		h.Type = value
		return nil
	case "content-transfer-encoding":
		switch strings.ToLower(value) {
		case "7bit", "8bit", "binary":
			return nil
		}
		return refusePart(from, "a transfer encoding")
	}
	return refusePart(from, "a header that browsers don't send")
}

// disposition reads `form-data; name="…"; filename="…"`.
func (p *partParser) disposition(h *Part, from, to int) error {
	s := scanner{src: p.src, at: from, end: to}
	s.space()
	if word := s.token(); !strings.EqualFold(word, "form-data") {
		return refusePart(from, "a disposition other than form-data")
	}
	for s.space(); s.at < to; s.space() {
		if !s.byte(';') {
			return refusePart(s.at, "a parameter without a semicolon before it")
		}
		s.space()
		key := strings.ToLower(s.token())
		if !s.byte('=') {
			return refusePart(s.at, "a parameter without a value")
		}
		start, end, ok := s.value()
		if !ok {
			return refusePart(s.at, "a parameter whose value is read in two ways")
		}
		value := string(p.src[start:end])
		switch {
		case key == "name" && strings.Contains(value, "%"):
			return refusePart(start, "a name with an escape: some programs decode it")
		case key == "name" && h.Name == "" && value != "":
			h.Name, h.key, h.keyEnd = value, start, end
		case key == "filename" && !h.File:
			h.File, h.FileName = true, value
		default:
			return refusePart(start, "a parameter that is repeated, empty or unknown")
		}
	}
	return nil
}

// scanner reads a header's value.
type scanner struct {
	src     []byte
	at, end int
}

func (s *scanner) space() {
	for s.at < s.end && (s.src[s.at] == ' ' || s.src[s.at] == '\t') {
		s.at++
	}
}

func (s *scanner) byte(c byte) bool {
	if s.at < s.end && s.src[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *scanner) token() string {
	from := s.at
	for s.at < s.end && (isAlnum(s.src[s.at]) || strings.IndexByte("-_.", s.src[s.at]) >= 0) {
		s.at++
	}
	return string(s.src[from:s.at])
}

// value reads a token or a quoted string and returns the bytes without quotes.
// A backslash is refused: for browsers it is itself, for servers an escape.
func (s *scanner) value() (start, end int, ok bool) {
	if !s.byte('"') {
		start = s.at
		s.token()
		return start, s.at, s.at > start
	}
	start = s.at
	n := bytes.IndexByte(s.src[s.at:s.end], '"')
	if n < 0 {
		return 0, 0, false
	}
	s.at += n + 1
	end = start + n
	return start, end, bytes.IndexByte(s.src[start:end], '\\') < 0
}
