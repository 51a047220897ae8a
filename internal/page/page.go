// Package page renders the gateway's own pages: a sentence for a person, what
// to do next, a reference for the administrator. In German and English, without
// scripts, pictures or anything else that is fetched, under a strict
// Content-Security-Policy.
package page

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
)

// ContentSecurityPolicy is what every page is sent with. The hash is that of
// style.css; a test names the right one after a change.
//
// form-action covers the redirects that follow a form in Chromium and Safari,
// and every hop of them, which nobody can list where a provider hands on to
// another. So a form posts to the gateway alone, and what leads away after it is
// a page with Next.
const ContentSecurityPolicy = "default-src 'none'; style-src 'sha256-jjdr5RE/HufdwTYToL/XeJCV44SwbeOtNxfNYth1CcQ='; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"

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
}

// Form is a button that posts.
type Form struct {
	// Action is a path of this site; the policy lets the browser post nowhere else.
	Action string
	Text   Text
}

// Page is one page. Everything in it is text: no field can carry markup.
type Page struct {
	// Status decides the mark, the default title and, from 400 on, that the
	// sentence is announced as an alert.
	Status int
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
}

//go:embed page.html
var source string

//go:embed style.css
var style template.CSS

var tmpl = template.Must(template.New("page").Parse(source))

// view is what the template shows.
type view struct {
	Lang, Kind, Role                               string
	Gateway, Title, Text                           string
	Next, Continue                                 string
	Href, LinkText                                 string
	Action, FormText                               string
	Reference, ReferenceLabel, Reason, ReasonLabel string
	Style                                          template.CSS
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
	if p.Link != nil {
		v.Href, v.LinkText = p.Link.Href, p.Link.Text.In(lang)
	}
	if p.Form != nil {
		v.Action, v.FormText = p.Form.Action, p.Form.Text.In(lang)
	}
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

// Frame is an empty page, for a frame that nobody sees. Callers don't write to
// it.
var Frame = []byte("<!DOCTYPE html><title>.</title>")
