package page

import (
	"bytes"
	_ "embed"
	"html/template"
)

// Reveal is a page on which somebody asks to see a field, or decides on it.
// Everything in it is text.
type Reveal struct {
	Title, Text Text
	// Wrong says why what was sent wasn't done.
	Wrong Text
	// Action is the path that all forms post to.
	Action string
	Parts  []RevealPart
	Ways   []Link
	// Reference is what a person tells their administrator.
	Reference string
}

// RevealPart is a part of the page, with a heading.
type RevealPart struct {
	Title, Text Text
	Items       []RevealItem
	Form        *RevealForm
}

// RevealItem is a record, or a field of one.
type RevealItem struct {
	Title string
	Mark  Text
	Facts []Fact
	// Note stands below the title, Link leads on from it.
	Note    Text
	Link    string
	Buttons []RevealButton
}

// RevealButton posts what is to be done with a wish.
type RevealButton struct {
	Do, ID string
	Text   Text
	Main   bool
}

// RevealForm is what a person fills in.
type RevealForm struct {
	Do     string
	Hidden [][2]string
	Fields []RevealField
	Button Text
	Main   bool
}

// RevealField is one thing to fill in: a choice where it has options, else a line.
type RevealField struct {
	Name        string
	Label, Hint Text
	Options     []RevealOption
	Value       string
	Most        int
}

// RevealOption is one to choose. Code is shown as what it is in the CRM.
type RevealOption struct {
	Value, Code string
	Text        Text
	Chosen      bool
}

//go:embed reveal.html
var revealSource string

//go:embed reveal.css
var revealStyle template.CSS

var revealTemplate = template.Must(template.New("reveal").Parse(revealSource))

type revealView struct {
	Lang, Gateway, Title, Text, Wrong, Action string
	Reference, ReferenceLabel                 string
	Parts                                     []revealPartView
	Ways                                      []shownLink
	Style                                     template.CSS
}

type revealPartView struct {
	Title, Text string
	Items       []revealItemView
	Form        *revealFormView
}

type revealItemView struct {
	Title, Mark, Note, Link string
	Facts                   [][2]string
	Buttons                 []revealButtonView
}

type revealButtonView struct {
	Do, ID, Text string
	Main         bool
}

type revealFormView struct {
	Do, Button string
	Main       bool
	Hidden     [][2]string
	Fields     []revealFieldView
}

type revealFieldView struct {
	Name, Label, Hint, Value string
	Most                     int
	Options                  []revealOptionView
}

type revealOptionView struct {
	ID, Value, Code, Text string
	Chosen                bool
}

// RenderReveal writes the page in the language de or en (any other is en), and returns
// the Content-Security-Policy that it has to be sent with.
func RenderReveal(lang string, p Reveal) (body []byte, policy string) {
	if lang != "de" {
		lang = "en"
	}
	css := style + "\n" + factorStyle + "\n" + revealStyle
	f := frame(lang)
	v := revealView{
		Lang: lang, Gateway: f.Gateway, Title: p.Title.In(lang), Text: p.Text.In(lang), Wrong: p.Wrong.In(lang),
		Action: p.Action, Reference: p.Reference, ReferenceLabel: f.ReferenceLabel, Style: css,
	}
	for i := range p.Parts {
		v.Parts = append(v.Parts, p.Parts[i].in(lang))
	}
	for i := range p.Ways {
		v.Ways = append(v.Ways, *p.Ways[i].in(lang))
	}
	policy = "default-src 'none'; style-src " + hashOf(string(css)) + "; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	var buf bytes.Buffer
	if err := revealTemplate.Execute(&buf, v); err != nil {
		return []byte("error"), policy
	}
	return bytes.ToValidUTF8(buf.Bytes(), []byte("\uFFFD")), policy
}

func (p *RevealPart) in(lang string) revealPartView {
	v := revealPartView{Title: p.Title.In(lang), Text: p.Text.In(lang)}
	for _, it := range p.Items {
		one := revealItemView{Title: it.Title, Mark: it.Mark.In(lang), Note: it.Note.In(lang), Link: it.Link}
		for _, f := range it.Facts {
			one.Facts = append(one.Facts, [2]string{f.Name.In(lang), f.Value.In(lang)})
		}
		for _, b := range it.Buttons {
			one.Buttons = append(one.Buttons, revealButtonView{b.Do, b.ID, b.Text.In(lang), b.Main})
		}
		v.Items = append(v.Items, one)
	}
	if f := p.Form; f != nil {
		v.Form = &revealFormView{Do: f.Do, Button: f.Button.In(lang), Main: f.Main, Hidden: f.Hidden}
		for _, in := range f.Fields {
			v.Form.Fields = append(v.Form.Fields, in.in(lang))
		}
	}
	return v
}

func (f *RevealField) in(lang string) revealFieldView {
	v := revealFieldView{Name: f.Name, Label: f.Label.In(lang), Hint: f.Hint.In(lang), Value: f.Value, Most: f.Most}
	for i, o := range f.Options {
		v.Options = append(v.Options, revealOptionView{
			ID: f.Name + "-" + string(rune('a'+i/26%26)) + string(rune('a'+i%26)), Value: o.Value, Code: o.Code, Text: o.Text.In(lang), Chosen: o.Chosen,
		})
	}
	return v
}
