package batch

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

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
