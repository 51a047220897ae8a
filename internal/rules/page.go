package rules

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/url"
	"strconv"
	"time"

	"github.com/crmgate/crmgate/internal/page"
)

// The addresses of the pages.
const (
	Path      = "/.crmgate/rules"
	PrintPath = Path + "/print"
)

// The fields of the form, beside the answers.
const (
	FieldVersion  = "version"
	FieldLang     = "lang"
	FieldReturnTo = "to"
)

//go:embed rules.html
var pageSource string

//go:embed rules.css
var pageStyle template.CSS

//go:embed keep.js
var keepScript template.JS

var pageTemplate = template.Must(template.New("rules").Parse(pageSource))

// Page is the rules on a page.
type Page struct {
	// Notice stands above everything else.
	Notice page.Text
	// Sheet are the questions to ask; nil: nothing has to be acknowledged.
	Sheet *Sheet
	// Verdict is what was right of the answers that were given; nil before.
	Verdict *Verdict
	// Changed says that the answers were to another version.
	Changed bool
	// ReturnTo is the path that leads on.
	ReturnTo string
	// Known is set for who has acknowledged, Until when they are asked again.
	Known *Known
	Until time.Time
	// Print leaves out what isn't for paper.
	Print bool
}

type pageView struct {
	Lang, Other, OtherName                       string
	Gateway, Notice, Title, Lead, Wrong, Known   string
	Body                                         template.HTML
	Ask                                          bool
	Questions                                    []questionView
	Hidden                                       [][2]string
	QuestionsTitle, Button, Promise, Hint, Again string
	Version, VersionName                         string
	SkipText, SkipQuestions, TextName            string
	Here, OtherPath, PrintPath, PrintName        string
	ReturnTo, Back, Account                      string
	First, Print                                 bool
	Style                                        template.CSS
	Script                                       template.JS
}

type questionView struct {
	Number, Field, Ask, Type, Several string
	// Wrong and Why stand with a question that is asked again.
	Wrong, Why string
	Answers    []answerView
}

type answerView struct{ Name, Text string }

// Render writes the page in the language de or en (any other is en), and returns the
// Content-Security-Policy that it has to be sent with.
func (r *Rules) Render(lang string, p Page) (body []byte, policy string) {
	if lang != German {
		lang = English
	}
	in := func(de, en string) string { return page.Text{DE: de, EN: en}.In(lang) }
	css := page.Style() + "\n" + pageStyle
	v := pageView{
		Lang: lang, Style: css, Print: p.Print, Notice: p.Notice.In(lang),
		Gateway: in("Zugangsgateway", "Access gateway"), Title: r.Title(lang), Body: r.in(lang).body,
		Version: r.ShortVersion(), VersionName: in("Fassung", "Version"),
		SkipText: in("Zu den Regeln", "To the rules"), SkipQuestions: in("Zu den Fragen", "To the questions"),
		TextName: in("Die Regeln", "The rules"), PrintName: in("Druckansicht", "Print view"),
		Other: English, OtherName: "English", ReturnTo: p.ReturnTo,
		Back: in("Zum CRM", "To the CRM"), Account: in("Konto", "Account"), First: p.Verdict == nil,
		Known: r.known(lang, p),
	}
	if lang == English {
		v.Other, v.OtherName = German, "Deutsch"
	}
	v.Here, v.OtherPath, v.PrintPath = Path, address(Path, v.Other, p.ReturnTo), address(PrintPath, lang, "")
	policy = "default-src 'none'; style-src " + hashOf(string(css)) + "; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	if p.Sheet != nil && !p.Print {
		p.ask(&v, in)
		v.Script = keepScript
		policy += "; script-src " + hashOf(string(keepScript))
	}
	var buf bytes.Buffer
	if err := pageTemplate.Execute(&buf, v); err != nil {
		return []byte("error"), policy
	}
	return bytes.ToValidUTF8(buf.Bytes(), []byte("\uFFFD")), policy
}

// address is that of a page, in a language and with the way back.
func address(path, lang, returnTo string) string {
	q := url.Values{FieldLang: {lang}}
	if returnTo != "" && returnTo != "/" {
		q.Set(FieldReturnTo, returnTo)
	}
	return path + "?" + q.Encode()
}

