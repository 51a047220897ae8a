package gate

import (
	"net/http"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/factor"
	"github.com/crmgate/crmgate/internal/oidc"
	"github.com/crmgate/crmgate/internal/page"
)

// factorAgainPath leads through a fresh sign-in back to factorPath.
const factorAgainPath = factorPath + "/again"

// serveFactorAgain has somebody who is signed in prove themselves anew.
func (q *request) serveFactorAgain() {
	if q.o.factors == nil || q.r.Method != http.MethodGet {
		q.notFound()
		return
	}
	if q.login() {
		q.beginStepUp(factorPath, again())
	}
}

// me is the employee as their factors know them.
func (q *request) me() factor.Person { return personOf(oidc.Identity(q.employee.session.Identity)) }

// mayManage reports whether the employee has proven themselves within minutes,
// after a sign-in at the provider: a desk that was left alone must not enrol
// somebody else's key.
func (q *request) mayManage() bool {
	return q.h.provider.Meets(oidc.Identity(q.employee.session.Identity), again())
}

// manage shows what the employee has enrolled.
func (q *request) manage() {
	if q.r.Method != http.MethodGet && q.r.Method != http.MethodHead {
		q.notFound()
		return
	}
	if q.login() {
		q.showManage(text{})
	}
}

func (q *request) showManage(wrong text) {
	me := q.me()
	state, err := q.o.factors.State(q.r.Context(), me)
	if err != nil {
		q.factorDown(err)
		return
	}
	p := page.Factor{
		Done: wrong == (text{}), Title: page.Text{DE: "Ihr zweiter Faktor", EN: "Your second factor"}, Wrong: wrong.onPage(), Action: factorPath,
		Link: &page.Link{Href: "/", Text: page.Text{DE: "Zum CRM", EN: "To the CRM"}},
	}
	if !q.mayManage() {
		p.Text = textProveAgain.onPage()
		p.Link = &page.Link{Href: factorAgainPath, Text: page.Text{DE: "Noch einmal bestätigen", EN: "Confirm again"}}
		q.showFactor(http.StatusOK, p)
		return
	}
	half := &factor.Half{Begun: time.Now(), Person: me}
	half.Bind(q.sessionBinding())
	steps, err := q.stepsToEnrol(half)
	if err != nil {
		q.factorDown(err)
		return
	}
	for i := range steps {
		steps[i].Main = false
		switch {
		case steps[i].Do == doNewPasskey && len(state.Passkeys) > 0:
			steps[i].Title = page.Text{DE: "Weiterer Passkey", EN: "Another passkey"}
		case steps[i].Do == doNewTOTP && !state.TOTP.IsZero():
			steps[i].Title = page.Text{DE: "Andere Authenticator-App (ersetzt die bisherige)", EN: "Another authenticator app (replaces the present one)"}
		}
	}
	p.Steps = append(removals(state), steps...)
	if !q.h.OIDC.MFAPhishingResistant {
		p.Steps = append(p.Steps, recoveryStep(state))
	}
	sealed, err := q.o.factors.SealHalf(*half, q.halfSite())
	if err != nil {
		q.factorDown(err)
		return
	}
	p.Hidden = [][2]string{{"own", sealed}}
	status := http.StatusOK
	if wrong != (text{}) {
		status = http.StatusForbidden
	}
	q.showFactor(status, p)
}

// sessionBinding ties a form to the session that it was shown to.
func (q *request) sessionBinding() string { return "session " + q.employee.session.Ref() }

func removals(state factor.State) []page.Step {
	var steps []page.Step
	button := page.Text{DE: "Entfernen", EN: "Remove"}
	for _, k := range state.Passkeys {
		since := moment(k.Since)
		steps = append(steps, page.Step{
			Do: doRemove, Hidden: [][2]string{{"ref", k.Ref}}, Button: button,
			Title: page.Text{DE: "Passkey: " + k.Name, EN: "Passkey: " + k.Name},
			Text:  page.Text{DE: "Eingerichtet am " + since.DE, EN: "Set up on " + since.EN},
		})
	}
	if !state.TOTP.IsZero() {
		since := moment(state.TOTP)
		steps = append(steps, page.Step{
			Do: doRemove, Hidden: [][2]string{{"ref", factor.RemoveTOTP}}, Button: button,
			Title: page.Text{DE: "Authenticator-App", EN: "Authenticator app"},
			Text:  page.Text{DE: "Eingerichtet am " + since.DE, EN: "Set up on " + since.EN},
		})
	}
	return steps
}

func recoveryStep(state factor.State) page.Step {
	t := textRecoveryLeft(state.Recovery)
	return page.Step{
		Do: doRecovery, Title: page.Text{DE: "Wiederherstellungscodes", EN: "Recovery codes"}, Text: t.onPage(),
		Button: page.Text{DE: "Neue Codes", EN: "New codes"},
	}
}

// manageForm changes what the employee has enrolled.
func (q *request) manageForm(form map[string]string) {
	if !q.login() {
		return
	}
	half, err := q.o.factors.OpenHalf(form["own"], q.halfSite(), []string{q.sessionBinding()})
	if err != nil || half.ID != "" || !q.mayManage() {
		q.showManage(textProveAgain)
		return
	}
	ctx, me, may := q.r.Context(), q.me(), factor.Permit{Proven: true}
	event, what := audit.Enrolled, ""
	var codes []string
	switch form["do"] {
	case doNewTOTP:
		what = string(factor.TOTP)
		codes, err = q.o.factors.EnrolTOTP(ctx, me, may, half.Secret, form["code"])
	case doNewPasskey:
		what = string(factor.Passkey)
		codes, err = q.o.factors.EnrolPasskey(ctx, me, may, q.baseURL(), form["name"], half.Ceremony, []byte(form["answer"]))
	case doRecovery:
		what = string(factor.Recovery)
		codes, err = q.o.factors.RenewRecovery(ctx, me)
	case doRemove:
		event, what = audit.FactorRemoved, string(factor.Passkey)
		if form["ref"] == factor.RemoveTOTP {
			what = string(factor.TOTP)
		}
		err = q.o.factors.Remove(ctx, me, form["ref"])
	default:
		q.answer(plain{status: http.StatusBadRequest, reason: "request_body", text: textRequestBody})
		return
	}
	if err != nil {
		q.notChanged(err)
		return
	}
	if !q.noteFactor(me, event, what) {
		return
	}
	if len(codes) > 0 {
		q.showCodes(codes, factorPath)
		return
	}
	q.backTo(factorPath)
}

func (q *request) notChanged(err error) {
	q.h.logger.Warn("second factor not changed", zap.String("request", q.id), zap.Error(err))
	reason, t := factorFault(err)
	if reason == "" {
		q.factorDown(err)
		return
	}
	if q.logHalf(q.me(), reason) {
		q.showManage(t)
	}
}

var textProveAgain = text{
	"Um etwas zu ändern, bestätigen Sie Ihren zweiten Faktor noch einmal. Das gilt dann zehn Minuten.",
	"To change something, confirm your second factor once more. That holds for ten minutes.",
}

func textRecoveryLeft(n int) text {
	switch n {
	case 0:
		return text{"Sie haben keine mehr.", "You have none left."}
	case 1:
		return text{"Sie haben noch einen.", "You have one left."}
	}
	return text{"Sie haben noch " + strconv.Itoa(n) + ". Neue machen die alten ungültig.", "You have " + strconv.Itoa(n) + " left. New ones make the old ones invalid."}
}
