package command

import (
	"encoding/json"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/crmgate/crmgate/modules/gate"
)

func TestHAREntryBecomesTheRequestThatTheServerSaw(t *testing.T) {
	list, err := harExchanges("x.har", []byte(`{"log":{"entries":[{
		"request":{"method":"POST","url":"https://crm.example.de/a%20b?q=1","headers":[{"name":":method","value":"POST"},{"name":"X-A","value":"1"},{"name":"content-length","value":"99"}],
			"postData":{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"name","value":"a&b"}]}},
		"response":{"status":200,"headers":[{"name":"content-encoding","value":"br"}],"content":{"size":2,"mimeType":"application/json","text":"e30=","encoding":"base64"}}}]}}`), "1")
	if err != nil {
		t.Fatal(err)
	}
	x, err := list[0].exchange()
	if err != nil {
		t.Fatal(err)
	}
	r := x.Request
	body, _ := io.ReadAll(r.Body)
	if r.RequestURI != "/a%20b?q=1" || r.URL.Path != "/a b" || r.Host != "crm.example.de" || string(body) != "name=a%26b" || r.ContentLength != int64(len(body)) {
		t.Errorf("request = %s %s %q %d", r.RequestURI, r.Host, body, r.ContentLength)
	}
	if len(r.Header) != 2 || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		t.Errorf("header = %v", r.Header)
	}
	answer, _ := io.ReadAll(x.Response.Body)
	if string(answer) != "{}" || x.Response.Header.Get("Content-Encoding") != "" || x.Response.Header.Get("Content-Type") != "application/json" {
		t.Errorf("answer = %q %v", answer, x.Response.Header)
	}
}

// Chrome saves archives without content when it is told so: that is no empty
// answer.
func TestHARWithoutContentHasNoAnswer(t *testing.T) {
	for _, response := range []string{`{"status":200,"content":{"size":12}}`, `{"status":0,"content":{"size":0,"text":""}}`} {
		list, err := harExchanges("x.har", []byte(`{"log":{"entries":[{"request":{"method":"GET","url":"https://a/"},"response":`+response+`}]}}`), "")
		if err != nil {
			t.Fatal(err)
		}
		if list[0].answered {
			t.Errorf("%s has an answer", response)
		}
	}
}

func sitesOf(t *testing.T, caddyfile string) []*gatedSite {
	t.Helper()
	raw, err := adapt([]byte(caddyfile), "Caddyfile", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	c := new(config)
	if err := json.Unmarshal(raw, c); err != nil {
		t.Fatal(err)
	}
	sites, err := c.gatedSites()
	if err != nil {
		t.Fatal(err)
	}
	return sites
}

func TestExchangesFindTheGateOfTheirHost(t *testing.T) {
	sites := sitesOf(t, `
		(rest) {
			policy builtin:demo
			oidc https://login.example.de {
				mfa amr mfa
				client_id crm
				client_secret x
			}
		}
		a.example.de {
			crm_gate {
				profile a
				import rest
			}
		}
		*.b.example.de:8443 {
			handle /x/* {
				crm_gate {
					profile b
					import rest
				}
			}
		}
		c.example.de {
			respond ok
		}`)
	if len(sites) != 2 {
		t.Fatalf("%d gated sites, want 2", len(sites))
	}
	urls := []string{"https://a.example.de/", "https://x.b.example.de:8443/", "https://b.example.de/", "https://c.example.de/", "https://A.example.de/"}
	var list []*recorded
	for _, u := range urls {
		list = append(list, &recorded{url: u})
	}
	pairs, err := match(sites, list)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range pairs {
		got = append(got, p.recorded.url+" "+strings.Join(p.site.hosts, ","))
	}
	want := []string{"https://a.example.de/ a.example.de", "https://x.b.example.de:8443/ *.b.example.de", "https://A.example.de/ a.example.de"}
	if !slices.Equal(got, want) {
		t.Errorf("pairs = %q, want %q", got, want)
	}
	if _, err := match(sites, list[2:4]); err == nil {
		t.Error("exchanges of other hosts find a gate")
	}
}

func FuzzHAR(f *testing.F) {
	f.Add([]byte(`{"log":{"entries":[{"request":{"method":"GET","url":"https://a/b?c","headers":[{"name":":path","value":"/"}]},"response":{"status":200,"content":{"text":"{}"}}}]}}`))
	f.Add([]byte(`{"log":{"entries":[{"request":{"method":"POST","url":"http://[::1]:80/%zz","postData":{"text":"x"}},"response":{"status":304,"content":{"encoding":"base64","text":"!"}}}]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := harExchanges("x.har", raw, "")
		if err != nil {
			return
		}
		for _, r := range list {
			checkExchange(t, r)
		}
	})
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"host":"https://a","cases":[{"id":"1","request":{"method":"GET","url":"/x?ä={}&b=[1]"},"response":{"status":200,"content_type":"text/html"}}]}`))
	f.Add([]byte(`{"cases":[{"id":"1","request":{"method":"GET","url":"http://h/","body_file":"../../etc/passwd"}}]}`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := fixtureExchanges(filepath.Join(dir, "manifest.json"), raw, "")
		if err != nil {
			return
		}
		for _, r := range list {
			if len(r.body)+len(r.answerBody) > 0 {
				t.Fatalf("a body was read from an empty folder: %q %q", r.body, r.answerBody)
			}
			checkExchange(t, r)
		}
	})
}

// checkExchange sees that what a gate gets is a request as a server gets one.
func checkExchange(t *testing.T, r *recorded) {
	t.Helper()
	x, err := r.exchange()
	if err != nil {
		return
	}
	if x.Request.Host == "" || !strings.HasPrefix(x.Request.RequestURI, "/") && x.Request.RequestURI != "*" {
		t.Fatalf("request to %q with target %q", x.Request.Host, x.Request.RequestURI)
	}
	for name := range x.Request.Header {
		if strings.HasPrefix(name, ":") || name == "Content-Length" {
			t.Fatalf("header %q is a server's own", name)
		}
	}
	if x.Response != nil && x.Response.Header.Get("Content-Encoding") != "" {
		t.Fatal("the answer is said to be coded")
	}
}
