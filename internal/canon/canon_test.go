package canon

import (
	"bufio"
	"crypto/tls"
	"errors"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// corpusOptions are the options under which testdata/targets.txt holds.
func corpusOptions() Options {
	return Options{Lists: []string{"f", "ids[]"}}
}

type corpusLine struct{ want, method, target, forwarded string }

func corpus(tb testing.TB) []corpusLine {
	tb.Helper()
	data, err := os.ReadFile("testdata/targets.txt")
	if err != nil {
		tb.Fatal(err)
	}
	var lines []corpusLine
	for line := range strings.SplitSeq(string(data), "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		c := corpusLine{want: fields[0], method: fields[1], target: unquote(tb, fields[2])}
		c.forwarded = strings.TrimSuffix(c.target, "?")
		if len(fields) > 3 {
			c.forwarded = fields[3]
		}
		lines = append(lines, c)
	}
	return lines
}

func unquote(tb testing.TB, s string) string {
	tb.Helper()
	if !strings.HasPrefix(s, `"`) {
		return s
	}
	out, err := strconv.Unquote(s)
	if err != nil {
		tb.Fatalf("unquoting %s: %v", s, err)
	}
	return out
}

// wire reads a request as net/http's server does, and applies the server's own
// treatment of the Host header.
func wire(method, target string) (*http.Request, error) {
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(
		method + " " + target + " HTTP/1.1\r\nHost: crm.example\r\n\r\n")))
	if err != nil {
		return nil, err
	}
	delete(r.Header, "Host")
	return r, nil
}

func wantReason(t *testing.T, err error, want Reason) {
	t.Helper()
	var refused *Error
	if !errors.As(err, &refused) || refused.Reason != want {
		t.Errorf("error = %v, want reason %s", err, want)
	}
	if err != nil && !errors.Is(err, ErrAmbiguous) {
		t.Errorf("%v is no ErrAmbiguous", err)
	}
}

func TestEverySpellingIsRefusedOrForwardedAsJudged(t *testing.T) {
	for _, line := range corpus(t) {
		t.Run(line.method+" "+line.target, func(t *testing.T) {
			r, err := wire(line.method, line.target)
			if err != nil {
				t.Fatalf("net/http doesn't hand this over at all: %v", err)
			}
			c, err := Request(r, corpusOptions())
			if line.want != "ok" {
				wantReason(t, err, Reason(line.want))
				return
			}
			if err != nil {
				t.Fatalf("refused: %v", err)
			}
			c.Apply(r)
			if got := r.URL.RequestURI(); got != line.forwarded || r.RequestURI != got || c.Target() != got {
				t.Errorf("forwarded %q (RequestURI %q, Target %q), want %q", got, r.RequestURI, c.Target(), line.forwarded)
			}
		})
	}
}

// Escapes that net/http refuses by itself can still come from a rewrite.
func TestBrokenEscapeFromRewriteIsRefused(t *testing.T) {
	for _, raw := range []string{"/a%", "/a%2", "/a%zz", "/%u002f"} {
		_, _, reason := canonicalPath(raw)
		if reason != BadEscape {
			t.Errorf("canonicalPath(%q) = %s, want %s", raw, reason, BadEscape)
		}
	}
}

func TestRewriteThatChangedHalfThePathIsRefused(t *testing.T) {
	r, err := wire("GET", "/a(b)/c")
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Path = "/public"
	_, err = Request(r, Options{})
	wantReason(t, err, PathMismatch)
}

func TestRewriteBeforeTheGateIsJudged(t *testing.T) {
	r, err := wire("GET", "/public")
	if err != nil {
		t.Fatal(err)
	}
	r.URL = &url.URL{Path: "/secret", RawQuery: "a=1"}
	c, err := Request(r, Options{})
	if err != nil || c.Path != "/secret" || c.Target() != "/secret?a=1" {
		t.Errorf("judged %+v, %v; want the rewritten target", c, err)
	}
}

// What net/http would not have handed over can come from a rewrite, or from
// another server.
func TestTargetsThatOnlyARewriteCanMakeAreRefused(t *testing.T) {
	for want, u := range map[Reason]*url.URL{
		Fragment:     {Path: "/a", Fragment: "b"},
		ControlChar:  {Path: "/a", RawQuery: "b=\n"},
		TargetForm:   {Opaque: "//crm.example/a"},
		BadEscape:    {Path: "/a", RawPath: "/%zz"},
		EmptySegment: {Path: "//a"},
		Semicolon:    {Path: "/a;b"},
	} {
		_, err := Request(&http.Request{Method: "GET", Host: "crm.example", URL: u}, Options{})
		wantReason(t, err, want)
	}
}

