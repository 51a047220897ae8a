package mask

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// placeholderCase is one text under one treatment.
type placeholderCase struct {
	cat  access.Category
	tr   access.Treatment
	text string
	want string
}

func (c placeholderCase) check(t *testing.T) {
	t.Helper()
	v, drop := New(Config{}).Value(c.cat, "", doc.String, c.text, c.tr, "s")
	if drop || v.Kind != doc.String || v.Text != c.want {
		t.Errorf("%s %s of %q = %v, want %q", c.cat, c.tr, c.text, v, c.want)
	}
}

// Short names for the table's rows.
const (
	hidden = access.Hidden
	part   = access.Partial
	coarse = access.Generalise
)

func TestPlaceholdersOfContactData(t *testing.T) {
	for _, c := range []placeholderCase{
		{access.Name, hidden, "Erika Mustermann", "••••••"},
		{access.Name, part, "Erika Mustermann", "E. M."},
		{access.Name, part, "Dr. Erika von Österreich-Mustermann", "E. V. Ö."},
		{access.Name, part, "Ng", "••••••"},
		{access.Name, part, "Kim Li", "K."},
		{access.Name, part, "12345", "••••••"},
		{access.Name, coarse, "Erika", "••••••"},
		{access.Email, hidden, "erika@web.de", "hidden@masked.invalid"},
		{access.Email, hidden, "n/a", "hidden@masked.invalid"},
		{access.Email, part, "Erika@Web.de", "e******@web.de.masked.invalid"},
		{access.Email, part, "eri@web.de", "******@web.de.masked.invalid"},
		{access.Email, part, "erika@mustermann.de", "e******@masked.invalid"},
		{access.Email, part, "Erika <erika@web.de>", "hidden@masked.invalid"},
		{access.Email, part, "a@web.de;b@web.de", "hidden@masked.invalid"},
		{access.Email, part, "örika@web.de", "******@web.de.masked.invalid"},
		{access.Email, coarse, "erika@web.de", "hidden@masked.invalid"},
		{access.Phone, hidden, "+49 30 1234577", "••••••"},
		{access.Phone, part, "+49 30 1234577", "+49 ••••••77"},
		{access.Phone, part, "0049 30 1234577", "0049 ••••••77"},
		{access.Phone, part, "+1 (212) 555-0177", "+1 ••••••77"},
		{access.Phone, part, "+420 123 456 777", "+420 ••••••77"},
		{access.Phone, part, "030/1234577", "0••••••77"},
		{access.Phone, part, "123477", "••••••77"},
		{access.Phone, part, "12377", "••••••"},
		{access.Phone, part, "+49 12377", "••••••"},
		{access.Phone, part, "+49", "••••••"},
		{access.Phone, part, "030 1234577 Erika", "••••••"},
		{access.Phone, coarse, "+49 30 1234577", "+49 ••••••"},
		{access.Name, hidden, "", ""},
		{access.Email, hidden, " \t", " \t"},
	} {
		c.check(t)
	}
}

func TestPlaceholdersOfOtherData(t *testing.T) {
	for _, c := range []placeholderCase{
		{access.Bank, hidden, "DE02120300000000202051", "••••••"},
		{access.Bank, part, "DE02 1203 0000 0000 2020 51", "DE••••••2051"},
		{access.Bank, coarse, "DE02120300000000202051", "DE••••••"},
		{access.Bank, part, "1234567890", "••••••"},
		{access.Bank, part, "BYLADEM1001", "••••••"},
		{access.Address, hidden, "10115", "••••••"},
		{access.Address, part, "10115", "10•••"},
		{access.Address, coarse, "1010", "1•••"},
		{access.Address, coarse, "Heidestraße 17", "••••••"},
		{access.Address, coarse, "Berlin", "••••••"},
		{access.Birthdate, hidden, "1971-02-15", "1900-01-01"},
		{access.Birthdate, hidden, "1971-02-15T08:30:00Z", "1900-01-01T00:00:00Z"},
		{access.Birthdate, hidden, "15.02.1971", "01.01.1900"},
		{access.Birthdate, hidden, "02/15/1971 08:30", "01/01/1900 00:00"},
		{access.Birthdate, hidden, "Februar 1971", "••••••"},
		{access.Birthdate, part, "1971-02-15", "1971-01-01"},
		{access.Birthdate, coarse, "15.02.1971", "01.01.1971"},
		{access.Birthdate, part, "54", "••••••"},
		{access.TaxID, part, "12.34.5678", "01.01.1900"},
		{access.TaxID, part, "12345678901", "••••••"},
		{access.Identity, part, "L01X00T471", "••••••"},
		{access.Special, part, "katholisch", "••••••"},
		{access.FreeText, coarse, "Ruft gern an", "••••••"},
		{access.Unclassified, part, "x", "••••••"},
	} {
		c.check(t)
	}
}

