package e2e

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// person is somebody at a browser of their own, signed in at the gate.
type person struct {
	stack  *stack
	login  string
	client *http.Client
}

// totp is the code of a base32 secret at a time (RFC 6238).
func totp(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	key, err := base32.StdEncoding.DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, at.Unix()/30)
	sum := mac.Sum(nil)
	at4 := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at4:])&0x7fffffff%1_000_000)
}

var formAction = regexp.MustCompile(`<form method="post" action="([^"]+)"`)

// visit opens the CRM as a browser does and gives the provider what it asks for.
// It returns where that ended.
func (s *stack) visit(t *testing.T, login string) (*person, *http.Response, string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &person{stack: s, login: login, client: &http.Client{Jar: jar, Timeout: patience}}
	acc, ok := s.accounts[login]
	if !ok {
		t.Fatalf("the provider knows no %s", login)
	}
	res, body := p.navigate(t, http.MethodGet, s.base+"/", nil)
	for _, give := range []url.Values{
		{"login": {login}, "password": {acc.Password}},
		{"code": {codeOf(t, acc)}},
	} {
		action := formAction.FindStringSubmatch(body)
		if action == nil {
			break
		}
		to, err := res.Request.URL.Parse(action[1])
		if err != nil {
			t.Fatal(err)
		}
		res, body = p.navigate(t, http.MethodPost, to.String(), give)
	}
	return p, res, body
}

func codeOf(t *testing.T, acc account) string {
	t.Helper()
	if acc.TOTP == "" {
		return ""
	}
	return totp(t, acc.TOTP, time.Now())
}

// signIn is a visit that has to end in the CRM.
func (s *stack) signIn(t *testing.T, login string) *person {
	t.Helper()
	p, res, body := s.visit(t, login)
	if res.StatusCode != http.StatusOK || !strings.Contains(body, "sao") {
		t.Fatalf("signing in as %s ended at %s with %d:\n%s", login, res.Request.URL, res.StatusCode, body)
	}
	return p
}

func (p *person) navigate(t *testing.T, method, to string, form url.Values) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, to, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Accept-Language", "de")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := p.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

// cookies is the Cookie header that the person's browser would send.
func (p *person) cookies(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(p.stack.base)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, c := range p.client.Jar.Cookies(u) {
		list = append(list, c.Name+"="+c.Value)
	}
	return strings.Join(list, "; ")
}

// trytonLogins are the two ways in which the CRM's users prove who they are.
type trytonLogins struct{ session, basic string }

// logIn signs in to Tryton itself, not through the gate.
func (c *tryton) logIn(t *testing.T, login, password string) trytonLogins {
	t.Helper()
	question, err := json.Marshal(map[string]any{
		"id": 0, "method": "common.db.login", "params": []any{login, map[string]string{"password": password}, "de"},
	})
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Timeout: time.Minute}).Post(c.url()+"crm/", "application/json", strings.NewReader(string(question)))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		Result []any `json:"result"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || len(answer.Result) != 2 {
		t.Fatalf("signing in to Tryton as %s: %v, %v", login, answer.Result, err)
	}
	code := base64.StdEncoding.EncodeToString
	return trytonLogins{
		session: "Session " + code(fmt.Appendf(nil, "%s:%v:%v", login, answer.Result[0], answer.Result[1])),
		basic:   "Basic " + code([]byte(login+":"+password)),
	}
}
