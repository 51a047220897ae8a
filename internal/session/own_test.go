package session_test

import (
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/session"
)

// signInFrom makes a session of ada's from another place.
func (h house) signInFrom(t testing.TB, from session.Origin) string {
	t.Helper()
	id, _, err := h.Create(t.Context(), session.SignedIn{Identity: ada(), StateID: rand.Text(), From: from})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func refOf(t *testing.T, m *session.Manager, id string) string {
	t.Helper()
	s, err := m.Peek(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return s.Ref()
}

func TestPersonSeesTheirSessionsAndNobodyElses(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	here := h.signInFrom(t, session.Origin{IP: "192.0.2.1", Agent: "Firefox, Linux"})
	h.now.Advance(time.Minute)
	there := h.signInFrom(t, session.Origin{IP: "192.0.2.2", Agent: "Edge, Windows"})
	other := ada()
	other.Subject = "u-2"
	if _, _, err := h.Create(t.Context(), session.SignedIn{Identity: other, StateID: "other"}); err != nil {
		t.Fatal(err)
	}
	h.now.Advance(time.Minute)
	want(t, h.Manager, here, nil)
	list, err := h.List(t.Context(), ada().Issuer, ada().Subject, refOf(t, h.Manager, here))
	if err != nil || len(list) != 2 {
		t.Fatalf("List = %+v, %v, want two", list, err)
	}
	newest, mine := list[0], list[1]
	if newest.From.IP != "192.0.2.2" || newest.From.Agent != "Edge, Windows" || newest.Current {
		t.Errorf("the newest is %+v", newest)
	}
	if !mine.Current || mine.From.IP != "192.0.2.1" || !mine.Used.Equal(h.now.Now()) || !mine.Expires.Equal(mine.Created.Add(h.Max())) {
		t.Errorf("the present one is %+v", mine)
	}

	if ok, err := h.RevokeRef(t.Context(), ada().Issuer, "u-2", newest.Ref); ok || err != nil {
		t.Errorf("somebody else revokes it: %v, %v", ok, err)
	}
	want(t, h.Manager, there, nil)
	if ok, err := h.RevokeRef(t.Context(), ada().Issuer, ada().Subject, newest.Ref); !ok || err != nil {
		t.Errorf("RevokeRef = %v, %v", ok, err)
	}
	want(t, h.Manager, there, session.ErrNone)
	want(t, h.Manager, here, nil)

	h.now.Advance(h.Idle())
	if list, err := h.List(t.Context(), ada().Issuer, ada().Subject, ""); err != nil || len(list) != 0 {
		t.Errorf("sessions that have ended are listed: %+v, %v", list, err)
	}
	h.store.SetFail(func(string) error { return errors.New("down") })
	if _, err := h.List(t.Context(), ada().Issuer, ada().Subject, ""); !errors.Is(err, session.ErrStore) {
		t.Errorf("List = %v, want ErrStore", err)
	}
}

func TestOverTheLimitTheOldestSessionEnds(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var told []session.Notice
	h.cfg.PerPerson = 2
	h.cfg.Notify = noting(&told)
	h.Manager = h.node(t)
	first := h.signIn(t)
	h.now.Advance(time.Second)
	second := h.signIn(t)
	if len(told) != 0 {
		t.Errorf("told %+v", told)
	}
	ref := refOf(t, h.Manager, first)
	h.now.Advance(time.Second)
	third := h.signIn(t)
	want(t, h.Manager, first, session.ErrNone)
	want(t, h.Manager, second, nil)
	want(t, h.Manager, third, nil)
	if len(told) != 1 || told[0].Kind != session.OverLimit || told[0].Session.Ref() != ref || told[0].Session.Identity.Subject != ada().Subject {
		t.Errorf("told %+v, want the first one's end", told)
	}
	h.signIn(t, third) // in the same browser, it takes the place of the third
	want(t, h.Manager, second, nil)
}

func TestAgentLabelHasOnlyWordsOfOurs(t *testing.T) {
	t.Parallel()
	for agent, label := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0":                                 "Firefox, Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/129.0 Safari/537.36 Edg/129.0":      "Edge, Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15":      "Safari, macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605 CriOS/129.0 Mobile Safari/604.1": "Chrome, iOS",
		"Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/129.0 Mobile Safari/537.36":                   "Chrome, Android",
		"<script>alert(1)</script>": "", "": "", "curl/8.0": "curl", "<b>Windows</b>": "Windows",
	} {
		if got := session.AgentLabel(agent); got != label {
			t.Errorf("AgentLabel(%q) = %q, want %q", agent, got, label)
		}
	}
}
