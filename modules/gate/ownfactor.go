package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/factor"
	"github.com/crmgate/crmgate/internal/oidc"
	"github.com/crmgate/crmgate/internal/session"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// factorPath is where the gateway's own second factor is proven and managed.
const factorPath = ownPrefix + "/factor"

// The words of `mfa gateway`.
const (
	wordPasskey = "passkey"
	wordTOTP    = "totp"
)

// unmarshalGatewayFactor reads what follows `mfa gateway`:
//
//	[passkey] [totp]
func (o *OIDC) unmarshalGatewayFactor(d *caddyfile.Dispenser, args []string) error {
	for _, a := range args {
		if a != wordPasskey && a != wordTOTP {
			return crmgate.UnknownWord(d, a, wordPasskey, wordTOTP)
		}
	}
	if len(args) == 0 {
		args = []string{wordPasskey, wordTOTP}
		if o.MFAPhishingResistant {
			args = args[:1]
		}
	}
	o.MFAGateway = args
	return nil
}

// ownFactor reports whether the gateway proves the second factor itself.
func (h *Handler) ownFactor() bool { return len(h.OIDC.MFAGateway) > 0 }

// checkOwnFactor judges what the configuration says of it.
func (o *OIDC) checkOwnFactor() error {
	if len(o.MFAGateway) == 0 {
		if o.MFAOpenEnrolment != "" {
			return errors.New("mfa open_enrolment goes with mfa gateway: nothing is enrolled here")
		}
		return nil
	}
	for _, m := range o.MFAGateway {
		if m != wordPasskey && m != wordTOTP {
			return fmt.Errorf("mfa gateway: there is no %q, only %s and %s", m, wordPasskey, wordTOTP)
		}
	}
	if o.MFAPhishingResistant && slices.Contains(o.MFAGateway, wordTOTP) {
		return errors.New("mfa phishing_resistant takes passkeys alone: write mfa gateway passkey")
	}
	return nil
}

// elsewhere hands the proof of the second factor from the provider to the gate.
func (o *OIDC) elsewhere(cfg *oidc.Config) {
	if len(o.MFAGateway) == 0 {
		return
	}
	cfg.PhishingResistant, cfg.Elsewhere = false, nil
	if slices.Contains(o.MFAGateway, wordPasskey) {
		cfg.Elsewhere = append(cfg.Elsewhere, string(factor.Passkey))
		cfg.Resistant.AMR = []string{string(factor.Passkey)}
	}
	if slices.Contains(o.MFAGateway, wordTOTP) {
		cfg.Elsewhere = append(cfg.Elsewhere, string(factor.TOTP))
	}
}

// openFactors opens the enrolments; nil where the provider proves the factor.
func (h *Handler) openFactors(s *crmgate.Services) (*factor.Manager, error) {
	if !h.ownFactor() {
		return nil, nil //nolint:nilnil // there are none, and that is no fault
	}
	store, ok := s.Store.(factor.Store)
	if !ok {
		return nil, errors.New("this store can't keep second factors: mfa gateway needs the store sqlite or postgres")
	}
	m, err := factor.New(factor.Config{
		Passkey: slices.Contains(h.OIDC.MFAGateway, wordPasskey), TOTP: slices.Contains(h.OIDC.MFAGateway, wordTOTP),
		Recovery: !h.OIDC.MFAPhishingResistant, Store: store, Sealer: s.Ring, Key: s.Ring.Derive("factor codes"),
	})
	if err != nil {
		return nil, fmt.Errorf("mfa gateway: %w", err)
	}
	if h.OIDC.MFAOpenEnrolment != "" {
		h.logger.Warn("whoever can sign in at the provider may enrol a first factor without a code: mfa open_enrolment",
			zap.String("reason", h.OIDC.MFAOpenEnrolment))
	}
	h.app.Every(sweepEvery, func(ctx context.Context) {
		if err := m.Sweep(ctx); err != nil {
			h.logger.Error("sweeping invitations", zap.Error(err))
		}
	})
	return m, nil
}

// Factors is what an administrator's command resets and invites with, and the
// provider whose people it knows; nil where the provider proves the factor.
func (h *Handler) Factors() (m *factor.Manager, issuer string) {
	if o := h.opened.Load(); o != nil {
		m = o.factors
	}
	return m, h.OIDC.Issuer
}

