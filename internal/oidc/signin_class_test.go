package oidc

import (
	"errors"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSignInAttacks tries the classes of faults that relying parties have had, by
// their numbers; TestSignIn has those that one bad answer of the provider shows.
func TestSignInAttacks(t *testing.T) {
	t.Run("C10-open-redirects", TestOpenRedirectsGoNowhere)
	t.Run("C14-parameters-twice-count-as-none", callbackParameterTwice)
	t.Run("C20-configuration-that-proves-nothing", TestBadConfigurationNamesTheRemedy)
	t.Run("C20-provider-that-can-not-work", TestDiscoveryThatCanNotWorkIsRefusedByName)
	t.Run("C20-step-up-that-no-token-can-meet", TestDemandNamesTheRemedy)
	t.Run("C23-hundred-thousand-starts-leave-nothing", startsLeaveNothing)
	t.Run("C23-provider-that-never-stops-talking", TestEndlessAnswersAreCutOff)
	t.Run("C26-unknown-key-ids-dont-flood", TestUnknownKeyIDsDontFloodTheProvider)
	t.Run("C26-shared-secrets-sign-nothing", TestOnlyAsymmetricSignaturesAreTaken)
	t.Run("C26-provider-leads-elsewhere", backChannelStaysThere)
	t.Run("C27-what-a-preset-takes", TestPresetsProveWhatTheirProvidersWrite)
	t.Run("C27-what-a-preset-takes-for-phishing-resistant", TestPresetsProveWhatCantBePhished)
	t.Run("C27-demands-edited-out-of-the-address", editedDemands)
}

func callbackParameterTwice(t *testing.T) {
	t.Parallel()
	q := url.Values{"state": {"a", "b"}, "code": {"c", "c"}, "iss": {"i"}, "error": {"x", ""}}
	if r := Callback(q); r.State != "" || r.Code != "" || r.Error != "" || r.Iss != "i" {
		t.Errorf("Callback = %+v", r)
	}
}

// startsLeaveNothing begins sign-ins that nobody finishes: the memory in use
// afterwards is that of before.
func startsLeaveNothing(t *testing.T) { // not parallel: it measures memory
	p := newParty(t)
	begin := func(n int) {
		for range n {
			if _, err := p.Begin(t.Context(), BeginRequest{BaseURL: site, ReturnTo: "/contacts?id=7"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	begin(1000)
	before := heapInUse()
	begin(100_000)
	if after := heapInUse(); after > before+1<<20 {
		t.Errorf("100,000 starts grew the heap from %d to %d bytes", before, after)
	}
	if _, err := p.Finish(t.Context(), p.begin(t)); err != nil {
		t.Errorf("afterwards nobody can sign in: %v", err)
	}
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC() // finalizers of the first have run
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// backChannelStaysThere: a token endpoint or key set that redirects would carry
// the code and the secret, or the trust, to somebody else.
func backChannelStaysThere(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	r := p.begin(t)
	thief := newOP(t, p.now)
	p.op.set(func() {
		p.op.answer = func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, thief.srv.URL+"/token", http.StatusPermanentRedirect)
		}
	})
	if _, err := p.Finish(t.Context(), r); !errors.Is(err, ErrMisconfigured) {
		t.Errorf("Finish = %v", err)
	}
	if n := thief.count("/token"); n != 0 {
		t.Errorf("the code went elsewhere %d times", n)
	}
}

// editedDemands: whoever takes acr_values, max_age or prompt out of the address
// signs in with less, and isn't taken.
func editedDemands(t *testing.T) {
	t.Parallel()
	p := newParty(t, func(c *Config) { c.Factor = Factor{ACR: []string{"gold"}, MaxAge: time.Hour} })
	begun, err := p.Begin(t.Context(), BeginRequest{BaseURL: site})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(begun.Redirect)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get("acr_values") != "gold" || q.Get("max_age") != "3600" {
		t.Fatalf("asked for %v", q)
	}
	q.Del("acr_values")
	q.Del("max_age")
	u.RawQuery = q.Encode()
	state, code := p.op.authorize(u.String())
	p.op.set(func() { p.op.token = func(c map[string]any) { c["acr"] = "bronze" } })
	_, err = p.Finish(t.Context(), FinishRequest{BaseURL: site, State: state, Code: code, Bindings: []string{begun.Binding}})
	if !errors.Is(err, ErrNoSecondFactor) {
		t.Errorf("Finish = %v", err)
	}
}

// TestClaimsOfManyProviders signs in with what providers lawfully do otherwise.
func TestClaimsOfManyProviders(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config func(*Config)
		op     func(*fakeOP)
		check  func(Identity) bool
		iss    bool
	}{
		"audiences with azp":       {op: token(func(c map[string]any) { c["aud"], c["azp"] = []string{"api", clientID}, clientID })},
		"one audience in an array": {op: claim("aud", []string{clientID})},
		"amr as one text":          {op: claim("amr", "mfa"), check: func(id Identity) bool { return slices.Equal(id.AMR, []string{"mfa"}) }},
		"times as text":            {op: token(func(c map[string]any) { c["auth_time"] = "1800000000" }), check: func(id Identity) bool { return id.AuthTime.Unix() == 1_800_000_000 }},
		"no auth_time":             {op: without("auth_time"), check: func(id Identity) bool { return id.AuthTime.IsZero() }},
		"no sid":                   {op: without("sid"), check: func(id Identity) bool { return id.SID == "" }},
		"iss parameter":            {iss: true},
		"email not verified":       {op: without("email_verified"), check: func(id Identity) bool { return !id.EmailVerified }},
		"role of one text":         {op: claim("realm_access", map[string]any{"roles": "sales"}), check: func(id Identity) bool { return slices.Equal(id.Roles, []string{"sales"}) }},
		"roles twice":              {op: claim("realm_access", map[string]any{"roles": []string{"b", "a", "b"}}), check: func(id Identity) bool { return slices.Equal(id.Roles, []string{"a", "b"}) }},
		"groups under a limit": {
			config: func(c *Config) { c.RolesClaim = "groups" },
			op:     token(func(c map[string]any) { c["groups"], c["hasgroups"] = []string{"g"}, false }),
		},
		// The access token is opaque here as in every test: nothing looks into it.
		"large token": {op: claim("padding", strings.Repeat("x", 64<<10))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newParty(t, func(cfg *Config) {
				if c.config != nil {
					c.config(cfg)
				}
			})
			if c.op != nil {
				p.op.set(func() { c.op(p.op) })
			}
			r := p.begin(t)
			if c.iss {
				r.Iss = p.op.srv.URL
			}
			fin, err := p.Finish(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			if c.check != nil && !c.check(fin.Identity) {
				t.Errorf("Identity = %+v", fin.Identity)
			}
		})
	}
}

// BenchmarkMeets is what a step_up line costs a signed-in request that meets it.
func BenchmarkMeets(b *testing.B) {
	p := &Provider{cfg: Config{Now: newClock().Now}, proof: proof{resistant: Factor{AMR: []string{"hwk", "swk+pin"}}}}
	id := Identity{AMR: []string{"pwd", "hwk", "mfa"}, ACR: "gold phr", AuthTime: p.cfg.Now().Add(-30 * time.Second)}
	d := Demand{MaxAge: 5 * time.Minute, Proofs: acr("gold"), PhishingResistant: true}
	b.ReportAllocs()
	for b.Loop() {
		if !p.Meets(id, d) {
			b.Fatal("it is met")
		}
	}
}
