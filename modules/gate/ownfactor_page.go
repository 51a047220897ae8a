package gate

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/crmgate/crmgate/internal/factor"
	"github.com/crmgate/crmgate/internal/oidc"
	"github.com/crmgate/crmgate/internal/page"
)

// What a form of the second factor asks for.
const (
	doCode       = "code"
	doPasskey    = "passkey"
	doInvitation = "invitation"
	doNewTOTP    = "new_totp"
	doNewPasskey = "new_passkey"
	doRemove     = "remove"
	doRecovery   = "recovery"
)

// factorFormLimit bounds a form: a half sign-in with a provider's tokens in it.
const factorFormLimit = 160 << 10

// readForm reads a form of which every field is there once.
func (q *request) readForm() (map[string]string, bool) {
	if q.readMediaType() != nil || q.media != "application/x-www-form-urlencoded" {
		return nil, false
	}
	raw, err := io.ReadAll(io.LimitReader(q.r.Body, factorFormLimit+1))
	if err != nil || len(raw) > factorFormLimit {
		return nil, false
	}
	values, err := url.ParseQuery(string(raw))
	if err != nil {
		return nil, false
	}
	form := map[string]string{}
	for name, v := range values {
		if len(v) != 1 {
			return nil, false
		}
		form[name] = v[0]
	}
	return form, true
}

// showHalf shows what is still to be done. wrong says what went wrong before.
func (q *request) showHalf(half *factor.Half, wrong text) {
	state, err := q.o.factors.State(q.r.Context(), half.Person)
	if err != nil {
		q.factorDown(err)
		return
	}
	p := page.Factor{
		Title: page.Text{DE: "Zweiter Faktor", EN: "Second factor"}, Wrong: page.Text{DE: wrong.de, EN: wrong.en},
		Link: &page.Link{Href: "/", Text: page.Text{DE: "Neu beginnen", EN: "Start again"}},
	}
	half.Secret, half.Ceremony = nil, nil
	switch {
	case state.Enrolled:
		p.Steps, err = q.stepsToProve(half, state)
		if len(p.Steps) == 0 {
			p.Text = textNoUsableFactor.onPage()
			p.Reference = q.o.log.Employee(half.Person.Issuer, half.Person.Subject)
		}
	case half.Invitation == "" && q.h.OIDC.MFAOpenEnrolment == "":
		p.Title = page.Text{DE: "Zweiten Faktor einrichten", EN: "Set up a second factor"}
		p.Text = textInvitation.onPage()
		p.Reference = q.o.log.Employee(half.Person.Issuer, half.Person.Subject)
		p.Steps = []page.Step{{
			Do: doInvitation, Main: true, Button: page.Text{DE: "Weiter", EN: "Continue"},
			Field: &page.Field{Name: "code", Focus: true, Label: page.Text{DE: "Einrichtungscode", EN: "Enrolment code"}},
		}}
	default:
		p.Title = page.Text{DE: "Zweiten Faktor einrichten", EN: "Set up a second factor"}
		p.Text = textEnrol.onPage()
		p.Steps, err = q.stepsToEnrol(half)
	}
	if err != nil {
		q.factorDown(err)
		return
	}
	sealed, err := q.o.factors.SealHalf(*half, q.halfSite())
	if err != nil {
		q.factorDown(err)
		return
	}
	p.Action, p.Hidden = factorPath, [][2]string{{"half", sealed}}
	status := http.StatusOK
	if wrong != (text{}) {
		status = http.StatusForbidden
	}
	q.showFactor(status, p)
}

// passkeysHere reports whether passkeys are in force and work at this address.
func (q *request) passkeysHere() bool {
	passkey, _ := q.o.factors.Offers()
	return passkey && factor.PasskeysAt(q.baseURL())
}

