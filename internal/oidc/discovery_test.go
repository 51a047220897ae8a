package oidc

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

func TestNewTouchesNoNetwork(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	if n := p.op.count("/.well-known/openid-configuration"); n != 0 {
		t.Errorf("New asked the provider %d times", n)
	}
	if _, ok := p.EndSession("", "", ""); ok {
		t.Error("EndSession knows a provider that was never asked")
	}
}

func TestProviderDownAtStartRecoversByItself(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	p.op.set(func() { p.op.down = true })
	for range 5 {
		if err := p.Ready(t.Context()); !errors.Is(err, ErrProviderDown) {
			t.Fatalf("Ready = %v", err)
		}
	}
	if _, err := p.Begin(t.Context(), BeginRequest{BaseURL: site}); !errors.Is(err, ErrProviderDown) {
		t.Fatalf("Begin = %v", err)
	}
	if n := p.op.count("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("the provider was asked %d times within the backoff", n)
	}
	p.now.Advance(firstPause)
	if err := p.Ready(t.Context()); !errors.Is(err, ErrProviderDown) {
		t.Fatalf("Ready = %v", err)
	}
	p.op.set(func() { p.op.down = false })
	p.now.Advance(longPause)
	if err := p.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Finish(t.Context(), p.begin(t)); err != nil {
		t.Error(err)
	}
}

func TestProviderDownAtSignInRecoversByItself(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	r := p.begin(t)
	p.op.set(func() { p.op.down = true })
	if _, err := p.Finish(t.Context(), r); !errors.Is(err, ErrProviderDown) {
		t.Fatalf("Finish = %v", err)
	}
	p.op.set(func() { p.op.down = false })
	if _, err := p.Finish(t.Context(), r); err != nil {
		t.Errorf("the same sign-in didn't work once the provider was back: %v", err)
	}
}

func TestOutageAfterAnHourKeepsWhatIsKnown(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	if err := p.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.now.Advance(2 * knownFor)
	p.op.set(func() { p.op.down = true })
	if _, err := p.Begin(t.Context(), BeginRequest{BaseURL: site}); err != nil {
		t.Errorf("Begin = %v", err)
	}
	if address, ok := p.EndSession("hint", "https://crm.example.de/.crmgate/signed-out", "s"); !ok {
		t.Errorf("EndSession = %q, %v", address, ok)
	}
	p.op.set(func() { p.op.down = false })
	p.now.Advance(longPause)
	if _, err := p.Finish(t.Context(), p.begin(t)); err != nil {
		t.Error(err)
	}
}

// Sign-ins go on with what is known, since the outage may be short; whoever asks
// whether people can sign in is told of it.
func TestReadyTellsOfAProviderThatWentAway(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	if err := p.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.op.set(func() { p.op.down = true })
	p.now.Advance(readyFor)
	for range 5 {
		if err := p.Ready(t.Context()); !errors.Is(err, ErrProviderDown) {
			t.Fatalf("Ready = %v", err)
		}
	}
	if n := p.op.count("/.well-known/openid-configuration"); n != 2 {
		t.Errorf("the provider was asked %d times within the backoff", n)
	}
	if _, err := p.Begin(t.Context(), BeginRequest{BaseURL: site}); err != nil {
		t.Errorf("Begin = %v", err)
	}
	p.op.set(func() { p.op.down = false })
	p.now.Advance(longPause)
	if err := p.Ready(t.Context()); err != nil {
		t.Errorf("Ready = %v", err)
	}
}

