package consent

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/mail"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/consent"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// Serve answers a request. Nobody has to be signed in for it; a form is taken from the
// configured origins, a link by whoever has its token.
func (c *Consent) Serve(v crmgate.Stranger) {
	path := v.Path()
	if token, ok := strings.CutPrefix(path, consent.ConfirmPath); ok {
		c.byMethod(v, func() { c.look(v, token, false) }, func() { c.answer(v, token) })
		return
	}
	if token, ok := strings.CutPrefix(path, consent.EndPath); ok {
		c.byMethod(v, func() { c.look(v, token, true) }, func() { c.end(v, token) })
		return
	}
	switch path {
	case consent.Path, consent.Path + "/":
		c.byMethod(v, func() { c.showForm(v, http.StatusOK, page.Text{}) }, nil)
	case consent.AskPath:
		c.byMethod(v, nil, func() { c.ask(v) })
	case consent.StopPath:
		c.byMethod(v, func() { c.showStop(v, http.StatusOK, page.Text{}) }, func() { c.stop(v) })
	case consent.TextsPath:
		c.byMethod(v, func() { c.texts(v) }, nil)
	default:
		v.Answer(http.StatusNotFound, "not_found", "Diese Seite gibt es nicht.", "There is no such page.", nil)
	}
}

// byMethod answers the methods that a path has. A preflight is answered for the origins
// that may ask.
func (c *Consent) byMethod(v crmgate.Stranger, get, post func()) {
	allow := "OPTIONS"
	if get != nil {
		allow = "GET, HEAD, " + allow
	}
	if post != nil {
		allow = "POST, " + allow
	}
	switch method := v.Request().Method; {
	case (method == http.MethodGet || method == http.MethodHead) && get != nil:
		get()
	case method == http.MethodPost && post != nil:
		post()
	case method == http.MethodOptions:
		h := c.cors(v)
		if h["Access-Control-Allow-Origin"] != "" {
			h["Access-Control-Allow-Methods"], h["Access-Control-Allow-Headers"], h["Access-Control-Max-Age"] = "GET, POST", "Content-Type", "600"
		}
		h["Allow"] = allow
		v.Write(http.StatusNoContent, h, nil)
	default:
		v.Answer(http.StatusMethodNotAllowed, "method", "Diese Adresse nimmt das so nicht an.", "This address doesn't take that.", map[string]string{"Allow": allow})
	}
}

// cors are the headers that let a configured origin read an answer. There is nothing of
// anybody in it, and no cookie is asked for.
func (c *Consent) cors(v crmgate.Stranger) map[string]string {
	h := map[string]string{"Vary": "Origin"}
	if o := v.Request().Header.Get("Origin"); slices.Contains(c.Origins, o) {
		h["Access-Control-Allow-Origin"] = o
	}
	return h
}

// mayAsk reports whether a form comes from where it may: a page of this site, a
// configured origin, or a program, which sends no origin. A page of somebody else's can't
// have its visitors fill strangers' mailboxes.
func (c *Consent) mayAsk(v crmgate.Stranger) bool {
	o := v.Request().Header.Get("Origin")
	return v.SameOrigin() || slices.Contains(c.Origins, o)
}

// shown are the newest texts that can be asked for by mail, in a language.
func (c *Consent) shown(language string) []shownText {
	var all []shownText
	for _, p := range c.Purposes {
		var last *Text
		for i := range p.Texts {
			if p.Texts[i].Channel == consent.Email && p.Texts[i].Language == language {
				last = &p.Texts[i]
			}
		}
		if last == nil {
			continue
		}
		title := p.Titles[language]
		if title == "" {
			title = p.Name
		}
		all = append(all, shownText{
			ID: p.Name + ":" + last.Channel + ":" + last.Version, Purpose: p.Name, Title: title, Channel: last.Channel,
			Version: last.Version, Language: language, Text: last.Text, SHA256: consent.Text{Text: last.Text}.SHA256(),
		})
	}
	return all
}

// shownText is a text as web forms get it.
type shownText struct {
	// ID is what a form sends as `consent`.
	ID       string `json:"id"`
	Purpose  string `json:"purpose"`
	Title    string `json:"title"`
	Channel  string `json:"channel"`
	Version  string `json:"version"`
	Language string `json:"language"`
	Text     string `json:"text"`
	SHA256   string `json:"sha256"`
}