// stepsToProve asks for what the person has enrolled.
func (q *request) stepsToProve(half *factor.Half, state factor.State) ([]page.Step, error) {
	var steps []page.Step
	if len(state.Passkeys) > 0 && q.passkeysHere() {
		c, err := q.o.factors.Ask(q.r.Context(), half.Person, q.baseURL())
		if err != nil {
			return nil, err
		}
		half.Ceremony = c.State
		steps = append(steps, page.Step{
			Do: doPasskey, Get: string(c.Options), Main: true,
			Title:  page.Text{DE: "Passkey", EN: "Passkey"},
			Button: page.Text{DE: "Mit Passkey bestätigen", EN: "Confirm with a passkey"},
		})
	}
	if state.TOTP.IsZero() && state.Recovery == 0 {
		return steps, nil
	}
	step := page.Step{
		Do: doCode, Main: len(steps) == 0, Button: page.Text{DE: "Bestätigen", EN: "Confirm"},
		Title: page.Text{DE: "Einmalcode", EN: "One-time code"},
		Text:  page.Text{DE: "Der Code aus Ihrer Authenticator-App, oder einer Ihrer Wiederherstellungscodes.", EN: "The code from your authenticator app, or one of your recovery codes."},
		Field: &page.Field{Name: "code", OneTime: true, Focus: len(steps) == 0, Label: page.Text{DE: "Code", EN: "Code"}},
	}
	if state.TOTP.IsZero() {
		step.Title = page.Text{DE: "Wiederherstellungscode", EN: "Recovery code"}
		step.Text = page.Text{DE: "Wenn Sie Ihren Passkey nicht zur Hand haben.", EN: "If you don't have your passkey at hand."}
		step.Field.OneTime = false
	}
	return append(steps, step), nil
}

// stepsToEnrol offers the methods in force, and notes in the half what was
// offered.
func (q *request) stepsToEnrol(half *factor.Half) ([]page.Step, error) {
	var steps []page.Step
	if q.passkeysHere() {
		c, err := q.o.factors.AskNew(q.r.Context(), half.Person, q.baseURL())
		if err != nil {
			return nil, err
		}
		half.Ceremony = c.State
		steps = append(steps, page.Step{
			Do: doNewPasskey, Create: string(c.Options), Main: true,
			Title:  page.Text{DE: "Passkey", EN: "Passkey"},
			Text:   page.Text{DE: "Ein Sicherheitsschlüssel, oder Fingerabdruck, Gesicht oder PIN dieses Geräts. Keine gefälschte Seite kann ihn Ihnen ablisten.", EN: "A security key, or this device's fingerprint, face or PIN. No forged page can trick it out of you."},
			Field:  &page.Field{Name: "name", Optional: true, Label: page.Text{DE: "Name, an dem Sie ihn erkennen", EN: "A name by which you know it"}},
			Button: page.Text{DE: "Passkey einrichten", EN: "Set up a passkey"},
		})
	}
	if _, totp := q.o.factors.Offers(); totp {
		half.Secret = factor.NewSecret()
		steps = append(steps, page.Step{
			Do: doNewTOTP, Main: len(steps) == 0,
			Title: page.Text{DE: "Authenticator-App", EN: "Authenticator app"},
			Text:  page.Text{DE: "Scannen Sie das Bild mit der App, oder geben Sie den Schlüssel darunter ein. Tippen Sie dann den Code ab, den die App zeigt.", EN: "Scan the picture with the app, or type the key below it. Then enter the code that the app shows."},
			QR:    factor.SecretURL(siteName(q.c.Host), half.Person, half.Secret), Secret: factor.SecretText(half.Secret),
			Field:  &page.Field{Name: "code", OneTime: true, Label: page.Text{DE: "Code aus der App", EN: "Code from the app"}},
			Button: page.Text{DE: "App einrichten", EN: "Set up the app"},
		})
	}
	if len(steps) == 0 {
		return nil, errors.New("passkeys alone are in force, and browsers do none at this address: they need https and a name")
	}
	return steps, nil
}

// siteName names the site in an app.
func siteName(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return host
}

// showCodes shows recovery codes, once, and leads on.
func (q *request) showCodes(codes []string, to string) {
	q.showFactor(http.StatusOK, page.Factor{
		Done: true, Title: page.Text{DE: "Ihre Wiederherstellungscodes", EN: "Your recovery codes"}, Text: textCodes.onPage(), Codes: codes,
		Link: &page.Link{Href: to, Text: page.Text{DE: "Notiert, weiter", EN: "Written down, continue"}},
	})
}

func (q *request) showFactor(status int, p page.Factor) {
	body, policy := page.RenderFactor(q.lang(), p)
	h := q.w.Header()
	ownHeaders(h)
	if q.auditID != "" {
		h.Set("Audit-Id", q.auditID)
	}
	h.Set("X-Frame-Options", "DENY")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	q.status = status
	q.write(status, body)
}

func signInAgain() *page.Link {
	return &page.Link{Href: "/", Text: page.Text{DE: "Noch einmal anmelden", EN: "Sign in again"}}
}

