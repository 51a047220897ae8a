package gate_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/crmgate/crmgate/internal/demo/provider"
)

// forger is an identity provider without pages that issues whatever token the
// address of the sign-in asks for: ?forge=<fault>. The code carries the fault
// and the nonce to the token endpoint.
type forger struct {
	*server
	key *ecdsa.PrivateKey
	// other is a key that stands in no key set.
	other *ecdsa.PrivateKey
}

func newForger() (*forger, error) {
	s, err := newServer()
	if err != nil {
		return nil, err
	}
	f := &forger{server: s}
	for _, k := range []**ecdsa.PrivateKey{&f.key, &f.other} {
		if *k, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return nil, err
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", f.discovery)
	mux.HandleFunc("GET /keys", f.keys)
	mux.HandleFunc("GET /authorize", f.authorize)
	mux.HandleFunc("POST /token", f.token)
	s.serve(mux)
	return f, nil
}

func (f *forger) discovery(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]any{
		"issuer": f.url, "authorization_endpoint": f.url + "/authorize", "token_endpoint": f.url + "/token",
		"jwks_uri": f.url + "/keys", "end_session_endpoint": f.url + "/end", "id_token_signing_alg_values_supported": []string{"ES256"},
	})
}

func (f *forger) keys(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: f.key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
}

func (f *forger) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back := url.Values{"state": {q.Get("state")}, "code": {q.Get("forge") + "~" + q.Get("nonce")}}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

func (f *forger) token(w http.ResponseWriter, r *http.Request) {
	fault, nonce, _ := strings.Cut(r.PostFormValue("code"), "~")
	if fault == "code" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"invalid_grant","error_description":"canary in an error"}`)
		return
	}
	now := time.Now()
	claims := map[string]any{
		"iss": f.url, "aud": clientID, "sub": "forged-vera", "nonce": nonce, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"acr": provider.ACRSecondFactor, "amr": []string{"pwd", "otp"}, "auth_time": now.Unix(),
		"roles": []string{"sales"}, "name": "Vera", "preferred_username": "vera",
	}
	key, alg := f.key, jose.ES256
	if raw, ok := strings.CutPrefix(fault, "claims:"); ok {
		text, err := base64.RawURLEncoding.DecodeString(raw)
		if err == nil {
			err = json.Unmarshal(text, &claims)
		}
		if err != nil {
			panic(err)
		}
	}
	// who=<sub>/<sid> is somebody of a test's own.
	if who, ok := strings.CutPrefix(fault, "who="); ok {
		claims["sub"], claims["sid"], _ = strings.Cut(who, "/")
	}
	switch fault {
	case "nonce":
		claims["nonce"] = "another"
	case "audience":
		claims["aud"] = "another-client"
	case "issuer":
		claims["iss"] = "https://elsewhere.example"
	case "expired":
		claims["iat"], claims["exp"] = now.Add(-2*time.Hour).Unix(), now.Add(-time.Hour).Unix()
	case "factor":
		delete(claims, "acr")
		delete(claims, "amr")
	case "weak":
		claims["acr"], claims["amr"] = provider.ACRPassword, []string{"pwd"}
	case "key":
		key = f.other
	case "twin":
		claims["sub"] = "forged-twin"
	case "address":
		claims["email"], claims["email_verified"] = "a@evil.example@acme.example", true
	case "sub-number":
		claims["sub"] = 7
	case "sub-empty":
		claims["sub"] = ""
	case "user-list":
		claims["preferred_username"] = []string{"vera", "paula"}
	case "placeholder":
		const bait = "{env.HOME} {file./etc/passwd} {http.request.header.Cookie} {$HOME}"
		claims["name"], claims["preferred_username"], claims["roles"] = bait, bait, []string{"sales", "{env.HOME}"}
	case "markup":
		claims["name"] = `Vera <script>alert(1)</script>`
	}
	token := f.sign(claims, key, alg)
	switch fault {
	case "unsigned":
		token = unsigned(claims)
	case "altered":
		parts := strings.Split(token, ".")
		claims["roles"] = []string{"master_data"}
		raw, _ := json.Marshal(claims)
		token = parts[0] + "." + base64.RawURLEncoding.EncodeToString(raw) + "." + parts[2]
	case "none":
		token = ""
	}
	writeJSON(w, map[string]any{"access_token": "opaque", "token_type": "Bearer", "expires_in": 60, "id_token": token})
}

func (f *forger) sign(claims map[string]any, key *ecdsa.PrivateKey, alg jose.SignatureAlgorithm) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, nil)
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

func unsigned(claims map[string]any) string {
	raw, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(raw) + "."
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(err)
	}
}

// flaky is a provider that can be taken away.
type flaky struct {
	server *server
	up     atomic.Bool
}

func (f *flaky) wrap(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !f.up.Load() {
			rawAnswer("")(w, r) // hangs up
			return
		}
		h.ServeHTTP(w, r)
	})
}
