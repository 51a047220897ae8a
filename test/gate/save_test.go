package gate_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/crmgate/crmgate/internal/demo/crm"
)

var contacts atomic.Int64

// ownContact makes a contact of the test's own to save, past the gateway.
func ownContact(t *testing.T) int {
	t.Helper()
	rec := stored(t, 1003)
	for _, name := range []string{"id", "created_at"} {
		delete(rec, name)
	}
	rec["email"] = fmt.Sprintf("own%d@example.com", contacts.Add(1))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, env.crm.url+"/api/contacts", strings.NewReader(toJSON(t, rec)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	r, err := newBrowser(env.plain).send(&http.Client{}, req)
	if err != nil {
		t.Fatal(err)
	}
	var made struct{ ID int }
	if err := json.Unmarshal(r.want(t, http.StatusCreated).body, &made); err != nil {
		t.Fatal(err)
	}
	return made.ID
}

// stored is the contact as the CRM has it, without the time of its last change.
func stored(t *testing.T, id int) crm.Record {
	t.Helper()
	for _, r := range env.crm.crm.Contacts() {
		if r["id"] == id {
			r = maps.Clone(r)
			delete(r, "updated_at")
			return r
		}
	}
	t.Fatalf("there is no contact %d", id)
	return nil
}

// unseen are the fields of a contact that sales doesn't see in clear.
var unseen = []string{"phone", "mobile", "street", "postal_code", "city", "birth_date", "iban", "tax_id", "notes"}

// seen is the contact as the employee sees it.
func seen(t *testing.T, b *browser, id int) map[string]any {
	t.Helper()
	var rec map[string]any
	if err := json.Unmarshal(b.get(t, fmt.Sprintf("/api/contacts/%d", id), nil).want(t, http.StatusOK).body, &rec); err != nil {
		t.Fatal(err)
	}
	before := stored(t, id)
	for _, name := range unseen {
		if v := before[name]; v != "" && reflect.DeepEqual(rec[name], v) {
			t.Fatalf("sales sees %s", name)
		}
	}
	return rec
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// formOf is the record as its form sends it.
func formOf(rec map[string]any) url.Values {
	form := url.Values{}
	for name, v := range rec {
		switch v := v.(type) {
		case bool:
			if v {
				form.Set(name, "1")
			}
		case string, float64:
			form.Set(name, fmt.Sprint(v))
		}
	}
	for _, name := range []string{"id", "created_at", "updated_at"} {
		form.Del(name)
	}
	return form
}

// save is one way to save a record.
type save struct {
	name string
	ok   int
	ask  func(t *testing.T, id int, rec map[string]any) ask
}

func saves() []save {
	return []save{
		{"PUT", http.StatusOK, func(t *testing.T, id int, rec map[string]any) ask {
			return ask{method: "PUT", path: fmt.Sprintf("/api/contacts/%d", id), body: toJSON(t, rec)}
		}},
		{"PATCH", http.StatusOK, func(t *testing.T, id int, rec map[string]any) ask {
			return ask{method: "PATCH", path: fmt.Sprintf("/api/contacts/%d", id), body: toJSON(t, rec)}
		}},
		{"form", http.StatusSeeOther, func(_ *testing.T, id int, rec map[string]any) ask {
			return ask{
				method: "POST", path: fmt.Sprintf("/contacts/%d", id), body: formOf(rec).Encode(),
				header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
			}
		}},
		{"form in parts", http.StatusSeeOther, func(t *testing.T, id int, rec map[string]any) ask {
			var b bytes.Buffer
			w := multipart.NewWriter(&b)
			for name, values := range formOf(rec) {
				if err := w.WriteField(name, values[0]); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			return ask{
				method: "POST", path: fmt.Sprintf("/contacts/%d", id), body: b.String(),
				header: http.Header{"Content-Type": {w.FormDataContentType()}},
			}
		}},
	}
}

func TestSaveNeverChangesAnUnseenValue(t *testing.T) {
	t.Parallel()
	changes := map[string]func(rec map[string]any){
		"as it was shown": func(map[string]any) {},
		"unseen fields left out": func(rec map[string]any) {
			for _, name := range unseen {
				delete(rec, name)
			}
		},
		"everything but the name left out": func(rec map[string]any) {
			for name := range rec {
				if name != "last_name" {
					delete(rec, name)
				}
			}
		},
		"unseen fields null": func(rec map[string]any) {
			for _, name := range unseen {
				rec[name] = nil
			}
		},
		"unseen fields empty": func(rec map[string]any) {
			for _, name := range unseen {
				rec[name] = ""
			}
		},
		"unseen fields false": func(rec map[string]any) {
			for _, name := range unseen {
				rec[name] = false
			}
		},
	}
	for how, change := range changes {
		for _, s := range saves() {
			t.Run(s.name+" "+how, func(t *testing.T) {
				t.Parallel()
				b, id := env.plain.as(t, "vera"), ownContact(t)
				before, rec := stored(t, id), seen(t, b, id)
				change(rec)
				rec["last_name"] = "Neuname"
				a := s.ask(t, id, rec)
				a.scene = newScene(t, nil)
				r := b.do(t, a)
				after := stored(t, id)
				for _, name := range unseen {
					if !reflect.DeepEqual(before[name], after[name]) {
						t.Errorf("%s was changed", name)
					}
				}
				switch r.status {
				case s.ok:
					if after["last_name"] != "Neuname" {
						t.Error("what was seen was not saved")
					}
				case http.StatusUnprocessableEntity, http.StatusForbidden:
					// Refusing is fine for what no form and no client sends by itself.
					odd := how == "unseen fields false" || s.name == "PATCH" && strings.HasPrefix(how, "unseen fields")
					if !odd {
						t.Errorf("refused: %s", r)
					}
				default:
					t.Errorf("got %s", r)
				}
			})
		}
	}
}

// Whoever types over a placeholder is told which field, and nothing is forwarded
// but the gateway's own read.
func TestEditedUnseenValueIsRefusedByName(t *testing.T) {
	t.Parallel()
	for _, field := range unseen {
		for _, s := range saves() {
			for _, guess := range []bool{false, true} {
				b, id := env.plain.as(t, "vera"), ownContact(t)
				before, rec := stored(t, id), seen(t, b, id)
				rec[field] = fmt.Sprint(before[field])
				if !guess || rec[field] == "" {
					rec[field] = map[string]string{"birth_date": "1970-01-01", "iban": "DE02120300000000202051"}[field] + "030 123"
				}
				a := s.ask(t, id, rec)
				a.scene = newScene(t, nil)
				r := b.do(t, a)
				// Right and wrong guesses get one answer: it would tell the value.
				if r.status != http.StatusUnprocessableEntity || !strings.Contains(string(r.body), field) {
					t.Errorf("%s of %s, guess %v: got %s, want 422 that names the field", s.name, field, guess, r)
				}
				for _, got := range a.scene.requests() {
					if got.method != http.MethodGet {
						t.Errorf("%s of %s: the CRM received %s", s.name, field, got.method)
					}
				}
				if !reflect.DeepEqual(before, stored(t, id)) {
					t.Errorf("%s of %s: the record was changed", s.name, field)
				}
				x := r.logged(t)
				if last := x.last(t); last.Error != "writes_masked" {
					t.Errorf("%s of %s: entries %s", s.name, field, x)
				}
			}
		}
	}
}

func TestSaveIsRefusedWhereTheStoredValuesCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"an error":        jsonAnswer(500, `{"error":"`+canary+`"}`),
		"another record":  jsonAnswer(200, `{"id":1,"iban":"`+canary+`"}`),
		"malformed":       jsonAnswer(200, `{"id":`),
		"duplicate keys":  jsonAnswer(200, `{"id":1099,"id":1099}`),
		"nothing":         rawAnswer(""),
		"cut":             rawAnswer("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"),
		"a page":          typed("text/html", 200, "<p>"+canary),
		"a sign-in page":  typed("text/html", 302, ""),
		"too large":       jsonAnswer(200, `{"id":1099,"x":"`+strings.Repeat("x", 9<<20)+`"}`),
		"an empty object": jsonAnswer(200, `[]`),
	} {
		for _, method := range []string{"PUT", "PATCH"} {
			sc := newScene(t, answer)
			b := env.plain.as(t, "vera")
			r := b.do(t, ask{method: method, path: "/api/contacts/1099", body: `{"last_name":"Neu","iban":"••••••"}`, scene: sc})
			if r.status != http.StatusUnprocessableEntity && r.status != http.StatusBadGateway {
				t.Errorf("%s, %s: got %s", name, method, r)
			}
			r.hides(t)
			for _, got := range sc.requests() {
				if got.method != http.MethodGet {
					t.Errorf("%s: the CRM received %s %s", name, got.method, got.body)
				}
			}
			r.logged(t).last(t)
			works(t, b)
		}
	}
}

// The gateway's own read is an access of its own, with an entry before it.
func TestOwnReadHasItsOwnEntries(t *testing.T) {
	t.Parallel()
	b, id := env.plain.as(t, "vera"), ownContact(t)
	r := b.do(t, ask{method: "PATCH", path: fmt.Sprintf("/api/contacts/%d", id), body: toJSON(t, map[string]any{
		"last_name": "Neu", "iban": seen(t, b, id)["iban"],
	})}).want(t, http.StatusOK)
	kinds := ""
	for _, s := range r.logged(t) {
		kinds += string(s.Entry.Kind[0])
		if s.Entry.Detail != "" && len(s.Entry.Accesses) == 1 && s.Entry.Accesses[0].Action != "read" {
			t.Errorf("the own read is entered as %+v", s.Entry)
		}
	}
	if kinds != "iidd" {
		t.Errorf("entries %q, want two intents and two disclosures", kinds)
	}
}

func TestFormWithAFieldTwiceIsRefused(t *testing.T) {
	t.Parallel()
	sc := newScene(t, nil)
	b, id := env.plain.as(t, "vera"), ownContact(t)
	form := formOf(seen(t, b, id)).Encode()
	for _, extra := range []string{"&iban=DE02120300000000202051", "&iban%00=x", "&iban%5B%5D=x", ";iban=x"} {
		r := b.do(t, ask{
			method: "POST", path: fmt.Sprintf("/contacts/%d", id), body: form + extra, scene: sc,
			header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		})
		if r.status < 400 || r.status > 422 {
			t.Errorf("%s: got %s", extra, r)
		}
	}
	for _, got := range sc.requests() {
		if got.method != http.MethodGet {
			t.Errorf("the CRM received %s", got.body)
		}
	}
}

// A new record's author sees what they typed, and nobody else's values.
func TestCreatedRecordEchoesItsAuthorsValuesAlone(t *testing.T) {
	t.Parallel()
	b := env.plain.as(t, "vera")
	sc := newScene(t, jsonAnswer(201, `{"id":9001,"last_name":"Neu","phone":"+49 30 23125 111","mobile":"+49 30 23125 222","iban":"`+canary+`"}`))
	r := b.do(t, ask{method: "POST", path: "/api/contacts", scene: sc, body: `{"last_name":"Neu","phone":"+49 30 23125 111"}`}).want(t, http.StatusCreated)
	r.hides(t)
	if !strings.Contains(string(r.body), "23125 111") || strings.Contains(string(r.body), "23125 222") {
		t.Errorf("got %s", r)
	}
	sc = newScene(t, nil)
	for _, field := range []string{"iban", "tax_id", "birth_date"} {
		b.do(t, ask{method: "POST", path: "/api/contacts", scene: sc, body: `{"last_name":"Neu","` + field + `":"x"}`}).want(t, http.StatusForbidden)
	}
	sc.nothing(t)
}

// What is no object is an empty one to some CRMs, and an empty one saved whole
// empties every field.
func TestSaveOfNoObjectIsRefused(t *testing.T) {
	t.Parallel()
	b := env.plain.as(t, "vera")
	for _, body := range []string{`null`, `[]`, `""`, `1`, `[[]]`, `[null]`, `true`} {
		for _, method := range []string{"PUT", "PATCH", "POST"} {
			sc := newScene(t, nil)
			path := "/api/contacts/1001"
			if method == "POST" {
				path = "/api/contacts"
			}
			if r := b.do(t, ask{method: method, path: path, body: body, scene: sc}); r.status != http.StatusBadRequest && r.status != http.StatusForbidden {
				t.Errorf("%s %s: got %s", method, body, r)
			}
			sc.nothing(t)
		}
	}
}

// A CRM may take another spelling of a field for the field.
func TestSaveOfAnUnknownFieldIsRefused(t *testing.T) {
	t.Parallel()
	b := env.plain.as(t, "vera")
	for _, field := range []string{"IBAN", "iban ", " iban", "iban\\u0000", "i\\u200bban", "contact.iban", "data", "__proto__", "$set"} {
		for _, method := range []string{"PUT", "PATCH"} {
			sc := newScene(t, nil)
			r := b.do(t, ask{method: method, path: "/api/contacts/1001", body: `{"last_name":"x","` + field + `":"DE02120300000000202051"}`, scene: sc})
			if r.status < 400 || r.status > 422 {
				t.Errorf("%s %s: got %s", method, field, r)
			}
			for _, got := range sc.requests() {
				if got.method != http.MethodGet {
					t.Errorf("%s: the CRM received %s", field, got.body)
				}
			}
		}
	}
}

// Where the profile doesn't say what of a change's body is saved, no mask may be in
// it: nobody would put the stored value in its place.
func TestMaskInAChangeThatIsNotDescribedIsRefused(t *testing.T) {
	t.Parallel()
	change := func(name string) ask {
		return ask{
			method: http.MethodPost, path: "/people/change", header: http.Header{"Content-Type": {"application/json"}},
			body: `{"where":{"city":"Köln"},"set":{"tags":["a","` + name + `"]}}`, scene: newScene(t, jsonAnswer(200, "{}")),
		}
	}
	for mask, status := range map[string]int{"Müller": 200, "••••••": 422, "E. M••••••": 422, "k7@masked.invalid": 422} {
		a := change(mask)
		r := env.leaky.as(t, "paula").do(t, a).want(t, status)
		if status == http.StatusOK {
			continue
		}
		a.scene.nothing(t)
		if !strings.Contains(string(r.body), "tags") || r.logged(t).last(t).Error != "writes_masked" {
			t.Errorf("got %s, want it to name the member", r)
		}
	}
}