// proven reports whether somebody has proven what this gate takes as a second
// factor. A session may have been made without: by another site, whose sessions
// are in the same store, or before the configuration changed.
func (h *Handler) proven(id session.Identity, issued time.Time) bool {
	if h.ownFactor() && !slices.ContainsFunc(id.AMR, h.OIDC.takes) {
		return false
	}
	return h.provider.Proves(oidc.Identity(id), issued)
}

// takes reports whether a method of the gateway's own is in force.
func (o *OIDC) takes(amr string) bool {
	switch factor.Method(amr) {
	case factor.Passkey:
		return slices.Contains(o.MFAGateway, wordPasskey)
	case factor.TOTP:
		return slices.Contains(o.MFAGateway, wordTOTP)
	case factor.Recovery:
		return !o.MFAPhishingResistant
	}
	return false
}

// firstHalf is what a half sign-in carries.
type firstHalf struct {
	Identity oidc.Identity `json:"identity"`
	ReturnTo string        `json:"return_to"`
	StepUp   bool          `json:"step_up,omitempty"`
	Demand   oidc.Demand   `json:"demand,omitzero"`
}

// beginHalf goes on after the provider's half of a sign-in. It makes no session:
// what is handed out opens nothing but the page of the second factor.
func (q *request) beginHalf(done oidc.Finished) {
	p := personOf(done.Identity)
	state, err := q.o.factors.State(q.r.Context(), p)
	if err != nil {
		q.factorDown(err)
		return
	}
	if !state.Enrolled && !fresh(done.Identity.AuthTime, time.Now()) {
		// A browser that was left signed in at the provider enrols nobody.
		if done.Retry {
			q.refuseHalf(p, "not_fresh", http.StatusForbidden, textNotFresh)
			return
		}
		q.beginWith(oidc.BeginRequest{ReturnTo: done.ReturnTo, Retry: true, Fresh: true})
		return
	}
	payload, err := json.Marshal(firstHalf{Identity: done.Identity, ReturnTo: done.ReturnTo, StepUp: done.StepUp, Demand: done.Demand})
	if err != nil {
		q.factorDown(err)
		return
	}
	half := &factor.Half{ID: done.StateID, Begun: time.Now(), Person: p, Payload: payload}
	half.Bind(done.Binding)
	q.showHalf(half, text{})
}

// fresh reports whether somebody signed in at the provider within minutes. Where
// it doesn't say when, they have just come back from there, and that counts.
func fresh(at, now time.Time) bool { return at.IsZero() || now.Sub(at) <= factor.HalfFor+oidc.Skew }

func personOf(id oidc.Identity) factor.Person {
	p := factor.Person{Issuer: id.Issuer, Subject: id.Subject, User: id.User, Name: id.Name}
	if id.EmailVerified {
		p.Email = id.Email
	}
	return p
}

// serveFactor answers the page of the second factor: for a half sign-in that
// comes with a form, and otherwise for somebody who is signed in.
func (q *request) serveFactor() {
	if q.o.factors == nil {
		q.notFound()
		return
	}
	if q.r.Method != http.MethodPost {
		q.manage()
		return
	}
	if !q.sameOrigin() {
		q.answer(plain{status: http.StatusForbidden, reason: "cross_site", text: textCrossSite})
		return
	}
	form, ok := q.readForm()
	if !ok {
		q.answer(plain{status: http.StatusBadRequest, reason: "request_body", text: textRequestBody})
		return
	}
	if form["half"] == "" {
		q.manageForm(form)
		return
	}
	half, err := q.o.factors.OpenHalf(form["half"], q.halfSite(), q.cookies.Bindings(q.r.Header))
	switch {
	case errors.Is(err, factor.ErrLate):
		q.refuseHalf(half.Person, "expired", http.StatusForbidden, text{oidc.ErrExpired.German, oidc.ErrExpired.English})
	case err != nil:
		q.h.logger.Warn("half sign-in refused", zap.String("request", q.id), zap.Error(err))
		q.answer(plain{status: http.StatusForbidden, reason: oidc.ErrState.Code, text: text{oidc.ErrState.German, oidc.ErrState.English}, link: signInAgain()})
	default:
		q.secondHalf(&half, form)
	}
}

// halfSite is what a half sign-in is sealed for. Two gates may serve one address,
// parted by a matcher (of the client's network, say): what the provider said of
// somebody to the one is nothing to the other, if that is another client or reads
// other roles.
func (q *request) halfSite() string { return q.baseURL() + "\n" + q.h.realm() }

