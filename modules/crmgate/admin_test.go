package crmgate

import (
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/session"
	"github.com/crmgate/crmgate/internal/session/storetest"
)

func TestLookSaysWhatWasSearchedForInTheLogsOwnWords(t *testing.T) {
	since := time.Date(2026, 5, 1, 10, 0, 0, 0, time.FixedZone("", 7200))
	l := Look{UID: 1000, Record: "contact/1001", Employees: []string{"e-abc"}, Since: &since, Kind: audit.Intent}
	e, err := l.Entry()
	if err != nil {
		t.Fatal(err)
	}
	want := `audit search by uid 1000: record "contact/1001" employee e-abc since 2026-05-01T08:00:00Z kind intent`
	if e.Kind != audit.Control || e.Event != audit.Searched || e.Detail != want {
		t.Errorf("entry = %+v, want detail %s", e, want)
	}
	if e, err := (&Look{}).Entry(); err != nil || !strings.HasSuffix(e.Detail, "everything") {
		t.Errorf("entry = %+v, %v", e, err)
	}
}

// The log holds names in sign-ins only.
func TestLookHoldsNoName(t *testing.T) {
	for _, l := range []Look{
		{Employees: []string{"vera"}},
		{Employees: []string{"vera@example.com"}},
		{Employees: []string{"e-vera sommer"}},
		{Record: "Vera Sommer"},
		{Record: "contact/" + strings.Repeat("1", maxRecord)},
	} {
		if e, err := l.Entry(); err == nil {
			t.Errorf("%+v is written down as %q", l, e.Detail)
		}
	}
}

// keeping is a gate with sessions, nil before its start.
type keeping struct {
	Gate
	sessions *session.Manager
}

func (k keeping) Sessions() *session.Manager { return k.sessions }

// What is swept by less would end another site's sessions.
func TestLongestIdleIsThatOfAllGates(t *testing.T) {
	ring, err := keys.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	a := &App{gates: []Gate{keeping{}}}
	for _, idle := range []time.Duration{10 * time.Minute, 4 * time.Hour, 30 * time.Minute} {
		m, err := session.New(session.Config{Idle: idle, Store: storetest.NewMemory(), Sealer: ring})
		if err != nil {
			t.Fatal(err)
		}
		a.Register(keeping{sessions: m})
	}
	if got := a.LongestIdle(); got != 4*time.Hour {
		t.Errorf("LongestIdle = %s", got)
	}
}
