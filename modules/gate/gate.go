// Package gate is the handler http.handlers.crm_gate: the way of a request
// through hygiene, sign-in, classification, policy, log, CRM, mask and log
// again. It is the only place that knows the order.
package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/canon"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/oidc"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/policy"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/restore"
	"github.com/crmgate/crmgate/internal/retain"
	"github.com/crmgate/crmgate/internal/session"
	"github.com/crmgate/crmgate/internal/transfer"
	"github.com/crmgate/crmgate/modules/crmgate"
)

func init() { caddy.RegisterModule(Handler{}) }

// Handler lets employees through to the CRM behind it: signed in with a second
// factor, with the personal data that their roles may see, and with an entry in
// the audit log before each step. What it doesn't know it refuses.
type Handler struct {
	// Profile is the CRM's profile: the name of one that ships (`tryton`), or
	// the path of a YAML file. Required.
	Profile string `json:"profile,omitempty"`
	// Policies are the paths of the Casbin policy files (CSV); `builtin:NAME`
	// is one that ships. Required.
	Policies []string `json:"policies,omitempty"`
	// Files is a digest of the profile and the policies as they were when the
	// Caddyfile was read. Caddy doesn't load a configuration that is the one it has:
	// without it a changed policy behind an unchanged Caddyfile would stay unread, and
	// the reload would say that all went well. Nothing reads it.
	Files string `json:"files,omitempty"`
	// OIDC says who signs employees in. Required.
	OIDC OIDC `json:"oidc,omitzero"`
	// SessionIdle ends a session that nobody used for so long. Default 30m.
	SessionIdle caddy.Duration `json:"session_idle,omitempty"`
	// SessionMax ends every session. Default 10h.
	SessionMax caddy.Duration `json:"session_max,omitempty"`
	// SessionsPerEmployee is how many sessions an employee may have at a time; a
	// further sign-in ends the oldest. Default: no limit.
	SessionsPerEmployee int `json:"sessions_per_employee,omitempty"`
	// AdministratorRoles are the roles whose employees see on a page all sessions
	// of this site's provider, client and claims, and may end them there. Default:
	// there is no such page.
	AdministratorRoles []string `json:"administrator_roles,omitempty"`
	// DeskRaw is the desk: pages for auditors and data protection officers, the
	// module `crmgate.desk`. Default: there are no such pages.
	DeskRaw json.RawMessage `json:"desk,omitempty"`
	// ConsentRaw is the ledger of consents, the module `crmgate.consent`. Default:
	// there is none.
	ConsentRaw json.RawMessage `json:"consent,omitempty"`
	// Passive are paths that are asked for without anybody at the keyboard
	// (polling, presence): they don't count as using the session. Each is a path
	// (`/poll`), or a path and all below it (`/poll/*`).
	Passive []string `json:"passive,omitempty"`
	// Hold is the largest response in bytes, after decoding, that is held until
	// it is judged. Default 8 MiB. A larger one is refused unless the profile
	// streams its route.
	Hold int64 `json:"hold,omitempty"`
	// RequestLimit is the largest request body in bytes. Default 4 MiB.
	RequestLimit int64 `json:"request_limit,omitempty"`
	// SearchRate is how many searches (requests that look for a text in several
	// fields) an employee or a machine may make in a minute. Default 240.
	SearchRate int `json:"search_rate,omitempty"`
	// Public are paths that anybody may GET without a sign-in: `/healthz`, or
	// `/static/*` for all below it. Only routes of the profile without personal
	// data (`pass: true`) can be; any other stops the start. Each is logged at load.
	Public []string `json:"public,omitempty"`
	// CORS are the origins (`https://app.example.de`) whose scripts may read the
	// answers, with the employee's session. Browsers send that only from the same
	// site, so another subdomain can use it, another domain can't. Without it no
	// CORS header is the gateway's.
	CORS []string `json:"cors,omitempty"`
	// StepUps demand a fresh or stronger proof for some requests.
	StepUps []StepUp `json:"step_up,omitempty"`
	// Machines are the API clients: programs that call the CRM without an
	// employee, each exempt from the second factor by its line alone.
	Machines []Machine `json:"machines,omitempty"`
	// IdentityHeaders tell the CRM who is signed in.
	IdentityHeaders []IdentityHeader `json:"identity_headers,omitempty"`
	// Assertion tells the CRM who is signed in by a signed token.
	Assertion *Assertion `json:"identity_assertion,omitempty"`
	// UpstreamCredentials are what the gateway presents to the CRM, by role.
	UpstreamCredentials []UpstreamCredential `json:"upstream_credentials,omitempty"`
	// Forbid says what employees must not enter into free texts.
	Forbid []Forbid `json:"forbid,omitempty"`
	// Canaries are records that nobody has a reason to open.
	Canaries []Canary `json:"canaries,omitempty"`
	// Links are web addresses in the CRM's answers that aren't what they look like.
	// Default: nothing looks for them.
	Links *Links `json:"links,omitempty"`
	// HouseRules are the company's rules, which employees acknowledge before the CRM
	// opens. Default: there are none.
	HouseRules *HouseRules `json:"rules,omitempty"`
	// Ungated is the reason why other proxies of this host may stand outside
	// the gate. Without one they stop the start.
	Ungated string `json:"ungated,omitempty"`
	// PlainHTTP is the reason why this site may be served without TLS beyond
	// loopback. Without one that stops the start.
	PlainHTTP string `json:"plain_http,omitempty"`
	// ClearUpstream is the reason why the CRM may be reached over a network in
	// clear text, or without checking its certificate. Without one that stops
	// the start.
	ClearUpstream string `json:"clear_upstream,omitempty"`
	// CRMHosts are further names of the CRM's host, with a port where it has one, or
	// `*.` and a domain: what an answer tells the client to ask there next (the next
	// page, where something was saved) leads to the gateway. The host to which
	// the site's proxy forwards and those of the profile's vendor are known.
	CRMHosts []string `json:"crm_hosts,omitempty"`
	// Accept is `documented` where a profile may be enforced that was written from
	// documentation or recordings, and never tried against a running CRM. Without
	// it such a profile stops the start.
	Accept string `json:"accept,omitempty"`
	// Reveal lets employees see one masked field of one record in clear, for a reason
	// and for a while. Default: nobody can.
	Reveal *Reveal `json:"reveal,omitempty"`
	// Observe is the exception for getting to know a CRM: until a day, what would
	// be masked and refused is only recorded. Default: the site enforces.
	Observe *Observe `json:"observe,omitempty"`
	// Locations are the countries in which the CRM keeps its data, by ISO 3166-1 alpha-2.
	// Default: the register marks it as missing, and the start says so.
	Locations []string `json:"locations,omitempty"`
	// Transfers say on what data may be outside the EU and the EEA. A location there
	// without an adequacy decision needs one.
	Transfers []transfer.Transfer `json:"transfers,omitempty"`
	// Details are what else the register of processing says of this site.
	Details *crmgate.RegisterConfig `json:"register,omitempty"`
	// Retain are rules of how long records may be kept, each in the words of the
	// Caddyfile: `contact 3y after closed_at`, `lead 6m after last_contact else created_at unless
	// consent:newsletter`. Default: nothing is overdue.
	Retain []string `json:"retain,omitempty"`
	// Overdue says who still sees overdue records, and who deletes them.
	Overdue *Overdue `json:"overdue,omitempty"`

	logger *zap.Logger
	// proxy is the logger of the proxy behind the gate: what it writes down at
	// debug level, the gate has to leave out beforehand.
	proxy    *zap.Logger
	app      *crmgate.App
	profile  *profile.Profile
	policy   *policy.Snapshot
	rules    *restore.Rules
	alarms   *alarms
	canon    canon.Options
	own      canon.Own
	provider *oidc.Provider
	sealer   *lateSealer
	opened   *atomic.Pointer[opened]
	machines *machines
	signOn   *signOn
	metrics  *crmgate.Metrics
	drift    *drift
	searches *searchRates
	// explained keeps what earlier exchanges asked that are explained.
	explained *keeper
	desk      crmgate.Desk    // nil: there is none
	consent   crmgate.Consent // nil: there is none
	// collected is what a site that observes has seen; nil where it enforces.
	collected *collection
	// retention are the rules of Retain.
	retention retain.Rules
}

