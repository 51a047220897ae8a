package crmgate

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

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

func TestCommandsAskInOneForm(t *testing.T) {
	for name, c := range map[string]struct {
		ask    caddy.AdminHandlerFunc
		method string
		body   string
		want   int
	}{
		"a look that is no POST":      {noteLook, http.MethodGet, `{}`, http.StatusMethodNotAllowed},
		"sessions by a link":          {adminSessions, http.MethodGet, `{"all":true}`, http.StatusMethodNotAllowed},
		"factors by a link":           {adminFactors, http.MethodGet, `{"employee":"x"}`, http.StatusMethodNotAllowed},
		"a look with an unknown word": {noteLook, http.MethodPost, `{"recrod":"contact/1"}`, http.StatusBadRequest},
		"a look with a name":          {noteLook, http.MethodPost, `{"employees":["vera"]}`, http.StatusBadRequest},
		"sessions of nobody":          {adminSessions, http.MethodPost, `{}`, http.StatusBadRequest},
		"an unknown word":             {adminSessions, http.MethodPost, `{"all":true,"revok":true}`, http.StatusBadRequest},
		"factors of nobody":           {adminFactors, http.MethodPost, `{"employee":" "}`, http.StatusBadRequest},
		"too much":                    {adminFactors, http.MethodPost, `{"employee":"` + strings.Repeat("x", maxAsked) + `"}`, http.StatusBadRequest},
		"where no gateway runs":       {adminSessions, http.MethodPost, `{"all":true}`, http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.ask(httptest.NewRecorder(), httptest.NewRequest(c.method, "/", strings.NewReader(c.body)))
			if no, ok := errors.AsType[caddy.APIError](err); !ok || no.HTTPStatus != c.want {
				t.Errorf("%v, want %d", err, c.want)
			}
		})
	}
}