func TestManyPeopleAskOnce(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := p.Begin(t.Context(), BeginRequest{BaseURL: site}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := p.op.count("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("the provider was asked %d times", n)
	}
}

func TestDiscoveryThatCanNotWorkIsRefusedByName(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		meta   func(map[string]any)
		config func(*Config)
		want   *Refusal
		text   string
	}{
		"issuer-with-slash":   {meta: func(m map[string]any) { m["issuer"] = m["issuer"].(string) + "/" }, want: ErrMisconfigured, text: "write the issuer exactly"},
		"no-token-endpoint":   {meta: func(m map[string]any) { delete(m, "token_endpoint") }, want: ErrMisconfigured, text: "token_endpoint"},
		"no-keys":             {meta: func(m map[string]any) { delete(m, "jwks_uri") }, want: ErrMisconfigured, text: "jwks_uri"},
		"clear-text-endpoint": {meta: func(m map[string]any) { m["token_endpoint"] = "http://idp.example/token" }, want: ErrMisconfigured, text: "token_endpoint"},
		"script-endpoint":     {meta: func(m map[string]any) { m["end_session_endpoint"] = "javascript:alert(1)" }, want: ErrMisconfigured, text: "end_session_endpoint"},
		"shared-secrets-only": {meta: func(m map[string]any) { m["id_token_signing_alg_values_supported"] = []string{"HS256", "none"} }, want: ErrMisconfigured, text: "RS256"},
		"acr-not-offered": {
			meta:   func(m map[string]any) { m["acr_values_supported"] = []string{"0", "1"} },
			config: func(c *Config) { c.Factor = Factor{ACR: []string{"gold"}} },
			want:   ErrNoSecondFactor, text: "none of the configured",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newParty(t, func(cfg *Config) {
				if c.config != nil {
					c.config(cfg)
				}
			})
			p.op.set(func() { p.op.meta = c.meta })
			_, err := p.Begin(t.Context(), BeginRequest{BaseURL: site})
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("Begin = %v, want %v naming %q", err, c.want, c.text)
			}
		})
	}
}

func TestUnknownKeyIDsDontFloodTheProvider(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	if _, err := p.Finish(t.Context(), p.begin(t)); err != nil {
		t.Fatal(err)
	}
	p.op.set(func() {
		p.op.sign = func(c map[string]any) string { return p.op.signWith(jose.ES256, p.op.key, "other", c) }
	})
	for range 10 {
		if _, err := p.Finish(t.Context(), p.begin(t)); !errors.Is(err, ErrToken) {
			t.Fatalf("Finish = %v", err)
		}
	}
	if n := p.op.count("/keys"); n != 1 {
		t.Errorf("C26: keys were fetched %d times within a minute", n)
	}
	p.op.set(func() { p.op.sign, p.op.kid = nil, "k2" })
	p.now.Advance(keysFor)
	if _, err := p.Finish(t.Context(), p.begin(t)); err != nil {
		t.Errorf("rotated keys were not taken: %v", err)
	}
}

func TestEndSessionNamesTheClient(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	if err := p.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	address, ok := p.EndSession("hint", "https://crm.example.de/.crmgate/signed-out?a=b&c", "")
	u, err := url.Parse(address)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	q := u.Query()
	if q.Get("x") != "1" || q.Get("client_id") != clientID || q.Get("id_token_hint") != "hint" ||
		q.Get("post_logout_redirect_uri") != "https://crm.example.de/.crmgate/signed-out?a=b&c" || q.Has("state") {
		t.Errorf("EndSession = %s", address)
	}
}

func TestClientSecretInTheBodyWhereBasicIsNotOffered(t *testing.T) {
	t.Parallel()
	if authStyle(nil) != authStyle([]string{"client_secret_post", "client_secret_basic"}) ||
		authStyle(nil) == authStyle([]string{"private_key_jwt", "client_secret_post"}) {
		t.Error("authStyle picks the wrong method")
	}
}

func TestBackoffGrowsToItsBound(t *testing.T) {
	t.Parallel()
	var b backoff
	var got []time.Duration
	for range 6 {
		b.failed(time.Unix(0, 0), ErrProviderDown)
		got = append(got, b.pause)
	}
	if got[0] != firstPause || got[1] != 2*firstPause || got[5] != longPause {
		t.Errorf("pauses = %v", got)
	}
}

func TestOnlyAsymmetricSignaturesAreTaken(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ advertised, want []string }{
		{nil, []string{"RS256"}},
		{[]string{"none", "HS256", "RS256", "HS512", "EdDSA", "made-up"}, []string{"RS256", "EdDSA"}},
		{[]string{"none", "HS256"}, nil},
	} {
		if got := signingAlgs(c.advertised); len(got) != len(c.want) || !slices.Equal(got, c.want) && len(got) > 0 {
			t.Errorf("signingAlgs(%v) = %v, want %v", c.advertised, got, c.want)
		}
	}
}

func TestEndlessAnswersAreCutOff(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	p.op.set(func() { p.op.meta = func(m map[string]any) { m["padding"] = strings.Repeat("x", answerLimit) } })
	if err := p.Ready(t.Context()); !errors.Is(err, ErrMisconfigured) {
		t.Errorf("Ready = %v", err)
	}
}