// texts answers with what a web form has to show.
func (c *Consent) texts(v crmgate.Stranger) {
	body, err := json.Marshal(map[string]any{
		"controller": c.Controller, "privacy_notice": c.PrivacyNotice, "privacy_notice_version": c.PrivacyNoticeVersion,
		"texts": append(c.shown("de"), c.shown("en")...),
	})
	if err != nil {
		v.Failed("texts", err)
		return
	}
	h := c.cors(v)
	h["Content-Type"] = "application/json"
	v.Write(http.StatusOK, h, body)
}

// show writes a page.
func (c *Consent) show(v crmgate.Stranger, status int, p page.Consent) {
	p.Controller = c.Controller
	p.Who = c.Controller
	if a, err := mail.ParseAddress(c.From); err == nil && a.Name != "" {
		p.Who = a.Name
	}
	p.Notice = &page.Link{Href: c.PrivacyNotice, Text: page.Text{DE: "Datenschutzhinweise", EN: "Privacy notice"}}
	if p.TextLang == "" {
		p.TextLang = v.Lang()
	}
	body, policy := page.RenderConsent(v.Lang(), p)
	h := c.cors(v)
	h["Content-Type"], h["Content-Security-Policy"] = "text/html; charset=utf-8", policy
	v.Write(status, h, body)
}

func (c *Consent) showForm(v crmgate.Stranger, status int, wrong page.Text) {
	p := page.Consent{
		Kind: "ask", Wrong: wrong, Action: consent.AskPath, Hidden: [][2]string{{"language", v.Lang()}},
		Title:   page.Text{DE: "Wozu dürfen wir Ihnen schreiben?", EN: "What may we write to you about?"},
		Text:    page.Text{DE: "Wählen Sie aus und geben Sie Ihre E-Mail-Adresse an. Sie bekommen eine Mail; erst wenn Sie dort bestätigen, gilt es.", EN: "Choose, and give your e-mail address. You get a mail; it holds only once you confirm there."},
		Field:   textEmail(),
		Buttons: []page.ConsentButton{{Text: page.Text{DE: "Mail zur Bestätigung anfordern", EN: "Send me the mail to confirm"}, Main: true}},
		Link:    &page.Link{Href: consent.StopPath, Text: page.Text{DE: "Einwilligung ansehen oder widerrufen", EN: "See or withdraw a consent"}},
	}
	for _, t := range c.shown(v.Lang()) {
		p.Texts = append(p.Texts, page.ConsentText{ID: t.ID, Title: t.Title, Text: t.Text})
	}
	c.show(v, status, p)
}

func textEmail() page.Text { return page.Text{DE: "E-Mail-Adresse", EN: "E-mail address"} }

func (c *Consent) showStop(v crmgate.Stranger, status int, wrong page.Text) {
	c.show(v, status, page.Consent{
		Kind: "ask", Wrong: wrong, Action: consent.StopPath, Hidden: [][2]string{{"language", v.Lang()}},
		Title: page.Text{DE: "Einwilligung ansehen oder widerrufen", EN: "See or withdraw a consent"},
		Text: page.Text{
			DE: "Geben Sie Ihre E-Mail-Adresse an. Sie bekommen einen Link, mit dem Sie sehen, worin Sie eingewilligt haben, und es mit einem Klick beenden.",
			EN: "Give your e-mail address. You get a link by which you see what you have consented to, and end it with one click.",
		},
		Field:   textEmail(),
		Buttons: []page.ConsentButton{{Text: page.Text{DE: "Link anfordern", EN: "Send me the link"}, Main: true}},
	})
}

// failed answers what the ledger couldn't do.
func (c *Consent) failed(v crmgate.Stranger, err error) {
	if errors.Is(err, consent.ErrNoLink) {
		c.show(v, http.StatusNotFound, page.Consent{
			Kind: "no", Title: page.Text{DE: "Dieser Link gilt nicht", EN: "This link isn't valid"},
			Text: page.Text{
				DE: "Er ist nicht vollständig, oder er ist so alt, dass nichts mehr dazu gespeichert ist. Prüfen Sie, ob er aus der Mail ganz übernommen wurde.",
				EN: "It isn't complete, or it is so old that nothing of it is stored any more. Check that it was copied from the mail as a whole.",
			},
			Link: &page.Link{Href: consent.StopPath, Text: page.Text{DE: "Einen neuen Link anfordern", EN: "Ask for a new link"}},
		})
		return
	}
	v.Failed("consent", err)
}
