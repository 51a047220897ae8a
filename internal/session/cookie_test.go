package session_test

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/session"
)

// value makes a plausible cookie value that ends with n.
func value(n int) string {
	s := strconv.Itoa(n)
	return strings.Repeat("v", 43-len(s)) + s
}

func header(lines ...string) http.Header { return http.Header{"Cookie": lines} }

func TestCookiesAreSafeByTheirAttributes(t *testing.T) {
	t.Parallel()
	h := http.Header{}
	tls := session.Cookies{}
	tls.SetSession(h, value(1))
	tls.SetBinding(h, value(2))
	tls.ClearSession(h)
	session.Cookies{Plain: true}.SetSession(h, value(3))
	want := []string{
		"__Host-crmgate=" + value(1) + "; Path=/; HttpOnly; Secure; SameSite=Lax",
		"__Host-crmgate-login=" + value(2) + "; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax",
		"__Host-crmgate=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		"crmgate=" + value(3) + "; Path=/; HttpOnly; SameSite=Lax",
	}
	if got := h["Set-Cookie"]; !slices.Equal(got, want) {
		t.Errorf("Set-Cookie = %q", got)
	}
}

func TestBrowserGivesBackWhatItGot(t *testing.T) {
	t.Parallel()
	for _, plain := range []bool{false, true} {
		c := session.Cookies{Plain: plain}
		var got [2][]string
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got = [2][]string{c.Sessions(r.Header), c.Bindings(r.Header)}
			c.SetSession(w.Header(), value(1))
			c.SetBinding(w.Header(), value(2))
		}))
		if plain {
			srv.Start()
		} else {
			srv.StartTLS()
		}
		t.Cleanup(srv.Close)
		client := srv.Client()
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		client.Jar = jar
		for range 2 {
			req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, srv.URL, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
		if !slices.Equal(got[0], []string{value(1)}) || !slices.Equal(got[1], []string{value(2)}) {
			t.Errorf("plain %v: the browser sent %v", plain, got)
		}
	}
}

func TestReadingCookies(t *testing.T) {
	t.Parallel()
	const name = "__Host-crmgate"
	long := make([]string, 0, 20)
	for i := range 20 {
		long = append(long, name+"="+value(i))
	}
	cases := map[string]struct {
		h    http.Header
		want []string
	}{
		"none":          {http.Header{}, nil},
		"one":           {header(name + "=" + value(1)), []string{value(1)}},
		"among-others":  {header("a=b; " + name + "=" + value(1) + ";c=d"), []string{value(1)}},
		"two-lines":     {header(name+"="+value(1), name+"="+value(2)), []string{value(1), value(2)}},
		"duplicates":    {header(name + "=" + value(1) + "; " + name + "=bad; " + name + "=" + value(2) + "; " + name + "=" + value(1)), []string{value(1), value(2)}},
		"longer-name":   {header(name + "-login=" + value(1)), nil},
		"other-case":    {header("__host-crmgate=" + value(1)), nil},
		"without-sign":  {header(name), nil},
		"quoted":        {header(name + `="` + value(1) + `"`), nil},
		"no-prefix":     {header("crmgate=" + value(1)), nil},
		"value-in-name": {header("x" + name + "=" + value(1)), nil},
		"eight-at-most": {header(strings.Join(long, "; ")), []string{value(0), value(1), value(2), value(3), value(4), value(5), value(6), value(7)}},
	}
	for test, c := range cases {
		if got := (session.Cookies{}).Sessions(c.h); !slices.Equal(got, c.want) {
			t.Errorf("%s: Sessions = %q, want %q", test, got, c.want)
		}
	}
}

// flood is what an attacker can make a browser, or a script, send.
func flood() http.Header {
	var many strings.Builder
	for i := range 10_000 {
		many.WriteString("c" + strconv.Itoa(i) + "=x; ")
	}
	many.WriteString("__Host-crmgate=" + value(7))
	return header(strings.Repeat(";", 1<<20), many.String(), strings.Repeat("__Host-crmgate=x;", 60_000))
}