// known says when somebody acknowledged.
func (r *Rules) known(lang string, p Page) string {
	if p.Known == nil {
		return ""
	}
	return page.Text{
		DE: "Sie haben diese Fassung am " + Day(p.Known.At).DE + " bestätigt. Wieder gefragt werden Sie spätestens am " + Day(p.Until).DE + ".",
		EN: "You acknowledged this version on " + Day(p.Known.At).EN + ". You will be asked again on " + Day(p.Until).EN + " at the latest.",
	}.In(lang)
}

// Day shows a day in the server's zone.
func Day(t time.Time) page.Text {
	t = t.Local()
	return page.Text{DE: t.Format("02.01.2006"), EN: t.Format("2 Jan 2006")}
}

// ask puts the questions on the page: all of them, or those to ask again.
func (p *Page) ask(v *pageView, in func(de, en string) string) {
	v.Ask = true
	all := p.Sheet.rules.quiz
	n := strconv.Itoa(len(all))
	v.Lead = in("Bitte lesen Sie die Regeln und beantworten Sie danach "+n+" Fragen. Das dauert etwa fünf Minuten; dann öffnet sich das CRM. "+
		"Festgehalten wird nur, dass Sie diese Fassung bestätigt haben, wann und in welcher Sprache. Falsche Antworten hält niemand fest.",
		"Please read the rules and then answer "+n+" questions. It takes about five minutes; then the CRM opens. "+
			"All that is recorded is that you acknowledged this version, when, and in which language. Nobody records wrong answers.")
	v.QuestionsTitle = in("Fragen zu den Regeln", "Questions about the rules")
	v.Button = in("Antworten senden und Regeln bestätigen", "Send the answers and acknowledge the rules")
	v.Promise = in("Damit bestätigen Sie, dass Sie die Regeln gelesen haben.", "By this you acknowledge that you have read the rules.")
	v.Hidden = [][2]string{{FieldVersion, p.Sheet.rules.version}, {FieldLang, v.Lang}, {FieldReturnTo, p.ReturnTo}}
	which := make([]int, len(all))
	for i := range which {
		which[i] = i
	}
	if p.Changed {
		v.Wrong = in("Die Regeln haben sich inzwischen geändert. Bitte lesen Sie sie noch einmal.", "The rules have changed meanwhile. Please read them again.")
	}
	if p.Verdict != nil {
		which = p.Verdict.again()
		v.Wrong = in("Noch einmal zu beantworten: "+strconv.Itoa(len(which))+" von "+n+" Fragen.",
			"To be answered once more: "+strconv.Itoa(len(which))+" of "+n+" questions.")
		for i := range all {
			for _, name := range p.Verdict.given[i] {
				if !contains(which, i) {
					v.Hidden = append(v.Hidden, [2]string{field(i), name})
				}
			}
		}
	}
	for _, i := range which {
		v.Questions = append(v.Questions, p.question(i, in))
	}
}

func contains(all []int, n int) bool {
	for _, i := range all {
		if i == n {
			return true
		}
	}
	return false
}

func (p *Page) question(i int, in func(de, en string) string) questionView {
	q := &p.Sheet.rules.quiz[i]
	v := questionView{Number: strconv.Itoa(i + 1), Field: field(i), Ask: in(q.ask.DE, q.ask.EN), Type: "radio"}
	if q.several() {
		v.Type, v.Several = "checkbox", in("Mehrere Antworten sind richtig.", "Several answers are right.")
	}
	if p.Verdict != nil && contains(p.Verdict.wrong, i) {
		v.Wrong, v.Why = in("Das stimmt noch nicht.", "That isn't right yet."), in(q.why.DE, q.why.EN)
	} else if p.Verdict != nil {
		v.Wrong = in("Hier fehlt Ihre Antwort.", "Your answer is missing here.")
	}
	for _, a := range p.Sheet.answers(i) {
		v.Answers = append(v.Answers, answerView{a.name, in(a.text.DE, a.text.EN)})
	}
	return v
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
