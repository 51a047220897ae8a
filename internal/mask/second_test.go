package mask

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

var contactData = map[access.Category]access.Treatment{
	access.Email: access.Hidden, access.Phone: access.Partial, access.Bank: access.Hidden, access.Name: access.Hidden,
	access.Birthdate: access.Hidden, access.Address: access.Hidden,
}

func TestMaskedValuesAreFoundWhereverTheyRecur(t *testing.T) {
	for _, tt := range []struct{ field, value, elsewhere, want string }{
		{"email", "erika@example.de", "mail to Erika@Example.DE today", "mail to hidden@masked.invalid today"},
		{"email", "erika@example.de", "https://x/?m=erika%40example.de&n=1", "hidden@masked.invalid"},
		{"email", "erika@example.de", "&lt;erika&#64;example.de&gt;", "hidden@masked.invalid"},
		{"email", "erika@example.de", `{\"mail\":\"erika\u0040example.de\"}`, "hidden@masked.invalid"},
		{"name", "Mustermann", "Frau Mustermanns Auftrag, MUSTERMANN", "Frau ••••••s Auftrag, ••••••"},
		{"name", "Müller", "MÜLLER und Müllers, nicht Müllerin", "•••••• und ••••••s, nicht Müllerin"},
		{"name", "Anna", "Annahme von Anna", "Annahme von ••••••"},
		{"name", "Erika Mustermann", "q=erika+mustermann", "q=••••••"},
		{"phone", "+49 30 1234567", "Tel. 030/123 45 67, abends", "Tel. +49 ••••••67, abends"},
		{"phone", "+49 30 1234567", "tel:0049301234567", "tel:+49 ••••••67"},
		{"phone", "030 123456", "(030) 12 34-56", "0••••••56"},
		{"phone", "123456", "0123456 9123456, 12 34 56-7", "0123456 9123456, ••••••56-7"},
		{"bank", "DE02120300000000202051", "IBAN DE02 1203 0000 0000 2020 51.", "IBAN DE••••••."},
		{"bank", "DE02 1203 0000 0000 2020 51", "x DE02120300000000202051", "x DE••••••"},
		{"address", "Heidestraße 17", "wohnt heidestraße 17, Köln", "wohnt ••••••, Köln"},
		{"name", "Kim", "Kim", "Kim"},
	} {
		src := fmt.Sprintf(`{"%s":%q,"other":"%s","ü":1}`, tt.field, tt.value, strings.ReplaceAll(strings.ReplaceAll(tt.elsewhere, `\`, `\\`), `"`, `\"`))
		got, res := apply(t, src, plan(contactData), Options{SecondPass: true})
		if !strings.Contains(got, `"other":"`+strings.ReplaceAll(strings.ReplaceAll(tt.want, `\`, `\\`), `"`, `\"`)+`"`) {
			t.Errorf("%s %q\ngot  %s\nwant %s", tt.field, tt.value, got, tt.want)
		}
		if out, hit := res.Sweep.Mask(tt.elsewhere); hit != (tt.want != tt.elsewhere) || out != tt.want {
			t.Errorf("Sweep.Mask(%q) = %q, %v, want %q", tt.elsewhere, out, hit, tt.want)
		}
	}
}

// TestNoteOfOneWordIsNoPartOfOthers: a role or a state is part of many identifiers.
func TestNoteOfOneWordIsNoPartOfOthers(t *testing.T) {
	src := `{"free_text":"Customer","type":"IndividualCustomer","CustomerText":"a Customer, two Customers","long":"Customer called"}`
	got, _ := apply(t, src, plan(map[access.Category]access.Treatment{access.FreeText: access.Hidden}), Options{SecondPass: true})
	if want := `"type":"IndividualCustomer","CustomerText":"a ••••••, two ••••••s","long":"•••••• called"}`; !strings.HasSuffix(unescaped(got), want) {
		t.Errorf("got %s, want %s", unescaped(got), want)
	}
}

// TestLeakNotesWithoutSpacesWithinOthers: where no spaces stand between words, and where
// a word is too long to be part of another by accident, a note is found in all texts.
func TestLeakNotesWithoutSpacesWithinOthers(t *testing.T) {
	for name, c := range map[string]struct{ note, within string }{
		"001-han":       {"患者有糖尿病", "报告:患者有糖尿病和高血压"},
		"002-short-han": {"有糖尿病", "他有糖尿病吗"},
		"003-kana":      {"とうにょうびょう", "わたしはとうにょうびょうです"},
		"004-hangul":    {"당뇨병환자", "그는당뇨병환자이다"},
		"005-thai":      {"เบาหวาน", "ผู้ป่วยเบาหวานแล้ว"},
		"006-long-word": {"Schwangerschaftsabbruch", "Schwangerschaftsabbruchtermin"},
		"007-mixed":     {"HIV陽性", "彼はHIV陽性です"},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := apply(t, `{"free_text":"`+c.note+`","o":"`+c.within+`"}`, plan(map[access.Category]access.Treatment{access.FreeText: access.Hidden}), Options{SecondPass: true})
			if strings.Contains(unescaped(got), c.note) {
				t.Errorf("%s stays", unescaped(got))
			}
		})
	}
}

func TestLongestMaskedValueIsFoundAmongSimilarOnes(t *testing.T) {
	src := `{"address":["Heidestr","Heidestrasse 1","Heidestrxx","Heidestrasse 17"],"o":["Heidestrxy","Heidestrasse 18","Heidestrasse 17a","Heidest"]}`
	got, _ := apply(t, src, plan(map[access.Category]access.Treatment{access.Address: access.Hidden}), Options{SecondPass: true})
	if want := `"o":["••••••xy","••••••8","••••••a","Heidest"]}`; !strings.HasSuffix(unescaped(got), want) {
		t.Errorf("got %s, want %s", unescaped(got), want)
	}
}

func TestBase64FormsAreFound(t *testing.T) {
	value := "erika?~ÿ@example.de"
	for before := range 4 {
		plain := strings.Repeat("x", before) + value + "tail"
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding} {
			src := fmt.Sprintf(`{"email":"%s","cursor":"c_%s"}`, value, enc.EncodeToString([]byte(plain)))
			got, _ := apply(t, src, plan(contactData), Options{SecondPass: true})
			if want := `{"email":"hidden@masked.invalid","cursor":"hidden@masked.invalid"}`; got != want {
				t.Errorf("%s: got %s", src, got)
			}
		}
	}
}

func TestNumberIsFoundInBase64(t *testing.T) {
	for before := range 4 {
		b64 := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + "34292912432;"))
		got, _ := apply(t, `{"tax_id":"34292912432","cursor":"`+b64+`"}`, plan(map[access.Category]access.Treatment{access.TaxID: access.Hidden}), Options{SecondPass: true})
		if want := `{"tax_id":"••••••","cursor":"••••••"}`; unescaped(got) != want {
			t.Errorf("%d bytes before it: got %s", before, got)
		}
	}
}

func TestNamesOfMembersAreSearched(t *testing.T) {
	got, _ := apply(t, `{"email":"erika@example.de","by":{"erika@example.de":1,"ERIKA@example.de":2,"x":3}}`, plan(contactData), Options{SecondPass: true})
	if want := `{"email":"hidden@masked.invalid","by":{"hidden@masked.invalid-3":1,"hidden@masked.invalid-4":2,"x":3}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestValueShownElsewhereIsNoSecret(t *testing.T) {
	src := `{"name":"Mustermann","public":"Mustermann","note":"Mustermann"}`
	got, _ := apply(t, src, plan(contactData), Options{SecondPass: true})
	if want := `{"name":"••••••","public":"Mustermann","note":"Mustermann"}`; unescaped(got) != want {
		t.Errorf("got %s, want %s", unescaped(got), want)
	}
}

func TestShownFieldKeepsItsOwnCategoryAndLosesOthers(t *testing.T) {
	hidden, shown := access.Verdict{Treatment: access.Hidden, Allowed: true}, access.Verdict{Treatment: access.Clear, Allowed: true}
	own := func(v access.Verdict) []access.Verdict { return []access.Verdict{v, v, shown} }
	p := &access.Plan{
		FactNames: []string{"own"},
		Cells: map[access.Entity]map[access.Category][]access.Verdict{
			"*": {access.Name: own(hidden), access.Email: {hidden, hidden, hidden}, access.FreeText: own(shown)},
		},
	}
	src := `[{"name":"Erika Mustermann","free_text":"erika@example.de und Mustermann"},{"name":"Mustermann","email":"erika@example.de"}]`
	got, _ := apply(t, src, p, Options{SecondPass: true}, func(_ *doc.Tree, f *access.Found) {
		f.Records = []access.FoundRecord{
			{Record: access.Record{ID: "1"}, Facts: access.Facts{"own": access.FactTrue}}, {Record: access.Record{ID: "2"}},
		}
		f.Fields[0].Record, f.Fields[1].Record, f.Fields[2].Record, f.Fields[3].Record = 0, 0, 1, 1
	})
	want := `[{"name":"Erika Mustermann","free_text":"hidden@masked.invalid und ••••••"},{"name":"••••••","email":"hidden@masked.invalid"}]`
	if unescaped(got) != want {
		t.Errorf("got  %s\nwant %s", unescaped(got), want)
	}
}

func TestDroppedValuesAreSearchedToo(t *testing.T) {
	p := plan(map[access.Category]access.Treatment{access.Email: access.Drop})
	got, _ := apply(t, `{"email":{"x":["erika@example.de"]},"note":"erika@example.de"}`, p, Options{SecondPass: true})
	if want := `{"note":"••••••"}`; unescaped(got) != want {
		t.Errorf("got %s, want %s", unescaped(got), want)
	}
}

func TestStreamRemembersEarlierUnits(t *testing.T) {
	seen := NewSeen(2 * seenBatch)
	for i := range 5 * seenBatch {
		src := fmt.Sprintf(`{"email":"e%d@example.de","note":"ask e%d@example.de"}`, i, max(0, i-seenBatch-seenBatch/2))
		got, res := apply(t, src, plan(contactData), Options{SecondPass: true, Seen: seen})
		if want := `{"email":"hidden@masked.invalid","note":"ask hidden@masked.invalid"}`; got != want {
			t.Fatalf("unit %d: %s", i, got)
		}
		if name, hit := res.Sweep.Mask(fmt.Sprintf("e%d@example.de.pdf", max(0, i-seenBatch))); !hit {
			t.Fatalf("unit %d: the name of a file holds a value of an earlier unit: %s", i, name)
		}
		if seen.old != nil && len(seen.old.secrets) > 2*seenBatch {
			t.Fatalf("%d values are kept", len(seen.old.secrets))
		}
	}
}

func TestValueIsFoundHoweverItsCharactersAreWritten(t *testing.T) {
	for _, other := range []string{
		"J\u00f6rg\u00a0Größenwahn", "Jo\u0308rg Gro\u0308ßenwahn", "Jörg Größen\u00adwahn", "Jörg\u2009Größen\u200bwahn",
		"\uff2a\u00d6\uff32\uff27 größenwahn", "Jörg\u2011Größenwahn",
	} {
		for _, pair := range [][2]string{{"Jörg Größenwahn", other}, {other, "Jörg Größenwahn"}} {
			got, _ := apply(t, `{"name":"`+pair[0]+`","note":"`+pair[1]+`"}`, plan(map[access.Category]access.Treatment{access.Name: access.Hidden}), Options{SecondPass: true})
			if want := `{"name":"••••••","note":"••••••"}`; unescaped(got) != want {
				t.Errorf("%q: got %s, want %s", pair, unescaped(got), want)
			}
		}
	}
}

func TestHashOfAnAddressIsFound(t *testing.T) {
	sum := md5.Sum([]byte("erika@example.de"))
	hash := hex.EncodeToString(sum[:])
	for _, text := range []string{"https://www.gravatar.com/avatar/" + hash + "?s=80", hash, strings.ToUpper(hash)} {
		got, _ := apply(t, `{"email":"Erika@example.de","note":"`+text+`"}`, plan(contactData), Options{SecondPass: true})
		if strings.Contains(strings.ToLower(got), hash) {
			t.Errorf("%s: got %s", text, got)
		}
	}
	same, _ := apply(t, `{"email":"erika@example.de","note":"0123456789abcdef0123456789abcdef"}`, plan(contactData), Options{SecondPass: true})
	if !strings.Contains(same, "0123456789abcdef0123456789abcdef") {
		t.Errorf("another hash was masked: %s", same)
	}
}

func TestManySimilarNeedlesStayFast(t *testing.T) {
	var b strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&b, `{"email":"%s%d@x.de"},`, strings.Repeat("a", i%90), i)
	}
	src := `[` + b.String() + `"` + strings.Repeat("a", 30_000) + `","0123456789` + strings.Repeat("0", 30_000) + `"]`
	got, _ := apply(t, src, plan(contactData), Options{SecondPass: true})
	if !strings.Contains(got, strings.Repeat("a", 30_000)) {
		t.Error("a text without secrets was masked")
	}
}

// FuzzCanaryNeverLeaves plants a value in a masked field and other forms of it
// elsewhere.
func FuzzCanaryNeverLeaves(f *testing.F) {
	f.Add("erika.mustermann@example.de", `{"a":"b","c":[1,"d",null]}`, uint8(1))
	f.Add("Größenwahn & Söhne <x>", `["x",{"name":"y","k":{"email":[true]}}]`, uint8(15))
	f.Add("Mustermann", `{"phone":"+49 30 1234567","z":1234567}`, uint8(4))
	f.Fuzz(func(t *testing.T, canary, other string, choice uint8) {
		canary = strings.TrimSpace(canary)
		tr := access.Treatments()[int(choice)%5]
		cat := []access.Category{access.Email, access.Name, access.FreeText}[int(choice/5)%3]
		if cat == access.FreeText && tr == access.Partial {
			return // it is shown but for what has a form
		}
		// Short values and parts of placeholders or of the frame prove nothing.
		asText, _, _ := searchable(cat, canary)
		around := string(fold(nil, "planted other free_text hidden@masked.invalid ••••••"+other))
		if !asText || len(canary) > maxNeedle || len(canary) < longName || strings.ContainsAny(canary, "*\ufffd") ||
			strings.Contains(around, string(fold(nil, canary))) {
			return
		}
		b64 := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", int(choice)%3) + canary))
		key := "k" + canary
		if cat == access.FreeText && oneWord(canary) {
			key = "k " + canary // a note of one word is no part of others
		}
		src := fmt.Sprintf(`{"planted":[%s,%s,%s,%s],"other":%s,"%s":%s,%s:1}`, quoted("<"+canary+">"),
			quoted(url.QueryEscape(canary)), quoted(url.PathEscape(canary)), quoted(b64), other, cat, quoted(canary), quoted(key))
		if _, err := parseAny(src); err != nil {
			return
		}
		got, _ := apply(t, src, plan(map[access.Category]access.Treatment{cat: tr}), Options{SecondPass: true, Scope: "s"})
		for _, form := range []string{canary, strings.Trim(quoted(canary), `"`), url.QueryEscape(canary), url.PathEscape(canary), b64} {
			if strings.Contains(got, form) {
				t.Fatalf("%q under %s is in %s", form, tr, got)
			}
		}
		if !strings.Contains(other, string(cat)) && !strings.Contains(other, `"`) && !strings.Contains(got, other) {
			t.Fatalf("%q is not in %s", other, got)
		}
	})
}

func TestFirstLookOverlooksNothing(t *testing.T) {
	secrets := []secret{
		{text: "Jürgen Großmann", cat: access.Name, with: "x", asText: true},
		{text: "ÄRZTEHAUS", cat: access.Address, with: "x", asText: true},
		{text: "+49 30 1234567", cat: access.Phone, with: "x", asDigits: true},
		{text: "123456", cat: access.Phone, with: "x", asDigits: true},
	}
	for _, text := range []string{
		"JÜRGEN großMANN", "im Ärztehaus", "ärztehaus", "%4aÜrgen Großmann", "J&uuml;rgen Großmann",
		base64.StdEncoding.EncodeToString([]byte("-Jürgen Großmann-")), "030/12 34-567", "1 - 2 -3 4(5)6", "tel:0049.30.1234567",
	} {
		s := newSweep(secrets)
		if _, hit := s.Mask(text); !hit {
			t.Fatalf("%q holds nothing", text)
		}
		if s.clean([]byte(text)) {
			t.Errorf("%q passed the first look", text)
		}
	}
	for _, text := range []string{"", "Hausarzt für Kinder", "Nürnberg", "12345, 67", "1----23456"} {
		if !newSweep(secrets).clean([]byte(text)) {
			t.Errorf("%q did not pass the first look", text)
		}
	}
}

// A row of hexadecimal digits is found wherever it begins, from the length of the
// shortest hash on.
func TestHashIsSeenWhereverItStands(t *testing.T) {
	for from := range 70 {
		for length := shortestHash - 1; length <= 2*shortestHash+1; length++ {
			for _, behind := range []int{0, 1, 40} {
				src := []byte(strings.Repeat("x", from) + strings.Repeat("a", length) + strings.Repeat("x", behind))
				if got, want := hasHash(src), length >= shortestHash; got != want {
					t.Fatalf("%d digits at %d, %d bytes behind: %v", length, from, behind, got)
				}
			}
		}
	}
}
