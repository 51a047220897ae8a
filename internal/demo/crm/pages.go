package crm

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"strconv"

	"golang.org/x/text/language"
)

//go:embed assets
var assets embed.FS

func (m *CRM) loadPages() error {
	t, err := template.New("").Funcs(template.FuncMap{
		"dialled": dialled, "grouped": grouped, "money": money, "day": day, "moment": moment, "shown": shown,
	}).ParseFS(assets, "assets/*.gohtml")
	if err != nil {
		return err
	}
	m.template = t
	m.style, err = assets.ReadFile("assets/app.css")
	return err
}

func (m *CRM) serveStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=3600")
	_, _ = w.Write(m.style) // the browser went away: nobody to tell
}

// view is what the templates show.
type view struct {
	Lang  string
	T     texts
	Title string
	User  string
	Flash string
	Error string
	// Entity is contact or lead, Plural the first part of its paths.
	Entity, Plural string
	Fields         []shownField
	Record         Record
	Name           string
	// JSON and Comment are the record as pages carry it for scripts and for
	// whoever debugs them.
	JSON    template.JS
	Comment template.HTML
	Related []Record
	List    []Record
	Total   int
	Query   string
	Sort    string
	Columns []column
	Pages   []pageLink
	Export  string
}

// shownField is a field of a detail page or a form.
type shownField struct {
	Name, Kind, Label string
	Value             any
	Choices           []string
}

// column is a heading of a list.
type column struct {
	Label, Class, Link, Order string
}

type pageLink struct {
	Number  int
	Link    string
	Current bool
}

func (m *CRM) newView(r *http.Request, sc *schema, title string) view {
	v := view{Lang: m.language(r), Entity: sc.name, Plural: sc.plural, User: signedInAs(r)}
	v.T, v.Title = textsFor(v.Lang), title
	if title == "" {
		v.Title = sc.label(v.Lang)
	}
	return v
}

func (sc *schema) label(lang string) string {
	if lang == "de" {
		return sc.de
	}
	return sc.en
}

func (f field) label(lang string) string {
	if lang == "de" {
		return f.de
	}
	return f.en
}

func (m *CRM) language(r *http.Request) string {
	// A header that can't be read asks for nothing.
	accepted, _, _ := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if len(accepted) == 0 {
		return "de"
	}
	if _, i, _ := m.matcher.Match(accepted...); i == 1 {
		return "en"
	}
	return "de"
}

func (m *CRM) listPage(sc *schema) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q, p := parseQuery(sc, r.URL.Query())
		v := m.newView(r, sc, "")
		if p != nil {
			m.showProblem(w, v, p)
			return
		}
		v.List, v.Total = q.run(sc, m.store.all(sc))
		v.Query, v.Sort = q.q, r.URL.Query().Get("sort")
		v.Flash = m.takeFlash(r)
		v.Columns = columns(sc, v, r.URL.Query())
		v.Pages = pageLinks(v, q, r.URL.Query())
		v.Export = linkWith("/contacts/export.csv", r.URL.Query(), "page", "")
		m.show(w, http.StatusOK, "list", v)
	}
}

// columns are the headings of a list; each sorts by its field.
func columns(sc *schema, v view, params url.Values) []column {
	names := []string{"last_name", "company", "email", "phone", "city", "owner", "updated_at"}
	if sc.name == "lead" {
		names = []string{"contact_name", "company", "email", "phone", "status", "value", "owner"}
	}
	list := make([]column, 0, len(names))
	for _, name := range names {
		f, _ := sc.field(name)
		c := column{Label: f.label(v.Lang), Class: name, Order: "none"}
		sort := name
		switch v.Sort {
		case name:
			c.Order, sort = "ascending", "-"+name
		case "-" + name:
			c.Order = "descending"
		}
		c.Link = linkWith("/"+sc.plural, params, "sort", sort)
		list = append(list, c)
	}
	return list
}

func pageLinks(v view, q query, params url.Values) []pageLink {
	var links []pageLink
	for n := 1; (n-1)*q.limit < v.Total && v.Total > q.limit; n++ {
		links = append(links, pageLink{
			Number: n, Link: linkWith("/"+v.Plural, params, "page", strconv.Itoa(n)), Current: (n-1)*q.limit == q.offset,
		})
	}
	return links
}

