package profile

import (
	"encoding/base64"
	"strings"
	"testing"
)

func trytonSession(t *testing.T) (*Profile, *CRMSession) {
	t.Helper()
	src, err := Builtin("tryton")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Sessions()) != 1 {
		t.Fatalf("sessions %v", p.Sessions())
	}
	return p, &p.Sessions()[0]
}

// trytond reads base64 with stray characters in it, and any white space between
// the words: each is another spelling of somebody's session.
func TestHeaderSessionHasOneSpelling(t *testing.T) {
	_, s := trytonSession(t)
	b64 := base64.StdEncoding.EncodeToString
	good := b64([]byte("vera:7:0123abcd"))
	for value, want := range map[string]string{
		"Session " + good: "0123abcd", "session " + good: "0123abcd",
		"Session  " + good: "", "Session\t" + good: "", " Session " + good: "", "Session " + good + " ": "",
		"Session " + good[:4] + "!" + good[4:]: "", "Session " + good[:4] + "\n" + good[4:]: "",
		"Session " + good + "====": "",
		"Session " + strings.TrimRight(b64([]byte("vera:7:0123abcde")), "="): "",
		"Session": "",
		"Session " + b64([]byte("vera:0123abcd")):                                  "",
		"Session " + b64([]byte("ve:ra:7:0123abcd")):                               "",
		"Session " + base64.URLEncoding.EncodeToString([]byte("v\xff\xfe:7:\xff")): "",
	} {
		id, user, found := s.Read(value)
		if !found || id != want || (user == "7") != (want != "") {
			t.Errorf("%q: id %q of user %q, found %v, want %q", value, id, user, found, want)
		}
	}
	bare := *s
	bare.scheme = ""
	for value, want := range map[string]string{good: "0123abcd", good[:4] + "\n" + good[4:]: ""} {
		if id, _, _ := bare.Read(value); id != want {
			t.Errorf("without a scheme, %q: id %q, want %q", value, id, want)
		}
	}
	for _, other := range []string{"", "Basic " + good, "Bearer x", "Sessions " + good} {
		if id, _, found := s.Read(other); found || id != "" {
			t.Errorf("%q is taken for the session %q", other, id)
		}
	}
}

func FuzzHeaderSession(f *testing.F) {
	f.Add("Session dmVyYTo3OjAxMjNhYmNk")
	f.Add("Session dmVy!YTo3OjAxMjNhYmNk")
	src, err := Builtin("tryton")
	if err != nil {
		f.Fatal(err)
	}
	p, err := Load(src)
	if err != nil {
		f.Fatal(err)
	}
	s := &p.Sessions()[0]
	f.Fuzz(func(t *testing.T, value string) {
		id, _, found := s.Read(value)
		if id == "" {
			return
		}
		// What is taken for a session's id is spelt in the one way alone.
		word, rest, _ := strings.Cut(value, " ")
		raw, err := base64.StdEncoding.DecodeString(rest)
		if !found || !strings.EqualFold(word, "session") || err != nil || !strings.HasSuffix(string(raw), ":"+id) ||
			base64.StdEncoding.EncodeToString(raw) != rest {
			t.Errorf("%q says %q", value, id)
		}
	})
}

func TestIssuedSession(t *testing.T) {
	p, _ := trytonSession(t)
	x, err := p.Classify(Request{Method: "POST", Path: "/crm/", MediaType: "application/json", Body: []byte(`{"id":1,"method":"common.db.login","params":["vera",{}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	s := x.Issuer()
	if s == nil {
		t.Fatal("the login gives no session out")
	}
	for body, want := range map[string]string{
		`{"id":1,"result":[7,"0123abcd"]}`: "0123abcd", `{"id":1,"result":null}`: "", `{"id":1,"error":["LoginException",["password","x","char"]]}`: "",
		`{"id":1,"result":[]}`: "",
	} {
		if id, err := x.Issued(s, []byte(body)); id != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", body, id, err, want)
		}
	}
	for _, body := range []string{``, `[]`, `{"result":[7,"a"],"result":[7,"b"]}`, `{"result":[7,8]}`, `{"result":[7,""]}`, `<html>`} {
		if id, err := x.Issued(s, []byte(body)); err == nil {
			t.Errorf("%s gives out %q", body, id)
		}
	}
	x, err = p.Classify(Request{Method: "POST", Path: "/crm/", MediaType: "application/json", Body: []byte(`{"id":1,"method":"common.db.logout","params":[]}`)})
	if err != nil || x.Issuer() != nil {
		t.Errorf("the logout gives a session out: %v", err)
	}
}

func TestSessionsOfAProfileAreChecked(t *testing.T) {
	for _, c := range []struct{ sessions, want string }{
		{"- {}", "either `cookie` or `header`"},
		{"- {cookie: a, header: B}", "either `cookie` or `header`"},
		{"- {cookie: a, scheme: Session}", "are for headers"},
		{"- {header: X}", "which call gives the id out"},
		{"- {header: X, issued: {call: common.nothing, id: \"[0]\"}}", "is no call of the profile"},
		{"- {header: X, issued: {call: common.login, id: \"[x]\"}}", "neither [n]"},
		{"- {header: X, parts: [user], issued: {call: common.login, id: \"[0]\"}}", "no part is the id"},
		{"- {header: X, parts: [id, id], issued: {call: common.login, id: \"[0]\"}}", "stands twice"},
		{"- {header: X, part: [id]}", `nearest: "parts"`},
	} {
		_, err := Load([]byte(miniSource(t) + "\nsessions:\n  " + c.sessions + "\n"))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want a word of %q", c.sessions, err, c.want)
		}
	}
}
