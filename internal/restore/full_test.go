package restore_test

import (
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/restore"
)

func TestFullWriteKeepsWhatItsAuthorCantSee(t *testing.T) {
	const stored = `{"id":1,"name":"Weber","phone":"` + phone + `","salary":5,"born":{"__class__":"date","year":1980,"month":5,"day":3},"kind":"mobile","value":"M\u00fcller","photo":null}`
	const missing = `"born":{"__class__":"date","year":1980,"month":5,"day":3},"phone":"` + phone + `","photo":null,"salary":5,"value":"M\u00fcller"`
	for _, c := range []struct{ name, body, want, refused string }{
		{"empty object", `{}`, `{` + missing + `}`, ""},
		{"object with space", `{ }`, `{ ` + missing + `}`, ""},
		{"one value", `{"name":"a"}`, `{"name":"a",` + missing + `}`, ""},
		{"placeholder", `{"phone":"` + shownPhone() + `","name":"a"}`, `{"phone":"` + phone + `","name":"a",` + strings.Replace(missing, `"phone":"`+phone+`",`, "", 1) + `}`, ""},
		{"empty", `{"phone":"","born":null,"value":"","salary":null,"photo":null}`, `{"phone":"` + phone + `","born":{"__class__":"date","year":1980,"month":5,"day":3},"value":"M\u00fcller","salary":5,"photo":null}`, ""},
		{"edited", `{"phone":"1","salary":6}`, "", "phone,salary;"},
		{"not stored, empty", `{"nosuch":""}`, "", "nosuch;"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := judge(t, send("PUT", "/people/1", "application/json", c.body), sales(), stored)
			if got.refused != c.refused || c.refused == "" && got.body != c.want {
				t.Errorf("%s: %s, refused %q; want %s, refused %q", c.body, got.body, got.refused, c.want, c.refused)
			}
		})
	}
}

func TestFormKeepsWhatItsAuthorCantSee(t *testing.T) {
	const stored = `{"id":1,"name":"Weber","phone":"` + phone + `","salary":5,"value":"a&b=c \u00fc","photo":null,"kind":"x"}`
	for _, c := range []struct{ name, body, want, refused string }{
		{"empty", ``, `phone=%2B49+171+3920099&photo=&salary=5&value=a%26b%3Dc+%C3%BC`, ""},
		{"one value", `name=a`, `name=a&phone=%2B49+171+3920099&photo=&salary=5&value=a%26b%3Dc+%C3%BC`, ""},
		{"emptied and placeholder", `phone=&name=a&value=` + "••••••" + `&salary=`, `phone=%2B49+171+3920099&name=a&value=a%26b%3Dc+%C3%BC&salary=5&photo=`, ""},
		{"edited", `phone=1&name=a`, "", "phone;"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := judge(t, send("POST", "/form/1", "application/x-www-form-urlencoded", c.body), sales(), stored)
			if got.refused != c.refused || c.refused == "" && got.body != c.want {
				t.Errorf("%s: %s, refused %q; want %s, refused %q", c.body, got.body, got.refused, c.want, c.refused)
			}
		})
	}
}

func TestFullWriteWithoutAStoredRecordIsRefused(t *testing.T) {
	for _, r := range []profile.Request{
		send("PUT", "/people", "application/json", `{"name":"a"}`),
		send("PUT", "/people", "application/json", `{"name":"a","phone":""}`),
		send("PUT", "/people/1", "application/json", `{"name":"a"}`),
	} {
		got := judge(t, r, sales(), "")
		if !strings.Contains(got.refused, "phone") || !strings.Contains(got.refused, "salary") {
			t.Errorf("%s %s: refused %q", r.Path, r.Body, got.refused)
		}
	}
	all := plan(access.Read, map[access.Category]access.Treatment{})
	for _, c := range access.Categories() {
		all.Cells[access.AnyEntity][c] = []access.Verdict{{Treatment: access.Clear, Allowed: true}}
	}
	got := judge(t, send("PUT", "/people", "application/json", `{"phone":"1"}`), restore.Plans{Shown: all, Write: all}, "")
	if got.refused != "" || got.body != `{"phone":"1"}` || got.asked != ";" {
		t.Errorf("who sees everything: %+v", got)
	}
}

func TestEchoComputesWithStoredValues(t *testing.T) {
	p := shownPhone()
	for _, c := range []struct{ name, values, want, refused string }{
		{"placeholder", `{"id":1,"phone":"` + p + `","name":"a"}`, `{"id":1,"phone":"` + phone + `","name":"a"}`, ""},
		{"typed into a stored record", `{"id":1,"phone":"+49 30 1"}`, "", "phone;"},
		{"typed where it is seen", `{"id":1,"email":"a@b.example"}`, `{"id":1,"email":"a@b.example"}`, ""},
		{"new", `{"id":-1,"phone":"+49 30 1","word":"x"}`, `{"id":-1,"phone":"+49 30 1","word":"x"}`, ""},
		{"without id", `{"phone":"+49 30 1"}`, `{"phone":"+49 30 1"}`, ""},
		{"stored beside new", `{"id":-1,"phone":"1","friends":[{"id":1,"phone":"` + p + `"}]}`, `{"id":-1,"phone":"1","friends":[{"id":1,"phone":"` + phone + `"}]}`, ""},
		{"typed into a stored one beside new", `{"id":-1,"friends":{"id":1,"phone":"2"}}`, "", "phone;"},
		{"wrapped", `{"id":1,"salary":{"__class__":"Decimal","decimal":"0"}}`, `{"id":1,"salary":{"__class__":"Decimal","decimal":"4711.5"}}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rpc("change", c.values)
			got := judge(t, r, sales(), taken)
			if got.refused != c.refused {
				t.Fatalf("%s: refused %q, want %q", c.values, got.refused, c.refused)
			}
			if want := strings.Replace(string(r.Body), c.values, c.want, 1); c.refused == "" && got.body != want {
				t.Errorf("%s becomes %s, want %s", c.values, got.body, want)
			}
		})
	}
}

func TestNewRecordsHoldNoPlaceholders(t *testing.T) {
	for params, want := range map[string]string{
		`[{"name":"a","phone":"+49 1"}]`:                             "",
		`[{"name":"a","phone":"` + shownPhone() + `"},{"word":"b"}]`: "phone;",
		`[{"email":"hidden@masked.invalid"}]`:                        "email;",
		`[{"friends":[["create",[{"word":"••••••"}]]]}]`:             "word;",
	} {
		got := judge(t, rpc("create", params), sales(), "")
		if got.refused != want || got.asked != strings.Repeat(";", strings.Count(got.asked, ";")) {
			t.Errorf("%s: %+v, want refused %q", params, got, want)
		}
	}
	if got := judge(t, rpc("copy", `[1],{"word":"••••••"}`), sales(), taken); got.refused != "word;" {
		t.Errorf("copy: %+v", got)
	}
}
