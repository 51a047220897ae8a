package gate

import (
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/consent"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// consentModule is the module that keeps who has consented to what.
const consentModule = "crmgate.consent"

func (h *Handler) unmarshalConsent(d *caddyfile.Dispenser) error {
	if h.ConsentRaw != nil {
		return d.Err("consent stands once in crm_gate: put all into one block")
	}
	module, err := caddyfile.UnmarshalModule(d, consentModule)
	if err != nil {
		return err
	}
	h.ConsentRaw = caddyconfig.JSON(module, nil)
	return nil
}

// loadConsent loads the ledger's module where the configuration has one.
func (h *Handler) loadConsent(ctx caddy.Context) error {
	if h.ConsentRaw == nil {
		return nil
	}
	mod, err := ctx.LoadModuleByID(consentModule, h.ConsentRaw)
	if err != nil {
		return fmt.Errorf("consent: %w", err)
	}
	c, ok := mod.(crmgate.Consent)
	if !ok {
		return fmt.Errorf("the module %s is %T", consentModule, mod)
	}
	h.consent = c
	return nil
}

// startConsent opens the ledger.
func (h *Handler) startConsent(s *crmgate.Services) error {
	if h.consent == nil {
		return nil
	}
	if err := h.consent.Open(h.app, s); err != nil {
		return fmt.Errorf("consent: %w", err)
	}
	return nil
}

// Consent implements crmgate.Consenting.
func (h *Handler) Consent() crmgate.Consent { return h.consent }

func isConsent(path string) bool {
	return path == consent.Path || strings.HasPrefix(path, consent.Path+"/")
}

// serveConsent hands a request over that nobody has to be signed in for.
func (q *request) serveConsent() {
	if q.h.consent == nil {
		q.notFound()
		return
	}
	q.route, q.employee = "consent", nil
	if no := q.inAdvance(); no != nil {
		q.answer(plain{status: no.status, reason: no.reason, text: no.text})
		return
	}
	q.h.consent.Serve(stranger{q})
}

// stranger is a request of somebody whom nobody knows.
type stranger struct{ q *request }

func (s stranger) Request() *http.Request { return s.q.r }
func (s stranger) Path() string           { return s.q.c.Path }
func (s stranger) Lang() string           { return s.q.lang() }
func (s stranger) IP() string             { return s.q.ip }

func (s stranger) Navigates() bool { return s.q.isNavigation() }

func (s stranger) SameOrigin() bool {
	h := s.q.r.Header
	if h.Get("Sec-Fetch-Site") == "" && h.Get("Origin") == "" {
		return true // no browser, or one that opens an address
	}
	return s.q.sameOrigin()
}

func (s stranger) Body(most int64) (body []byte, media string, ok bool) {
	q := s.q
	q.r.Body = http.MaxBytesReader(q.w, q.r.Body, most)
	if no := q.readBody(); no != nil {
		q.answer(plain{status: no.status, reason: no.reason, text: no.text})
		return nil, "", false
	}
	return q.body, q.media, true
}

func (s stranger) Write(status int, header map[string]string, body []byte) {
	h := s.q.w.Header()
	ownHeaders(h)
	for name, value := range header {
		h.Set(name, value)
	}
	s.q.status = status
	s.q.write(status, body)
}

func (s stranger) Answer(status int, reason, de, en string, header map[string]string) {
	s.q.answer(plain{status: status, reason: reason, text: text{de, en}, header: maps.Clone(header)})
}

func (s stranger) Failed(reason string, err error) {
	s.q.h.logger.Error("serving consents", zap.String("request", s.q.id), zap.String("reason", reason), zap.Error(err))
	s.q.answer(plain{status: http.StatusServiceUnavailable, reason: reason, text: textConsentFailed, header: map[string]string{"Retry-After": "5"}})
}

var textConsentFailed = text{
	"Das geht gerade nicht. Es wurde nichts gespeichert. Bitte versuchen Sie es in ein paar Minuten noch einmal.",
	"This isn't possible right now. Nothing was saved. Please try again in a few minutes.",
}

var (
	_ crmgate.Stranger   = stranger{}
	_ crmgate.Consenting = (*Handler)(nil)
)