const (
	acceptDocumented    = "documented"
	defaultHold         = 8 << 20
	defaultRequestLimit = 4 << 20
	sweepEvery          = 5 * time.Minute
)

// CaddyModule returns the module's information.
func (Handler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.crm_gate", New: func() caddy.Module { return new(Handler) }}
}

// Provision reads profile and policy and registers the gate with the app. It
// touches no network and opens no file but those two.
func (h *Handler) Provision(ctx caddy.Context) error {
	h.logger, h.proxy = ctx.Logger(), ctx.Logger(new(reverseproxy.Handler))
	h.defaults()
	if err := h.checkSessions(); err != nil {
		return err
	}
	if err := h.checkObserve(time.Now()); err != nil {
		return err
	}
	if err := h.loadProfile(); err != nil {
		return err
	}
	if err := errors.Join(
		h.checkPublic(), h.checkCORS(), h.checkCRMHosts(), h.checkAdministrators(),
		h.checkReveal(),
		h.checkRegister(),
	); err != nil {
		return err
	}
	if err := h.loadPolicy(); err != nil {
		return err
	}
	if err := errors.Join(h.loadRules(), h.loadCanaries(), h.loadLinks()); err != nil {
		return err
	}
	if err := errors.Join(h.loadHouseRules(), h.loadRetention()); err != nil {
		return err
	}
	h.canon = canon.Options{Lists: h.profile.Lists, SemicolonLiteral: h.profile.Semicolon, LiteralNames: h.profile.LiteralNames}
	if err := h.newSignOn(); err != nil {
		return err
	}
	h.own = canon.NewOwn(append([]string{"X-Crmgate-*", "Audit-Id"}, h.signOn.ownNames()...)...)
	h.sealer, h.opened, h.drift = &lateSealer{}, new(atomic.Pointer[opened]), newDrift()
	h.searches, h.explained = newSearchRates(h.SearchRate), newExplainedKeeper()
	if err := h.newProvider(); err != nil {
		return err
	}
	if err := h.newMachines(); err != nil {
		return err
	}
	mod, err := ctx.App("crmgate")
	if err != nil {
		return fmt.Errorf("loading the app crmgate: %w", err)
	}
	app, ok := mod.(*crmgate.App)
	if !ok {
		return fmt.Errorf("the app crmgate is %T", mod)
	}
	h.app, h.metrics = app, app.Metrics()
	if err := errors.Join(h.loadDesk(ctx), h.loadConsent(ctx)); err != nil {
		return err
	}
	app.Register(h)
	return nil
}