// TestSignInCookies names the class of faults that this file holds, by its number.
func TestSignInCookies(t *testing.T) {
	t.Run("C23-cookie-flood", TestCookieFloodLocksNobodyOut)
}

func TestCookieFloodLocksNobodyOut(t *testing.T) { // not parallel: it counts allocations
	h := flood()
	if got := (session.Cookies{}).Sessions(h); !slices.Equal(got, []string{value(7)}) {
		t.Errorf("Sessions = %q", got)
	}
	allocs := testing.AllocsPerRun(3, func() { (session.Cookies{}).Sessions(h) })
	if allocs > 2 {
		t.Errorf("reading a flood allocates %v times", allocs)
	}
	session.Strip(h)
	for _, line := range h["Cookie"] {
		if strings.Contains(line, "crmgate") {
			t.Error("an own cookie is left")
		}
	}
}

func TestOwnCookiesNeverReachTheCRM(t *testing.T) {
	t.Parallel()
	own := "__Host-crmgate=" + value(1)
	cases := map[string]struct{ in, want []string }{
		"only-own":     {[]string{own}, nil},
		"untouched":    {[]string{"a=b;c=d ;  e"}, []string{"a=b;c=d ;  e"}},
		"in-between":   {[]string{"a=b; " + own + "; c=d"}, []string{"a=b; c=d"}},
		"several":      {[]string{own, "a=b", own + ";" + own + "; x=y"}, []string{"a=b", "x=y"}},
		"every-name":   {[]string{"crmgate=1; crmgate-login=2; __Host-crmgate-login=3; __HOST-CRMGATE=4;  crmgate =5; crmgate"}, nil},
		"names-beside": {[]string{"crmgate2=1; xcrmgate=2; crmgate-theme=3"}, []string{"crmgate2=1; xcrmgate=2; crmgate-theme=3"}},
		"no-cookies":   {nil, nil},
	}
	for name, c := range cases {
		h := http.Header{}
		if c.in != nil {
			h["Cookie"] = c.in
		}
		session.Strip(h)
		if got := h["Cookie"]; !slices.Equal(got, c.want) {
			t.Errorf("%s: %q becomes %q, want %q", name, c.in, got, c.want)
		}
	}
}

func FuzzCookies(f *testing.F) {
	f.Add("a=b; __Host-crmgate="+value(1)+"; c=d", "__Host-crmgate-login="+value(2))
	f.Add(";;;=;", "__host-crmgate ="+value(1))
	f.Add("__Host-crmgate", "\x00;\xff=")
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, c := range []session.Cookies{{}, {Plain: true}} {
			for _, got := range [][]string{c.Sessions(header(a, b)), c.Bindings(header(a, b))} {
				if len(got) > 8 {
					t.Fatalf("%d values", len(got))
				}
				for _, v := range got {
					if len(v) != 43 || url.QueryEscape(v) != v || !strings.Contains(a+";"+b, "="+v) {
						t.Fatalf("value %q", v)
					}
				}
			}
		}
		h := header(a, b)
		session.Strip(h)
		for _, c := range []session.Cookies{{}, {Plain: true}} {
			if len(c.Sessions(h)) > 0 || len(c.Bindings(h)) > 0 {
				t.Fatalf("an own cookie is left of %q, %q: %q", a, b, h)
			}
		}
		for _, line := range h["Cookie"] {
			for part := range strings.SplitSeq(line, ";") {
				if part = strings.TrimSpace(part); !strings.Contains(a+";"+b, part) {
					t.Fatalf("Strip made up %q of %q, %q", part, a, b)
				}
			}
		}
	})
}

func BenchmarkReadCookies(b *testing.B) {
	h := header("_ga=GA1.1.123456789.1700000000; theme=dark; PHPSESSID=0123456789abcdef0123456789abcdef; __Host-crmgate=" + value(1))
	for b.Loop() {
		if len((session.Cookies{}).Sessions(h)) != 1 {
			b.Fatal("no cookie")
		}
	}
}

func BenchmarkReadCookieFlood(b *testing.B) {
	h := flood()
	for b.Loop() {
		if len((session.Cookies{}).Sessions(h)) != 1 {
			b.Fatal("no cookie")
		}
	}
}
