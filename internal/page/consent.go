package page

import (
	"bytes"
	_ "embed"
	"html/template"
)

// Consent is a page of the consents: for people who aren't employees. Everything in it
// is text.
type Consent struct {
	// Kind is the mark: ask, ok, wait or no. Any other is ask.
	Kind        string
	Title, Text Text
	// Wrong says what is wrong with what was sent.
	Wrong Text
	// Texts are what it is about, in TextLang; with Field, each can be ticked.
	Texts    []ConsentText
	TextLang string
	// Action is the path that all forms post to, Hidden what the form with the field
	// sends along.
	Action string
	Hidden [][2]string
	// Field asks for an e-mail address under this name.
	Field   Text
	Buttons []ConsentButton
	Link    *Link
	// Who is the controller's name, Controller that with the address, Notice leads to the
	// privacy notice.
	Who, Controller string
	Notice          *Link
}

// ConsentText is one purpose and channel.
type ConsentText struct {
	// ID is what is sent where it is ticked.
	ID    string
	Title string
	// Text is in the page's TextLang.
	Text  string
	Mark  Text
	Since Text
	// Button does something with this one alone.
	Button *ConsentButton
}

// ConsentButton is a button of a form.
type ConsentButton struct {
	Text        Text
	Name, Value string
	Main        bool
}

//go:embed consent.html
var consentSource string

//go:embed consent.css
var consentStyle template.CSS

var consentTemplate = template.Must(template.New("consent").Parse(consentSource))

type consentView struct {
	Lang, Kind, Title, Text, Wrong, TextLang, Action, Field, Who, Controller string
	Texts                                                                    []consentTextView
	Hidden                                                                   [][2]string
	Buttons                                                                  []consentButtonView
	Link, Notice                                                             *shownLink
	Style                                                                    template.CSS
}

type consentTextView struct {
	ID, Title, Text, Mark, Since string
	Button                       *consentButtonView
}

type consentButtonView struct {
	Text, Name, Value string
	Main              bool
}

func (b ConsentButton) in(lang string) consentButtonView {
	return consentButtonView{Text: b.Text.In(lang), Name: b.Name, Value: b.Value, Main: b.Main}
}

// RenderConsent writes the page in the language de or en (any other is en), and returns
// the Content-Security-Policy that it has to be sent with.
func RenderConsent(lang string, p Consent) (body []byte, policy string) {
	if lang != "de" {
		lang = "en"
	}
	css := style + "\n" + consentStyle
	v := consentView{
		Lang: lang, Kind: p.Kind, Title: p.Title.In(lang), Text: p.Text.In(lang), Wrong: p.Wrong.In(lang), TextLang: p.TextLang,
		Action: p.Action, Field: p.Field.In(lang), Who: p.Who, Controller: p.Controller, Hidden: p.Hidden,
		Link: p.Link.in(lang), Notice: p.Notice.in(lang), Style: css,
	}
	for _, t := range p.Texts {
		shown := consentTextView{ID: t.ID, Title: t.Title, Text: t.Text, Mark: t.Mark.In(lang), Since: t.Since.In(lang)}
		if t.Button != nil {
			b := t.Button.in(lang)
			shown.Button = &b
		}
		v.Texts = append(v.Texts, shown)
	}
	for _, b := range p.Buttons {
		v.Buttons = append(v.Buttons, b.in(lang))
	}
	policy = "default-src 'none'; style-src " + hashOf(string(css)) + "; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	var buf bytes.Buffer
	if err := consentTemplate.Execute(&buf, v); err != nil {
		return []byte("error"), policy
	}
	return bytes.ToValidUTF8(buf.Bytes(), []byte("\uFFFD")), policy
}
