package crm

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

func newCRM(t *testing.T) *CRM {
	t.Helper()
	m, err := New(Config{Now: func() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSeedIsTheSameAtEveryStart(t *testing.T) {
	a, b := newCRM(t), newCRM(t)
	if !reflect.DeepEqual(a.Contacts(), b.Contacts()) || !reflect.DeepEqual(a.Leads(), b.Leads()) {
		t.Error("two starts differ")
	}
	if c, l := len(a.Contacts()), len(a.Leads()); c != 60 || l != 25 {
		t.Errorf("%d contacts and %d leads, want 60 and 25", c, l)
	}
}

// fiction are the ranges that are kept free for films and books.
var fiction = regexp.MustCompile(`^\+(49(3023125|6990009|4066969|2214710|8999998)\d{3}|4917139200\d\d|` +
	`442079460\d{3}|447700900\d{3}|3319900\d{4}|3363998\d{4})$`)

var (
	phoneLike = regexp.MustCompile(`(\+|\b00?)[0-9][0-9 ()/-]{6,}[0-9]`)
	ibanLike  = regexp.MustCompile(`\b[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}\b`)
	mailLike  = regexp.MustCompile(`[^\s@(:"]+@[a-z0-9.-]*[a-z0-9]`)
)

func TestSeedReachesNobody(t *testing.T) {
	m := newCRM(t)
	for _, r := range append(m.Contacts(), m.Leads()...) {
		for _, name := range []string{"phone", "mobile"} {
			if p := r.text(name); p != "" && !fiction.MatchString(dialled(p)) {
				t.Errorf("%d.%s = %q is not in a range for fiction", r.id(), name, p)
			}
		}
		if i := r.text("iban"); i != "" && (!strings.HasPrefix(i[4:], "9") || !strings.HasPrefix(i, "DE") || !validIBAN(i)) {
			t.Errorf("%d.iban = %q", r.id(), i)
		}
		if x := r.text("tax_id"); x != "" && (x[0] != '0' || !validTaxID(x)) {
			t.Errorf("%d.tax_id = %q", r.id(), x)
		}
		for name := range r {
			checkText(t, r, name)
		}
	}
}

// checkText looks for numbers and addresses wherever they hide.
func checkText(t *testing.T, r Record, name string) {
	t.Helper()
	text := r.text(name)
	for _, i := range ibanLike.FindAllString(text, -1) {
		if !validIBAN(i) || i[4] != '9' {
			t.Errorf("%d.%s holds the IBAN %s", r.id(), name, i)
		}
		text = strings.ReplaceAll(text, i, "")
	}
	for _, a := range mailLike.FindAllString(text, -1) {
		if !regexp.MustCompile(`@example\.(com|de|org)$`).MatchString(a) {
			t.Errorf("%d.%s holds the address %s", r.id(), name, a)
		}
		text = strings.ReplaceAll(text, a, "")
	}
	if name != "notes" && name != "description" {
		return
	}
	if x := r.text("tax_id"); x != "" {
		text = strings.ReplaceAll(text, x, "")
	}
	for _, p := range phoneLike.FindAllString(text, -1) {
		if !fiction.MatchString(dialled(p)) {
			t.Errorf("%d.%s holds the phone %s", r.id(), name, p)
		}
	}
}

func TestSeedPassesItsOwnChecks(t *testing.T) {
	m := newCRM(t)
	for _, sc := range []*schema{m.contacts, m.leads} {
		for _, r := range m.store.all(sc) {
			if p := m.store.check(sc, r); p != nil {
				t.Errorf("%s %d: %s", sc.name, r.id(), p.text)
			}
			if len(r) != len(sc.fields) {
				t.Errorf("%s %d has %d fields, want %d", sc.name, r.id(), len(r), len(sc.fields))
			}
		}
	}
	for i, line := range lines(leads) {
		if v, _ := m.Leads()[i]["value"].(float64); v <= 0 || strings.Count(line, "|") != 7 {
			t.Errorf("lead line %d is broken", i+1)
		}
	}
}

func TestSeedHoldsWhatHurts(t *testing.T) {
	m := newCRM(t)
	var all strings.Builder
	for _, r := range append(m.Contacts(), m.Leads()...) {
		for _, v := range r {
			all.WriteString(shown(v) + "\n")
		}
	}
	for _, hard := range []string{"ß", "ü", "ş", "ı", "Ł", "ż", "O'Brien", "L’Hôpital", "von ", `"`, "<", "&", "🍼", "\n", "Diabet", "IBAN", "DE"} {
		if !strings.Contains(all.String(), hard) {
			t.Errorf("no %q in the seed", hard)
		}
	}
}

func TestTaxIDsFollowTheRulesForDigits(t *testing.T) {
	for i := range 60 {
		twice := 0
		for d := '0'; d <= '9'; d++ {
			switch n := strings.Count(tenDigits(i), string(d)); {
			case n == 2:
				twice++
			case n > 2:
				t.Errorf("%s: a digit stands %d times", tenDigits(i), n)
			}
		}
		if twice != 1 {
			t.Errorf("%s: %d digits stand twice, want 1", tenDigits(i), twice)
		}
	}
	// The example of the Federal Central Tax Office.
	if !validTaxID("86095742719") || validTaxID("86095742718") {
		t.Error("the check digit is computed wrongly")
	}
	if !validIBAN("DE89 3704 0044 0532 0130 00") || validIBAN("DE88370400440532013000") {
		t.Error("the IBAN's check is computed wrongly")
	}
}
