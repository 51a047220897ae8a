package oidc

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// fakeOP is an identity provider that can misbehave. Its fields are changed
// between requests only, under mu where a handler reads them.
type fakeOP struct {
	t   *testing.T
	srv *httptest.Server
	key *ecdsa.PrivateKey
	kid string
	now *clock

	mu       sync.Mutex
	down     bool
	meta     func(map[string]any) // changes the discovery document
	token    func(map[string]any) // changes the ID token's claims
	sign     func(claims map[string]any) string
	answer   http.HandlerFunc // replaces the token endpoint
	userinfo map[string]any
	infoDown bool
	codes    map[string]url.Values
	last     map[string]any // the claims of the last ID token
	// refreshed changes the claims of a refreshed ID token, and the answer it comes in.
	refreshed func(claims, answer map[string]any)
	hits      map[string]int
}

const (
	clientID     = "crm"
	clientSecret = "s3cret"
	site         = "https://crm.example.de"
)

func newOP(t *testing.T, now *clock) *fakeOP {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	op := &fakeOP{t: t, key: key, kid: "k1", now: now, codes: map[string]url.Values{}, hits: map[string]int{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", op.serveDiscovery)
	mux.HandleFunc("/keys", op.serveKeys)
	mux.HandleFunc("/token", op.serveToken)
	mux.HandleFunc("/userinfo", op.serveUserinfo)
	op.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		op.mu.Lock()
		op.hits[r.URL.Path]++
		down := op.down
		op.mu.Unlock()
		if down {
			http.Error(w, "gone fishing", http.StatusBadGateway)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(op.srv.Close)
	return op
}

func (op *fakeOP) set(change func()) {
	op.mu.Lock()
	defer op.mu.Unlock()
	change()
}

func (op *fakeOP) count(path string) int {
	op.mu.Lock()
	defer op.mu.Unlock()
	return op.hits[path]
}

func (op *fakeOP) serveDiscovery(w http.ResponseWriter, _ *http.Request) {
	doc := map[string]any{
		"issuer":                                op.srv.URL,
		"authorization_endpoint":                op.srv.URL + "/authorize?tenant=1",
		"token_endpoint":                        op.srv.URL + "/token",
		"jwks_uri":                              op.srv.URL + "/keys",
		"userinfo_endpoint":                     op.srv.URL + "/userinfo",
		"end_session_endpoint":                  op.srv.URL + "/logout?x=1",
		"id_token_signing_alg_values_supported": []string{"ES256", "HS256", "none"},
	}
	op.mu.Lock()
	if op.meta != nil {
		op.meta(doc)
	}
	op.mu.Unlock()
	writeJSON(w, doc)
}

func (op *fakeOP) serveKeys(w http.ResponseWriter, _ *http.Request) {
	op.mu.Lock()
	defer op.mu.Unlock()
	writeJSON(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: op.key.Public(), KeyID: op.kid, Algorithm: "ES256", Use: "sig"}}})
}

// authorize is a person who signs in at the address that Begin gave: it returns
// the code that the provider sends back.
func (op *fakeOP) authorize(redirect string) (state, code string) {
	op.t.Helper()
	u, err := url.Parse(redirect)
	if err != nil {
		op.t.Fatal(err)
	}
	q := u.Query()
	code = rand.Text()
	op.set(func() { op.codes[code] = q })
	return q.Get("state"), code
}

func (op *fakeOP) serveToken(w http.ResponseWriter, r *http.Request) {
	op.mu.Lock()
	defer op.mu.Unlock()
	if op.answer != nil {
		op.answer(w, r)
		return
	}
	if r.FormValue("grant_type") == "refresh_token" {
		op.serveRefresh(w, r)
		return
	}
	user, pass, _ := r.BasicAuth()
	asked, ok := op.codes[r.FormValue("code")]
	delete(op.codes, r.FormValue("code"))
	challenge := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	switch {
	case user != clientID || pass != clientSecret:
		tokenError(w, "invalid_client")
		return
	case !ok, asked.Get("redirect_uri") != r.FormValue("redirect_uri"),
		asked.Get("code_challenge_method") != "S256",
		asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(challenge[:]):
		tokenError(w, "invalid_grant")
		return
	}
	now := op.now.Now()
	claims := map[string]any{
		"iss": op.srv.URL, "sub": "u-1", "aud": clientID, "exp": now.Add(5 * time.Minute).Unix(), "iat": now.Unix(),
		"nonce": asked.Get("nonce"), "amr": []string{"pwd", "mfa"}, "auth_time": now.Unix(), "sid": "sid-1",
		"name": "Ada Muster", "email": "ada@example.de", "email_verified": true,
		"preferred_username": "ada", "realm_access": map[string]any{"roles": []string{"sales", "support"}},
	}
	if op.token != nil {
		op.token(claims)
	}
	op.last = maps.Clone(claims)
	writeJSON(w, map[string]any{
		"access_token": "at-1", "token_type": "Bearer", "expires_in": 300, "refresh_token": "rt-1", "id_token": op.signed(claims),
	})
}