func TestOverlongTargetsAreRefused(t *testing.T) {
	for _, target := range []string{
		"/" + strings.Repeat("a", maxPath), "/?" + strings.Repeat("a", maxQuery+1),
	} {
		r, err := wire("GET", target)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Request(r, Options{})
		wantReason(t, err, TooLong)
	}
	r, err := wire("GET", "/?a=1"+strings.Repeat("&", maxParams))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Request(r, Options{})
	wantReason(t, err, TooManyParams)
}

func TestProfileMayDeclareWhatItsCRMTakesLiterally(t *testing.T) {
	for target, opts := range map[string]Options{
		"/a?b=1;c=2":                             {SemicolonLiteral: true},
		"/a?aura.Apex.execute=1":                 {LiteralNames: true},
		"/a?_HttpMethod=PATCH":                   {MethodParams: []string{"_HttpMethod"}},
		"/a?w[0][v][]=1&w[0][v][]=2&w[1][v][]=3": {Lists: []string{"w[*][v][]"}},
	} {
		r, err := wire("GET", target)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Request(r, Options{}); err == nil {
			t.Errorf("%s passes undeclared", target)
		}
		c, err := Request(r, opts)
		if err != nil || c.Target() != target {
			t.Errorf("%s declared: %v", target, err)
		}
	}
}

func TestRawSemicolonIsPartOfTheValueWhereItIsLiteral(t *testing.T) {
	r, err := wire("GET", "/a?b=1;c=2&d=x+y%2B")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Request(r, Options{SemicolonLiteral: true})
	if err != nil {
		t.Fatal(err)
	}
	want := []Param{{"b", "1;c=2"}, {"d", "x y+"}}
	if !reflect.DeepEqual(c.Query, want) {
		t.Errorf("Query = %q, want %q", c.Query, want)
	}
}

func TestHostIsOneSpelling(t *testing.T) {
	for host, want := range map[string]string{
		"CRM.Example": "crm.example", "crm.example.": "crm.example", "crm.example:80": "crm.example",
		"crm.example.:80": "crm.example", "crm.example:": "crm.example", "crm.example:8443": "crm.example:8443",
		"crm.example:443": "crm.example:443", "[::1]:8080": "[::1]:8080", "[0:0::1]": "[::1]", "127.0.0.1:80": "127.0.0.1",
		"": "", ".": "", "a..b": "", "a b": "", "a@b": "", "crm.example:0": "", "crm.example:080": "", "crm.example:65536": "",
		"[::1": "", "[fe80::1%25eth0]": "", "[1.2.3.4]": "", "ü.example": "", "a/b": "", "a:b:c": "", "a\\b": "",
		strings.Repeat("a.", 130) + "b": "", strings.Repeat("a", 64): "",
	} {
		r, err := wire("GET", "/")
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		c, err := Request(r, Options{})
		if want == "" {
			wantReason(t, err, HostInvalid)
			continue
		}
		if err != nil || c.Host != want {
			t.Errorf("host %q: %+v, %v; want %q", host, c, err, want)
		}
	}
}

func TestDefaultPortFollowsTheClientsScheme(t *testing.T) {
	for _, r := range []*http.Request{
		{Method: "GET", Host: "crm.example:443", URL: &url.URL{Path: "/"}, TLS: &tls.ConnectionState{}},
		{Method: "GET", Host: "crm.example:443", URL: &url.URL{Path: "/"}},
	} {
		c, err := Request(r, Options{HTTPS: r.TLS == nil})
		if err != nil || c.Host != "crm.example" {
			t.Errorf("Host = %+v, %v; want crm.example", c, err)
		}
	}
}