func (h *Handler) defaults() {
	if h.Hold == 0 {
		h.Hold = defaultHold
	}
	if h.RequestLimit == 0 {
		h.RequestLimit = defaultRequestLimit
	}
	if h.SearchRate == 0 {
		h.SearchRate = defaultSearchRate
	}
	if h.OIDC.Roles == "" {
		h.OIDC.Roles = "roles"
	}
	if h.OIDC.CRMUser == "" {
		h.OIDC.CRMUser = "preferred_username"
	}
}

func (h *Handler) newProvider() error {
	secret, err := caddy.NewReplacer().ReplaceOrErr(h.OIDC.ClientSecret, true, true)
	if err != nil {
		return fmt.Errorf("oidc client_secret: %w", err)
	}
	if err := h.OIDC.checkOwnFactor(); err != nil {
		return fmt.Errorf("oidc: %w", err)
	}
	cfg := oidc.Config{
		Issuer: h.OIDC.Issuer, ClientID: h.OIDC.ClientID, ClientSecret: secret, Scopes: h.OIDC.Scopes,
		RolesClaim: h.OIDC.Roles, UserClaim: h.OIDC.CRMUser, Preset: h.OIDC.Provider,
		Factor:            oidc.Factor{AMR: h.OIDC.MFAAMR, ACR: h.OIDC.MFAACR, MaxAge: time.Duration(h.OIDC.MFAMaxAge)},
		PhishingResistant: h.OIDC.MFAPhishingResistant,
		Resistant:         oidc.Factor{AMR: h.OIDC.MFAPhishingResistantAMR, ACR: h.OIDC.MFAPhishingResistantACR},
		Seal:              h.sealer,
	}
	h.OIDC.elsewhere(&cfg)
	h.provider, err = oidc.New(cfg)
	if err != nil {
		return fmt.Errorf("oidc: %w", err)
	}
	return h.checkStepUps()
}