// secondHalf does what the form of a half sign-in asks for.
func (q *request) secondHalf(half *factor.Half, form map[string]string) {
	ctx, site := q.r.Context(), q.baseURL()
	var by factor.Method
	var codes []string
	var err error
	may := factor.Permit{Invitation: half.Invitation, Open: q.h.OIDC.MFAOpenEnrolment != ""}
	enrolled := false
	switch form["do"] {
	case doCode:
		by, err = q.o.factors.ProveCode(ctx, half.Person, form["code"])
	case doPasskey:
		by, err = q.o.factors.ProvePasskey(ctx, half.Person, site, half.Ceremony, []byte(form["answer"]))
	case doInvitation:
		if err = q.o.factors.CheckInvitation(ctx, half.Person, form["code"]); err == nil {
			half.Invitation = form["code"]
			q.showHalf(half, text{})
			return
		}
	case doNewTOTP:
		by, enrolled = factor.TOTP, true
		codes, err = q.o.factors.EnrolTOTP(ctx, half.Person, may, half.Secret, form["code"])
	case doNewPasskey:
		by, enrolled = factor.Passkey, true
		codes, err = q.o.factors.EnrolPasskey(ctx, half.Person, may, site, form["name"], half.Ceremony, []byte(form["answer"]))
	default:
		q.answer(plain{status: http.StatusBadRequest, reason: "request_body", text: textRequestBody})
		return
	}
	if err != nil {
		q.notProven(half, err)
		return
	}
	if enrolled && !q.noteFactor(half.Person, audit.Enrolled, string(by)) {
		return
	}
	q.proven(half, by, codes)
}

// proven makes the session: with the gateway's own proof, and the time of it, in
// the place of what the provider may have said of one.
func (q *request) proven(half *factor.Half, by factor.Method, codes []string) {
	var first firstHalf
	if err := json.Unmarshal(half.Payload, &first); err != nil {
		q.factorDown(err)
		return
	}
	id := first.Identity
	id.AMR, id.ACR, id.AuthTime = []string{string(by)}, "", time.Now().Truncate(time.Second)
	if first.StepUp && !q.h.provider.Meets(id, first.Demand) {
		q.logHalf(half.Person, "step_up_failed")
		q.showHalf(half, textStrongerFactor)
		return
	}
	done := oidc.Finished{Identity: id, Subject: id.Subject, ReturnTo: first.ReturnTo, StateID: half.ID, StepUp: first.StepUp}
	if !q.admit(done) {
		return
	}
	if len(codes) > 0 {
		q.showCodes(codes, oidc.ReturnTo(first.ReturnTo))
		return
	}
	q.arrive(first.ReturnTo)
}

// notProven says why, after it was logged.
func (q *request) notProven(half *factor.Half, err error) {
	q.h.logger.Warn("second factor refused", zap.String("request", q.id), zap.Error(err))
	reason, t := factorFault(err)
	if reason == "" {
		q.factorDown(err)
		return
	}
	if !q.logHalf(half.Person, reason) {
		return
	}
	q.showHalf(half, t)
}

// logHalf writes down that somebody's second half was refused.
func (q *request) logHalf(p factor.Person, reason string) bool {
	q.h.metrics.SignIn(reason)
	e := q.entry(audit.Control)
	e.Event, e.Error = audit.Refused, reason
	e.Employee = q.o.log.Employee(p.Issuer, p.Subject)
	rec, ok := q.append(e)
	if !ok {
		q.unavailable("log")
		return false
	}
	q.auditID = rec.String()
	return true
}

// refuseHalf ends a half sign-in.
func (q *request) refuseHalf(p factor.Person, reason string, status int, t text) {
	if q.logHalf(p, reason) {
		q.answer(plain{status: status, reason: reason, text: t, link: signInAgain()})
	}
}

// noteFactor writes down what happened to somebody's factor. It happened: where
// that can't be written the answer is 503, and there is no session.
func (q *request) noteFactor(p factor.Person, event audit.Event, detail string) bool {
	e := q.entry(audit.Control)
	e.Event, e.Detail = event, detail
	e.Employee = q.o.log.Employee(p.Issuer, p.Subject)
	rec, ok := q.append(e)
	if !ok {
		q.unavailable("log")
		return false
	}
	q.auditID = rec.String()
	return true
}

func (q *request) factorDown(err error) {
	q.h.logger.Error("second factor", zap.String("request", q.id), zap.Error(err))
	q.unavailable("factor_store")
}