func TestTwoHostsAreRefused(t *testing.T) {
	base := func() *http.Request {
		return &http.Request{Method: "GET", Host: "crm.example", URL: &url.URL{Path: "/"}, Header: http.Header{}}
	}
	r := base()
	r.Header["Host"] = []string{"other.example"}
	_, err := Request(r, Options{})
	wantReason(t, err, HostMismatch)

	r = base()
	r.Header["Host"] = []string{"crm.example", "crm.example"}
	_, err = Request(r, Options{})
	wantReason(t, err, HostRepeated)

	r = base()
	r.URL.Scheme, r.URL.Host = "http", "other.example"
	_, err = Request(r, Options{})
	wantReason(t, err, HostMismatch)

	r = base()
	r.Header["Host"] = []string{"CRM.example."}
	c, err := Request(r, Options{})
	if err != nil {
		t.Fatalf("the same host twice: %v", err)
	}
	c.Apply(r)
	if len(r.Header) != 0 {
		t.Errorf("a Host header is forwarded beside the host: %v", r.Header)
	}
}

func TestContradictoryFramingAndRepeatedHeadersAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		header    http.Header
		encodings []string
		want      Reason
	}{
		"both":         {http.Header{"Content-Length": {"1"}}, []string{"chunked"}, Framing},
		"both in map":  {http.Header{"Content-Length": {"1"}, "Transfer-Encoding": {"chunked"}}, nil, Framing},
		"two lengths":  {http.Header{"Content-Length": {"1", "2"}}, nil, Framing},
		"two codings":  {nil, []string{"gzip", "chunked"}, Framing},
		"two types":    {http.Header{"Content-Type": {"a/b", "c/d"}}, nil, RepeatedHeader},
		"two bearers":  {http.Header{"Authorization": {"a", "b"}}, nil, RepeatedHeader},
		"two origins":  {http.Header{"Origin": {"a", "b"}}, nil, RepeatedHeader},
		"two contents": {http.Header{"Content-Encoding": {"gzip", "br"}}, nil, RepeatedHeader},
	} {
		t.Run(name, func(t *testing.T) {
			r := &http.Request{
				Method: "POST", Host: "crm.example", URL: &url.URL{Path: "/"},
				Header: c.header, TransferEncoding: c.encodings,
			}
			_, err := Request(r, Options{})
			wantReason(t, err, c.want)
		})
	}
}

func TestUpgradeIsReported(t *testing.T) {
	for want, h := range map[string]http.Header{
		"":          {},
		"websocket": {"Upgrade": {"WebSocket"}, "Connection": {"Upgrade"}},
		"h2c":       {"Upgrade": {"h2c"}},
		"a, b":      {"Upgrade": {"A", "B"}},
	} {
		r := &http.Request{Method: "GET", Host: "crm.example", URL: &url.URL{Path: "/"}, Header: h}
		c, err := Request(r, Options{})
		if err != nil || c.Upgrade != want {
			t.Errorf("Upgrade = %+v, %v; want %q", c, err, want)
		}
	}
	if got := upgrade(http.Header{"Http2-Settings": {"AAMAAABkAARAAAAAAAIAAAAA"}}); got != "h2c" {
		t.Errorf("HTTP2-Settings alone reads as %q, want h2c", got)
	}
}

func TestTrailersAreNotForwarded(t *testing.T) {
	r := &http.Request{
		Method: "POST", Host: "crm.example", URL: &url.URL{Path: "/"},
		Header: http.Header{"Trailer": {"X-Crmgate-User"}}, Trailer: http.Header{"X-Crmgate-User": nil},
	}
	c, err := Request(r, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c.Apply(r)
	if r.Trailer != nil || len(r.Header) != 0 {
		t.Errorf("trailers stay: %v, %v", r.Trailer, r.Header)
	}
}

func TestEveryReasonHasItsOwnSentence(t *testing.T) {
	seen := map[string]Reason{}
	for _, r := range Reasons() {
		s := r.Sentence()
		if other, ok := seen[s]; ok || s == unknownSentence || !strings.HasSuffix(s, ".") {
			t.Errorf("%s has the sentence %q, as has %q", r, s, other)
		}
		seen[s] = r
	}
}

func TestReturnTargetNeverLeavesTheHost(t *testing.T) {
	data, err := os.ReadFile("testdata/redirects.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(data), "\n"), "\n") {
		if got, err := LocalTarget(unquote(t, line)); err == nil {
			t.Errorf("LocalTarget(%s) = %q, want a refusal", line, got)
		}
	}
	for _, target := range []string{"/", "/a?b=c&d=%2F%2Fevil", "/a?b=1&b=2", "/a?x.y=1;2"} {
		if got, err := LocalTarget(target); err != nil || got != target {
			t.Errorf("LocalTarget(%q) = %q, %v", target, got, err)
		}
	}
}
