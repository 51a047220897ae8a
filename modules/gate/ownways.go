package gate

import (
	"net/http"

	"github.com/crmgate/crmgate/internal/oidc"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/rules"
)

// continuePath is where somebody signs in who has to go on in another tab.
const continuePath = ownPrefix + "/continue"

// runsScripts reports whether the request is a browser's that opens a page in a
// tab: a page of ours can keep there what stands behind # in the address. All
// browsers say these three; a script of one's own that says one of them gets
// the plain redirect.
func (q *request) runsScripts() bool {
	h := q.r.Header
	return (q.r.Method == http.MethodGet || q.c.Path == factorPath || q.c.Path == rules.Path) && h.Get("Sec-Fetch-Mode") == "navigate" &&
		h.Get("Sec-Fetch-Dest") == "document" && h.Get("Upgrade-Insecure-Requests") == "1"
}

// framed reports whether the answer is shown in a frame. Providers refuse to be,
// so a sign-in there would end at an empty frame.
func (q *request) framed() bool {
	switch q.r.Header.Get("Sec-Fetch-Dest") {
	case "iframe", "frame", "embed", "object", "fencedframe":
		return true
	}
	return false
}

// leave sends the browser to the provider. What stands behind # would be lost
// there, and be seen by its pages: it stays in the tab.
func (q *request) leave(to, returnTo string) {
	if !q.runsScripts() {
		q.redirect(to)
		return
	}
	q.showOnward(page.Page{
		Status: http.StatusOK, Onward: &page.Onward{To: to, Keep: oidc.ReturnTo(returnTo)},
		Title: page.Text{DE: "Anmeldung", EN: "Signing in"},
		Text:  page.Text{DE: "Es geht gleich beim Anmeldedienst weiter.", EN: "Your sign-in service takes over in a moment."},
	})
}

// arrive sends somebody who is signed in where they wanted to go. A page of this
// site does that better than a redirect: it brings back what stood behind #, and
// the CRM's own cookies with SameSite=Strict go along.
func (q *request) arrive(returnTo string) {
	to := oidc.ReturnTo(returnTo)
	if !q.runsScripts() {
		q.redirect(to)
		return
	}
	q.showOnward(page.Page{
		Status: http.StatusOK, Onward: &page.Onward{To: to},
		Title: page.Text{DE: "Angemeldet", EN: "Signed in"},
		Text:  page.Text{DE: "Es geht gleich weiter.", EN: "One moment."},
	})
}

func (q *request) showOnward(p page.Page) {
	h := q.w.Header()
	ownHeaders(h)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", page.ScriptPolicy)
	q.status = p.Status
	p.Notice = q.notice()
	q.write(p.Status, page.Render(q.lang(), p))
}

// signedOutPage is for somebody whose request can't be led to the provider and
// back: a form that was sent, or a frame.
func (q *request) signedOutPage() plain {
	p := plain{
		status: http.StatusUnauthorized, reason: "signed_out", text: textSignInNeeded,
		title: page.Text{DE: "Ihre Sitzung ist beendet", EN: "Your session has ended"},
		link:  &page.Link{Href: continuePath, Text: page.Text{DE: "In neuem Tab anmelden", EN: "Sign in in a new tab"}, NewTab: true},
	}
	switch {
	case q.framed():
		p.text = textSignInFrame
	case q.r.Method == http.MethodPost:
		p.text = textSignInForm
	}
	return p
}

// goOnThere is where a sign-in in another tab ends.
func (q *request) goOnThere() {
	if !q.login() {
		return
	}
	q.showPage(page.Page{
		Status: http.StatusOK, Title: page.Text{DE: "Sie sind wieder angemeldet", EN: "You are signed in again"},
		Text: page.Text{
			DE: "Schließen Sie diesen Tab und machen Sie im ersten weiter: Laden Sie die Seite dort neu und bestätigen Sie, dass das Formular noch einmal gesendet wird.",
			EN: "Close this tab and go on in the first one: reload the page there and confirm that the form is to be sent again.",
		},
		Link: &page.Link{Href: "/", Text: page.Text{DE: "Zum CRM", EN: "To the CRM"}},
	})
}

var (
	textSignInForm = text{
		"Was Sie eingegeben haben, wurde nicht gesendet und ist nicht verloren. Melden Sie sich in einem neuen Tab an. Laden Sie danach diese Seite neu und bestätigen Sie, dass das Formular noch einmal gesendet wird; oder gehen Sie zurück und senden Sie es dort.",
		"What you entered was not sent on, and it is not lost. Sign in in a new tab. Then reload this page and confirm that the form is to be sent again; or go back and send it there.",
	}
	textSignInFrame = text{
		"Melden Sie sich in einem neuen Tab an und laden Sie danach die Seite neu, in der dieser Bereich steht.",
		"Sign in in a new tab. Then reload the page that holds this part.",
	}
)
