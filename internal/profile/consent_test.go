package profile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
)

// shipped classifies a request to a profile that ships.
func shipped(t *testing.T, name string, r Request) (*Exchange, error) {
	t.Helper()
	src, err := Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	return p.Classify(r)
}

func posted(method, path, body string) Request {
	return Request{Method: method, Path: path, MediaType: "application/json", ContentType: "application/json", Body: []byte(body)}
}

// TestWhomARequestWritesToIsReadFromIt: every address is somebody, what can't be read is
// nobody, and so are those whom a request doesn't name.
func TestWhomARequestWritesToIsReadFromIt(t *testing.T) {
	espo := func(to string) Request {
		return posted("POST", "/api/v1/Email", `{"status":"Sending","name":"s","body":"b",`+to+`}`)
	}
	tryton := func(args string) Request {
		return posted("POST", "/crm/", `{"id":1,"method":"model.ir.email.send","params":[`+args+`,{}]}`)
	}
	for _, c := range []struct {
		profile string
		r       Request
		want    string // the addresses, "?" for nobody
	}{
		{"espocrm", espo(`"to":"a@x.de"`), "a@x.de"},
		{"espocrm", espo(`"to":"a@x.de;b@x.de","cc":"C <c@x.de>","bcc":"\"D, E\" <d@x.de>"`), "a@x.de b@x.de c@x.de d@x.de"},
		{"espocrm", espo(`"to":"a@x.de b@x.de"`), "?"},
		{"espocrm", espo(`"to":"a@x.de<b@x.de>"`), "?"},
		{"espocrm", espo(`"to":"a@x.de\nBcc: b@x.de"`), "a@x.de ?"},
		{"espocrm", espo(`"to":{"a@x.de":"x"}`), "?"},
		{"espocrm", espo(`"to":["a@x.de","b@x.de"]`), "a@x.de b@x.de"},
		{"espocrm", espo(`"to":"","cc":null`), "?"},
		{"espocrm", posted("PUT", "/api/v1/Email/1", `{"status":"Sending","to":"a@x.de"}`), "?"},
		{"espocrm", posted("POST", "/api/v1/Email", `{"status":"Draft","to":"a@x.de"}`), ""},
		{"tryton", tryton(`"a@x.de, B <b@x.de>","","c@x.de","s","b",null,["party.party",1],[],[]`), "a@x.de b@x.de c@x.de"},
		{"hubspot", posted("POST", "/marketing/v4/email/single-send", `{"emailId":1,"message":{"to":"a@x.de"}}`), "a@x.de"},
		{"odoo", posted("POST", "/mail/message/post", `{"id":1,"jsonrpc":"2.0","method":"call","params":{"thread_model":"res.partner","thread_id":7,"post_data":{"body":"b","partner_ids":[8]}}}`), "?"},
		{"tryton", posted("POST", "/crm/", `{"id":1,"method":"model.marketing.email.message.send","params":[[1],{}]}`), "?"},
	} {
		x, err := shipped(t, c.profile, c.r)
		if err != nil {
			t.Errorf("%s %s: %v", c.profile, c.r.Body, err)
			continue
		}
		var got []string
		for _, to := range x.Contacts() {
			if to.Email == "" && to.ID == "" {
				to.Email = "?"
			}
			got = append(got, to.Email)
			if a := x.Accesses[to.Access]; a.Action != access.Contact {
				t.Errorf("%s: the access is %s", c.r.Body, a.Action)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s %s: %q, want %q", c.profile, c.r.Body, got, c.want)
		}
	}
	// A copy of a mail that a template fills is refused.
	if _, err := shipped(t, "hubspot", posted("POST", "/marketing/v4/email/single-send", `{"emailId":1,"message":{"to":"a@x.de","bcc":["me@firma.de"]}}`)); err == nil {
		t.Error("a copy of a template's mail goes out")
	}
}

// TestAMailIsOpaqueWithWhatTheServerPutsIntoIt: reports and attachments can hold anything.
func TestAMailIsOpaqueWithWhatTheServerPutsIntoIt(t *testing.T) {
	for args, opaque := range map[string]bool{
		`null,[],[]`: false, `[],null,null`: false, `[],[3],[]`: true, `[],[],[4]`: true, `[],"x",[]`: true, `[],[],{"a":1}`: true,
	} {
		x, err := shipped(t, "tryton", posted("POST", "/crm/", `{"id":1,"method":"model.ir.email.send","params":["a@x.de","","","s","b",`+strings.Replace(args, ",", `,["party.party",1],`, 1)+`,{}]}`))
		if err != nil {
			t.Fatal(err)
		}
		if x.Whole() != opaque {
			t.Errorf("%s: opaque is %t", args, x.Whole())
		}
	}
}

// TestConsentFieldsSayWhoOptedOut, in answers and in saves.
func TestConsentFieldsSayWhoOptedOut(t *testing.T) {
	said := func(all []access.Said) string {
		var out []string
		for _, s := range all {
			out = append(out, fmt.Sprintf("%s:%s:%d", s.Field, s.Channel, s.State))
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct {
		profile string
		r       Request
		answer  string
		want    string
	}{
		{"espocrm", Request{Method: "GET", Path: "/api/v1/Contact/1"}, `{"id":"1","doNotCall":true,"emailAddressIsOptedOut":false}`, "doNotCall:phone:1"},
		{"espocrm", Request{Method: "GET", Path: "/api/v1/Contact/1"}, `{"id":"1","emailAddressData":[{"emailAddress":"a@x.de","optOut":true}]}`, "emailAddressData.optOut:email:1"},
		{"salesforce", Request{Method: "GET", Path: "/services/data/v60.0/sobjects/Contact/003000000000001AAA"}, `{"attributes":{"type":"Contact","url":"/services/data/v60.0/sobjects/Contact/003000000000001AAA"},"Id":"003000000000001AAA","HasOptedOutOfEmail":true}`, "HasOptedOutOfEmail:email:1"},
		{"hubspot", Request{Method: "GET", Path: "/crm/v3/objects/contacts/1"}, `{"id":"1","properties":{"hs_email_optout":"true"},"propertiesWithHistory":{"hs_email_optout":[{"value":"true"}]}}`, "hs_email_optout:email:1"},
		{"hubspot", Request{Method: "GET", Path: "/crm/v3/objects/contacts/1"}, `{"id":"1","properties":{"hs_email_optout":"false"},"propertiesWithHistory":{"hs_email_optout":[{"value":"true"}]}}`, ""},
		{"suitecrm", Request{Method: "GET", Path: "/Api/V8/module/Contacts/1"}, `{"data":{"type":"Contacts","id":"1","attributes":{"email_opt_out":"1","do_not_call":"0"}}}`, "email_opt_out:email:1"},
	} {
		x, err := shipped(t, c.profile, c.r)
		if err != nil {
			t.Fatal(c.profile, err)
		}
		tree, err := x.Parse([]byte(c.answer), "")
		if err != nil {
			t.Fatal(err)
		}
		found, err := x.Locate(tree, 200)
		if err != nil || len(found.Records) == 0 {
			t.Fatal(c.profile, err)
		}
		if got := said(found.Records[0].Said); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.profile, c.answer, got, c.want)
		}
	}
	x, err := shipped(t, "espocrm", posted("PUT", "/api/v1/Contact/1", `{"doNotCall":true,"emailAddressData":[{"emailAddress":"a@x.de","optOut":true,"primary":true},{"emailAddress":"b@x.de","optOut":false}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range x.Writes()[0].Said() {
		got = append(got, fmt.Sprintf("%s:%d%v", s.Field, s.State, s.Emails))
	}
	if s := strings.Join(got, " "); s != "doNotCall:1[] emailAddressData.optOut:1[a@x.de] emailAddressData.optOut:0[b@x.de]" {
		t.Error(s)
	}
}

// TestARowOfACSVSaysWhoOptedOut of its record, and without an id of itself.
func TestARowOfACSVSaysWhoOptedOut(t *testing.T) {
	p, err := Load([]byte("profile: own/1\nextends: demo\nevidence: documented\nentities:\n  contact:\n    fields:\n" +
		"      newsletter: {category: public, consent: {purpose: newsletter, channel: email, means: {nein: withdrawn, ja: open}}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ csv, records, rows string }{
		{"Nr.;E-Mail;Newsletter\n1;a@x.de;ja\n2;b@x.de;nein\n", "1:0 2:1", "0"},
		{"E-Mail;Newsletter\na@x.de;ja\nb@x.de;nein\n", "", "1"},
	} {
		x, err := p.Classify(Request{Method: "GET", Path: "/contacts/export.csv"})
		if err != nil {
			t.Fatal(err)
		}
		tree, err := x.Parse([]byte(c.csv), "")
		if err != nil {
			t.Fatal(err)
		}
		found, err := x.Locate(tree, 200)
		if err != nil {
			t.Fatal(err)
		}
		var records []string
		for _, r := range found.Records {
			records = append(records, fmt.Sprintf("%s:%d", r.ID, len(r.Said)))
		}
		if got := strings.Join(records, " "); got != c.records || fmt.Sprint(len(found.Said)) != c.rows {
			t.Errorf("%q: records %q, rows %d", c.csv, got, len(found.Said))
		}
	}
}

// TestConsentWordsAreChecked when a profile loads.
func TestConsentWordsAreChecked(t *testing.T) {
	const head = "profile: a/1\nevidence: documented\nwithheld: w\nentities:\n  person: {fields: {mail: email, flag: %s}}\nroutes:\n  - {match: \"POST /send\", entity: person, members: [to]%s}\n"
	for _, c := range []struct{ field, route, want string }{
		{`{category: public, consent: {channel: email, means: {"1": withdrawn}}}`, `, contact: [{entity: person, to: [body.to]}]`, ""},
		{`{category: public, consent: {channel: fax, means: {"1": withdrawn}}}`, ``, `channel "fax" is unknown`},
		{`{category: public, consent: {channel: email, means: {"1": granted}}}`, ``, "has a purpose and a channel"},
		{`{category: public, consent: {channel: email, means: {"1": gone}}}`, ``, `"gone" is neither`},
		{`{category: public, consent: {channel: email}}`, ``, "say what the values mean"},
		{`{category: email, consent: {channel: email, means: {"1": withdrawn}}}`, ``, "a public field"},
		{`public`, `, contact: [{entity: nobody, to: [body.to]}]`, `no entity has the type "nobody"`},
		{`public`, `, opaque_if: [body.to]`, "opaque_if says when"},
	} {
		_, err := Load(fmt.Appendf(nil, head, c.field, c.route))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s %s: %v", c.field, c.route, err)
		}
	}
}
