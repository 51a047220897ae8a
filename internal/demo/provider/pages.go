package provider

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
	"golang.org/x/text/language"
)

//go:embed assets
var assets embed.FS

// pages serves the sign-in pages and hands all else to the library.
type pages struct {
	config   Config
	issuer   *url.URL
	state    *state
	library  *op.Provider
	template *template.Template
	style    []byte
	csp      string
	matcher  language.Matcher
}

func newPages(c Config, issuer *url.URL, st *state, library *op.Provider) (*pages, error) {
	t, err := template.ParseFS(assets, "assets/page.gohtml")
	if err != nil {
		return nil, fmt.Errorf("reading the page: %w", err)
	}
	style, err := assets.ReadFile("assets/style.css")
	if err != nil {
		return nil, fmt.Errorf("reading the style: %w", err)
	}
	return &pages{
		config: c, issuer: issuer, state: st, library: library, template: t, style: style,
		csp:     policy(c),
		matcher: language.NewMatcher([]language.Tag{language.English, language.German}),
	}, nil
}

// policy is the Content-Security-Policy. form-action covers the redirects that
// follow a form, too, so it names where the client lives.
func policy(c Config) string {
	action := []string{"'self'"}
	for _, uri := range c.RedirectURIs {
		if u, err := url.Parse(uri); err == nil {
			action = append(action, u.Scheme+"://"+u.Host)
		}
	}
	slices.Sort(action)
	return "default-src 'none'; style-src 'self'; img-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action " +
		strings.Join(slices.Compact(action), " ")
}

func (p *pages) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pathLogin, p.begin)
	mux.HandleFunc("POST "+pathLogin, p.password)
	mux.HandleFunc("POST "+pathCode, p.code)
	mux.HandleFunc("POST "+pathRestart, p.restart)
	mux.HandleFunc("GET "+pathSignOut, p.askSignOut)
	mux.HandleFunc("POST "+pathSignOut, p.signOut)
	mux.HandleFunc("GET "+pathSignedOut, p.signedOut)
	mux.HandleFunc("GET "+pathStyle, p.serveStyle)
	// Every method: the library would read a POST, with an id from its body.
	mux.HandleFunc(pathCallback, p.callback)
	mux.HandleFunc("GET "+oidc.DiscoveryEndpoint, p.discovery)
	mux.Handle("/", p.library)
	return http.StripPrefix(p.issuer.Path, http.NewCrossOriginProtection().Handler(mux))
}

// discovery is the library's document without what isn't served here, and with
// the classes of sign-in that are.
func (p *pages) discovery(w http.ResponseWriter, r *http.Request) {
	ctx := op.ContextWithIssuer(r.Context(), p.config.Issuer)
	d := op.CreateDiscoveryConfig(ctx, p.library, p.state)
	d.ACRValuesSupported = []string{ACRSecondFactor, ACRPassword}
	d.ResponseTypesSupported = []string{string(oidc.ResponseTypeCode)}
	d.GrantTypesSupported = []oidc.GrantType{oidc.GrantTypeCode, oidc.GrantTypeRefreshToken}
	d.DeviceAuthorizationEndpoint = ""
	op.Discover(w, d)
}

func (p *pages) serveStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=3600")
	_, _ = w.Write(p.style) // the browser went away: nobody to tell
}

// view is what the template shows.
type view struct {
	// Stage is password, code, sign_out, signed_out, expired or other_browser.
	Stage string
	Lang  string
	// Base is the path of the issuer, before every link.
	Base    string
	ID      string
	Login   string
	Name    string
	Error   string
	Code    string
	Seconds int
	T       texts
}

// notice is why a form is shown again.
type notice struct {
	key   string
	wait  time.Duration
	login string
}

func (p *pages) askPassword(w http.ResponseWriter, r *http.Request, req request, status int, n notice) {
	v := view{Stage: "password", ID: req.id, Login: n.login}
	if v.Login == "" {
		v.Login = req.asked.LoginHint
	}
	p.showForm(w, r, req, status, n, v)
}

func (p *pages) askCode(w http.ResponseWriter, r *http.Request, req request, status int, n notice) {
	v := view{Stage: "code", ID: req.id}
	if e := p.state.bySubject(req.pending.subject); e != nil {
		v.Name = e.Name
		if p.config.ShowCodes {
			now := p.config.Now()
			code := Code(e.TOTPSecret, now)
			v.Code, v.Seconds = code[:3]+" "+code[3:], int(30-now.Unix()%30)
		}
	}
	p.showForm(w, r, req, status, n, v)
}

func (p *pages) showForm(w http.ResponseWriter, r *http.Request, req request, status int, n notice, v view) {
	if n.wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(seconds(n.wait)))
	}
	v.Lang = p.language(r, req.asked.UILocales)
	if n.key != "" {
		v.Error = textsFor(v.Lang)[n.key]
	}
	if n.wait > 0 {
		v.Error = fmt.Sprintf(v.Error, seconds(n.wait))
	}
	p.show(w, r, status, v)
}

// seconds rounds up: a wait is over when it says so.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

func (p *pages) show(w http.ResponseWriter, r *http.Request, status int, v view) {
	if v.Lang == "" {
		v.Lang = p.language(r, nil)
	}
	v.T, v.Base = textsFor(v.Lang), p.issuer.Path
	var body bytes.Buffer
	if err := p.template.Execute(&body, v); err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.Lang)
	h.Set("Content-Security-Policy", p.csp)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Language")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the browser went away: nobody to tell
}

// language is what the client asked for in ui_locales, else what the browser
// prefers.
func (p *pages) language(r *http.Request, asked oidc.Locales) string {
	// A header that can't be read asks for nothing.
	accepted, _, _ := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	_, i, _ := p.matcher.Match(append(slices.Clone(asked), accepted...)...)
	if i == 1 {
		return "de"
	}
	return "en"
}
