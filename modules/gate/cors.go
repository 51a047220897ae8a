package gate

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"
)

// corsOrigin says what is wrong with an origin of `cors`, "" for nothing.
func corsOrigin(o string) string {
	u, err := url.Parse(o)
	switch {
	case o == "*" || o == "null" || strings.Contains(o, "*"):
		return "each origin is named: one that stands for many would let any site read the CRM as whoever is signed in"
	case err != nil || u.Host == "" || u.Scheme+"://"+u.Host != o || strings.ToLower(o) != o:
		return "an origin is scheme and host in lower case, and the port where it isn't the usual one: https://app.example.de"
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Host)):
		return "an origin is https; http only on loopback"
	case u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80":
		return "browsers leave the usual port out: leave it out here"
	}
	return ""
}

func (h *Handler) checkCORS() error {
	for _, o := range h.CORS {
		if why := corsOrigin(o); why != "" {
			return fmt.Errorf("cors %q: %s", o, why)
		}
		h.logger.Warn("scripts of this origin may read what whoever is signed in may see", zap.String("cors", o))
	}
	return nil
}

func (h *Handler) unmarshalCORS(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) == 0 {
		return d.Errf("cors takes origins: cors https://app.example.de")
	}
	for _, o := range args {
		if why := corsOrigin(o); why != "" {
			return d.Errf("cors %q: %s", o, why)
		}
	}
	h.CORS = append(h.CORS, args...)
	return nil
}

// cors lets the configured origins read the answers, the gateway's own among
// them: a script that can't read a 401 can't say that somebody has to sign in.
// It answers preflights, which carry no cookies, and reports that it did.
func (q *request) cors() (answered bool) {
	if len(q.h.CORS) == 0 {
		return false
	}
	origin := q.r.Header.Get("Origin")
	if !slices.Contains(q.h.CORS, origin) {
		origin = ""
	}
	q.w = &corsWriter{ResponseWriter: q.w, origin: origin}
	asked := q.r.Header.Get("Access-Control-Request-Method")
	if origin == "" || q.c.Method != http.MethodOptions || asked == "" {
		return false
	}
	h := q.w.Header()
	ownHeaders(h)
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE")
	if names := q.r.Header.Get("Access-Control-Request-Headers"); len(names) <= 1024 && headerNames.MatchString(names) {
		h.Set("Access-Control-Allow-Headers", names)
	}
	h.Set("Access-Control-Max-Age", "600")
	q.route, q.status = "preflight", http.StatusNoContent
	q.write(http.StatusNoContent, nil)
	return true
}

// headerNames is a list of header names, as browsers write it.
var headerNames = regexp.MustCompile(`^[A-Za-z0-9-]+(, ?[A-Za-z0-9-]+)*$`)

// corsWriter says of every answer who may read it, in the place of what the CRM
// says: it knows nothing of the gateway's sign-in. It stands before the client,
// not before the mask, so that it may be unwrapped.
type corsWriter struct {
	http.ResponseWriter
	origin string // "" = none that may
	done   bool
}

// WriteHeader sets the headers.
func (w *corsWriter) WriteHeader(status int) {
	if !w.done && status >= 200 {
		w.done = true
		h := w.Header()
		h.Add("Vary", "Origin")
		if w.origin != "" {
			h.Set("Access-Control-Allow-Origin", w.origin)
			h.Set("Access-Control-Allow-Credentials", "true")
			if len(h.Values("Access-Control-Expose-Headers")) == 0 {
				h.Set("Access-Control-Expose-Headers", "Audit-Id")
			}
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write writes the headers first.
func (w *corsWriter) Write(b []byte) (int, error) {
	if !w.done {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *corsWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