func (op *fakeOP) signed(claims map[string]any) string {
	if op.sign != nil {
		return op.sign(claims)
	}
	return op.signWith(jose.ES256, op.key, op.kid, claims)
}

// serveRefresh answers with the last ID token's claims, issued anew.
func (op *fakeOP) serveRefresh(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("refresh_token") != "rt-1" {
		tokenError(w, "invalid_grant")
		return
	}
	claims := maps.Clone(op.last)
	claims["iat"], claims["exp"] = op.now.Now().Unix(), op.now.Now().Add(5*time.Minute).Unix()
	answer := map[string]any{"access_token": "at-1", "token_type": "Bearer", "expires_in": 300, "refresh_token": "rt-2"}
	if op.refreshed != nil {
		op.refreshed(claims, answer)
	}
	if _, ok := answer["id_token"]; !ok {
		answer["id_token"] = op.signed(claims)
	}
	writeJSON(w, answer)
}

func (op *fakeOP) serveUserinfo(w http.ResponseWriter, r *http.Request) {
	op.mu.Lock()
	defer op.mu.Unlock()
	if op.infoDown {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if r.Header.Get("Authorization") != "Bearer at-1" || op.userinfo == nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	writeJSON(w, op.userinfo)
}

func (op *fakeOP) signWith(alg jose.SignatureAlgorithm, key any, kid string, claims map[string]any) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil)
	if err != nil {
		op.t.Error(err)
		return ""
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		op.t.Error(err)
		return ""
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		op.t.Error(err)
		return ""
	}
	raw, err := signed.CompactSerialize()
	if err != nil {
		op.t.Error(err)
	}
	return raw
}

// unsigned is a token with alg none, which no library makes any more.
func unsigned(claims map[string]any) string {
	payload, _ := json.Marshal(claims)
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload) + "."
}

func tokenError(w http.ResponseWriter, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	writeJSON(w, map[string]string{"error": code, "error_description": "CANARY-DESCRIPTION"})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Unix(1_800_000_000, 0)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// box is a Sealer with one key.
type box struct{ aead cipher.AEAD }

func newBox(t testing.TB) box {
	t.Helper()
	key := make([]byte, 32)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	return box{aead}
}

func (b box) Seal(purpose string, plaintext, aad []byte) ([]byte, error) {
	return b.aead.Seal(nil, nil, plaintext, append([]byte(purpose+"\x00"), aad...)), nil
}

func (b box) Open(purpose string, sealed, aad []byte) ([]byte, error) {
	return b.aead.Open(nil, nil, sealed, append([]byte(purpose+"\x00"), aad...))
}

// party is a provider under test with its OP.
type party struct {
	*Provider
	op  *fakeOP
	now *clock
}

func newParty(t *testing.T, change ...func(*Config)) party {
	t.Helper()
	now := newClock()
	op := newOP(t, now)
	cfg := Config{
		Issuer: op.srv.URL, ClientID: clientID, ClientSecret: clientSecret,
		RolesClaim: "realm_access.roles", UserClaim: "preferred_username",
		Factor: Factor{AMR: []string{"mfa"}}, Now: now.Now, Seal: newBox(t), HTTPClient: op.srv.Client(),
	}
	for _, c := range change {
		c(&cfg)
	}
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return party{p, op, now}
}

// begin starts a sign-in in a new browser and lets the person sign in.
func (p party) begin(t *testing.T, change ...func(*BeginRequest)) FinishRequest {
	t.Helper()
	r := BeginRequest{BaseURL: site, ReturnTo: "/contacts?id=7"}
	for _, c := range change {
		c(&r)
	}
	begun, err := p.Begin(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	state, code := p.op.authorize(begun.Redirect)
	return FinishRequest{BaseURL: site, State: state, Code: code, Bindings: []string{begun.Binding}}
}
