package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// Factor is a page of the gateway's own second factor: what to do, as one or
// more steps that each post a form. Everything in it is text.
type Factor struct {
	// Done marks a page that asks for nothing more.
	Done        bool
	Title, Text Text
	// Wrong says what went wrong with what was sent.
	Wrong Text
	// Action is the path that all forms post to, Hidden what each sends along.
	Action string
	Hidden [][2]string
	Steps  []Step
	// Codes are shown as a list to write down.
	Codes []string
	Link  *Link
	// Reference is what a person tells their administrator.
	Reference string
}

// Step is one form.
type Step struct {
	Title, Text Text
	// Do is sent as `do`.
	Do string
	// Hidden is sent along beside what the page's says.
	Hidden [][2]string
	// QR is shown as a QR code, Secret below it as text.
	QR, Secret string
	Field      *Field
	Button     Text
	Main       bool
	// Create and Get are the options of a passkey's ceremony, as JSON; the answer
	// is sent as `answer`.
	Create, Get string
}

// Field is what a person types.
type Field struct {
	Name  string
	Label Text
	Value string
	// OneTime lets a password manager fill in a one-time code.
	OneTime, Focus, Optional bool
}

//go:embed factor.html
var factorSource string

//go:embed factor.css
var factorStyle template.CSS

//go:embed factor.js
var factorScript template.JS

var factorTemplate = template.Must(template.New("factor").Parse(factorSource))

type factorView struct {
	Lang, Kind, Gateway, Title, Text, Wrong, Action string
	Reference, ReferenceLabel                       string
	Codes                                           []string
	Steps                                           []stepView
	Link                                            *shownLink
	Scripted                                        bool
	Style                                           template.CSS
	Script                                          template.JS
}

type stepView struct {
	Title, Text, Secret, Button, Failed, NoScript string
	QR                                            *qrView
	Hidden                                        [][2]string
	Field                                         *fieldView
	Main                                          bool
	Ceremony                                      *ceremonyView
}

type ceremonyView struct{ Kind, Options string }

type fieldView struct {
	Name, Label, Value       string
	OneTime, Focus, Required bool
}

type qrView struct {
	Side int
	Path string
}

// RenderFactor writes the page in the language de or en (any other is en), and
// returns the Content-Security-Policy that it has to be sent with: hashes of its
// one style and its one script, and nothing that is fetched.
func RenderFactor(lang string, p Factor) (body []byte, policy string) {
	if lang != "de" {
		lang = "en"
	}
	css := style + "\n" + factorStyle
	f := frame(lang)
	v := factorView{
		Lang: lang, Kind: "ask", Gateway: f.Gateway, ReferenceLabel: f.ReferenceLabel,
		Title: p.Title.In(lang), Text: p.Text.In(lang), Wrong: p.Wrong.In(lang), Action: p.Action, Reference: p.Reference,
		Codes: p.Codes, Link: p.Link.in(lang), Style: css, Script: factorScript,
	}
	if p.Done {
		v.Kind = "ok"
	}
	for _, s := range p.Steps {
		step := s.in(lang, p.Hidden)
		v.Scripted = v.Scripted || step.Ceremony != nil
		v.Steps = append(v.Steps, step)
	}
	policy = "default-src 'none'; style-src " + hashOf(string(css)) + "; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	if v.Scripted {
		policy += "; script-src " + hashOf(string(factorScript))
	}
	var buf bytes.Buffer
	if err := factorTemplate.Execute(&buf, v); err != nil {
		return []byte("error"), policy
	}
	return bytes.ToValidUTF8(buf.Bytes(), []byte("\uFFFD")), policy
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func (s Step) in(lang string, hidden [][2]string) stepView {
	v := stepView{
		Title: s.Title.In(lang), Text: s.Text.In(lang), Secret: spaced(s.Secret), Button: s.Button.In(lang), Main: s.Main,
		Failed: Text{
			"Der Browser hat den Passkey nicht geliefert. Versuchen Sie es noch einmal.",
			"The browser did not deliver the passkey. Please try again.",
		}.In(lang),
		NoScript: Text{"Passkeys brauchen JavaScript.", "Passkeys need JavaScript."}.In(lang),
	}
	v.Hidden = append(v.Hidden, hidden...)
	v.Hidden = append(append(v.Hidden, [2]string{"do", s.Do}), s.Hidden...)
	switch {
	case s.Create != "":
		v.Ceremony = &ceremonyView{"create", s.Create}
	case s.Get != "":
		v.Ceremony = &ceremonyView{"get", s.Get}
	}
	if v.Ceremony != nil {
		v.Hidden = append(v.Hidden, [2]string{"answer", ""})
	}
	if s.Field != nil {
		v.Field = &fieldView{
			Name: s.Field.Name, Label: s.Field.Label.In(lang), Value: s.Field.Value,
			OneTime: s.Field.OneTime, Focus: s.Field.Focus, Required: !s.Field.Optional,
		}
	}
	if s.QR != "" {
		v.QR = qrOf(s.QR)
	}
	return v
}

// spaced writes a secret in groups of four.
func spaced(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// qrOf draws a QR code as one path, with its quiet zone; nil where the text is
// too long for one.
func qrOf(s string) *qrView {
	const quiet = 4
	code, err := qr.Encode(s, qr.M, qr.Auto)
	if err != nil {
		return nil
	}
	b := code.Bounds()
	var path strings.Builder
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if r, _, _, _ := code.At(x, y).RGBA(); r == 0 {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x-b.Min.X+quiet, y-b.Min.Y+quiet)
			}
		}
	}
	return &qrView{Side: b.Dx() + 2*quiet, Path: path.String()}
}