func TestPlaceholdersKeepTheirTypes(t *testing.T) {
	for _, tt := range []struct {
		shape access.Shape
		kind  doc.Kind
		tr    access.Treatment
		text  string
		want  doc.Value
	}{
		{"", doc.Number, access.Hidden, "7", doc.Value{Kind: doc.Null}},
		{"", doc.Number, access.Pseudonym, "7", doc.Value{Kind: doc.Null}},
		{"", doc.Bool, access.Partial, "true", doc.Value{Kind: doc.Null}},
		{"", doc.Null, access.Hidden, "", doc.Value{Kind: doc.Null}},
		{access.ShapeYear, doc.Null, access.Hidden, "", doc.Value{Kind: doc.Null}},
		{access.ShapeNumber, doc.Number, access.Hidden, "42", doc.Value{Kind: doc.Number, Text: "0"}},
		{access.ShapeNumber, doc.Number, access.Pseudonym, "42", doc.Value{Kind: doc.Number, Text: "0"}},
		{access.ShapeNumber, doc.Number, access.Generalise, "-54321.5", doc.Value{Kind: doc.Number, Text: "-50000"}},
		{access.ShapeNumber, doc.Number, access.Generalise, "7", doc.Value{Kind: doc.Number, Text: "0"}},
		{access.ShapeNumber, doc.Number, access.Generalise, "54e3", doc.Value{Kind: doc.Number, Text: "0"}},
		{access.ShapeDecimal, doc.String, access.Hidden, "42.50", doc.Value{Kind: doc.String, Text: "0"}},
		{access.ShapeDecimal, doc.String, access.Hidden, "", doc.Value{Kind: doc.String}},
		{access.ShapeYear, doc.Number, access.Hidden, "1971", doc.Value{Kind: doc.Number, Text: "1900"}},
		{access.ShapeYear, doc.Number, access.Generalise, "1971", doc.Value{Kind: doc.Number, Text: "1971"}},
		{access.ShapeMonth, doc.Number, access.Generalise, "2", doc.Value{Kind: doc.Number, Text: "1"}},
		{access.ShapeDay, doc.String, access.Hidden, "15", doc.Value{Kind: doc.String, Text: "1"}},
		{access.ShapeBase64, doc.String, access.Partial, "RXJpa2E=", doc.Value{Kind: doc.String}},
		{access.ShapeDate, doc.String, access.Hidden, "Feb 1971", doc.Value{Kind: doc.String, Text: "1900-01-01"}},
		{"", doc.Number, access.Clear, "7", doc.Value{Kind: doc.Number, Text: "7"}},
	} {
		v, drop := New(Config{}).Value(access.Birthdate, tt.shape, tt.kind, tt.text, tt.tr, "")
		if drop || v != tt.want {
			t.Errorf("%s %d %s of %q = %v, want %v", tt.shape, tt.kind, tt.tr, tt.text, v, tt.want)
		}
	}
	for _, tr := range []access.Treatment{access.Drop, access.Clear + 1} {
		if _, drop := New(Config{}).Value(access.Name, "", doc.String, "x", tr, ""); !drop {
			t.Errorf("treatment %d isn't dropped", tr)
		}
	}
}

func TestMaskedPictureIsTheNeutralOne(t *testing.T) {
	v, drop := New(Config{Picture: []byte("neutral")}).Value(access.Identity, access.ShapePicture, doc.String, "RXJpa2E=", access.Hidden, "")
	if want := (doc.Value{Kind: doc.String, Text: "bmV1dHJhbA=="}); drop || v != want {
		t.Errorf("a masked picture is %v, want %v", v, want)
	}
}

