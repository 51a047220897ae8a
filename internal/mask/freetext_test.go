package mask

import (
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
)

// inPartPlan shows free texts in part, phone numbers in part, dates of birth by
// their year, addresses of mail clear, and names not at all.
func inPartPlan() *access.Plan {
	p := plan(map[access.Category]access.Treatment{
		access.FreeText: access.Partial, access.Phone: access.Partial, access.Birthdate: access.Generalise, access.Bank: access.Hidden,
		access.TaxID: access.Drop, access.Identity: access.Pseudonym, access.Name: access.Hidden,
	})
	delete(p.Cells[access.AnyEntity], access.Online)
	return p
}

// plainText reads the strings of a document.
func plainText(t *testing.T, body string) string {
	t.Helper()
	tree := parse(t, body)
	var b strings.Builder
	for i := range tree.Nodes {
		if tree.Nodes[i].Kind == doc.String {
			b.WriteString(tree.Text(i) + "\n")
		}
	}
	return b.String()
}

func TestFreeTextInPartShowsWhatThePlanShows(t *testing.T) {
	for in, want := range map[string]string{
		"Rückruf 030 23125017 vereinbart":            "Rückruf 0••••••17 vereinbart",
		"Mail an erika@web.de":                       "Mail an erika@web.de",
		"geb. 15.02.1971, ruft an":                   "geb. 01.01.1971, ruft an",
		"IBAN DE89 3704 0044 0532 0130 00, Rest bar": "IBAN ••••••, Rest bar",
		"Steuer-ID 65929970489.":                     "Steuer-ID .",
		"Login von 192.168.178.20":                   "Login von ••••••",
		"Auftrag 4711 vom 14.03.2026":                "Auftrag 4711 vom 14.03.2026",
		"2026-03-14":                                 "2026-03-14",
	} {
		src := `{"free_text":"` + in + `"}`
		got, res := apply(t, src, inPartPlan(), Options{SecondPass: true})
		if text := strings.TrimSuffix(plainText(t, got), "\n"); text != want {
			t.Errorf("%q is shown as %q, want %q", in, text, want)
		}
		if in == want && (res.Changed || res.Masked != 0) {
			t.Errorf("%q was replaced by itself", in)
		}
	}
	got, _ := apply(t, `{"free_text":"Ausweis L01X00T471","identity":"L01X00T471"}`, inPartPlan(), Options{SecondPass: true})
	if lines := strings.Split(plainText(t, got), "\n"); lines[0] != "Ausweis "+lines[1] {
		t.Errorf("two pseudonyms of one value: %q", lines)
	}
}

func TestFreeTextInPartHasNoValueThatIsMaskedElsewhere(t *testing.T) {
	const src = `{"name":"Erika Mustermann","free_text":"Frau Erika Mustermann will bar zahlen","name2":"0815-Beispielname"}`
	for _, order := range []string{src, `{"free_text":"Frau Erika Mustermann will bar zahlen","name":"Erika Mustermann"}`} {
		got, _ := apply(t, order, inPartPlan(), Options{SecondPass: true})
		if text := plainText(t, got); strings.Contains(text, "Mustermann") || !strings.Contains(text, "will bar zahlen") {
			t.Errorf("%s", text)
		}
	}
	// And the other way: what was found in a text is masked where it stands else.
	got, _ := apply(t, `{"free_text":"IBAN DE89 3704 0044 0532 0130 00","public":"Zahlung DE89370400440532013000"}`, inPartPlan(), Options{SecondPass: true})
	if text := plainText(t, got); strings.Contains(text, "0532") {
		t.Errorf("%s", text)
	}
	// In a stream, too.
	seen := NewSeen(seenBatch)
	apply(t, `{"name":"Erika Mustermann"}`, inPartPlan(), Options{SecondPass: true, Seen: seen})
	got, _ = apply(t, `{"free_text":"kennt Erika Mustermann"}`, inPartPlan(), Options{SecondPass: true, Seen: seen})
	if strings.Contains(got, "Mustermann") {
		t.Errorf("streamed: %s", got)
	}
}

func TestFreeTextWithEncodedDataIsHidden(t *testing.T) {
	for _, text := range []string{
		"Konto DE89&#32;3704&#32;0044&#32;0532&#32;0130&#32;00", "<p>IBAN DE89 <b>3704 0044</b> 0532 0130 00</p>",
		"iban=DE89%203704%200044%200532%200130%2000", `IBAN DE89\u00203704 0044 0532 0130 00`, "Tel. 0171<wbr>2345678",
	} {
		tree := parse(t, "{}")
		src := `{"free_text":` + string(tree.Format.Encode(nil, tree, 0, doc.Value{Kind: doc.String, Text: text})) + `}`
		got, _ := apply(t, src, inPartPlan(), Options{SecondPass: true})
		if shown := plainText(t, got); shown != HiddenText+"\n" {
			t.Errorf("%q is shown as %q", text, shown)
		}
	}
	got, _ := apply(t, `{"free_text":"<p>Rückruf<br>100 % sicher &amp; gern</p>"}`, inPartPlan(), Options{SecondPass: true})
	if strings.Contains(got, `\u2022`) {
		t.Errorf("a harmless text is %s", got)
	}
}

