package oidc

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func elsewhereConfig(c *Config) {
	c.Factor, c.Elsewhere = Factor{MaxAge: time.Hour}, []string{"gateway:hwk", "gateway:otp"}
	c.Resistant = Factor{AMR: []string{"gateway:hwk"}}
}

func TestGoogleIsTakenWhereTheCallerProvesTheFactor(t *testing.T) {
	t.Parallel()
	cfg := Config{Issuer: "https://accounts.google.com", ClientID: "x", ClientSecret: "x", Preset: "google", Seal: newBox(t)}
	if _, err := New(cfg); !errors.Is(err, ErrNoSecondFactor) {
		t.Errorf("Google without a factor: %v", err)
	}
	elsewhereConfig(&cfg)
	if _, err := New(cfg); err != nil {
		t.Errorf("Google with the gateway's own factor: %v", err)
	}
	cfg.Factor.AMR = []string{"mfa"}
	if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), "exclude each other") {
		t.Errorf("both proofs: %v", err)
	}
}

// C27: what the caller proved is neither the provider's to change, nor to make
// older or younger.
func TestSignInElsewhere(t *testing.T) {
	t.Parallel()
	p := newParty(t, elsewhereConfig)
	p.op.set(func() { p.op.token = func(c map[string]any) { c["amr"] = []string{"pwd"}; delete(c, "acr") } })
	// What acrs a provider lists doesn't matter then (Keycloak lists some always).
	p.op.set(func() { p.op.meta = func(m map[string]any) { m["acr_values_supported"] = []string{"0", "1"} } })
	fin, err := p.Finish(t.Context(), p.begin(t))
	if err != nil {
		t.Fatal(err)
	}
	id := fin.Identity
	id.AMR, id.ACR, id.AuthTime = []string{"gateway:otp"}, "", p.now.Now()
	t.Run("C27-a-refresh-keeps-the-proof", func(t *testing.T) {
		p.now.Advance(10 * time.Minute)
		p.op.set(func() {
			p.op.refreshed = func(c, _ map[string]any) {
				c["amr"], c["acr"], c["auth_time"] = []string{"gateway:hwk", "mfa"}, "phr", p.now.Now().Unix()
			}
		})
		got, err := p.Refresh(t.Context(), RefreshRequest{Identity: id})
		if err != nil || !slices.Equal(got.AMR, id.AMR) || got.ACR != "" || !got.AuthTime.Equal(id.AuthTime) {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("C27-max-age-counts-from-it", func(t *testing.T) {
		p.now.Advance(2 * time.Hour)
		if _, err := p.Refresh(t.Context(), RefreshRequest{Identity: id}); !errors.Is(err, ErrNoSecondFactor) {
			t.Errorf("%v", err)
		}
	})
	t.Run("C27-demands-speak-of-it", func(t *testing.T) {
		for _, c := range []struct {
			d    Demand
			want string
		}{
			{Demand{PhishingResistant: true}, ""},
			{Demand{Proofs: []Proof{{AMR: []string{"gateway:hwk"}}}}, ""},
			{Demand{Proofs: []Proof{{AMR: []string{"mfa"}}}}, "nothing proves"},
			{Demand{Proofs: []Proof{{ACR: []string{"phr"}}}}, "no acr"},
		} {
			err := p.CheckDemand(c.d)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%+v: %v, want %q", c.d, err, c.want)
			}
		}
		if p.Meets(id, Demand{PhishingResistant: true}) {
			t.Error("a code is taken for phishing-resistant")
		}
	})
}
