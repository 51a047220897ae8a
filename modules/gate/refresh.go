package gate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/oidc"
	"github.com/crmgate/crmgate/internal/session"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// renewEvery is how often sessions whose tokens are about to expire are looked
// for.
const renewEvery = 2 * time.Second

// noteSession writes down what happened to a session without a request.
func (h *Handler) noteSession(ctx context.Context, n session.Notice) {
	o := h.opened.Load()
	if o == nil {
		return
	}
	id := n.Session.Identity
	e := &audit.Entry{
		Kind: audit.Control, Profile: h.profile.Name, Employee: o.log.Employee(id.Issuer, id.Subject),
		Session: o.log.Keyed("session", n.Session.Ref()), Roles: id.Roles, Error: n.Code,
	}
	switch n.Kind {
	case session.OverLimit:
		h.metrics.LoggedOut(crmgate.LogoutOverLimit)
		e.Event, e.Detail = audit.Revoked, fmt.Sprintf("the oldest of more than %d sessions", h.SessionsPerEmployee)
	case session.RenewFailed:
		e.Event, e.Detail = audit.RefreshFailed, "the session goes on with what it has"
	case session.RenewRefused:
		h.metrics.LoggedOut(crmgate.LogoutRenewal)
		e.Event, e.Detail = audit.RefreshFailed, "the session was ended"
	}
	if no, ok := errors.AsType[*oidc.Refusal](n.Err); ok {
		e.Error = no.Code
	}
	if n.Kind != session.OverLimit {
		h.logger.Warn("a session was not renewed", zap.String("reason", n.Code), zap.Bool("ended", n.Kind == session.RenewRefused), zap.Error(n.Err))
	}
	if _, err := o.log.Append(context.WithoutCancel(ctx), e); err != nil {
		h.logger.Error("writing the audit log", zap.Error(err))
	}
}

// checkSessions judges what the configuration says of sessions.
func (h *Handler) checkSessions() error {
	if h.SessionsPerEmployee < 0 {
		return fmt.Errorf("sessions_per_employee %d: give at least 1, or leave it out", h.SessionsPerEmployee)
	}
	for _, p := range h.Passive {
		if why := passivePath(p); why != "" {
			return fmt.Errorf("passive %q: %s", p, why)
		}
	}
	return nil
}

// passivePath says what is wrong with a path of `passive`, "" for nothing.
func passivePath(p string) string {
	path, below := strings.CutSuffix(p, "/*")
	switch {
	case below && path == "":
		return "it would let nothing count as use, and every session end by being idle; name the paths that are polled"
	case !strings.HasPrefix(p, "/"):
		return "a path begins with a slash: /poll, or /poll/* for all below it"
	case strings.ContainsAny(path, "*?#{}") || strings.Contains(path, "//"):
		return "it is one path, or a path and /* for all below it; nothing else stands for many"
	}
	return ""
}

func (h *Handler) unmarshalPassive(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) == 0 {
		return d.Errf("passive takes paths: passive /poll /presence/*")
	}
	for _, p := range args {
		if why := passivePath(p); why != "" {
			return d.Errf("passive %q: %s", p, why)
		}
	}
	h.Passive = append(h.Passive, args...)
	return nil
}

// renew renews tokens as long as the app runs. What is on its way when it stops
// is waited for: a provider may have given the only token that still works.
func (h *Handler) renew(sessions *session.Manager) {
	h.app.Every(renewEvery, func(ctx context.Context) { sessions.Renew(ctx, renewer{h.provider, h.metrics}) })
}

// renewer is the provider as sessions see it.
type renewer struct {
	provider *oidc.Provider
	metrics  *crmgate.Metrics
}

// Renew implements session.Renewer.
func (r renewer) Renew(ctx context.Context, old session.Identity) (session.Identity, error) {
	id, err := r.provider.Refresh(ctx, oidc.RefreshRequest{Identity: oidc.Identity(old)})
	result := crmgate.RenewalOK
	if err != nil {
		result = crmgate.RenewalFailed
	}
	if oidc.EndsSession(err) {
		result = crmgate.RenewalRefused
		code := "refused"
		if no, ok := errors.AsType[*oidc.Refusal](err); ok {
			code = no.Code
		}
		err = &session.Final{Code: code, Grant: errors.Is(err, oidc.ErrRefreshGone), Err: err}
	}
	r.metrics.Renewed(result)
	return session.Identity(id), err
}

var _ session.Renewer = renewer{}
