package crmgate

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/crmgate/crmgate/internal/canon"
	"github.com/crmgate/crmgate/internal/oidc"
	"github.com/crmgate/crmgate/internal/policy"
)

// Logout is how a session came to its end.
type Logout string

// The closed list of ends.
const (
	// LogoutSelf is an employee who signs out.
	LogoutSelf Logout = "self"
	// LogoutOther is an employee who ends another one of their own sessions.
	LogoutOther Logout = "own_page"
	// LogoutBackChannel is the provider's word to the gateway.
	LogoutBackChannel Logout = "back_channel"
	// LogoutFrontChannel is the provider's word through the browser.
	LogoutFrontChannel Logout = "front_channel"
	// LogoutAdmin is an administrator's revocation.
	LogoutAdmin Logout = "administrator"
	// LogoutOverLimit is a newer session of the same person's, over per_employee.
	LogoutOverLimit Logout = "over_limit"
	// LogoutRenewal is the provider's no to new tokens.
	LogoutRenewal Logout = "renewal_refused"
)

// Words says in the log how a session came to its end.
func (l Logout) Words() string {
	switch l {
	case LogoutSelf:
		return "signed out"
	case LogoutOther:
		return "ended by the employee from another session"
	case LogoutBackChannel:
		return "ended by the provider (back channel)"
	case LogoutFrontChannel:
		return "ended by the provider (front channel)"
	case LogoutAdmin:
		return "ended by an administrator"
	case LogoutOverLimit:
		return "ended by a newer session"
	case LogoutRenewal:
		return "ended by the provider (no new tokens)"
	}
	return "ended"
}

// The results of a sign-in beside the codes of the refusals.
const (
	SignedIn   = "signed_in"
	SignInUsed = "used"
)

// The results of a renewal of tokens.
const (
	RenewalOK      = "ok"
	RenewalFailed  = "failed"
	RenewalRefused = "refused"
)

// What the CRM has and the profile doesn't.
const (
	DriftRoute = "route"
	DriftField = "field"
)

// other takes what stands in no list.
const other = "other"

// Metrics counts what happens at the gates. Its labels are closed lists, of
// which every value is there from the start: no label holds a person, an address
// or anything that a client chose. A nil Metrics counts nothing.
type Metrics struct {
	signIns, refused, renewals, logouts, drifted counter
}

// counter is a family of counters with one label from a closed list.
type counter map[string]prometheus.Counter

func (c counter) add(value string) {
	if c == nil {
		return
	}
	one, ok := c[value]
	if !ok {
		one = c[other]
	}
	one.Inc()
}

// SignIn counts a sign-in that came back: SignedIn, SignInUsed or a refusal's
// code.
func (m *Metrics) SignIn(result string) {
	if m != nil {
		m.signIns.add(result)
	}
}

// Refused counts an answer of the gateway's own in the place of the CRM's, by its
// reason.
func (m *Metrics) Refused(reason string) {
	if m != nil {
		m.refused.add(reason)
	}
}

// Renewed counts a renewal of tokens: ok, or why it failed.
func (m *Metrics) Renewed(result string) {
	if m != nil {
		m.renewals.add(result)
	}
}

// LoggedOut counts a session that was ended.
func (m *Metrics) LoggedOut(how Logout) {
	if m != nil {
		m.logouts.add(string(how))
	}
}

// Drifted counts what was seen for the first time that the profile doesn't know:
// DriftRoute or DriftField.
func (m *Metrics) Drifted(what string) {
	if m != nil {
		m.drifted.add(what)
	}
}

// newMetrics registers the metrics with the registry of a configuration. active
// says how many sessions are known.
func newMetrics(reg prometheus.Registerer, active func() int) (*Metrics, error) {
	m := new(Metrics)
	for _, f := range []struct {
		into              *counter
		name, help, label string
		values            []string
	}{
		{&m.signIns, "sign_ins_total", "Sign-ins that came back from the identity provider.", "result", signInResults()},
		{&m.refused, "refused_total", "Requests that the gateway answered itself, by the reason.", "reason", refusedReasons()},
		{&m.renewals, "renewals_total", "Renewals of an employee's tokens.", "result", renewalResults()},
		{&m.logouts, "logouts_total", "Sessions that were ended, by the way it came.", "kind", logoutKinds()},
		{&m.drifted, "drift_total", "Routes and fields of the CRM that were seen for the first time and that the profile doesn't know.", "what", []string{DriftRoute, DriftField}},
	} {
		vec := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "crmgate", Name: f.name, Help: f.help}, []string{f.label})
		if err := reg.Register(vec); err != nil {
			return nil, fmt.Errorf("registering the metric %s: %w", f.name, err)
		}
		*f.into = counter{other: vec.WithLabelValues(other)}
		for _, v := range f.values {
			(*f.into)[v] = vec.WithLabelValues(v)
		}
	}
	err := reg.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "crmgate", Name: "sessions_active",
		Help: "Sessions that this node has seen and that have not ended, as far as it knows.",
	}, func() float64 { return float64(active()) }))
	if err != nil {
		return nil, fmt.Errorf("registering the metric sessions_active: %w", err)
	}
	return m, nil
}

// Metrics counts for the gates of this configuration.
func (a *App) Metrics() *Metrics { return a.metrics }

// active is how many sessions the gates know of.
func (a *App) active() int {
	n := 0
	for _, g := range a.gates {
		if c, ok := g.(interface{ ActiveSessions() int }); ok {
			n += c.ActiveSessions()
		}
	}
	return n
}

func logoutKinds() []string {
	return []string{
		string(LogoutSelf), string(LogoutOther), string(LogoutBackChannel), string(LogoutFrontChannel), string(LogoutAdmin),
		string(LogoutOverLimit), string(LogoutRenewal),
	}
}

func renewalResults() []string { return []string{RenewalOK, RenewalFailed, RenewalRefused} }

func signInResults() []string {
	list := []string{SignedIn, SignInUsed, "factor_wrong", "factor_replayed", "factor_wait", "factor_cloned", "invitation", "not_fresh"}
	for _, r := range oidc.Refusals() {
		list = append(list, r.Code)
	}
	return list
}

// refusedReasons are the reasons of the way of a request that are worth a line:
// the rest is other.
func refusedReasons() []string {
	list := []string{
		"signed_out", "session_store", "starting", "log", "plain_http", "cross_site", "not_found", "upgrade",
		"request_coding", "request_body", "request_limit", "type", "unknown_route", "unknown_call", "malformed",
		"denied", "unknown_type", "unknown_field", "repeated", "undecided", "crm", "hold", "redirect", "withheld",
		"unknown_parameter", "unknown_handle", "body", "stored", "profile", "public", "frame", "no_administrator",
		"step_up", "search_rate", "session_ended", "prefetch", "service_worker", "factor_store", "used", "not_fresh", "identity_value",
		"ambiguous_caller", "credential_refused", "credential_expired", "issuer_down", "machine_page",
		"foreign_crm_session", "unknown_crm_session",
		policy.ReasonNoRole, policy.ReasonNoPolicy, policy.ReasonDenied, policy.ReasonAsksMasked,
		policy.ReasonWritesMasked, policy.ReasonCredential,
	}
	for _, r := range canon.Reasons() {
		list = append(list, string(r))
	}
	for _, r := range oidc.Refusals() {
		list = append(list, r.Code)
	}
	return list
}
