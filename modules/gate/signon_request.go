package gate

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/signon"
)

var textSignOn = text{
	"Ihr Name, Ihre Adresse oder Ihre Rollen enthalten Zeichen, die sich dem CRM nicht eindeutig mitteilen lassen. Ihre Administration muss sie beim Anmeldedienst ändern oder ein anderes Merkmal wählen.",
	"Your name, address or roles contain characters that can't be told to the CRM without doubt. Your administrator has to change them at the sign-in service, or choose another claim.",
}

// person is who the CRM is told of.
func (e *employee) person() signon.Person {
	id := e.session.Identity
	p := signon.Person{Subject: id.Subject, User: id.User, Name: id.Name, Roles: id.Roles}
	if id.EmailVerified { // of an unverified one anybody may be the owner
		p.Email = id.Email
	}
	if e.machine != "" {
		p.Machine, p.Subject = true, signon.MachinePrefix+e.machine
	}
	return p
}

// introducible reports whether the CRM can be told who this is; if not, it
// answers. It comes before everything that is forwarded.
func (q *request) introducible() bool {
	s := q.h.signOn
	if s == nil {
		return true
	}
	p := q.employee.person()
	err := p.Check()
	for _, x := range s.headers {
		_, no := p.Value(x.Source)
		err = errors.Join(err, no)
	}
	if err == nil {
		return true
	}
	q.h.logger.Warn("the CRM can't be told who is signed in", zap.String("request", q.id), zap.Error(err))
	q.refuse(refusal{status: http.StatusForbidden, reason: "identity_value", text: textSignOn})
	return false
}

// introduce tells the CRM who is signed in. Hygiene took out whatever the client
// said of it; what there is nothing to say of stays out.
func (q *request) introduce(r *http.Request) {
	s := q.h.signOn
	if s == nil {
		return
	}
	for _, name := range s.own {
		r.Header.Del(name)
	}
	if q.employee == nil {
		return
	}
	p := q.employee.person()
	for _, x := range s.headers {
		if v, err := p.Value(x.Source); err == nil && v != "" {
			r.Header.Set(x.Header, v)
		}
	}
	i := slices.IndexFunc(s.credentials, func(c UpstreamCredential) bool { return slices.Contains(p.Roles, c.Role) })
	if i >= 0 {
		r.Header.Set(s.credentials[i].Header, s.credentials[i].line)
	}
	signer, err := s.signs()
	if signer == nil && err == nil {
		return
	}
	token := ""
	if err == nil {
		token, err = signer.Sign(p, signon.About{
			Issuer: q.baseURL(), Audience: s.assertion.Audience, Now: time.Now(), TTL: time.Duration(s.assertion.TTL),
		})
	}
	if err != nil { // without one the CRM lets nobody in
		q.h.logger.Error("signing an assertion", zap.String("request", q.id), zap.Error(err))
		return
	}
	r.Header.Set(s.assertion.Header, token)
}

// jwks publishes the keys to check assertions by. They are public, and kept for
// no longer than a rotation should wait.
func (q *request) jwks() {
	signer, err := q.h.signOn.signs()
	if signer == nil || err != nil {
		q.answer(plain{status: http.StatusNotFound, reason: "not_found", text: textNoSuchPage})
		return
	}
	h := q.w.Header()
	ownHeaders(h)
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("Content-Type", "application/jwk-set+json")
	q.status = http.StatusOK
	q.write(http.StatusOK, signer.JWKS())
}