// realm is what this gate's sessions are good for: the sites of a server share
// the store, not the meaning of a role.
func (h *Handler) realm() string {
	return session.Realm(h.OIDC.Issuer, h.OIDC.ClientID, h.OIDC.Roles, h.OIDC.CRMUser)
}

// Start takes what the app opened.
func (h *Handler) Start(s *crmgate.Services) error {
	h.sealer.ring.Store(s.Ring)
	sessions, err := session.New(session.Config{
		Idle: time.Duration(h.SessionIdle), Max: time.Duration(h.SessionMax), PerPerson: h.SessionsPerEmployee,
		Store: s.Store, Sealer: s.Ring, Notify: h.noteSession,
		Realm: h.realm(), Takes: h.proven,
	})
	if err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	if err := h.startSignOn(s); err != nil {
		return err
	}
	binder, err := newBinder(h, s.Store, s.Ring, sessions.Idle())
	if err != nil {
		return err
	}
	keeper, err := newKeeper(h, s.Store, s.Ring)
	if err != nil {
		return err
	}
	factors, err := h.openFactors(s)
	if err != nil {
		return err
	}
	o := &opened{
		log: s.Log, sessions: sessions, binder: binder, keeper: keeper, factors: factors,
		masker: mask.New(mask.Config{PseudonymKey: s.Ring.Derive("mask pseudonym"), Picture: page.NeutralImage}),
	}
	if err := h.startParts(s, o); err != nil {
		return err
	}
	if err := errors.Join(h.logPolicy(s), h.openCollection(s), h.startDesk(s)); err != nil {
		return err
	}
	if h.proxy.Core().Enabled(zap.DebugLevel) {
		h.logger.Warn("at debug level Caddy's reverse_proxy logs the CRM's response headers, and those can hold personal data: " +
			"add `exclude http.handlers.reverse_proxy` to the log, or raise its level")
	}
	h.logMachines()
	h.logObserve()
	h.logRetention()
	h.app.Every(sweepEvery, func(ctx context.Context) {
		if _, err := sessions.Sweep(ctx, h.app.LongestIdle()); err != nil {
			h.logger.Error("sweeping sessions", zap.Error(err))
		}
		if err := binder.sweep(ctx); err != nil {
			h.logger.Error("sweeping CRM sessions", zap.Error(err))
		}
		if err := keeper.sweep(ctx); err != nil {
			h.logger.Error("sweeping what was asked", zap.Error(err))
		}
	})
	h.app.Every(sweepEvery, h.sweepSearches)
	h.renew(sessions)
	h.opened.Store(o)
	return nil
}

// plan returns the plan of the roles for an action.
func (h *Handler) plan(roles []string, a access.Action) (*access.Plan, error) {
	return h.policy.Plan(roles, a)
}

var (
	_ caddy.Module                = (*Handler)(nil)
	_ caddy.Provisioner           = (*Handler)(nil)
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
	_ crmgate.Gate                = (*Handler)(nil)
)
