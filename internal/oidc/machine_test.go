package oidc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// machinery is Machines under test with its issuer.
type machinery struct {
	*Machines
	op  *fakeOP
	now *clock
}

func newMachinery(t *testing.T, change ...func(*MachineRule)) machinery {
	t.Helper()
	now := newClock()
	op := newOP(t, now)
	r := MachineRule{Name: "nightly-sync", Issuer: op.srv.URL, Audience: "crm-api", Clients: []string{"etl"}, Type: "at+jwt"}
	for _, c := range change {
		c(&r)
	}
	m, err := NewMachines(MachineConfig{
		Rules: []MachineRule{r, {Name: "report", Issuer: op.srv.URL, Audience: "reports", Clients: []string{"printer"}}},
		Now:   now.Now, HTTPClient: op.srv.Client(), Employees: map[string]string{op.srv.URL: clientID},
	})
	if err != nil {
		t.Fatal(err)
	}
	return machinery{m, op, now}
}

func (m machinery) claims() map[string]any {
	now := m.now.Now()
	return map[string]any{
		"iss": m.op.srv.URL, "aud": "crm-api", "azp": "etl", "client_id": "etl", "sub": "service-account-etl",
		"iat": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(), "jti": rand.Text(),
	}
}

// token signs a token with a header typ, "" for none.
func (m machinery) token(typ string, change ...func(map[string]any)) string {
	c := m.claims()
	for _, f := range change {
		f(c)
	}
	return m.sign(jose.ES256, m.op.key, m.op.kid, typ, c)
}

func (m machinery) sign(alg jose.SignatureAlgorithm, key any, kid, typ string, claims map[string]any) string {
	opts := new(jose.SignerOptions)
	if typ != "" {
		opts = opts.WithType(jose.ContentType(typ))
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, opts)
	if err != nil {
		panic(err)
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	signed, err := signer.Sign(raw)
	if err != nil {
		panic(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return token
}

func set(name string, value any) func(map[string]any) {
	return func(c map[string]any) { c[name] = value }
}

func drop(names ...string) func(map[string]any) {
	return func(c map[string]any) {
		for _, n := range names {
			delete(c, n)
		}
	}
}

func TestSignInMachineTokenNamesItsMachine(t *testing.T) {
	m := newMachinery(t)
	for name, c := range map[string]struct{ token, want string }{
		"client in azp":             {m.token("at+jwt", drop("client_id")), "nightly-sync"},
		"client in client_id":       {m.token("at+jwt", drop("azp")), "nightly-sync"},
		"client in cid":             {m.token("at+jwt", drop("azp", "client_id"), set("cid", "etl")), "nightly-sync"},
		"the type's long form":      {m.token("application/AT+JWT"), "nightly-sync"},
		"an audience of several":    {m.token("at+jwt", set("aud", []string{"account", "crm-api"})), "nightly-sync"},
		"another machine":           {m.token("JWT", set("aud", "reports"), set("azp", "printer"), set("client_id", "printer")), "report"},
		"as Keycloak types":         {m.token("at+jwt", set("typ", "Bearer"), set("acr", "1")), "nightly-sync"},
		"expired within the skew":   {m.token("at+jwt", set("exp", m.now.Now().Add(-30*time.Second).Unix())), "nightly-sync"},
		"from a clock that's ahead": {m.token("at+jwt", set("iat", m.now.Now().Add(30*time.Second).Unix())), "nightly-sync"},
	} {
		for range 2 {
			if got, err := m.Verify(t.Context(), c.token); got != c.want || err != nil {
				t.Errorf("%s: %q, %v, want %q", name, got, err, c.want)
			}
		}
	}
	if n := m.op.count("/keys"); n != 1 {
		t.Errorf("the keys were fetched %d times", n)
	}
}

func TestSignInMachineTokenOfAnotherKindIsRefused(t *testing.T) {
	m := newMachinery(t)
	now := m.now.Now()
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	public, _ := x509.MarshalPKIXPublicKey(m.op.key.Public())
	for name, c := range map[string]struct {
		token string
		want  error
	}{
		"C25-id-token-of-employee":         {m.token("JWT", set("aud", clientID), set("azp", clientID), drop("client_id")), ErrMachineToken},
		"C25-id-token-with-nonce":          {m.token("at+jwt", set("nonce", "n")), ErrMachineToken},
		"C25-id-token-with-at-hash":        {m.token("at+jwt", set("at_hash", "h")), ErrMachineToken},
		"C25-id-token-by-type":             {m.token("JWT"), ErrMachineToken},
		"C25-no-type":                      {m.token(""), ErrMachineToken},
		"C25-logout-token-by-type":         {m.token("logout+jwt"), ErrMachineToken},
		"C25-logout-token-by-events":       {m.token("at+jwt", set("events", map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}})), ErrMachineToken},
		"C25-refresh-token":                {m.token("at+jwt", set("typ", "Refresh")), ErrMachineToken},
		"C25-id-token-as-cognito-types":    {m.token("at+jwt", set("token_use", "id")), ErrMachineToken},
		"C25-type-of-another-machine":      {m.token("logout+jwt", set("aud", "reports"), set("azp", "printer"), set("client_id", "printer")), ErrMachineToken},
		"C25-bound-token-without-proof":    {m.token("at+jwt", set("cnf", map[string]any{"jkt": "x"})), ErrMachineToken},
		"C25-audience-of-another-machine":  {m.token("at+jwt", set("aud", "reports")), ErrMachineToken},
		"C25-audience-is-a-prefix":         {m.token("at+jwt", set("aud", "crm-api/")), ErrMachineToken},
		"C25-no-audience":                  {m.token("at+jwt", drop("aud")), ErrMachineToken},
		"C25-client-of-another-machine":    {m.token("at+jwt", set("azp", "printer"), drop("client_id")), ErrMachineToken},
		"C25-clients-disagree":             {m.token("at+jwt", set("azp", "printer")), ErrMachineToken},
		"C25-client-is-no-text":            {m.token("at+jwt", set("azp", []string{"etl"})), ErrMachineToken},
		"C25-no-client":                    {m.token("at+jwt", drop("azp", "client_id")), ErrMachineToken},
		"C26-unsigned":                     {unsigned(m.claims()), ErrMachineToken},
		"C26-public-key-as-secret":         {m.sign(jose.HS256, public, "k1", "at+jwt", m.claims()), ErrMachineToken},
		"C26-key-of-nobody":                {m.sign(jose.ES256, other, "k1", "at+jwt", m.claims()), ErrMachineToken},
		"C26-issuer-with-slash":            {m.token("at+jwt", set("iss", m.op.srv.URL+"/")), ErrMachineToken},
		"C26-no-issuer":                    {m.token("at+jwt", drop("iss")), ErrMachineToken},
		"C26-expired":                      {m.token("at+jwt", set("exp", now.Add(-2*time.Minute).Unix())), ErrMachineExpired},
		"C26-no-expiry":                    {m.token("at+jwt", drop("exp")), ErrMachineToken},
		"C26-no-iat":                       {m.token("at+jwt", drop("iat")), ErrMachineToken},
		"C26-issued-in-the-future":         {m.token("at+jwt", set("iat", now.Add(2*time.Minute).Unix())), ErrMachineToken},
		"C26-not-valid-yet":                {m.token("at+jwt", set("nbf", now.Add(2*time.Minute).Unix())), ErrMachineToken},
		"C26-an-opaque-one":                {"2YotnFZFEjr1zCsicMWpAA", ErrMachineToken},
		"C23-a-large-one":                  {m.token("at+jwt", set("x", strings.Repeat("x", machineTokenLimit))), ErrMachineToken},
		"C26-signature-of-another-payload": {swapPayload(m.token("at+jwt"), m.token("at+jwt", set("sub", "x"))), ErrMachineToken},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := m.Verify(t.Context(), c.token)
			if got != "" || !errors.Is(err, c.want) {
				t.Errorf("%q, %v, want %v", got, err, c.want)
			}
		})
	}
	if len(m.known.entries) != 0 {
		t.Errorf("%d refused tokens are remembered", len(m.known.entries))
	}
}

