package gate

import (
	"context"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/audit"
)

// entry begins an entry of this request.
func (q *request) entry(kind audit.Kind) *audit.Entry {
	e := &audit.Entry{Kind: kind, Request: q.id, Profile: q.h.profile.Name, SourceIP: q.ip}
	if q.c != nil { // nil: the request is ambiguous
		e.Gate, e.Method = q.c.Host, q.c.Method
	}
	if q.observing() {
		e.Observed = &audit.Observed{Until: q.h.Observe.Until}
	}
	if q.employee != nil {
		id := q.employee.session.Identity
		if q.employee.pseudonym == "" {
			q.employee.pseudonym = q.o.log.Employee(id.Issuer, id.Subject)
			q.employee.log = q.o.log.Keyed("session", q.employee.session.Ref())
		}
		e.Employee, e.Session, e.Roles = q.employee.pseudonym, q.employee.log, id.Roles
		e.Factor, e.CRMUser = q.employee.factor(), q.crmUser
	}
	return e
}

// factor says what proved the second factor, or that nothing did.
func (e *employee) factor() string {
	if e.machine != "" {
		return "machine " + e.machine
	}
	id := e.session.Identity
	f := "amr=" + strings.Join(id.AMR, "+")
	if id.ACR != "" {
		f += " acr=" + id.ACR
	}
	if !id.AuthTime.IsZero() {
		f += " auth_time=" + id.AuthTime.UTC().Format(time.RFC3339)
	}
	return f
}

// append makes an entry durable. It never depends on the client: a request
// that is cancelled is logged all the same.
func (q *request) append(e *audit.Entry) (audit.Receipt, bool) {
	e.Accesses = q.listedNames(e.Accesses)
	if q.batch != nil {
		e.Detail = strings.TrimSuffix(q.place()+"; "+e.Detail, "; ")
	}
	rec, err := q.o.log.Append(withoutCancel(q), e)
	if err == nil {
		err = q.lookOut(e, rec)
	}
	if err != nil {
		q.h.logger.Error("writing the audit log", zap.String("request", q.id), zap.Error(err))
		return rec, false
	}
	return rec, true
}

func withoutCancel(q *request) context.Context { return context.WithoutCancel(q.r.Context()) }

// logIntent makes the intent durable before anything is forwarded.
func (q *request) logIntent() bool {
	rec, ok := q.append(q.intentEntry())
	if !ok {
		q.unavailable("log")
		return false
	}
	q.intent, q.auditID = rec, rec.String()
	return true
}

func (q *request) intentEntry() *audit.Entry {
	e := q.entry(audit.Intent)
	e.Accesses = q.x.Accesses
	e.Decision = &audit.Decision{Policy: q.h.policy.Version()}
	if q.first != nil {
		e.Detail = "goes on from entry " + q.first.Entry
	}
	return e
}
