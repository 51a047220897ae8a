package gate

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/canon"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/session"
)

// openPath says what is wrong with a path of `public`, "" for nothing. What it
// takes is one path, or a path and `/*` for all that lies below it: no other
// form, so that nobody has to guess what a line opens.
func openPath(p string) string {
	path, below := strings.CutSuffix(p, "/*")
	switch {
	case below && path == "":
		return "it would open everything; name the paths that anybody may fetch"
	case !strings.HasPrefix(p, "/"):
		return "a path begins with a slash: /healthz, or /static/* for all below it"
	case strings.ContainsAny(path, "*?#{}%\\;") || strings.Contains(path, "//"):
		return "it is one path, or a path and /* for all below it, as it is read once decoded; nothing else stands for many"
	case path == ownPrefix || strings.HasPrefix(path+"/", ownPrefix+"/"):
		return "what lies below /.crmgate is the gateway's own"
	}
	if _, err := canon.LocalTarget(path); err != nil {
		return "no request with such a path is let through"
	}
	return ""
}

// checkPublic refuses lines that would lead around the mask, or nowhere.
func (h *Handler) checkPublic() error {
	for _, p := range h.Public {
		if why := openPath(p); why != "" {
			return fmt.Errorf("public %q: %s", p, why)
		}
		path, below := strings.CutSuffix(p, "/*")
		masked, found := h.profile.Opens(path, below)
		switch {
		case len(masked) > 0:
			return fmt.Errorf("public %q: the profile %s masks what is there (%s): only routes without personal data (`pass: true`) can be public",
				p, h.profile.Name, strings.Join(masked, ", "))
		case !found:
			return fmt.Errorf("public %q: no GET route of the profile %s leads there, so nothing would be let through; add one with `pass: true`",
				p, h.profile.Name)
		}
		h.logger.Warn("without sign-in: anybody may fetch this", zap.String("public", p))
	}
	return nil
}

// isPublic reports whether anybody may ask for this. It looks at the canonical
// path alone: no query, header or spelling can widen it.
func (q *request) isPublic() bool {
	if q.c.Method != http.MethodGet && q.c.Method != http.MethodHead {
		return false
	}
	return slices.ContainsFunc(q.h.Public, func(p string) bool {
		path, below := strings.CutSuffix(p, "*")
		return q.c.Path == p && !below || below && strings.HasPrefix(q.c.Path, path)
	})
}

// public forwards a request of anybody, as far as the profile says that there
// are no personal data in it. Nobody is known here, so there is no entry.
func (q *request) public() {
	session.Strip(q.r.Header)
	q.employee = nil // not even a machine: no CRM session is anybody's here, and nobody is named to the CRM
	if q.c.Upgrade != "" {
		q.answer(plain{status: http.StatusForbidden, reason: "upgrade", text: textUpgrade})
		return
	}
	no := q.inAdvance()
	if no == nil {
		no = q.readBody()
	}
	if no != nil {
		q.answer(plain{status: no.status, reason: no.reason, text: no.text})
		return
	}
	x, err := q.h.profile.Classify(profile.Request{
		Method: q.c.Method, Path: q.c.Path, Query: params(q.c.Query), MediaType: q.media, ContentType: q.r.Header.Get("Content-Type"), Body: q.body,
	})
	if no, ok := errors.AsType[*profile.Refusal](err); ok {
		q.answer(plain{status: max(no.Status, http.StatusForbidden), reason: no.Reason, text: profileText(no)})
		return
	}
	if err != nil || !x.Pass || x.Call != "" || x.Issuer() != nil {
		q.answer(plain{status: http.StatusForbidden, reason: "public", text: textNotPublic})
		return
	}
	q.x, q.route = x, x.Route
	q.pass()
}

var textNotPublic = text{
	"Diese Adresse ist in der Konfiguration als öffentlich eingetragen, enthält aber nach dem Profil personenbezogene Daten. Sie wird deshalb nicht ausgeliefert.",
	"The configuration calls this address public, but by the profile it holds personal data. Therefore it is not served.",
}

func (h *Handler) unmarshalPublic(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) == 0 {
		return d.Errf("public takes paths: public /healthz /static/*")
	}
	for _, p := range args {
		if why := openPath(p); why != "" {
			return d.Errf("public %q: %s", p, why)
		}
	}
	h.Public = append(h.Public, args...)
	return nil
}
