package ownfactor_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// op is a provider that knows a password and nothing else. It states methods
// that are not its own to state.
type op struct {
	url string
	key *ecdsa.PrivateKey

	mu    sync.Mutex
	asked []url.Values
}

const loginPage = `<!DOCTYPE html><title>login</title><form>{{range $k, $v := .}}<input type="hidden" name="{{$k}}" value="{{index $v 0}}">{{end}}
<input name="who" autofocus><button>ok</button></form>`

func (o *op) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{
			"issuer": o.url, "authorization_endpoint": o.url + "/authorize", "token_endpoint": o.url + "/token",
			"jwks_uri": o.url + "/keys", "id_token_signing_alg_values_supported": []string{"ES256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: o.key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
	})
	page := template.Must(template.New("").Parse(loginPage))
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		o.mu.Lock()
		o.asked = append(o.asked, q)
		o.mu.Unlock()
		if q.Get("who") == "" {
			_ = page.Execute(w, q)
			return
		}
		code, _ := json.Marshal([]string{q.Get("who"), q.Get("nonce"), q.Get("ago")})
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"state": {q.Get("state")}, "code": {string(code)}}.Encode(), http.StatusFound)
	})
	mux.HandleFunc("POST /token", o.token)
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	return mux
}

func (o *op) token(w http.ResponseWriter, r *http.Request) {
	var code [3]string
	_ = json.Unmarshal([]byte(r.PostFormValue("code")), &code)
	now := time.Now()
	claims := map[string]any{
		"iss": o.url, "aud": "crm", "sub": "sub-" + code[0], "nonce": code[1], "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"amr": []string{"gateway:hwk", "mfa"}, "acr": "phr", "roles": []string{"sales"},
		"name": strings.ToUpper(code[0][:1]) + code[0][1:], "preferred_username": code[0],
		"email": code[0] + "@example.de", "email_verified": true,
	}
	if strings.HasPrefix(code[0], "boss") {
		claims["roles"] = []string{"sales", "it_admin"}
	}
	if ago, err := strconv.Atoi(code[2]); err == nil {
		claims["auth_time"] = now.Add(-time.Duration(ago) * time.Second).Unix()
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: o.key, KeyID: "k"}}, nil)
	if err != nil {
		panic(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		panic(err)
	}
	answer(w, map[string]any{"access_token": "opaque", "token_type": "Bearer", "expires_in": 3600, "id_token": token})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}