func swapPayload(a, b string) string {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	return as[0] + "." + bs[1] + "." + as[2]
}

func TestSignInC26MachineUnknownKeyIDsDontFlood(t *testing.T) {
	m := newMachinery(t)
	var done sync.WaitGroup
	for i := range 50 {
		done.Go(func() {
			if _, err := m.Verify(t.Context(), m.sign(jose.ES256, m.op.key, fmt.Sprint("kid", i), "at+jwt", m.claims())); !errors.Is(err, ErrMachineToken) {
				t.Error(err)
			}
		})
	}
	done.Wait()
	if n := m.op.count("/keys"); n != 1 {
		t.Errorf("the keys were fetched %d times in a minute", n)
	}
}

func TestMachineKeyRotationAndWithdrawal(t *testing.T) {
	m := newMachinery(t)
	old := m.token("at+jwt", set("exp", m.now.Now().Add(time.Hour).Unix()))
	if _, err := m.Verify(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	m.op.set(func() { m.op.key, m.op.kid = key, "k2" })
	m.now.Advance(keysFor)
	if got, err := m.Verify(t.Context(), m.token("at+jwt")); err != nil {
		t.Errorf("a new key is not taken: %q, %v", got, err)
	}
	m.now.Advance(machineKnownFor)
	if _, err := m.Verify(t.Context(), old); !errors.Is(err, ErrMachineToken) {
		t.Errorf("a withdrawn key's token after %v: %v", keysFor+machineKnownFor, err)
	}
}

func TestMachineWithdrawnKeyEndsWithoutANewOne(t *testing.T) {
	m := newMachinery(t)
	raw := m.token("at+jwt", set("exp", m.now.Now().Add(time.Hour).Unix()))
	if _, err := m.Verify(t.Context(), raw); err != nil {
		t.Fatal(err)
	}
	m.op.set(func() { m.op.kid = "another" })
	m.now.Advance(machineKeysFor + machineKnownFor)
	if _, err := m.Verify(t.Context(), raw); !errors.Is(err, ErrMachineToken) {
		t.Errorf("after %v: %v", machineKeysFor+machineKnownFor, err)
	}
}

func TestMachineIssuerDown(t *testing.T) {
	m := newMachinery(t)
	m.op.set(func() { m.op.down = true })
	for range 5 {
		if _, err := m.Verify(t.Context(), m.token("at+jwt")); !errors.Is(err, ErrMachineIssuer) {
			t.Fatalf("without keys: %v", err)
		}
	}
	if n := m.op.count("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("an issuer that is down was asked %d times", n)
	}
	m.op.set(func() { m.op.down = false })
	m.now.Advance(longPause)
	if _, err := m.Verify(t.Context(), m.token("at+jwt")); err != nil {
		t.Fatalf("when it is back: %v", err)
	}
	m.op.set(func() { m.op.down = true })
	m.now.Advance(2 * machineKeysFor)
	if _, err := m.Verify(t.Context(), m.token("at+jwt")); err != nil {
		t.Errorf("the last good keys: %v", err)
	}
}

func TestMachineTokenEndsWithItsTime(t *testing.T) {
	m := newMachinery(t)
	raw := m.token("at+jwt", set("exp", m.now.Now().Add(time.Minute).Unix()))
	if _, err := m.Verify(t.Context(), raw); err != nil {
		t.Fatal(err)
	}
	m.now.Advance(time.Minute + Skew + time.Second)
	if _, err := m.Verify(t.Context(), raw); !errors.Is(err, ErrMachineExpired) {
		t.Errorf("a remembered token outlives its time: %v", err)
	}
}

func TestMachineCacheIsBounded(t *testing.T) {
	var c machineCache
	now := time.Unix(1_800_000_000, 0)
	for i := range machineCacheLimit + 100 {
		c.put(fmt.Sprint(i), "m", now.Add(time.Hour), now)
	}
	if len(c.entries) != machineCacheLimit {
		t.Errorf("%d tokens are remembered", len(c.entries))
	}
	later := now.Add(machineKnownFor)
	c.put("new", "m", later.Add(time.Hour), later)
	if len(c.entries) != 1 {
		t.Errorf("%d tokens are remembered after all but one ended", len(c.entries))
	}
}

func TestMachineRulesThatLetOthersInAreRefused(t *testing.T) {
	good := MachineRule{Name: "a", Issuer: "https://login.example.de", Audience: "api", Clients: []string{"c"}}
	for name, c := range map[string]struct {
		change func(*MachineRule)
		want   string
	}{
		"no issuer":                  {func(r *MachineRule) { r.Issuer = "" }, "issuer"},
		"an issuer in clear":         {func(r *MachineRule) { r.Issuer = "http://login.example.de" }, "https"},
		"no audience":                {func(r *MachineRule) { r.Audience = "" }, "audience"},
		"no client":                  {func(r *MachineRule) { r.Clients = nil }, "client"},
		"an empty client":            {func(r *MachineRule) { r.Clients = []string{""} }, "client"},
		"the employees' own client":  {func(r *MachineRule) { r.Audience = "crm" }, "typ at+jwt"},
		"the machine's own client":   {func(r *MachineRule) { r.Audience = "c" }, "typ at+jwt"},
		"the same tokens as another": {func(*MachineRule) {}, "same token"},
	} {
		first, second := good, good
		second.Name = "b"
		c.change(&second)
		_, err := NewMachines(MachineConfig{Rules: []MachineRule{first, second}, Employees: map[string]string{good.Issuer: "crm"}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want a word of %q", name, err, c.want)
		}
	}
}

// offline is an HTTP client's transport without a network.
type offline struct{}

func (offline) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("offline") }

func FuzzMachineToken(f *testing.F) {
	f.Add("e30.e30.")
	f.Add("eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUuZGUifQ.")
	f.Add("eyJhbGciOiJFUzI1NiIsInR5cCI6W119.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUuZGUifQ.AA")
	m, err := NewMachines(MachineConfig{
		Rules:      []MachineRule{{Name: "a", Issuer: "https://login.example.de", Audience: "api", Clients: []string{"c"}}},
		HTTPClient: &http.Client{Transport: offline{}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		name, err := m.Verify(t.Context(), raw)
		if name != "" || !errors.Is(err, ErrMachineToken) && !errors.Is(err, ErrMachineIssuer) {
			t.Errorf("%q, %v", name, err)
		}
	})
}

func BenchmarkMachineTokenKnown(b *testing.B) {
	var c machineCache
	now := time.Now()
	raw := strings.Repeat("x", 1200)
	c.put(raw, "m", now.Add(time.Hour), now)
	for b.Loop() {
		if _, ok := c.get(raw, now); !ok {
			b.Fatal("forgotten")
		}
	}
}