// factorFault is the closed word and the sentence of what went wrong; "" is a
// fault of the gateway's own.
func factorFault(err error) (string, text) {
	for _, f := range []struct {
		is     error
		reason string
		text   text
	}{
		{factor.ErrWait, "factor_wait", text{
			"Zu viele falsche Codes. Warten Sie bis zu einer Stunde und versuchen Sie es dann noch einmal, oder nehmen Sie Ihren Passkey. Ihr Konto beim Anmeldedienst ist nicht gesperrt.",
			"Too many wrong codes. Wait for up to an hour and try again then, or use your passkey. Your account at the sign-in service is not locked.",
		}},
		{factor.ErrReplayed, "factor_replayed", text{
			"Dieser Code wurde schon benutzt. Warten Sie auf den nächsten.", "This code was used already. Wait for the next one.",
		}},
		{factor.ErrCloned, "factor_cloned", text{
			"Dieser Passkey wurde offenbar kopiert und wird nicht mehr angenommen. Sagen Sie Ihrer Administration Bescheid.",
			"This passkey seems to have been copied and is not accepted any more. Tell your administrator.",
		}},
		{factor.ErrInvitation, "invitation", text{
			"Dieser Einrichtungscode gilt nicht, nicht mehr oder nicht für Sie. Bitten Sie Ihre Administration um einen neuen.",
			"This enrolment code is not valid, not any more, or not for you. Ask your administrator for a new one.",
		}},
		{factor.ErrEnrolled, "factor_enrolled", text{
			"Sie haben bereits einen zweiten Faktor. Bestätigen Sie ihn.", "You have a second factor already. Please confirm it.",
		}},
		{factor.ErrLast, "factor_last", text{
			"Das ist Ihr einziger zweiter Faktor. Richten Sie zuerst einen anderen ein.", "This is your only second factor. Set up another one first.",
		}},
		{factor.ErrNotEnrolled, "factor_none", text{
			"Das ist bei Ihnen nicht eingerichtet.", "You have not set that up.",
		}},
		{factor.ErrWrong, "factor_wrong", text{
			"Das stimmte nicht. Versuchen Sie es noch einmal.", "That was not right. Please try again.",
		}},
	} {
		if errors.Is(err, f.is) {
			return f.reason, f.text
		}
	}
	return "", text{}
}

var (
	textNotFresh = text{
		"Um einen zweiten Faktor einzurichten, müssen Sie sich gerade eben beim Anmeldedienst angemeldet haben. Melden Sie sich dort ab und hier neu an.",
		"To set up a second factor you have to have signed in at your sign-in service just now. Sign out there and sign in here again.",
	}
	textInvitation = text{
		"Für dieses CRM brauchen Sie einen zweiten Faktor, und Sie haben noch keinen. Bitten Sie Ihre Administration um einen Einrichtungscode und nennen Sie die Kennung unten.",
		"This CRM needs a second factor, and you don't have one yet. Ask your administrator for an enrolment code and name the reference below.",
	}
	textEnrol = text{
		"Richten Sie einen der folgenden Wege ein. Weitere können Sie später hinzufügen.",
		"Set up one of the following. You can add others later.",
	}
	textCodes = text{
		"Ihr zweiter Faktor ist eingerichtet. Mit jedem dieser Codes kommen Sie einmal hinein, wenn Sie ihn nicht zur Hand haben. Notieren Sie sie: Sie werden nur jetzt gezeigt.",
		"Your second factor is set up. Each of these codes lets you in once when you don't have it at hand. Write them down: they are shown now and never again.",
	}
	textNoUsableFactor = text{
		"Was Sie eingerichtet haben, wird hier nicht mehr angenommen. Bitten Sie Ihre Administration, Ihren zweiten Faktor zurückzusetzen, und nennen Sie die Kennung unten.",
		"What you have set up is not accepted here any more. Ask your administrator to reset your second factor, and name the reference below.",
	}
	textStrongerFactor = text{
		"Dieser Schritt verlangt einen anderen zweiten Faktor als den, den Sie benutzt haben. Nehmen Sie Ihren Passkey.",
		"This step demands another second factor than the one you used. Use your passkey.",
	}
)

// again is a demand that nothing but a fresh proof meets.
func again() oidc.Demand { return oidc.Demand{MaxAge: factor.HalfFor} }
