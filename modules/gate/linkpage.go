package gate

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/alarm"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/link"
	"github.com/crmgate/crmgate/internal/page"
)

// linkPage warns of a link, names the host that it really leads to, and leads on.
func (q *request) linkPage() {
	judge := q.h.links()
	if judge == nil || q.r.Method != http.MethodGet && q.r.Method != http.MethodHead {
		q.notFound()
		return
	}
	if !q.login() {
		return
	}
	at, ok := q.linkTarget()
	if !ok {
		q.notFound()
		return
	}
	v, bad := judge.Address(at.URL)
	if q.r.Method == http.MethodGet && q.inAdvance() == nil {
		if err := q.raise(&audit.Alarm{Cause: alarm.Link, Level: string(alarm.Low), How: alarm.HowOpened, Host: v.Host}); err != nil {
			q.h.logger.Error("writing the audit log", zap.String("request", q.id), zap.Error(err))
			q.unavailable("log")
			return
		}
	}
	q.showPage(warning(v, bad, at))
}

// linkTarget opens the token of this employee's.
func (q *request) linkTarget() (at target, ok bool) {
	var token string
	for _, p := range q.c.Query {
		if p.Name == "to" {
			token = p.Value
		}
	}
	sealed, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || token == "" {
		return at, false
	}
	text, err := q.h.sealer.Open("link", sealed, q.linkOwner())
	if err != nil {
		return at, false
	}
	return at, json.Unmarshal(text, &at) == nil
}

// warning is the page. An address that isn't suspected any more, since the
// configuration knows it now, is only named.
func warning(v link.Verdict, bad bool, at target) page.Page {
	same := func(s string) page.Text { return page.Text{DE: s, EN: s} }
	row := page.Row{Title: same(v.Host)}
	fact := func(de, en, value string) {
		if value != "" {
			row.Facts = append(row.Facts, page.Fact{Name: page.Text{DE: de, EN: en}, Value: same(value)})
		}
	}
	fact("Sieht aus wie", "Looks like", v.Shown)
	fact("Erinnert an", "Resembles", v.Like)
	p := page.Page{
		Status: http.StatusOK, Warns: bad,
		Title: page.Text{DE: "Dieser Link ist verdächtig", EN: "This link is suspicious"},
		Text:  whyWarned(v.Reason),
		Rows:  []page.Row{row},
		Link:  &page.Link{Href: "/", Text: page.Text{DE: "Nicht öffnen, zurück zum CRM", EN: "Don't open it, back to the CRM"}},
	}
	if !bad {
		p.Title = page.Text{DE: "Dieser Link führt aus dem CRM hinaus", EN: "This link leads out of the CRM"}
		p.Text = page.Text{DE: "Er gilt inzwischen als bekannt und führt hierhin:", EN: "It counts as known by now, and leads here:"}
	}
	u, err := url.Parse(at.URL)
	if err != nil || at.Cut || v.Reason == link.Unreadable || u.Scheme != "http" && u.Scheme != "https" {
		p.Rows[0].Facts = append(p.Rows[0].Facts, page.Fact{Name: page.Text{DE: "Öffnen", EN: "To open"}, Value: page.Text{
			DE: "von hier nicht: Die Adresse ist zu lang oder keine, die alle Programme gleich lesen",
			EN: "not from here: the address is too long, or none that all programs read alike",
		}})
		return p
	}
	p.Also = &page.Link{Href: at.URL, Text: page.Text{DE: "Trotzdem öffnen: " + v.Host, EN: "Open it all the same: " + v.Host}}
	return p
}

// whyWarned says in a sentence for a person why a link is suspected, and what to do.
func whyWarned(r link.Reason) page.Text {
	var why page.Text
	switch r {
	case link.Lookalike:
		why = page.Text{DE: "Die Adresse ähnelt einer bekannten, ist aber eine andere.", EN: "The address resembles a known one, and is another."}
	case link.ExtraWord:
		why = page.Text{DE: "In der Adresse steht ein bekannter Name, sie gehört aber jemand anderem.", EN: "A known name stands in the address, but it is somebody else's."}
	case link.MixedScript:
		why = page.Text{DE: "In der Adresse sind Buchstaben verschiedener Schriften gemischt.", EN: "The address mixes letters of different scripts."}
	case link.Disguised:
		why = page.Text{DE: "Die Adresse besteht aus fremden Zeichen, die wie lateinische aussehen.", EN: "The address is made of foreign characters that look like Latin ones."}
	case link.Credentials:
		why = page.Text{DE: "Was in der Adresse vor dem @ steht, sieht nach dem Ziel aus und ist es nicht.", EN: "What stands before the @ in the address looks like where it leads, and isn't."}
	case link.IP:
		why = page.Text{DE: "Die Adresse besteht aus Zahlen statt eines Namens.", EN: "The address is made of numbers in the place of a name."}
	case link.Unreadable:
		why = page.Text{DE: "Die Adresse enthält Zeichen, die Programme verschieden lesen.", EN: "The address holds characters that programs read in different ways."}
	}
	return page.Text{
		DE: why.DE + " So werden Anmeldeseiten gefälscht. Öffnen Sie den Link nur, wenn Sie den Absender auf einem anderen Weg gefragt haben, und geben Sie dort kein Passwort ein. Er führt wirklich hierhin:",
		EN: why.EN + " This is how sign-in pages are forged. Open the link only if you have asked the sender by another way, and enter no password there. It really leads here:",
	}
}
