// Package page renders the gateway's own pages: a sentence for a person, what
// to do next, a reference for the administrator. In German and English, without
// scripts, under a strict Content-Security-Policy.
package page

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
)

// ContentSecurityPolicy is what every page is sent with.
const ContentSecurityPolicy = "default-src 'none'; style-src 'sha256-REPLACED'; img-src 'self'; form-action 'self' https:; base-uri 'none'; frame-ancestors 'self'"

// NeutralImage stands in place of a picture that may not be shown: one grey
// pixel.
//
//go:embed neutral.png
var NeutralImage []byte

// Text is a sentence in two languages.
type Text struct{ DE, EN string }

// In returns the sentence in the language de or en.
func (t Text) In(lang string) string {
	if lang == "de" {
		return t.DE
	}
	return t.EN
}

// Link is where a person may go next.
type Link struct {
	Href string
	Text Text
}

// Form is a button that posts.
type Form struct {
	Action string
	Text   Text
}

// Page is one page.
type Page struct {
	Status int
	Title  Text // default: from the status
	Text   Text
	// Reason is a closed word, Reference what an administrator looks for.
	Reason, Reference string
	Link              *Link
	Form              *Form
}

//go:embed page.html
var source string

var tmpl = template.Must(template.New("page").Parse(source))

// Render writes a page in the language de or en.
func Render(lang string, p Page) []byte {
	if p.Title == (Text{}) {
		p.Title = titleOf(p.Status)
	}
	data := map[string]any{"Lang": lang, "Title": p.Title.In(lang), "Text": p.Text.In(lang), "Reason": p.Reason, "Reference": p.Reference}
	if p.Link != nil {
		data["Href"], data["LinkText"] = p.Link.Href, p.Link.Text.In(lang)
	}
	if p.Form != nil {
		data["Action"], data["FormText"] = p.Form.Action, p.Form.Text.In(lang)
	}
	var buf bytes.Buffer
	if err := tmpl.Execute(&buf, data); err != nil {
		return []byte(http.StatusText(p.Status))
	}
	return buf.Bytes()
}

func titleOf(status int) Text {
	switch status {
	case http.StatusOK:
		return Text{"Zugangsgateway", "Access gateway"}
	case http.StatusUnauthorized:
		return Text{"Bitte anmelden", "Please sign in"}
	case http.StatusServiceUnavailable, http.StatusBadGateway:
		return Text{"Gerade nicht möglich", "Not possible right now"}
	}
	return Text{"Nicht zugelassen", "Not allowed"}
}