func TestDetectionRevealsNothing(t *testing.T) {
	for _, tr := range access.Treatments() {
		p := plan(map[access.Category]access.Treatment{access.FreeText: tr, access.Special: tr, access.Unclassified: tr, access.Name: access.Partial})
		for _, key := range []string{"special", "unclassified", "free_text,name", "name,free_text"} {
			if tr == access.Clear {
				continue
			}
			got, _ := apply(t, `{"`+key+`":"ein harmloser Satz"}`, p, Options{SecondPass: true})
			if strings.Contains(got, "harmlos") {
				t.Errorf("%s of %s: %s", tr, key, got)
			}
		}
	}
	// Nothing is said of free texts: hidden.
	none := &access.Plan{Cells: map[access.Entity]map[access.Category][]access.Verdict{access.AnyEntity: {}}}
	if got, _ := apply(t, `{"free_text":"ein harmloser Satz"}`, none, Options{SecondPass: true}); strings.Contains(got, "harmlos") {
		t.Errorf("without a line: %s", got)
	}
	// Without the record's plan there is no way to show a part.
	if v, _ := New(Config{}).Value(access.FreeText, "", doc.String, "ein harmloser Satz", access.Partial, ""); v.Text != HiddenText {
		t.Errorf("Value shows %q", v.Text)
	}
}

func TestFoundDataIsDisclosed(t *testing.T) {
	located := func(id string) func(*doc.Tree, *access.Found) {
		return func(_ *doc.Tree, f *access.Found) {
			f.Records = []access.FoundRecord{{Record: access.Record{Type: "c", ID: id}}}
			f.Fields[0].Record = 0
		}
	}
	const src = `{"free_text":"erika@web.de, Tel. 030 23125017"}`
	_, res := apply(t, src, inPartPlan(), Options{SecondPass: true}, located("1"))
	treated := res.Disclosure.Records[0].Treated
	if treated[access.FreeText] != access.Partial || treated[access.Email] != access.Clear || treated[access.Phone] != access.Partial || len(treated) != 3 {
		t.Errorf("treated %v", treated)
	}
	_, res = apply(t, src, inPartPlan(), Options{SecondPass: true}, located(""))
	if ids := res.Disclosure.Identifying; len(ids) != 2 || ids[0] != (access.Identifier{Category: access.Email, Value: "erika@web.de"}) {
		t.Errorf("identifying %v", ids)
	}
}

func TestFactsOfTheRecordDecideInItsTexts(t *testing.T) {
	hide, show := access.Verdict{Treatment: access.Hidden, Allowed: true}, access.Verdict{Treatment: access.Clear, Allowed: true}
	inPart := access.Verdict{Treatment: access.Partial, Allowed: true}
	p := &access.Plan{FactNames: []string{"own"}, Cells: map[access.Entity]map[access.Category][]access.Verdict{
		"*": {access.FreeText: {inPart, inPart, inPart}, access.Phone: {hide, hide, show}},
	}}
	got, _ := apply(t, `[{"free_text":"Tel. 030 23125017"},{"free_text":"Tel. 030 23125018"}]`, p, Options{}, func(_ *doc.Tree, f *access.Found) {
		f.Records = []access.FoundRecord{
			{Record: access.Record{Type: "c", ID: "1"}, Facts: access.Facts{"own": access.FactTrue}},
			{Record: access.Record{Type: "c", ID: "2"}, Facts: access.Facts{"own": access.FactFalse}},
		}
		f.Fields[0].Record, f.Fields[1].Record = 0, 1
	})
	if text := plainText(t, got); text != "Tel. 030 23125017\nTel. ••••••\n" {
		t.Errorf("shown: %s", text)
	}
}

// Whatever stands in a text and is found there isn't in what is released.
func FuzzFoundDataIsNotShown(f *testing.F) {
	for _, s := range []string{
		"Tel. 030 23125017, erika@web.de", "IBAN DE89 3704 0044 0532 0130 00 <b>x</b> &amp; 100%", "geb. 15. Februar 1971", "a@b.de a@b.dea@b.de",
		"eri\u200bka＠web.de", "65929970489 (Steuer-ID)", "4111 1111 1111 1111", "Tel 25017A 25017",
	} {
		f.Add(s)
	}
	hidden := plan(map[access.Category]access.Treatment{access.FreeText: access.Partial})
	for c := range hidden.Cells[access.AnyEntity] {
		if c != access.FreeText {
			hidden.Cells[access.AnyEntity][c] = []access.Verdict{{Treatment: access.Hidden, Allowed: true}}
		}
	}
	m := New(Config{})
	f.Fuzz(func(t *testing.T, text string) {
		empty := parse(t, "{}")
		src := `{"free_text":` + string(empty.Format.Encode(nil, empty, 0, doc.Value{Kind: doc.String, Text: text})) + `}`
		tree, err := json.Parse([]byte(src), doc.DefaultLimits())
		if err != nil {
			return // no text that JSON can hold
		}
		text = tree.Text(1)
		res, err := m.Apply(tree, locate(tree), hidden, Options{SecondPass: true})
		if err != nil {
			t.Fatal(err)
		}
		body, err := res.Body(nil)
		if err != nil {
			t.Fatal(err)
		}
		got := parse(t, string(body)).Text(1)
		for _, h := range m.detector.Find(text) {
			value := text[h.Start:h.End]
			left := strings.Count(got, value)
			if _, _, ok := searchable(access.Phone, value); !ok && left < strings.Count(text, value) {
				continue // as short as a house number: it is hidden where it is found, not wherever its digits stand
			}
			if left > 0 && !IsPlaceholder(value) && !strings.Contains("hidden@masked.invalid 1900-01-01 01.01.1900 01/01/1900", value) {
				t.Fatalf("%q shows %s %q of %q", got, h.Kind, value, text)
			}
		}
		again, _ := m.Again([]access.Category{access.FreeText}, "", doc.String, text, About{Plan: hidden}, "")
		if strings.TrimSpace(text) != "" && len(m.detector.Find(text)) == 0 && again.Text != got && again.Text != HiddenText {
			t.Fatalf("masked again %q is %q, not %q", text, again.Text, got)
		}
	})
}
