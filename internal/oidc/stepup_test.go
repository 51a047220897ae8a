package oidc

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// stepUp begins a step-up for u-1.
func stepUp(d Demand) func(*BeginRequest) {
	return func(r *BeginRequest) { r.StepUp = &StepUp{Demand: d, Subject: "u-1"} }
}

func acr(values ...string) []Proof { return []Proof{{ACR: values}} }

func TestStepUpTakesAFreshProof(t *testing.T) {
	t.Parallel()
	p := newParty(t, func(c *Config) { c.Resistant = Factor{AMR: []string{"hwk"}} })
	p.op.set(func() {
		p.op.token = func(c map[string]any) { c["amr"], c["acr"] = []string{"pwd", "hwk", "mfa"}, "gold" }
	})
	d := Demand{MaxAge: 5 * time.Minute, Proofs: acr("gold"), PhishingResistant: true}
	r := p.begin(t, stepUp(d), func(r *BeginRequest) { r.Retry = true })
	fin, err := p.Finish(t.Context(), r)
	if err != nil || !fin.StepUp || !fin.Retry || fin.ReturnTo != "/contacts?id=7" {
		t.Fatalf("Finish = %+v, %v", fin, err)
	}
	if !p.Meets(fin.Identity, d) {
		t.Errorf("after the step-up %+v doesn't meet its demand", fin.Identity)
	}
	p.now.Advance(5*time.Minute + Skew + time.Second)
	if p.Meets(fin.Identity, d) {
		t.Error("the proof never ages")
	}
}

