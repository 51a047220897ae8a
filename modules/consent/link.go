package consent

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/consent"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// look shows what a link is about, with the buttons. It changes nothing: programs that
// look through mails open links.
func (c *Consent) look(v crmgate.Stranger, token string, end bool) {
	k, err := c.ledger.Look(v.Request().Context(), token)
	if err != nil {
		c.failed(v, err)
		return
	}
	switch {
	case k.Stop:
		c.showStanding(v, k, token)
	case k.Done != "" && (!end || k.Done != consent.Confirmed):
		c.showDone(v, k, token, true)
	case k.Late && !end:
		c.showLate(v, k)
	case end:
		c.showEnd(v, k, token)
	default:
		c.showConfirm(v, k, token)
	}
}

func about(k *consent.Link) []page.ConsentText {
	var all []page.ConsentText
	for _, a := range k.About {
		all = append(all, page.ConsentText{Title: a.Title, Text: a.Text})
	}
	return all
}

func (c *Consent) showConfirm(v crmgate.Stranger, k *consent.Link, token string) {
	c.show(v, http.StatusOK, page.Consent{
		Kind: "ask", Action: consent.ConfirmPath + token, Texts: about(k), TextLang: k.Language,
		Title: page.Text{DE: "Willigen Sie ein?", EN: "Do you consent?"},
		Text: page.Text{
			DE: "Eingetragen am " + at(k.Made, "de") + ". Es gilt erst, wenn Sie es hier bestätigen. Widerrufen können Sie jederzeit, mit dem Link in der Mail.",
			EN: "Entered on " + at(k.Made, "en") + ". It holds only once you confirm it here. You can withdraw at any time, by the link in the mail.",
		},
		Buttons: []page.ConsentButton{
			{Text: page.Text{DE: "Ja, ich willige ein", EN: "Yes, I consent"}, Name: "answer", Value: "confirm"},
			{Text: page.Text{DE: "Nein, ich willige nicht ein", EN: "No, I don't consent"}, Name: "answer", Value: "refuse"},
		},
	})
}

// at is a time with its zone.
func at(t time.Time, lang string) string {
	if lang == "de" {
		return t.Local().Format("02.01.2006, 15:04 MST")
	}
	return t.Local().Format("2 January 2006, 15:04 MST")
}

func (c *Consent) showEnd(v crmgate.Stranger, k *consent.Link, token string) {
	p := page.Consent{
		Kind: "ask", Action: consent.EndPath + token, Texts: about(k), TextLang: k.Language,
		Title:   page.Text{DE: "Einwilligung widerrufen?", EN: "Withdraw your consent?"},
		Text:    page.Text{DE: "Ein Klick genügt. Es gilt sofort.", EN: "One click is enough. It holds at once."},
		Buttons: []page.ConsentButton{{Text: page.Text{DE: "Widerrufen", EN: "Withdraw"}, Main: true}},
	}
	if k.Done == "" {
		p.Title = page.Text{DE: "Nicht einwilligen?", EN: "Say no?"}
		p.Text = page.Text{DE: "Sie haben noch nichts bestätigt. Ein Klick, und die Anfrage ist abgelehnt.", EN: "You haven't confirmed anything yet. One click, and the wish is refused."}
		p.Buttons[0].Text = page.Text{DE: "Ablehnen", EN: "Refuse"}
	}
	c.show(v, http.StatusOK, p)
}

func (c *Consent) showLate(v crmgate.Stranger, k *consent.Link) {
	c.show(v, http.StatusGone, page.Consent{
		Kind: "wait", Title: page.Text{DE: "Zu spät bestätigt", EN: "Confirmed too late"},
		Text: page.Text{
			DE: "Dieser Link galt bis zum " + at(k.Until, "de") + ". Es ist nichts bestätigt. Wenn Sie einwilligen möchten, tragen Sie sich bitte noch einmal ein.",
			EN: "This link was valid until " + at(k.Until, "en") + ". Nothing is confirmed. If you want to consent, please enter yourself once more.",
		},
		Link: &page.Link{Href: consent.Path, Text: page.Text{DE: "Noch einmal eintragen", EN: "Enter yourself once more"}},
	})
}

// answer takes what somebody says who followed a link. A form of another site's is
// refused: it can't know the token, but it isn't asked either.
func (c *Consent) answer(v crmgate.Stranger, token string) {
	if !v.SameOrigin() {
		v.Answer(http.StatusForbidden, "cross_site", "Diese Anfrage kam von einer anderen Seite.", "This request came from another site.", nil)
		return
	}
	body, _, ok := v.Body(longestForm)
	if !ok {
		return
	}
	fields, err := url.ParseQuery(string(body))
	to, known := map[string]consent.State{"confirm": consent.Confirmed, "refuse": consent.Refused}[fields.Get("answer")]
	if err != nil || !known || len(fields["answer"]) != 1 {
		v.Answer(http.StatusBadRequest, "form", "Das ist keine Antwort: answer ist confirm oder refuse.", "That is no answer: answer is confirm or refuse.", nil)
		return
	}
	k, err := c.ledger.Answer(v.Request().Context(), token, to, consent.Wanted{})
	switch {
	case err != nil:
		c.failed(v, err)
	case k.Stop:
		c.showStanding(v, k, token)
	case k.Late && to == consent.Confirmed:
		c.showLate(v, k)
	default:
		c.showDone(v, k, token, k.Already)
	}
}