// linkWith is the list's address with one parameter changed; "" takes it out.
func linkWith(path string, params url.Values, name, value string) string {
	changed := url.Values{}
	maps.Copy(changed, params)
	changed.Del(name)
	if value != "" {
		changed.Set(name, value)
	}
	if name != "page" {
		changed.Del("page")
	}
	if len(changed) == 0 {
		return path
	}
	return path + "?" + changed.Encode()
}

func (m *CRM) detailPage(sc *schema) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		rec, p := m.find(sc, r)
		if p != nil {
			m.showProblem(w, m.newView(r, sc, ""), p)
			return
		}
		v := m.recordView(r, sc, rec)
		v.Flash = m.takeFlash(r)
		if sc.name == "contact" {
			for _, l := range m.store.all(m.leads) {
				if l.ref() == rec.id() {
					v.Related = append(v.Related, l)
				}
			}
		} else if c, ok := m.store.get("contact", rec.ref()); ok {
			v.Related = []Record{c}
		}
		m.show(w, http.StatusOK, "detail", v)
	}
}

// recordView is the part that detail pages and forms share.
func (m *CRM) recordView(r *http.Request, sc *schema, rec Record) view {
	v := m.newView(r, sc, rec.name())
	v.Record, v.Name = rec, rec.name()
	for _, f := range sc.fields {
		v.Fields = append(v.Fields, shownField{f.name, string(f.kind), f.label(v.Lang), rec[f.name], f.choices})
	}
	v.JSON = template.JS(appendObject(nil, m.apiMembers(sc, rec, nil), styleWeb))
	v.Comment = comment(sc, rec)
	return v
}

// comment is a line for debugging, of the kind that stays in pages for years.
func comment(sc *schema, rec Record) template.HTML {
	text := fmt.Sprintf("%s #%d %s <%s> %s", sc.name, rec.id(), rec.name(), rec.text("email"), rec.text("phone"))
	// Without a > nothing in it can end the comment.
	return template.HTML("<!-- " + html.EscapeString(text) + " -->")
}

func (m *CRM) newPage(sc *schema) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := m.recordView(r, sc, sc.empty())
		v.Title = v.T["new_"+sc.name]
		m.show(w, http.StatusOK, "form", v)
	}
}

func (m *CRM) editPage(sc *schema) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		rec, p := m.find(sc, r)
		if p != nil {
			m.showProblem(w, m.newView(r, sc, ""), p)
			return
		}
		m.show(w, http.StatusOK, "form", m.recordView(r, sc, rec))
	}
}

// savePage takes the form of a new record or an old one. A refused form comes
// back with what was typed.
func (m *CRM) savePage(sc *schema) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := 0
		if r.PathValue("id") != "" {
			old, p := m.find(sc, r)
			if p != nil {
				m.showProblem(w, m.newView(r, sc, ""), p)
				return
			}
			id = old.id()
		}
		if err := parseForm(r); err != nil {
			m.showProblem(w, m.newView(r, sc, ""), &problem{status: http.StatusBadRequest, text: "the form can't be read"})
			return
		}
		rec, p := m.store.write(sc, id, func(rec Record) *problem { return applyForm(sc, rec, r.PostForm) })
		if p != nil && rec == nil {
			m.showProblem(w, m.newView(r, sc, ""), p)
			return
		}
		v := m.recordView(r, sc, rec)
		if p != nil {
			v.Error = p.text
			m.show(w, p.status, "form", v)
			return
		}
		m.setFlash(r, fmt.Sprintf(v.T["saved"], rec.name()))
		http.Redirect(w, r, "/"+sc.plural+"/"+strconv.Itoa(rec.id()), http.StatusSeeOther)
	}
}

// parseForm reads a form in either way in which browsers send it.
func parseForm(r *http.Request) error {
	const inMemory = 1 << 20
	if err := r.ParseMultipartForm(inMemory); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return fmt.Errorf("reading a form: %w", err)
	}
	return nil
}

func (m *CRM) showProblem(w http.ResponseWriter, v view, p *problem) {
	v.Title, v.Error = strconv.Itoa(p.status)+" "+http.StatusText(p.status), p.text
	m.show(w, p.status, "problem", v)
}

func (m *CRM) show(w http.ResponseWriter, status int, name string, v view) {
	var body bytes.Buffer
	if err := m.template.ExecuteTemplate(&body, name, v); err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.Lang)
	h.Set("Cache-Control", "private, no-cache")
	h.Add("Vary", "Accept-Language")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the browser went away: nobody to tell
}

// WithRow is the view of one row of a table.
func (v view) WithRow(r Record) view {
	return view{Lang: v.Lang, Record: r}
}
