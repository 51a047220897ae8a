// Package page renders the gateway's own pages: a sentence for a person, what
// to do next, a reference for the administrator. In German and English, without
// pictures or anything else that is fetched, under a strict
// Content-Security-Policy, and without scripts but for Onward.
package page

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

// ContentSecurityPolicy is what every page is sent with. The hash is that of
// style.css; a test names the right one after a change.
//
// form-action covers the redirects that follow a form in Chromium and Safari,
// and every hop of them, which nobody can list where a provider hands on to
// another. So a form posts to the gateway alone, and what leads away after it is
// a page with Next.
const ContentSecurityPolicy = "default-src 'none'; style-src 'sha256-asYk7f8VBXcvWpL7ZONw8y2j5QQGuO8uMg9Uov2sqf4='; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"

// NeutralImage is a PNG that stands in place of a picture that may not be
// shown: a grey tile with a shield, 64 by 64 pixels. Callers don't write to it.
//
//go:embed neutral.png
var NeutralImage []byte

// Text is a sentence in two languages.
type Text struct{ DE, EN string }

// In returns the sentence in the language de or en; any other is en.
func (t Text) In(lang string) string {
	if lang == "de" {
		return t.DE
	}
	return t.EN
}

// Link is where a person may go next.
type Link struct {
	// Href is a path or an http(s) address; with any other scheme the link leads
	// nowhere.
	Href string
	Text Text
	// NewTab leaves this page where it is.
	NewTab bool
}

// Form is a button that posts.
type Form struct {
	// Action is a path of this site; the policy lets the browser post nowhere else.
	Action string
	Text   Text
	// Name and Value are what the button says, beside that it was pressed.
	Name, Value string
}

// Page is one page. Everything in it is text: no field can carry markup.
type Page struct {
	// Status decides the mark, the default title and, from 400 on, that the
	// sentence is announced as an alert.
	Status int
	// Warns gives the page the mark of a refusal, whatever its status.
	Warns bool
	// Notice stands above everything else.
	Notice Text
	Title  Text // default: from the status
	Text   Text
	// Reason is a closed word, Reference what an administrator looks for. They
	// are shown from status 400 on: who was served has no use for them.
	Reason, Reference string
	// Link is the main way on, Form the other one; alone, the form is the main one.
	Link *Link
	Form *Form
	// Next is an absolute http(s) address that the page leads to by itself, with
	// a link for browsers that don't follow. Any other address is left out.
	Next string
	// Onward is a Next that keeps or brings back what stands behind # in the
	// address. It takes ScriptPolicy.
	Onward *Onward
	// Also is a further way on, beside Link.
	Also *Link
	// Rows are a list below the text.
	Rows []Row
	// Tables stand below the sentence, and More below them.
	Tables []Table
	More   *Link
	// Ways are further links below More.
	Ways []Link
}

// Onward leads to an address by a script of one line, because a server never
// sees what stands behind # in an address and a provider's pages lose it.
// Without scripts it leads there all the same.
type Onward struct {
	// To is an absolute http(s) address, or a path of this site. Any other leads
	// nowhere.
	To string
	// Keep is the path and query to whose page what stands behind # belongs: it
	// is kept in this tab until a page leads Onward to that path. "": this is
	// such a page.
	Keep string
}

// Row is one thing of a list.
type Row struct {
	Title Text
	// Mark sets the row apart, in a word or two.
	Mark Text
	// Facts are shown as name and value.
	Facts []Fact
	// Form is what can be done with it.
	Form *Form
}

// Fact is a name with a value.
type Fact struct{ Name, Value Text }

// ScriptPolicy is what a page with Onward is sent with: the hash is that of
// onward.js.
const ScriptPolicy = ContentSecurityPolicy + "; script-src 'sha256-FJr9N1gZ90aXK7UxYxSfa/iKdIjleJpRyvc93uuKWSI='"

//go:embed onward.js
var onward template.JS

//go:embed page.html
var source string

//go:embed style.css
var style template.CSS

var tmpl = template.Must(template.New("page").Parse(source))

