package sessions

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/demo/provider"
	"github.com/crmgate/crmgate/test/stack"
)

var (
	formOf   = regexp.MustCompile(`(?s)<form[^>]*>.*?</form>`)
	hiddenOf = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	secretOf = regexp.MustCompile(`<code class="secret"[^>]*>([^<]*)</code>`)
)

// half goes through the provider's part of a sign-in, and returns what the
// gateway then asks for.
func (s *site) half(t *testing.T, p *stack.Person, do string) (url.Values, *stack.Answer) {
	t.Helper()
	at := p.Visit(t, "/contacts")
	for _, f := range formOf.FindAllString(at.Body, -1) {
		v := url.Values{}
		for _, m := range hiddenOf.FindAllStringSubmatch(f, -1) {
			v.Set(m[1], html.UnescapeString(m[2]))
		}
		if v.Get("do") == do {
			return v, at
		}
	}
	t.Fatalf("no form %q: %d at %s", do, at.Status, at.URL.Path)
	return nil, nil
}

func (s *site) prove(t *testing.T, p *stack.Person, form url.Values, code string) *stack.Answer {
	t.Helper()
	form.Set("code", code)
	return p.Send(t, http.MethodPost, s.balancer.URL+"/.crmgate/factor", http.Header{
		"Accept": {"text/html"}, "Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"},
	}, form.Encode())
}

// TestSignInOwnFactorOnTwoNodes proves the gateway's own second factor where
// each step of a sign-in is at another node.
func TestSignInOwnFactorOnTwoNodes(t *testing.T) {
	t.Parallel()
	s := startProven(t, 600, "mfa gateway totp\n\t\t\tmfa open_enrolment a test")
	vera := stack.NewPerson(t, s.balancer.URL, s.provider, "vera")
	form, page := s.half(t, vera, "new_totp")
	secret := strings.ReplaceAll(secretOf.FindStringSubmatch(page.Body)[1], " ", "")
	// The step before is still good; so the one of now is left for what follows.
	if a := s.prove(t, vera, form, provider.Code(secret, time.Now().Add(-30*time.Second))); a.Status != http.StatusOK {
		t.Fatalf("enrolling answers %d", a.Status)
	}
	s.works(t, vera)
	t.Run("C14-a-code-works-once-at-all-nodes", func(t *testing.T) {
		const n = 4
		now := provider.Code(secret, time.Now())
		var in, out atomic.Int32
		var people [n]*stack.Person
		var forms [n]url.Values
		for i := range people {
			people[i] = stack.NewPerson(t, s.balancer.URL, s.provider, "vera")
			forms[i], _ = s.half(t, people[i], "code")
		}
		var all sync.WaitGroup
		for i := range people {
			all.Go(func() {
				switch a := s.prove(t, people[i], forms[i], now); a.Status {
				case http.StatusOK:
					in.Add(1)
				case http.StatusForbidden:
					out.Add(1)
				default:
					t.Errorf("a code is answered by %d", a.Status)
				}
			})
		}
		all.Wait()
		if in.Load() != 1 || out.Load() != n-1 {
			t.Errorf("one code let %d in and kept %d out, want 1 and %d", in.Load(), out.Load(), n-1)
		}
	})
	t.Run("C15-a-reset-at-one-node-holds-at-the-other", func(t *testing.T) {
		s.a.command(t, "factor", "reset", "--employee", "vera")
		stack.Poll(t, "the session is dead at the other node", func() bool { return at(t, s.b, vera).Status == http.StatusUnauthorized })
		again := stack.NewPerson(t, s.balancer.URL, s.provider, "vera")
		s.half(t, again, "new_totp")
		if reset := s.events(t, audit.FactorReset); len(reset) != 1 {
			t.Errorf("%d entries of the reset, want one", len(reset))
		}
	})
	t.Run("store-away-is-503-and-no-sign-in", func(t *testing.T) {
		markus := stack.NewPerson(t, s.balancer.URL, s.provider, "markus")
		form, page := s.half(t, markus, "new_totp")
		secret := strings.ReplaceAll(secretOf.FindStringSubmatch(page.Body)[1], " ", "")
		s.database.Stop(t)
		if a := s.prove(t, markus, form, provider.Code(secret, time.Now())); a.Status != http.StatusServiceUnavailable {
			t.Errorf("enrolling answers %d", a.Status)
		}
		s.database.Run(t)
	})
}
