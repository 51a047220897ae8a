package profile

import (
	"encoding/base64"
	"errors"
	"net/textproto"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// CRMSession is one way in which the CRM knows a session of its own again.
type CRMSession struct {
	// Cookie or Header holds the id; the other one is "".
	Cookie, Header string

	none   []string
	scheme string
	parts  int // 0: the value is the id
	id     int
	user   int // -1: the value names no user
	issued string
	at     path
}

// Sessions lists how the CRM knows its own sessions again. Empty: the profile
// doesn't say.
func (p *Profile) Sessions() []CRMSession { return p.sessions }

// IsNone reports whether a cookie's value says that there is no session.
func (s *CRMSession) IsNone(value string) bool { return contains(s.none, value) }

func (c *compiler) sessions() {
	for i := range c.spec.Sessions {
		s := &c.spec.Sessions[i]
		where := "sessions " + s.Cookie + s.Header
		out := CRMSession{Cookie: s.Cookie, none: s.None, Header: textproto.CanonicalMIMEHeaderKey(s.Header), scheme: s.Scheme, user: -1, issued: s.Issued.Call}
		switch {
		case (s.Cookie == "") == (s.Header == ""):
			c.fail(where, "say where the id stands: either `cookie` or `header`")
		case s.Cookie != "" && (s.Scheme != "" || len(s.Parts) > 0 || s.Issued != issuedSpec{}):
			c.fail(where, "a cookie is set and sent back as it is: scheme, parts and issued are for headers")
		case s.Header != "" && len(s.None) > 0:
			c.fail(where, "none is for cookies")
		case s.Header != "" && (s.Issued.Call == "" || s.Issued.ID == ""):
			c.fail(where, "say which call gives the id out, and where in its result: `issued: {call: …, id: …}`")
		}
		c.sessionParts(where, s.Parts, &out)
		if s.Issued.Call != "" {
			c.issuer(where, s.Issued.Call)
			out.at = c.path(where, s.Issued.ID)
		}
		c.p.sessions = append(c.p.sessions, out)
	}
}

func (c *compiler) sessionParts(where string, parts []string, out *CRMSession) {
	if len(parts) == 0 {
		return
	}
	out.parts, out.id = len(parts), -1
	for i, name := range parts {
		switch {
		case name == "id" && out.id < 0:
			out.id = i
		case name == "user" && out.user < 0:
			out.user = i
		case name != "-":
			c.fail(where, "part %q is neither id, user nor -, or stands twice", name)
		}
	}
	if out.id < 0 {
		c.fail(where, "no part is the id")
	}
}

// issuer checks the call that gives sessions out: its answer is read apart from
// all others, and so must hold nothing to mask.
func (c *compiler) issuer(where, name string) {
	call := c.p.findCall(name, map[string]string{})
	if call == nil || !call.pass {
		c.fail(where, "issued: %s is no call of the profile with `pass: true`", name)
	}
}

// Read returns what a header's value says. Without the scheme it is no session
// (found is false). One that has the scheme and isn't spelt in the one canonical
// way is found and has no id: the CRM could read it as another session's.
func (s *CRMSession) Read(value string) (id, user string, found bool) {
	if s.scheme != "" {
		words := strings.Fields(value)
		if len(words) == 0 || !strings.EqualFold(words[0], s.scheme) {
			return "", "", false
		}
		if len(words) != 2 || value != words[0]+" "+words[1] {
			return "", "", true
		}
		value = words[1]
	}
	if s.parts == 0 {
		return value, "", true
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(value)
	if err != nil || base64.StdEncoding.EncodeToString(raw) != value {
		return "", "", true
	}
	parts := strings.Split(string(raw), ":")
	if len(parts) != s.parts {
		return "", "", true
	}
	if s.user >= 0 {
		user = parts[s.user]
	}
	return parts[s.id], user, true
}

// Issuer returns the session that the answer to this request may give out, or nil.
func (x *Exchange) Issuer() *CRMSession {
	for i := range x.p.sessions {
		if s := &x.p.sessions[i]; s.issued != "" && x.tr != nil && s.issued == x.Call {
			return s
		}
	}
	return nil
}

// Issued returns the id that an answer gives out; "" where it gives none (a
// refused sign-in). An answer in which that can't be told is an error.
func (x *Exchange) Issued(s *CRMSession, body []byte) (string, error) {
	t, err := x.Parse(body, "")
	if err != nil || t.Nodes[doc.Root].Kind != doc.Object {
		return "", ErrShape
	}
	result := x.tr.result.first(t, doc.Root)
	if result < 0 || t.Nodes[result].Kind == doc.Null {
		return "", nil
	}
	id := s.at.first(t, result)
	if id < 0 {
		return "", nil // another step of the sign-in is asked for
	}
	if t.Nodes[id].Kind != doc.String || t.Text(id) == "" {
		return "", errors.New("the session's id is no text")
	}
	return t.Text(id), nil
}
