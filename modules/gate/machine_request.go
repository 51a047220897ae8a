package gate

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/oidc"
	"github.com/crmgate/crmgate/internal/session"
)

// machineIssuer stands where an employee's provider does. No provider can be
// called so: an issuer is an address.
const machineIssuer = "machine"

var (
	textMachine = text{
		"Der Zugang dieses Programms wurde nicht angenommen. Der Grund steht im Protokoll des Gateways.",
		"This program's credential was not accepted. The gateway's log says why.",
	}
	textMachineExpired = text{
		"Das Token ist abgelaufen. Holen Sie ein neues.",
		"The token has expired. Get a new one.",
	}
	textMachineIssuer = text{
		"Die Schlüssel des Ausstellers sind gerade nicht erreichbar. Versuchen Sie es gleich noch einmal.",
		"The issuer's keys can't be had right now. Try again in a moment.",
	}
	textMachineAmbiguous = text{
		"Die Anfrage kommt von mehreren zugleich: Senden Sie genau einen Zugang und kein Sitzungs-Cookie.",
		"The request comes from several callers at once: send exactly one credential and no session cookie.",
	}
	textMachineOwn = text{
		"Diese Seite ist für Mitarbeitende.",
		"This page is for employees.",
	}
)

// machine finds out whether a machine is calling, and lets it in or answers.
// Nothing here redirects, and nothing leads to a session. Who presents neither a
// credential nor a machine's certificate is no machine, and goes on to login.
func (q *request) machine() bool {
	m := q.h.machines
	if m == nil || q.employee != nil { // who is explained
		return true
	}
	byCert, err := m.byCertificate(q.r.TLS)
	if err != nil {
		q.refuseMachine(http.StatusBadRequest, "ambiguous_caller", textMachineAmbiguous, err)
		return false
	}
	callers := len(q.presented)
	if byCert != nil {
		callers++
	}
	if callers == 0 {
		return true
	}
	if q.isOwn() {
		return q.machineAtOwn(byCert != nil && callers == 1)
	}
	if callers > 1 || len(q.cookies.Sessions(q.r.Header)) > 0 {
		q.refuseMachine(http.StatusBadRequest, "ambiguous_caller", textMachineAmbiguous, nil)
		return false
	}
	if byCert == nil {
		if byCert = q.byCredential(q.presented[0]); byCert == nil {
			return false
		}
	}
	q.employee = q.asMachine(byCert)
	return true
}

// machineAtOwn answers a machine at the gateway's own addresses, which are for
// employees. A certificate comes with every request of a connection, meant or
// not: it alone lets the public ones through.
func (q *request) machineAtOwn(certificateAlone bool) bool {
	public := q.c.Path == ownPrefix+"/ready" || q.c.Path == ownPrefix+"/jwks.json"
	if public && certificateAlone {
		return true
	}
	q.refuseMachine(http.StatusForbidden, "machine_page", textMachineOwn, nil)
	return false
}

// asMachine is the machine in the employee's place.
func (q *request) asMachine(m *Machine) *employee {
	return &employee{
		machine: m.Name, pseudonym: q.o.log.Employee(machineIssuer, m.Name),
		session: session.Session{Identity: session.Identity{
			Issuer: machineIssuer, Subject: m.Name, Name: m.Name, User: m.CRMUser, Roles: m.Roles,
		}},
	}
}

// byCredential returns the machine of a credential, or answers and returns nil.
func (q *request) byCredential(credential string) *Machine {
	scheme, value, _ := strings.Cut(credential, " ")
	value = strings.Trim(value, " ")
	switch {
	case strings.EqualFold(scheme, "Bearer") && q.h.machines.tokens != nil:
		return q.byToken(value)
	case strings.EqualFold(scheme, "Basic") && len(q.h.machines.secrets) > 0:
		raw, err := base64.StdEncoding.DecodeString(value)
		name, secret, ok := strings.Cut(string(raw), ":")
		if err == nil && ok {
			if m := q.h.machines.bySecret(name, secret); m != nil {
				return m
			}
		}
	}
	q.refuseMachine(http.StatusUnauthorized, "credential_refused", textMachine, nil)
	return nil
}

func (q *request) byToken(raw string) *Machine {
	name, err := q.h.machines.tokens.Verify(q.r.Context(), raw)
	switch {
	case err == nil:
		return q.h.machines.byName[name]
	case errors.Is(err, oidc.ErrMachineIssuer):
		q.refuseMachine(http.StatusServiceUnavailable, "issuer_down", textMachineIssuer, err)
	case errors.Is(err, oidc.ErrMachineExpired):
		q.refuseMachine(http.StatusUnauthorized, "credential_expired", textMachineExpired, err)
	default:
		q.refuseMachine(http.StatusUnauthorized, "credential_refused", textMachine, err)
	}
	return nil
}

// refuseMachine answers with problem details, whatever the client accepts. It
// names a class of reasons; the cause is for the process log alone. There is no
// entry: anybody could fill the log.
func (q *request) refuseMachine(status int, reason string, t text, cause error) {
	q.h.logger.Warn("a machine was refused", zap.String("request", q.id), zap.String("reason", reason), zap.Error(cause))
	q.status, q.fault = status, reason
	h := q.w.Header()
	ownHeaders(h)
	h.Set("Content-Type", "application/problem+json")
	switch status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", q.h.machines.challenge())
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "5")
	}
	raw, err := json.Marshal(map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status,
		"detail": t.in(q.r.Header.Get("Accept-Language")), "reason": reason, "request": q.id,
	})
	if err != nil {
		raw = []byte("{}")
	}
	q.write(status, raw)
}

// challenge names the scheme. A browser would answer Basic with a dialogue of
// its own: it is named only where there is nothing else.
func (m *machines) challenge() string {
	if m.tokens == nil {
		return `Basic realm="crmgate", charset="UTF-8"`
	}
	return `Bearer realm="crmgate", error="invalid_token"`
}
