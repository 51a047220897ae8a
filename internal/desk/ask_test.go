package desk

import (
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
)

func someone(letter string) string { return "e-" + strings.Repeat(letter, 26) }

func said(at time.Duration, who, request, detail string) audit.Stored {
	return audit.Stored{Entry: audit.Entry{
		Time: began.Add(at), Kind: audit.Control, Event: audit.Consent, Employee: who, Request: request, Detail: detail,
	}}
}

func TestAnAskIsOpenedByASecondPersonOnly(t *testing.T) {
	asker, watched, second, third := someone("a"), someone("b"), someone("c"), someone("d")
	ask, ok := NewAsk(watched, "breach", " file \t 7 until 2030-01-01T00:00:00Z\n")
	if !ok {
		t.Fatal("the ask isn't one")
	}
	ask.ID = "r1"
	yes := ask.Consent(began.Add(2 * time.Hour))
	for _, c := range []struct {
		name    string
		answers []audit.Stored
		alone   time.Duration
		open    bool
	}{
		{"nobody", nil, 0, false},
		{"nobody is needed", nil, 2 * time.Hour, true},
		{"nobody is needed, long ago", nil, 30 * time.Minute, false},
		{"a second person", []audit.Stored{said(time.Minute, second, "r2", yes)}, 0, true},
		{"the asker", []audit.Stored{said(time.Minute, asker, "r2", yes)}, 0, false},
		{"the person themselves", []audit.Stored{said(time.Minute, watched, "r2", yes)}, 0, false},
		{"nobody known", []audit.Stored{said(time.Minute, "", "r2", yes)}, 0, false},
		{"a no", []audit.Stored{said(time.Minute, second, "r2", ask.Refusal())}, 0, false},
		{"a yes after a no", []audit.Stored{said(time.Minute, second, "r2", ask.Refusal()), said(2*time.Minute, third, "r3", yes)}, 0, false},
		{"to another ask", []audit.Stored{said(time.Minute, second, "r2", strings.Replace(yes, "r1", "r9", 1))}, 0, false},
		{"a yes that has ended", []audit.Stored{said(time.Minute, second, "r2", ask.Consent(began.Add(30*time.Minute)))}, 0, false},
		{"a yes too late", []audit.Stored{said(AskLasts+time.Hour, second, "r2", ask.Consent(began.Add(2*AskLasts)))}, 0, false},
		{"before it was asked", []audit.Stored{said(-time.Minute, second, "r2", yes)}, 0, false},
	} {
		all := Asks(append([]audit.Stored{said(0, asker, "r1", ask.Detail())}, c.answers...), c.alone)
		now := began.Add(time.Hour)
		if len(all) != 1 || all[0].By != asker || all[0].Employee != watched || all[0].Note != "file 7 until 2030-01-01T00:00:00Z" {
			t.Fatalf("%s: asks %+v", c.name, all)
		}
		if all[0].Open(now) != c.open {
			t.Errorf("%s: open is %t, want %t", c.name, !c.open, c.open)
		}
	}
}

func TestAsksComeFromConsentEntriesAlone(t *testing.T) {
	ask, _ := NewAsk(someone("b"), "check", "as agreed")
	other := said(0, someone("a"), "r1", ask.Detail())
	other.Entry.Event = audit.Searched
	hostile := said(0, someone("a"), "r2", "desk asks: employee "+someone("b")+", purpose curiosity: as agreed")
	if all := Asks([]audit.Stored{other, hostile, said(0, "", "", "")}, time.Hour); len(all) != 0 {
		t.Errorf("asks %+v", all)
	}
	for _, wrong := range [][3]string{
		{"vera", "check", "as agreed"},
		{someone("b"), "", "as agreed"},
		{someone("b"), "check", "  a  b  "},
		{someone("b"), "check", strings.Repeat("x", 301)},
		{someone("B"), "check", "as agreed"},
		{someone("b"), "check", "as\x00agreed"},
		{someone("b"), "check", "as\xffagreed"},
	} {
		if _, ok := NewAsk(wrong[0], wrong[1], wrong[2]); ok {
			t.Errorf("%q is an ask", wrong)
		}
	}
}