func TestPseudonymsAreBoundToKeyScopeAndCategory(t *testing.T) {
	m := New(Config{PseudonymKey: [32]byte{1}})
	name := func(m *Masker, c access.Category, text, scope string) string {
		v, _ := m.Value(c, "", doc.String, text, access.Pseudonym, scope)
		return v.Text
	}
	p := name(m, access.Name, "Erika", "s1")
	if !regexp.MustCompile(`^P-[2-9A-HJ-NP-Z]{8}$`).MatchString(p) || name(m, access.Name, " Erika", "s1") != p {
		t.Errorf("pseudonym %q", p)
	}
	for _, other := range []string{
		name(m, access.Name, "Erika", "s2"), name(m, access.FreeText, "Erika", "s1"), name(m, access.Name, "Erik", "s1"),
		name(New(Config{}), access.Name, "Erika", "s1"), name(m, access.Name, "rika", "s1E"),
	} {
		if other == p {
			t.Error("two pseudonyms are equal")
		}
	}
	mail := name(m, access.Email, "Erika@web.de", "s")
	if !regexp.MustCompile(`^p-[2-9a-hj-np-z]{8}@masked\.invalid$`).MatchString(mail) || mail != name(m, access.Email, "erika@WEB.de", "s") {
		t.Errorf("pseudonym %q", mail)
	}
}

func TestPlaceholdersAreKnown(t *testing.T) {
	for text, want := range map[string]bool{
		"••••••": true, "+49 ••••••77": true, "10•••": true, "Hidden@Masked.Invalid": true, "e******@web.de.masked.invalid": true,
		"": false, "• Punkt": false, "E. M.": false, "erika@web.de": false,
	} {
		if IsPlaceholder(text) != want {
			t.Errorf("IsPlaceholder(%q) = %v", text, !want)
		}
	}
}

func TestSpellingsOfOneValueAreEqual(t *testing.T) {
	for _, tt := range []struct {
		cat  access.Category
		a, b string
	}{
		{access.Email, " A@B.de", "a@b.DE"},
		{access.Phone, "+49 (0)30 / 12", "0049-3012"},
		{access.Phone, "keine ", "keine"},
		{access.Bank, "de02 1203", "DE021203"},
		{access.Name, " Erika ", "Erika"},
	} {
		if Normalize(tt.cat, tt.a) != Normalize(tt.cat, tt.b) {
			t.Errorf("%s: %q and %q differ", tt.cat, Normalize(tt.cat, tt.a), Normalize(tt.cat, tt.b))
		}
	}
}

// htmlEmail is what <input type=email> takes (WHATWG HTML, 4.10.5.1.5).
var htmlEmail = regexp.MustCompile("^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$")

func FuzzPlaceholderHidesEnough(f *testing.F) {
	f.Add("Erika Mustermann", uint8(0), uint8(4))
	f.Add("+49 30 1234567", uint8(2), uint8(4))
	f.Add("erika@web.de", uint8(1), uint8(4))
	f.Add("DE02120300000000202051", uint8(5), uint8(3))
	f.Fuzz(func(t *testing.T, text string, cat, tr uint8) {
		c := access.Categories()[int(cat)%len(access.Categories())]
		treatment := access.Treatments()[1+int(tr)%4]
		m := New(Config{})
		v, drop := m.Value(c, "", doc.String, text, treatment, "s")
		if drop || v.Kind != doc.String || !utf8.ValidString(v.Text) && utf8.ValidString(text) {
			t.Fatalf("Value(%q) = %v, %v", text, v, drop)
		}
		if strings.TrimSpace(text) == "" {
			return
		}
		_, date := parseDate(text)
		if again, _ := m.Value(c, "", doc.String, text, treatment, "s"); again != v {
			t.Fatal("not a function of its arguments")
		}
		if c == access.Email && !date && !htmlEmail.MatchString(v.Text) {
			t.Fatalf("%q is no e-mail address", v.Text)
		}
		if v.Text == text && !IsPlaceholder(text) && !date {
			t.Fatalf("%s %s shows %q", c, treatment, text)
		}
		if n := len(digitsOf(text)); c == access.Phone && !date && n > 0 && n-len(digitsOf(v.Text)) < min(n, minHidden) && treatment != access.Pseudonym {
			t.Fatalf("%q shows too much of %q", v.Text, text)
		}
	})
}