// A provider that writes back what it was asked for proves neither of the values.
func TestContextWithASpaceIsNotTwo(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	p.op.set(func() {
		p.op.token = func(c map[string]any) { c["acr"] = "silver gold" }
	})
	fin, err := p.Finish(t.Context(), p.begin(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []Demand{{Proofs: acr("gold")}, {Proofs: acr("silver")}} {
		if p.Meets(fin.Identity, d) {
			t.Errorf("C27: acr %q meets %+v", fin.Identity.ACR, d)
		}
	}
}

func TestStepUpAsksForWhatItDemands(t *testing.T) {
	t.Parallel()
	p := newParty(t, func(c *Config) {
		c.Factor, c.Resistant = Factor{ACR: []string{"gold", "phr"}}, Factor{ACR: []string{"phr"}}
	})
	for want, d := range map[string]Demand{
		"gold phr": {MaxAge: time.Minute}, "platin": {Proofs: acr("platin")}, "phr": {PhishingResistant: true},
		"b": {Proofs: append(acr("a", "b"), acr("b", "c")...)}, "a c": {Proofs: append(acr("a"), acr("c")...)},
	} {
		begun, err := p.Begin(t.Context(), BeginRequest{BaseURL: site, StepUp: &StepUp{Demand: d, Subject: "u-1"}})
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(begun.Redirect)
		if err != nil {
			t.Fatal(err)
		}
		if q := u.Query(); q.Get("acr_values") != want || q.Get("prompt") != "login" || q.Get("max_age") != "0" {
			t.Errorf("%+v asks for %v", d, q)
		}
	}
}

func TestStepUpRefuses(t *testing.T) {
	t.Parallel()
	for _, bad := range []struct {
		name   string
		demand Demand
		op     func(*fakeOP)
		person string
		want   *Refusal
	}{
		{name: "C27-provider-did-not-ask-again", op: ahead("auth_time", -5*time.Minute), want: ErrStepUp},
		{name: "C27-no-auth-time", op: without("auth_time"), want: ErrStepUp},
		{name: "C27-auth-time-ahead", op: ahead("auth_time", 5*time.Minute), want: ErrStepUp},
		{name: "C27-acr-ignored", demand: Demand{Proofs: acr("gold")}, want: ErrStepUp},
		{name: "C27-amr-ignored", demand: Demand{Proofs: []Proof{{AMR: []string{"hwk"}}}}, want: ErrStepUp},
		{name: "C27-phishing-resistance-ignored", demand: Demand{PhishingResistant: true}, want: ErrStepUp},
		{name: "C27-no-second-factor-either", op: claim("amr", []string{"pwd"}), want: ErrNoSecondFactor},
		{name: "C16-another-person", person: "u-2", want: ErrOtherPerson},
	} {
		t.Run(bad.name, func(t *testing.T) {
			t.Parallel()
			p := newParty(t, func(c *Config) { c.Resistant = Factor{AMR: []string{"hwk"}} })
			if bad.op != nil {
				p.op.set(func() { bad.op(p.op) })
			}
			r := p.begin(t, stepUp(bad.demand), func(r *BeginRequest) {
				if bad.person != "" {
					r.StepUp.Subject = bad.person
				}
			})
			fin, err := p.Finish(t.Context(), r)
			if !errors.Is(err, bad.want) || fin.Identity.Subject != "" || !fin.StepUp {
				t.Errorf("Finish = %+v, %v, want %v", fin, err, bad.want)
			}
		})
	}
}

func TestDemandNamesTheRemedy(t *testing.T) {
	t.Parallel()
	many := slices.Repeat([]string{"a-long-value-of-acr"}, 30)
	p := newParty(t)
	for text, d := range map[string]Demand{
		"nothing is demanded": {}, "at least 1m0s": {MaxAge: time.Second}, "name fewer": {Proofs: acr(many...)},
		"a word of its own": {Proofs: acr("a b")}, "name the values": {PhishingResistant: true},
	} {
		if err := p.CheckDemand(d); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("CheckDemand(%+v) = %v, want %q", d, err, text)
		}
	}
	if err := p.CheckDemand(Demand{MaxAge: Skew}); err != nil {
		t.Error(err)
	}
	p = newParty(t, func(c *Config) { c.Factor = Factor{ACR: []string{"silver"}} })
	if err := p.CheckDemand(Demand{Proofs: acr("gold")}); err == nil || !strings.Contains(err.Error(), "in mfa acr, too") {
		t.Errorf("CheckDemand = %v", err)
	}
	p = newParty(t)
	// The longest demand and the longest return URL still fit into a state.
	long := Demand{Proofs: acr(strings.Repeat("x", demandLimit-20))}
	if err := p.CheckDemand(long); err != nil {
		t.Fatal(err)
	}
	r := p.begin(t, stepUp(long), func(r *BeginRequest) { r.ReturnTo = "/" + strings.Repeat("x", 1499) })
	if len(r.State) > stateLimit {
		t.Errorf("a state is %d bytes long, over what Finish reads", len(r.State))
	}
}

// Another site's session, or one from before a change of the configuration, is
// judged as its sign-in or renewal would be now.
func TestIdentityProvesWhatIsDemandedNow(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_800_000_000, 0)
	now := at.Add(time.Hour)
	person := func(acr string, amr ...string) Identity { return Identity{AMR: amr, ACR: acr, AuthTime: at} }
	for _, c := range []struct {
		name   string
		change func(*Config)
		id     Identity
		want   bool
	}{
		{"factor", nil, person("", "pwd", "mfa"), true},
		{"C27-no-second-factor", nil, person("gold", "pwd"), false},
		{"C27-nothing-stated", nil, person(""), false},
		{"acr", func(c *Config) { c.Factor = Factor{ACR: []string{"gold"}} }, person("silver gold"), true},
		{"C27-resistant", func(c *Config) { c.PhishingResistant, c.Resistant = true, Factor{AMR: []string{"hwk"}} }, person("", "mfa"), false},
		{"resistant", func(c *Config) { c.PhishingResistant, c.Resistant = true, Factor{AMR: []string{"hwk"}} }, person("", "mfa", "hwk"), true},
		{"max-age", func(c *Config) { c.Factor.MaxAge = time.Hour }, person("", "mfa"), true},
		{"C27-signed-in-too-long-ago", func(c *Config) { c.Factor.MaxAge = 50 * time.Minute }, person("", "mfa"), false},
		{"C27-auth-time-unknown", func(c *Config) { c.Factor.MaxAge = time.Hour }, Identity{AMR: []string{"mfa"}}, false},
		{"C27-auth-time-ahead", func(c *Config) { c.Factor.MaxAge = time.Hour }, Identity{AMR: []string{"mfa"}, AuthTime: now.Add(time.Hour)}, false},
		{"C27-elsewhere-too-long-ago", func(c *Config) { c.Factor, c.Elsewhere = Factor{MaxAge: 50 * time.Minute}, []string{"x"} }, person("", "x"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newParty(t, func(cfg *Config) {
				cfg.Factor = Factor{AMR: []string{"mfa"}}
				if c.change != nil {
					c.change(cfg)
				}
			})
			if got := p.Proves(c.id, now); got != c.want {
				t.Errorf("Proves = %v", got)
			}
		})
	}
}
