package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/test/stack"
)

// visit opens the CRM as a browser does and gives the provider what it asks for.
// It returns where that ended.
func (s *site) visit(t *testing.T, login string) (*stack.Person, *stack.Answer) {
	t.Helper()
	p := stack.NewPerson(t, s.Base, s.provider, login)
	return p, p.Visit(t, "/")
}

// signIn is a visit that has to end in the CRM.
func (s *site) signIn(t *testing.T, login string) *stack.Person {
	t.Helper()
	p, a := s.visit(t, login)
	if a.Status != http.StatusOK || !strings.Contains(a.Body, "sao") {
		t.Fatalf("signing in as %s ended at %s with %d:\n%s", login, a.URL, a.Status, a.Body)
	}
	return p
}

// trytonLogins are the two ways in which the CRM's users prove who they are.
type trytonLogins struct{ session, basic string }

// logIn signs in to Tryton itself, not through the gate.
func (c *tryton) logIn(t *testing.T, login, password string) trytonLogins {
	t.Helper()
	return logInAt(t, c.url(), "", login, password)
}

// logInAt signs in to the CRM at an address: Tryton's own, or the gate's with its
// cookies. The gate lets only those sessions through that it saw given out.
func logInAt(t *testing.T, base, cookies, login, password string) trytonLogins {
	t.Helper()
	question, err := json.Marshal(map[string]any{
		"id": 0, "method": "common.db.login", "params": []any{login, map[string]string{"password": password}, "de"},
	})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"crm/", strings.NewReader(string(question)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if cookies != "" {
		req.Header.Set("Cookie", cookies)
	}
	res, err := (&http.Client{Timeout: time.Minute}).Do(req)
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
