package syslog

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"time"
)

// Facility says what kind of program speaks.
type Facility int

// The facilities that an audit log has a use for (RFC 5424, table 1).
const (
	AuthPriv Facility = 10
	Audit    Facility = 13
	Local0   Facility = 16
)

// Severity says how urgent a message is.
type Severity int

// The severities (RFC 5424, table 2).
const (
	Emergency Severity = iota
	Alert
	Critical
	Error
	Warning
	Notice
	Informational
	Debug
)

// App is the APP-NAME of every message.
const App = "crmgate"

// PEN is the private enterprise number in the names of structured data: the one
// that RFC 5612 sets aside for documentation, since the project has none.
const PEN = "32473"

// Message is one message. Its zero value is an emergency of the kernel: set
// Facility and Severity.
type Message struct {
	Facility Facility
	Severity Severity
	// Time is when it happened, now if zero.
	Time time.Time
	// ID says what kind of message it is, in up to 32 letters.
	ID string
	// Data is for machines, Text for people.
	Data []Element
	Text string
}

// Element is structured data. A name without "@" gets the PEN behind it.
type Element struct {
	Name   string
	Params []Param
}

// Param is one of its values.
type Param struct{ Name, Value string }

// encode writes a message as RFC 5424 has it.
func (m *Message) encode(hostname string, now time.Time) []byte {
	at := m.Time
	if at.IsZero() {
		at = now
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "<%d>1 %s %s %s %d %s ", int(m.Facility)*8+int(m.Severity), at.UTC().Format("2006-01-02T15:04:05.000000Z"),
		word(hostname, 255), App, os.Getpid(), word(m.ID, 32))
	if len(m.Data) == 0 {
		b.WriteByte('-')
	}
	for _, e := range m.Data {
		e.encode(&b)
	}
	if m.Text != "" {
		b.WriteByte(' ')
		b.WriteString(line(m.Text))
	}
	return b.Bytes()
}

func (e *Element) encode(b *bytes.Buffer) {
	name := e.Name
	if !strings.Contains(name, "@") {
		name = label(name, 32-1-len(PEN)) + "@" + PEN
	} else {
		name = label(name, 32)
	}
	b.WriteString("[" + name)
	for _, p := range e.Params {
		b.WriteString(" " + label(p.Name, 32) + `="`)
		for _, r := range strings.ToValidUTF8(p.Value, "\uFFFD") {
			if r == '"' || r == '\\' || r == ']' {
				b.WriteByte('\\')
			}
			b.WriteRune(visible(r))
		}
		b.WriteByte('"')
	}
	b.WriteByte(']')
}

// word is printable ASCII without spaces, "-" where nothing is left.
func word(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	if s == "" {
		return "-"
	}
	return s[:min(len(s), most)]
}

// label is a word that names something in structured data.
func label(s string, most int) string {
	s = word(s, 255)
	s = strings.Map(func(r rune) rune {
		if r == '=' || r == ']' || r == '"' {
			return '_'
		}
		return r
	}, s)
	return s[:min(len(s), most)]
}

// line is text in which nothing ends the line: a receiver that splits at newlines
// would take the rest for a message of its own, which somebody else has worded.
func line(s string) string {
	return strings.Map(visible, strings.ToValidUTF8(s, "\uFFFD"))
}

func visible(r rune) rune {
	if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 {
		return ' '
	}
	return r
}
