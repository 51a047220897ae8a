package crm

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"
)

// FuzzWriteKeepsRecordsWhole checks that a record that passed a write, by JSON
// or by form, is valid JSON in both styles and keeps the schema's types.
func FuzzWriteKeepsRecordsWhole(f *testing.F) {
	f.Add(`{"last_name":"Müller","credit_limit":1e3,"newsletter":true}`, "last_name=M%C3%BCller&credit_limit=1e3")
	f.Add(`{"last_name":"\ud83c\udf7c/\u2028<b>","iban":null,"id":9}`, "last_name=%00&newsletter=1&birth_date=2000-01-01")
	f.Add(`{"last_name":"\ud800"}`, "last_name=%ff&credit_limit=NaN")
	f.Fuzz(func(t *testing.T, body, form string) {
		values, _ := url.ParseQuery(form) // what can't be read is left out
		sc := contactSchema()
		s := &store{now: time.Now, rows: map[string]map[int]Record{"contact": {}}, next: map[string]int{}}
		for _, change := range []func(Record) *problem{
			func(r Record) *problem { return applyJSON(sc, r, []byte(body), true) },
			func(r Record) *problem { return applyForm(sc, r, values) },
		} {
			r, p := s.write(sc, 0, change)
			if p != nil {
				continue
			}
			for _, st := range []style{styleWeb, styleASCII} {
				var back map[string]any
				text := appendObject(nil, sc.members(r, nil), st)
				if err := json.Unmarshal(text, &back); err != nil {
					t.Fatalf("%s: %v", text, err)
				}
			}
			for name, v := range sc.empty() {
				switch v.(type) {
				case string:
					_ = r[name].(string)
				case float64:
					_ = r[name].(float64)
				case bool:
					_ = r[name].(bool)
				}
			}
		}
	})
}

func FuzzQueryNeverFails(f *testing.F) {
	f.Add("q=o'brien&sort=-last_name&page=2")
	f.Add("limit=0&offset=-1&fields=id,,")
	f.Add("contact_id=&sort=contact_id&page=999999999999999999")
	m, err := New(Config{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		values, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		for _, sc := range []*schema{m.contacts, m.leads} {
			q, p := parseQuery(sc, values)
			if p != nil {
				continue
			}
			if page, total := q.run(sc, m.store.all(sc)); len(page) > total || len(page) > q.limit {
				t.Errorf("%q: %d of %d records, limit %d", raw, len(page), total, q.limit)
			}
		}
	})
}