// view is what the template shows.
type view struct {
	Lang, Kind, Role                               string
	Gateway, Notice, Title, Text                   string
	Next, Continue                                 string
	To, Keep                                       string
	Link, Also, More                               *shownLink
	Ways                                           []shownLink
	Form                                           *shownForm
	Rows                                           []shownRow
	Reference, ReferenceLabel, Reason, ReasonLabel string
	Style                                          template.CSS
	Script                                         template.JS
	Tables                                         []shownTable
}

type shownLink struct {
	Href, Text string
	NewTab     bool
}

type shownForm struct{ Action, Text, Name, Value string }

type shownRow struct {
	Title, Mark string
	Facts       [][2]string
	Form        *shownForm
}

func (l *Link) in(lang string) *shownLink {
	if l == nil {
		return nil
	}
	return &shownLink{Href: l.Href, Text: l.Text.In(lang), NewTab: l.NewTab}
}

func (f *Form) in(lang string) *shownForm {
	if f == nil {
		return nil
	}
	return &shownForm{Action: f.Action, Text: f.Text.In(lang), Name: f.Name, Value: f.Value}
}

func (r Row) in(lang string) shownRow {
	s := shownRow{Title: r.Title.In(lang), Mark: r.Mark.In(lang), Form: r.Form.in(lang)}
	for _, f := range r.Facts {
		s.Facts = append(s.Facts, [2]string{f.Name.In(lang), f.Value.In(lang)})
	}
	return s
}

// frame returns what all pages of a language share.
func frame(lang string) view {
	return view{
		Lang: lang, Style: style,
		Gateway:        Text{"Zugangsgateway", "Access gateway"}.In(lang),
		Continue:       Text{"Weiter", "Continue"}.In(lang),
		ReferenceLabel: Text{"Kennung für Ihre Administration", "Reference for your administrator"}.In(lang),
		ReasonLabel:    Text{"Grund", "Reason"}.In(lang),
	}
}

// Render writes a page in the language de or en; any other is en. The same page
// gives the same bytes.
func Render(lang string, p Page) []byte {
	if lang != "de" {
		lang = "en"
	}
	if p.Title == (Text{}) {
		p.Title = titleOf(p.Status)
	}
	v := frame(lang)
	v.Kind, v.Title, v.Text, v.Next = kindOf(p.Status), p.Title.In(lang), p.Text.In(lang), next(p.Next)
	if p.Warns {
		v.Kind = "no"
	}
	v.Notice = p.Notice.In(lang)
	v.Link, v.Also, v.More, v.Form = p.Link.in(lang), p.Also.in(lang), p.More.in(lang), p.Form.in(lang)
	for _, w := range p.Ways {
		v.Ways = append(v.Ways, *w.in(lang))
	}
	if o := p.Onward; o != nil {
		if v.To = onto(o.To); v.To != "" {
			v.Keep, v.Script = o.Keep, onward
			if o.Keep != "" {
				v.Kind = "ask"
			}
		}
	}
	for _, r := range p.Rows {
		v.Rows = append(v.Rows, r.in(lang))
	}
	v.Tables = tables(lang, p.Tables)
	if p.Status >= http.StatusBadRequest {
		v.Role = "alert"
		v.Reference, v.Reason = p.Reference, p.Reason
	}
	var buf bytes.Buffer
	if err := tmpl.Execute(&buf, v); err != nil {
		return []byte(http.StatusText(p.Status))
	}
	return bytes.ToValidUTF8(buf.Bytes(), []byte("\uFFFD"))
}

// next returns the address in the form in which it goes on the page, or nothing
// for one that a page must not lead to by itself.
func next(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.String()
}

// Style is the style sheet that all pages of the gateway's own have in common.
func Style() template.CSS { return style }

// Frame is an empty page, for a frame that nobody sees.
const Frame = "<!DOCTYPE html><title>.</title>"

// onto is next for Onward, which leads to paths of this site as well.
func onto(address string) string {
	if u, err := url.Parse(address); err == nil && u.Scheme == "" && u.Host == "" && u.User == nil &&
		strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//") && !strings.ContainsRune(address, '\\') {
		return address
	}
	return next(address)
}
