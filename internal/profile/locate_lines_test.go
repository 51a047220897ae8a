package profile

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
)

func linesProfile(t testing.TB) *Profile {
	t.Helper()
	p, err := Load([]byte(fixture(t, "lines.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func locateIn(t testing.TB, p *Profile, r Request, body string, status int) []string {
	t.Helper()
	x := classify(t, p, r)
	_, document, _ := x.Cut([]byte(body))
	tree, err := x.Parse(document, "")
	if err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	l, err := x.Locate(tree, status)
	if err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	return located(tree, l)
}

func TestRecordsOfFoldedLinesAreFound(t *testing.T) {
	p := linesProfile(t)
	const contact1 = " of contact/1"
	for _, tt := range []struct {
		name, path, body string
		want             []string
	}{
		{"vCard", "/card", "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:1\r\nN:Mustermann;Erika;;;\r\nFN:Erika Mu\r\n stermann\r\nitem1.EMAIL;TYPE=work;X-OWNER=Max:e@x\r\nTEL;TYPE=home:tel:+49 30\r\n" +
			"ADR;LABEL=\"Weg 1, Ort\":;;Weg 1;Ort;;;\r\nPHOTO;ENCODING=b:/9j/\r\nREV:2026\r\nX-SHOE:42\r\nEND:VCARD\r\nBEGIN:VCARD\r\nUID:2\r\nFN: F\r\nEND:VCARD\r\n", []string{
			"record contact/1", "record contact/2", "field name=Mustermann name" + contact1, "field name=Erika name" + contact1, "field name=Erika Mustermann name" + contact1,
			"field email=e@x email" + contact1, "field email@X-OWNER=Max unclassified" + contact1, "field phone=+49 30 phone" + contact1,
			"field street=Weg 1, Ort address" + contact1, "field street=Weg 1 address" + contact1, "field street=Ort address" + contact1,
			"field photo=/9j/ special as picture" + contact1, "field X-SHOE=42 unclassified" + contact1, "field name= F name of contact/2",
		}},
		{"recorded of SuiteCRM", "/card", "BEGIN:VCARD\nN;CHARSET=utf-8:Abston;Changed;;\nFN;CHARSET=utf-8: Changed Abston\nBDAY:\nTEL;WORK;FAX:\nTEL;HOME;CHARSET=utf-8:(749) 402-2354\nEND:VCARD", []string{
			"field name=Abston name", "field name=Changed name", "field name= Changed Abston name", "field phone=(749) 402-2354 phone",
		}},
		{"calendar", "/calendar", "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nX-OWNER:Erika\nBEGIN:VEVENT\nUID:1\nDTSTART:20260301\nATTENDEE;CN=Erika;ROLE=CHAIR:mailto:e@x\nORGANIZER:mailto:o@x\nSUMMARY:Anruf\n" +
			"BEGIN:VALARM\nDESCRIPTION:Erika\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n", []string{
			"record contact/1", "field email=e@x email" + contact1, "field email@CN=Erika unclassified" + contact1, "field ORGANIZER=o@x unclassified" + contact1,
			"field note=Anruf free_text" + contact1, "field VALARM=Erika unclassified" + contact1, "field X-OWNER=Erika unclassified",
		}},
		{"LDIF", "/people.ldif", "version: 1\n# Erika\ndn: uid=erika\nobjectClass: person\ncn:: RXJpa2EgTcO8bGxlcg==\nmail;lang-de: e@x\njpegPhoto:: /9j/\nshoe: 42\n#x\n", []string{
			"record person/uid=erika", "field cn=Erika Müller name of person/uid=erika", "field mail=e@x email of person/uid=erika", "field jpegphoto=/9j/ special as picture of person/uid=erika",
			"field shoe=42 unclassified of person/uid=erika", "field #comment=x unclassified of person/uid=erika", "field #comment= Erika unclassified",
		}},
	} {
		same(t, tt.name, locateIn(t, p, get(tt.path), tt.body, 200), tt.want...)
	}
}

func TestVariantsOfJSONAreRead(t *testing.T) {
	p := linesProfile(t)
	const one = `{"id":1,"email":"e@x"}`
	want := []string{"record contact/1", "field email=e@x email of contact/1"}
	same(t, "lines", locateIn(t, p, get("/lines"), one+"\n"+one+"\n", 200), want[0], want[0], want[1], want[1])
	same(t, "a prefix", locateIn(t, p, get("/prefixed"), ")]}',\n"+one, 200), want...)
	same(t, "no prefix", locateIn(t, p, get("/prefixed"), one, 200), want...)
	same(t, "a callback", locateIn(t, p, get("/script", "cb", "a.b"), "/**/a.b("+one+");", 200), want...)
	same(t, "no callback", locateIn(t, p, get("/script"), one, 200), want...)
	for _, name := range []string{"a b", "alert(1)//", "a;b", "a[0]"} {
		if got := refused(t, p, get("/script", "cb", name)); got != "malformed" {
			t.Errorf("the callback %q: %q", name, got)
		}
	}
	x := classify(t, p, get("/script", "cb", "a"))
	for media, ok := range map[string]bool{"application/json": true, "text/javascript": true, "application/javascript": true, "text/html": false} {
		if x.Accepts(media) != ok {
			t.Errorf("%s with a callback: %v", media, !ok)
		}
	}
	if classify(t, p, get("/script")).Accepts("text/javascript") {
		t.Error("a script without a callback is taken")
	}
}

func TestDocumentInBase64IsMaskedInside(t *testing.T) {
	p := linesProfile(t)
	const inner = `{"id":2,"email":"ä?>@x"}`
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawURLEncoding, base64.RawStdEncoding} {
		x := classify(t, p, get("/prefixed"))
		tree := parse(t, `{"id":1,"data":"`+enc.EncodeToString([]byte(inner))+`"}`)
		l, err := x.Locate(tree, 200)
		if err != nil || len(l.Nested) != 1 {
			t.Fatalf("%v, %d documents", err, len(l.Nested))
		}
		same(t, "inside", located(l.Nested[0].Tree, &l.Nested[0].Located), "record contact/2", "field email=ä?>@x email of contact/2")
		if got := l.Nested[0].Text([]byte(inner)); got != tree.Text(tree.Member(doc.Root, "data")) {
			t.Errorf("written as %q", got)
		}
	}
	same(t, "no document", locateIn(t, p, get("/prefixed"), `{"id":1,"data":"Erika"}`, 200), "record contact/1", "field data=Erika free_text of contact/1")
}

func TestWordsOfAnswersAreCheckedAtLoad(t *testing.T) {
	src := fixture(t, "lines.yaml")
	for name, tt := range map[string]struct{ route, want string }{
		"a prefix of a page":    {`{match: "GET /x", type: html, entity: contact, json: {prefix: x}}`, "json is for answers of the type json"},
		"a prefix of a stream":  {`{match: "GET /x", stream: $, entity: contact, json: {prefix: x}}`, "json is for answers of the type json"},
		"a prefix that is JSON": {`{match: "GET /x", entity: contact, json: {prefix: '{"a":'}}`, "a short text that is no JSON"},
		"a callback":            {`{match: "GET /x", entity: contact, json: {callback: cb}}`, "callback names a query parameter"},
		"a stream of elements":  {`{match: "GET /x", type: ndjson, stream: $, entity: contact}`, "`stream: lines` for ndjson"},
		"a stream of vCards":    {`{match: "GET /x", type: vcard, stream: lines, entity: contact}`, "`stream: lines` for ndjson"},
		"an unknown type":       {`{match: "GET /x", type: vcf, entity: contact}`, "write json, ndjson, html, csv, xlsx, xml, vcard, ical, ldif or none"},
		"columns":               {`{match: "GET /x", type: ldif, entity: contact, records: [{at: $, columns: header}]}`, "columns and tuple are for json, csv and xlsx"},
	} {
		_, err := Load([]byte(src + "  - " + tt.route + "\n"))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}
