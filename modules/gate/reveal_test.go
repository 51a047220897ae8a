package gate

import (
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

func TestRevealIsReadAndJudged(t *testing.T) {
	t.Parallel()
	for block, want := range map[string]string{
		"reasons a b\nlasts 1h\nquota 3\napproval role x y for bank phone\napproval role z": "",
		"lasts 15m":                                 "needs reasons",
		"reasons":                                   "ount", // the wrong count of arguments
		"reasons a\nlasts x":                        "is no duration",
		"reasons a\nlasts 1h 2h":                    "lasts takes a duration",
		"reasons a\nquota 0":                        "quota takes",
		"reasons a\nquota many":                     "quota takes",
		"reasons a\napproval lead":                  "approval takes `role`",
		"reasons a\napproval role for bank":         "one or more roles",
		"reasons a\napproval role x for":            "one or more roles",
		"reasons a\nquotas 3":                       `nearest: "quota"`,
		"reasons a\n}\nreveal {\nreasons b":         "reveal stands once",
		"reasons a\napproval role x for bnk":        `"bnk" is no category`,
		"reasons a\napproval role x for credential": `"credential" is no category`,
		"reasons a\nlasts 30s":                      "lasts 30s",
		"reasons a\nquota 1000":                     "quota 1000",
		"reasons a a":                               "there twice",
	} {
		h := new(Handler)
		err := h.UnmarshalCaddyfile(caddyfile.NewTestDispenser("crm_gate {\nprofile demo\npolicy builtin:demo\noidc https://x.example {\nprovider keycloak\nclient_id a\nclient_secret b\n}\nreveal {\n" + block + "\n}\n}"))
		if err == nil {
			err = h.checkReveal()
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", block, err, want)
		}
	}
	h := &Handler{Reveal: &Reveal{Reasons: []string{"a"}}}
	if err := h.checkReveal(); err != nil || h.Reveal.Lasts != caddy.Duration(15*time.Minute) || h.Reveal.Quota != 10 {
		t.Errorf("%+v, %v", h.Reveal, err)
	}
	h.Observe = &Observe{}
	if err := h.checkReveal(); err == nil || !strings.Contains(err.Error(), "only observes") {
		t.Errorf("a site that observes: %v", err)
	}
}

// What may be revealed takes clear, on each category, by the record's own facts.
func TestRightsToReveal(t *testing.T) {
	t.Parallel()
	verdict := func(tr access.Treatment, allowed bool) access.Verdict {
		return access.Verdict{Treatment: tr, Allowed: allowed}
	}
	no := verdict(access.Hidden, false)
	// FactNames own and reason: own counts once, reason three times.
	byReason := []access.Verdict{no, no, no, no, no, no, verdict(access.Clear, true), verdict(access.Clear, true), verdict(access.Clear, true)}
	byOwn := []access.Verdict{no, no, verdict(access.Clear, true), no, no, verdict(access.Clear, true), no, no, verdict(access.Clear, true)}
	all := func(v access.Verdict) []access.Verdict { return []access.Verdict{v, v, v, v, v, v, v, v, v} }
	may := rights{&access.Plan{FactNames: []string{"own", "reason"}, Cells: map[access.Entity]map[access.Category][]access.Verdict{"contact": {
		access.Phone: byReason, access.FreeText: byOwn, access.Email: all(verdict(access.Partial, true)), access.Bank: all(verdict(access.Clear, false)), access.Name: all(verdict(access.Clear, true)),
	}}}}
	mine, others := access.Facts{"own": access.FactTrue}, access.Facts{"own": access.FactFalse, "reason": access.FactFalse}
	for _, c := range []struct {
		cats          []access.Category
		none, own, no bool
	}{
		{[]access.Category{access.Phone}, true, true, true},
		{[]access.Category{access.FreeText}, false, true, false},
		{[]access.Category{access.Phone, access.FreeText}, false, true, false},
		{[]access.Category{access.Email}, false, false, false},
		{[]access.Category{access.Bank}, false, false, false},
		{[]access.Category{access.Name, access.Credential}, false, false, false},
		{[]access.Category{access.Public}, false, false, false},
		{[]access.Category{access.Special}, false, false, false},
		{nil, false, false, false},
	} {
		if may.of("contact", c.cats, nil) != c.none || may.of("contact", c.cats, mine) != c.own || may.of("contact", c.cats, others) != c.no {
			t.Errorf("%v: %v, own %v, others' %v", c.cats, may.of("contact", c.cats, nil), may.of("contact", c.cats, mine), may.of("contact", c.cats, others))
		}
		if may.of("lead", c.cats, mine) {
			t.Errorf("%v of another entity", c.cats)
		}
	}
	if !may.perhaps("contact", access.FreeText) || may.perhaps("contact", access.Email) || may.perhaps("contact", access.Credential) {
		t.Error("what depends on the record isn't offered, or what never is")
	}
}

func TestAnAddressNamesARecordByItsWholeID(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		address, id string
		want        bool
	}{
		{"https://crm.example/#Contact/view/63f1a", "63f1a", true},
		{"https://crm.example/#Contact/view/63f1a2", "63f1a", false},
		{"https://crm.example/contacts/1017/edit", "17", false},
		{"https://crm.example/contacts/17?x=1017", "17", true},
		{"17", "17", true},
		{"1717 17", "17", true},
		{"ü17ü", "17", false},
		{"/a%2F17", "17", true},
		{"", "17", false},
		{"/contacts/", "", false},
	} {
		list := []seen{{Record: access.Record{Type: "contact", ID: c.id}}}
		if got := len(inAddress(list, c.address)) == 1; got != c.want {
			t.Errorf("%q in %q: %v", c.id, c.address, got)
		}
	}
}

// Records that were opened come before those of lists; what is clear can't be asked for.
func TestWhatWasSeenMasked(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	record := func(id string, how map[access.Category]access.Treatment) access.DisclosedRecord {
		return access.DisclosedRecord{Record: access.Record{Entity: "contact", Type: "contact", ID: id}, Treated: how}
	}
	part, clear, drop := map[access.Category]access.Treatment{access.Phone: access.Partial}, map[access.Category]access.Treatment{access.Phone: access.Clear}, map[access.Category]access.Treatment{access.Bank: access.Drop}
	list := append(seenIn(&audit.Entry{Time: at.Add(time.Minute), Disclosure: &access.Disclosure{Records: []access.DisclosedRecord{
		record("1", part), record("2", part), record("3", clear), record("4", drop), record("5", part),
	}}}), seenIn(&audit.Entry{Time: at, Disclosure: &access.Disclosure{Records: []access.DisclosedRecord{record("5", map[access.Category]access.Treatment{access.Name: access.Hidden})}}})...)
	list = append(list, seenIn(&audit.Entry{Time: at})...)
	var ids []string
	got := newest(list)
	for _, s := range got {
		ids = append(ids, s.ID)
	}
	if strings.Join(ids, " ") != "5 1 2" {
		t.Fatalf("seen: %v", ids)
	}
	if got[0].masked[access.Phone] != access.Partial || got[0].masked[access.Name] != access.Hidden || !got[0].at.Equal(at.Add(time.Minute)) {
		t.Errorf("%+v", got[0])
	}
}