// end withdraws by one click (RFC 8058): whatever was posted, and without a session, a
// cookie or a redirect. Of a stop, the page's buttons name one consent.
func (c *Consent) end(v crmgate.Stranger, token string) {
	body, media, ok := v.Body(longestForm)
	if !ok {
		return
	}
	var only consent.Wanted
	if media == "application/x-www-form-urlencoded" {
		if fields, err := url.ParseQuery(string(body)); err == nil {
			only.Purpose, only.Channel, _ = strings.Cut(fields.Get("end"), ":")
		}
	}
	k, err := c.ledger.Answer(v.Request().Context(), token, consent.Withdrawn, only)
	switch {
	case err != nil:
		c.failed(v, err)
	case k.Stop:
		c.showStanding(v, k, token)
	default:
		c.showDone(v, k, token, k.Already)
	}
}

func (c *Consent) showDone(v crmgate.Stranger, k *consent.Link, token string, already bool) {
	p := page.Consent{Kind: "ok", Texts: about(k), TextLang: k.Language}
	when := page.Text{DE: "Am " + at(k.DoneAt, "de") + ". ", EN: "On " + at(k.DoneAt, "en") + ". "}
	switch k.Done {
	case consent.Confirmed:
		p.Title = page.Text{DE: "Danke, Ihre Einwilligung gilt", EN: "Thank you, your consent holds"}
		if already {
			p.Title = page.Text{DE: "Das haben Sie schon bestätigt", EN: "You have confirmed this already"}
		}
		p.Text = page.Text{DE: when.DE + "Widerrufen können Sie jederzeit, mit dem Link in der Mail oder hier.", EN: when.EN + "You can withdraw at any time, by the link in the mail or here."}
		p.Link = &page.Link{Href: consent.EndPath + token, Text: page.Text{DE: "Widerrufen", EN: "Withdraw"}}
	case consent.Refused:
		p.Title = page.Text{DE: "Abgelehnt", EN: "Refused"}
		if already {
			p.Title = page.Text{DE: "Das haben Sie schon abgelehnt", EN: "You have refused this already"}
		}
		p.Text = page.Text{DE: when.DE + "Sie bekommen dazu nichts von uns.", EN: when.EN + "You get nothing about it from us."}
	default:
		p.Title = page.Text{DE: "Widerrufen", EN: "Withdrawn"}
		if already {
			p.Title = page.Text{DE: "Das haben Sie schon widerrufen", EN: "You have withdrawn this already"}
		}
		p.Text = page.Text{DE: when.DE + "Ihre Einwilligung gilt nicht mehr.", EN: when.EN + "Your consent doesn't hold any more."}
	}
	c.show(v, http.StatusOK, p)
}

// showStanding shows the owner of a mailbox what stands, with a button for each.
func (c *Consent) showStanding(v crmgate.Stranger, k *consent.Link, token string) {
	if k.Late {
		c.show(v, http.StatusGone, page.Consent{
			Kind: "wait", Title: page.Text{DE: "Dieser Link ist abgelaufen", EN: "This link is over"},
			Text: page.Text{DE: "Er galt bis zum " + at(k.Until, "de") + ". Es ist nichts geändert.", EN: "It was valid until " + at(k.Until, "en") + ". Nothing is changed."},
			Link: &page.Link{Href: consent.StopPath, Text: page.Text{DE: "Einen neuen Link anfordern", EN: "Ask for a new link"}},
		})
		return
	}
	p := page.Consent{
		Kind: "ask", Action: consent.EndPath + token, TextLang: k.Language,
		Title: page.Text{DE: "Worin Sie eingewilligt haben", EN: "What you have consented to"},
		Text:  page.Text{DE: "Ein Klick genügt, und es gilt nicht mehr.", EN: "One click is enough, and it holds no more."},
	}
	if len(k.About) == 0 {
		p.Kind, p.Title = "ok", page.Text{DE: "Es gilt keine Einwilligung", EN: "No consent holds"}
		p.Text = page.Text{DE: "Zu dieser E-Mail-Adresse gilt nichts (mehr).", EN: "Nothing holds for this e-mail address (any more)."}
	}
	for _, a := range k.About {
		p.Texts = append(p.Texts, page.ConsentText{
			Title: a.Title + " · " + channelWord(a.Channel).In(v.Lang()),
			Since: page.Text{DE: "seit " + at(a.At, "de"), EN: "since " + at(a.At, "en")},
			Button: &page.ConsentButton{
				Text: page.Text{DE: "Widerrufen", EN: "Withdraw"}, Name: "end", Value: a.Purpose + ":" + a.Channel,
			},
		})
	}
	if len(k.About) > 1 {
		p.Buttons = []page.ConsentButton{{Text: page.Text{DE: "Alles widerrufen", EN: "Withdraw everything"}, Main: true}}
	}
	c.show(v, http.StatusOK, p)
}

func channelWord(channel string) page.Text {
	switch channel {
	case consent.Email:
		return page.Text{DE: "E-Mail", EN: "e-mail"}
	case consent.Phone:
		return page.Text{DE: "Telefon", EN: "phone"}
	case consent.Post:
		return page.Text{DE: "Post", EN: "post"}
	}
	return page.Text{DE: "Messenger", EN: "messenger"}
}
