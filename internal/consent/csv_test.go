package consent

import (
	"strings"
	"testing"
	"time"
)

func rowsOf(t *testing.T, csv string) []Row {
	t.Helper()
	var rows []Row
	if err := ReadCSV(strings.NewReader(csv), func(r Row) error { rows = append(rows, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return rows
}

const list = "\xef\xbb\xbfemail;phone;record;purpose;channel;state;at;text_version;text_language;source\r\n" +
	"canary.person@example.org;;contact/7;newsletter;email;confirmed;2025-05-01T12:30:00+02:00;2026-11;de;booth at the fair\r\n" +
	"another@example.org;;;newsletter;email;withdrawn;2025-05-02T12:30:00+02:00;;;letter\r\n" +
	";030 1234567;;newsletter;phone;confirmed;2025-05-01T12:30:00+02:00;;;\r\n" +
	"third@example.org;;;newsletter;email;confirmed;2025-05-01;;;\r\n" +
	"no address;;;newsletter;email;confirmed;2025-05-01T12:30:00Z;;;\r\n" +
	"third@example.org;;;adverts;email;confirmed;2025-05-01T12:30:00Z;;;\r\n" +
	"third@example.org;;;newsletter;email;asked;2025-05-01T12:30:00Z;;;\r\n" +
	"third@example.org;;;newsletter;email;confirmed;2025-05-01T12:30:00Z;2020;de;\r\n" +
	"third@example.org;;;newsletter;phone;confirmed;2025-05-01T12:30:00Z;;;\r\n" +
	"third@example.org;;;newsletter;email;confirmed;2077-05-01T12:30:00Z;;;\r\n"

func TestAnImportTakesWhatItCanAndNamesTheRest(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	rows := rowsOf(t, list)
	for _, dry := range []bool{true, false} {
		rep, err := h.l.Import(t.Context(), rows, "list.csv by uid 0", dry)
		if err != nil || rep.Rows != 10 || rep.Taken != 3 || len(rep.Refused) != 7 || rep.Refused[0].Line != 5 {
			t.Fatalf("dry %t: the report is %+v, %v", dry, rep, err)
		}
		for _, r := range rep.Refused {
			if strings.Contains(r.Why, "@") || strings.Contains(r.Why, "third") || r.Why == "" {
				t.Errorf("a reason is %q", r.Why)
			}
		}
		if dry && (len(h.log.all) != 0 || h.state(mailOf(canary), "newsletter:email") != no) {
			t.Error("a dry run imports")
		}
	}
	h.is(mailOf(canary), "newsletter:email", yes)
	h.is(Subject{Entity: "contact", Record: "7", Emails: []string{canary}}, "newsletter:email", yes)
	h.is(mailOf(another), "newsletter:email", no)
	h.is(Subject{Phones: []string{"+49301234567"}}, "newsletter:phone", yes)
	h.is(Subject{Phones: []string{"+49301234567"}}, "newsletter:messenger", no)
	p := h.proofs(canary)[0]
	first, err := p.first()
	if err != nil || !p.Whole() || first.Text != purposes()[0].Texts[0].Text || first.From != "import" || first.Source != "list.csv by uid 0: booth at the fair" ||
		!first.DeclaredAt.Equal(time.Date(2025, 5, 1, 10, 30, 0, 0, time.UTC)) || first.Record != "contact/7" {
		t.Errorf("the proof begins with %+v, %+v, %v", first, first.Declared, err)
	}
	n := len(h.log.all)
	if rep, err := h.l.Import(t.Context(), rows, "list.csv by uid 0", false); err != nil || rep.Known != 3 || rep.Taken != 0 || len(h.log.all) != n {
		t.Errorf("the second import is %+v, %v, with %d entries more", rep, err, len(h.log.all)-n)
	}
}

// A list that is older than a withdrawal revives nothing, however often it is imported.
func TestAnImportRevivesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.asks(canary)
	h.answers(h.link(), Confirmed)
	h.answers(h.link(), Withdrawn)
	rows := rowsOf(t, list)[:1]
	for i, want := range []Report{{Rows: 1, Older: 1}, {Rows: 1, Known: 1}} {
		rep, err := h.l.Import(t.Context(), rows, "list.csv by uid 0", false)
		if err != nil || rep.Older != want.Older || rep.Known != want.Known {
			t.Errorf("import %d: %+v, %v", i+1, rep, err)
		}
	}
	h.is(mailOf(canary), "newsletter:email", no)
}

func TestAFileThatCannotBeReadIsRefusedByItsLine(t *testing.T) {
	t.Parallel()
	const head = "email,purpose,channel,state,at\n"
	for in, want := range map[string]string{
		"":                                    "line 1",
		"email,purpose\n":                     "column channel is missing",
		"email,purpose,channel,state,at,pet":  "column 6",
		"email,email,purpose,channel,state,a": "twice",
		head + "a,b,c,d\n":                    "line 2",
		head + "a,b,c,d,e\n\"x,b,c,d,e\n":     "line 3",
		head + strings.Repeat("x", 3000) + ",b,c,d,e\n": "line 2",
		head + "\xff,b,c,d,e\n":                         "line 2",
	} {
		err := ReadCSV(strings.NewReader(in), func(Row) error { return nil })
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "xxx") {
			t.Errorf("%.40q: %v, want %q", in, err, want)
		}
	}
}

// Whatever a CSV holds, it is read or refused, and no row has more than it may.
func FuzzReadCSV(f *testing.F) {
	f.Add(list)
	f.Add("email,purpose,channel,state,at\na@b.de,x,email,confirmed,2025-05-01T12:30:00Z\n")
	f.Fuzz(func(t *testing.T, in string) {
		_ = ReadCSV(strings.NewReader(in), func(r Row) error {
			if r.Line < 2 || len(r.Email) > maxCell {
				t.Errorf("a row of line %d", r.Line)
			}
			return nil
		})
	})
}

// An address that is taken is one line of ASCII with one @ of its own, and normal already.
func FuzzNormalEmail(f *testing.F) {
	for _, s := range []string{canary, "A@B.DE", "ä@münchen.de", "a@b.de\r\nBcc: x@y.de", "\"a b\"@c.de", "a@b@c.de", "a@xn--", ".a@b.de"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, ok := normalEmail(in)
		if !ok {
			return
		}
		if again, ok := normalEmail(got); !ok || again != got {
			t.Errorf("%q becomes %q, and that %q", in, got, again)
		}
		if mailable(got) && (strings.Count(got, "@") != 1 || strings.ContainsAny(got, "\r\n <>,;:\"\\()[]")) {
			t.Errorf("%q becomes %q", in, got)
		}
	})
}
