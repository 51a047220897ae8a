package demo

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/crmgate/crmgate/internal/demo/provider"
)

// browser keeps cookies, follows redirects and fills in forms.
type browser struct {
	client *http.Client
	at     *url.URL
	status int
	header http.Header
	page   string
}

func newBrowser() (*browser, error) {
	jar, err := cookiejar.New(nil)
	return &browser{client: &http.Client{Jar: jar, Timeout: patience}}, err
}

// open navigates to an address.
func (b *browser) open(method, to string, form url.Values) error {
	r, err := http.NewRequest(method, to, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
	r.Header.Set("Accept-Language", "en")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return b.do(r)
}

func (b *browser) do(r *http.Request) error {
	resp, err := b.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	b.at, b.status, b.header, b.page = resp.Request.URL, resp.StatusCode, resp.Header, string(body)
	return err
}

var (
	formAction = regexp.MustCompile(`<form method="post" action="([^"]+)"`)
	formID     = regexp.MustCompile(`name="id" value="([^"]+)"`)
)

// submit fills in the page's first form.
func (b *browser) submit(fields url.Values) error {
	action := formAction.FindStringSubmatch(b.page)
	if action == nil {
		return fmt.Errorf("there is no form at %s (%d):\n%s", b.at, b.status, b.page)
	}
	to, err := b.at.Parse(action[1])
	if err != nil {
		return err
	}
	if id := formID.FindStringSubmatch(b.page); id != nil {
		fields.Set("id", id[1])
	}
	return b.open(http.MethodPost, to.String(), fields)
}

// signIn opens the CRM as an employee does who isn't signed in: signin LOGIN
// [PATH]. It prints the page where that ends; with ! that is not the CRM.
func signIn(ts *testscript.TestScript, neg bool, args []string) {
	h, path := houseOf(ts), "/contacts"
	if len(args) > 1 {
		path = args[1]
	}
	all := provider.Employees()
	i := slices.IndexFunc(all, func(e provider.Employee) bool { return e.Login == args[0] })
	if i < 0 {
		ts.Fatalf("nobody is called %s", args[0])
	}
	b, err := newBrowser()
	ts.Check(err)
	h.browsers[args[0]] = b
	ts.Check(b.open(http.MethodGet, h.url+path, nil))
	ts.Check(b.submit(url.Values{"login": {all[i].Login}, "password": {all[i].Password}}))
	if secret := all[i].TOTPSecret; secret != "" {
		ts.Check(b.submit(url.Values{"code": {provider.Code(secret, time.Now())}}))
	}
	_, _ = fmt.Fprintf(ts.Stdout(), "%d %s\n%s", b.status, b.at.Path, b.page)
	arrived := b.status == http.StatusOK && strings.HasPrefix(b.at.String(), h.url+path)
	if arrived == neg {
		ts.Fatalf("signing in as %s ends at %s with status %d:\n%s", args[0], b.at, b.status, b.page)
	}
}

// get reads an address as an employee who is signed in, by a page's script: get
// LOGIN PATH. It prints status, Audit-Id and body.
func get(ts *testscript.TestScript, _ bool, args []string) {
	h := houseOf(ts)
	b := h.browsers[args[0]]
	if b == nil {
		ts.Fatalf("%s is not signed in", args[0])
	}
	r, err := http.NewRequest(http.MethodGet, h.url+args[1], nil)
	ts.Check(err)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Accept-Language", "en")
	r.Header.Set("Sec-Fetch-Mode", "cors")
	ts.Check(b.do(r))
	_, _ = fmt.Fprintf(ts.Stdout(), "%d\nAudit-Id: %s\n%s\n", b.status, b.header.Get("Audit-Id"), b.page)
}

// keepOpen opens a stream as an employee and leaves it open: keepopen LOGIN PATH.
func keepOpen(ts *testscript.TestScript, _ bool, args []string) {
	h := houseOf(ts)
	r, err := http.NewRequest(http.MethodGet, h.url+args[1], nil)
	ts.Check(err)
	resp, err := h.browsers[args[0]].client.Do(r)
	ts.Check(err)
	ts.Defer(func() { _ = resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		ts.Fatalf("%s answers %d", args[1], resp.StatusCode)
	}
}
