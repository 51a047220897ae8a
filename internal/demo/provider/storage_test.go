package provider

import (
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// The library deletes a request only after it has made the tokens: between the
// two, a second exchange must find nothing.
func TestCodeIsUsedUpWhenItIsLookedUp(t *testing.T) {
	st, err := newState(Config{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	r := st.addRequest(oidc.AuthRequest{}, "")
	if err := st.SaveAuthCode(t.Context(), r.id, "the code"); err != nil {
		t.Fatal(err)
	}
	if _, err := st.AuthRequestByCode(t.Context(), "the code"); err != nil {
		t.Fatal(err)
	}
	if _, err := st.AuthRequestByCode(t.Context(), "the code"); err == nil {
		t.Error("a code was found twice")
	}
	if _, err := st.AuthRequestByID(t.Context(), r.id); err == nil {
		t.Error("the request of a used code can get another one")
	}
}

func TestWhatHasExpiredIsSwept(t *testing.T) {
	at := time.Now()
	st, err := newState(Config{Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	r := st.addRequest(oidc.AuthRequest{}, "")
	if _, err := st.open(r.id, "browser"); err != nil {
		t.Fatal(err)
	}
	if _, err := st.finish(r.id, "browser", "", proof{subject: "s"}); err != nil {
		t.Fatal(err)
	}
	if err := st.SaveAuthCode(t.Context(), r.id, "the code"); err != nil {
		t.Fatal(err)
	}
	at = at.Add(sessionFor + time.Second)
	st.addRequest(oidc.AuthRequest{}, "")
	if len(st.requests) != 1 || len(st.codes) != 0 || len(st.sessions) != 0 {
		t.Errorf("%d requests, %d codes, %d sessions are left, want the new request alone", len(st.requests), len(st.codes), len(st.sessions))
	}
}
