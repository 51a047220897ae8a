package gate

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/report"
	"github.com/crmgate/crmgate/internal/session"
	"github.com/crmgate/crmgate/internal/transfer"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// unmarshalRegister reads what the register of processing says of the site:
//
//	location <country>...
//	transfer dpf <recipient> <reference> | scc <module> <date> <reference> | bcr <reference> | derogation <a-g> <reference>
//	register { … }   # see crmgate.UnmarshalRegister
func (h *Handler) unmarshalRegister(d *caddyfile.Dispenser) (err error) {
	switch d.Val() {
	case "location":
		return crmgate.UnmarshalLocation(d, &h.Locations)
	case "transfer":
		return crmgate.UnmarshalTransfer(d, &h.Transfers)
	}
	h.Details, err = crmgate.UnmarshalRegister(d, h.Details)
	return err
}

// judgeLocation refuses a place outside the EU and the EEA for which nothing is said that
// a transfer can rest on.
func (h *Handler) judgeLocation(d *caddyfile.Dispenser) error {
	if _, err := transfer.Judge(h.Locations, h.Transfers); err != nil {
		return d.WrapErr(err)
	}
	return nil
}

// checkRegister judges what is stated for the register.
func (h *Handler) checkRegister() error {
	if _, err := transfer.Judge(h.Locations, h.Transfers); err != nil {
		return err
	}
	systems := []string{report.SystemProvider}
	if h.ConsentRaw != nil { // it is loaded later
		systems = append(systems, report.SystemMail)
	}
	for i := range h.Machines {
		systems = append(systems, report.SystemMachine+":"+h.Machines[i].Name)
	}
	return h.Details.Check(crmgate.RegisterScope{Site: true, Entities: h.profile.Entities(), Systems: systems})
}

// RegisterSystems implements crmgate.Systemed.
func (h *Handler) RegisterSystems() []report.RegisterSystem {
	crm := report.RegisterSystem{Kind: report.SystemCRM, Places: crmgate.Places(h.Locations, h.Transfers), Transfers: h.Transfers}
	if d := h.Details; d != nil {
		crm.Operator, crm.Self, crm.Contract = d.Operator, d.RunByController, d.Contract
	}
	idp := report.RegisterSystem{Kind: report.SystemProvider, At: []string{h.OIDC.Issuer}}
	h.Details.Fill(&idp, report.SystemProvider)
	all := append([]report.RegisterSystem{crm, idp}, h.registerMail()...)
	for i := range h.Machines {
		m := &h.Machines[i]
		s := report.RegisterSystem{Kind: report.SystemMachine, Name: m.Name}
		h.Details.Fill(&s, report.SystemMachine+":"+m.Name)
		all = append(all, s)
	}
	return append(all, h.Details.Others()...)
}

// registerMeasures are what the site enforces. None is said that the configuration
// switches off.
func (h *Handler) registerMeasures() []report.RegisterMeasure {
	idle, longest := session.Limits(time.Duration(h.SessionIdle), time.Duration(h.SessionMax))
	all := []report.RegisterMeasure{
		{What: "second_factor", Value: strings.Join(h.OIDC.factors(), "; ")},
		{What: "sessions_end", Value: "idle " + idle.String() + ", max " + longest.String()},
	}
	add := func(what string, values ...string) {
		all = append(all, report.RegisterMeasure{What: what, Value: strings.Join(values, "; ")})
	}
	if h.Observe != nil {
		add("observes_only", "until "+h.Observe.Until)
	} else {
		add("masked_by_role", h.policy.Version())
		add("unknown_refused")
	}
	if h.SessionsPerEmployee > 0 {
		add("sessions_limited", "per_employee "+strconv.Itoa(h.SessionsPerEmployee))
	}
	if len(h.StepUps) > 0 {
		var said []string
		for i := range h.StepUps {
			said = append(said, h.StepUps[i].says())
		}
		add("step_up", said...)
	}
	for i := range h.Forbid {
		f := &h.Forbid[i]
		word := "forbid"
		if f.Flag {
			word = "flag"
		}
		add(word + " " + f.Entity + " " + strings.Join(f.Kinds, " "))
	}
	if r := h.HouseRules; r != nil {
		add("rules_known", "every "+time.Duration(r.Every).String(), "for "+listed(r.ForRoles, "everybody"), "except "+listed(r.ExceptRoles, "nobody"), "names "+listed(r.NamesRoles, "nobody"))
	}
	if r := h.Reveal; r != nil {
		said := []string{"lasts " + time.Duration(r.Lasts).String(), "quota " + strconv.Itoa(r.Quota), "reasons " + strings.Join(r.Reasons, ", ")}
		for _, a := range r.Approvals {
			said = append(said, "approval "+strings.Join(a.Roles, ", ")+" for "+listed(a.For, "everything"))
		}
		add("reveal", said...)
	}
	if h.desk != nil && h.desk.Says()[crmgate.DeskConsent] != "" {
		add("second_person", h.desk.Says()[crmgate.DeskConsent])
	}
	h.registerParts(add)
	return all
}

// listed writes a list, or what none means.
func listed[T ~string](all []T, none string) string {
	if len(all) == 0 {
		return none
	}
	names := make([]string, len(all))
	for i, a := range all {
		names[i] = string(a)
	}
	return strings.Join(names, ", ")
}

// says is a line step_up as it is written.
func (s *StepUp) says() string {
	said := slices.Clone(s.Paths)
	for _, e := range s.Entities {
		said = append(said, "entity:"+e)
	}
	for _, a := range s.Actions {
		said = append(said, "action:"+a)
	}
	if s.MaxAge > 0 {
		said = append(said, "max_age "+time.Duration(s.MaxAge).String())
	}
	if len(s.ACR) > 0 {
		said = append(said, "acr "+strings.Join(s.ACR, " "))
	}
	if len(s.AMR) > 0 {
		said = append(said, "amr "+strings.Join(s.AMR, " "))
	}
	if s.PhishingResistant {
		said = append(said, "phishing_resistant")
	}
	return strings.Join(said, " ")
}

// registerSettings are the words of the site that stand nowhere else in the register, as
// they are written. Each is named here, and no secret is among them: of a credential its
// role and header, never its value.
func (h *Handler) registerSettings() map[string]string {
	all := map[string]string{
		"oidc client_id": h.OIDC.ClientID, "oidc roles": h.OIDC.Roles, "oidc crm_user": h.OIDC.CRMUser, "oidc scopes": strings.Join(h.OIDC.Scopes, " "),
		"passive": strings.Join(h.Passive, " "), "crm_hosts": strings.Join(h.CRMHosts, " "), "administrators": strings.Join(h.AdministratorRoles, ", "),
		"hold": strconv.FormatInt(h.Hold, 10), "request_limit": strconv.FormatInt(h.RequestLimit, 10), "search_rate": strconv.Itoa(h.SearchRate),
	}
	if h.OIDC.MFAPhishingResistant {
		all["mfa phishing_resistant"] = strings.TrimSpace("amr " + strings.Join(h.OIDC.MFAPhishingResistantAMR, " ") + " acr " + strings.Join(h.OIDC.MFAPhishingResistantACR, " "))
	}
	for _, x := range h.IdentityHeaders {
		all["identity_header "+x.Header] = string(x.Source)
	}
	if a := h.Assertion; a != nil {
		all["identity_assertion "+a.Header] = fmt.Sprintf("audience %s, ttl %s", a.Audience, time.Duration(a.TTL))
	}
	for i := range h.UpstreamCredentials {
		c := &h.UpstreamCredentials[i]
		said := "header " + c.Header
		if c.User != "" {
			said = "basic"
		}
		all["upstream_credential role "+c.Role] = said
	}
	for i := range h.Machines {
		m := &h.Machines[i]
		all["machine "+m.Name] = m.says()
	}
	for word, value := range all {
		if value == "" {
			delete(all, word)
		}
	}
	h.registerConsent(all)
	h.others(all)
	return all
}

// registered are the fields of the configuration that stand in the register by what they say.
const registered = " profile policies files oidc session_idle session_max sessions_per_employee administrator_roles desk passive hold request_limit search_rate public cors " +
	"step_up machines identity_headers identity_assertion upstream_credentials forbid ungated plain_http clear_upstream crm_hosts accept observe locations transfers " +
	"register rules reveal consent consent_fields canaries links retain overdue "

// others adds what else is configured, by its name alone: what it holds may be a secret.
func (h *Handler) others(all map[string]string) {
	v := reflect.ValueOf(h).Elem()
	for i := range v.NumField() {
		word, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if word != "" && !strings.Contains(registered, " "+word+" ") && !v.Field(i).IsZero() {
			all[word] = "configured"
		}
	}
}

// says is how a machine is known, without its secret.
func (m *Machine) says() string {
	var said []string
	put := func(word string, values ...string) {
		if text := strings.TrimSpace(strings.Join(values, " ")); text != "" {
			said = append(said, word+" "+text)
		}
	}
	put("issuer", m.Issuer)
	put("audience", m.Audience)
	put("client", m.Clients...)
	put("typ", m.Typ)
	for _, s := range m.MTLSSubjects {
		put("subject", s)
	}
	put("san", m.MTLSSANs...)
	put("fingerprint", m.MTLSFingerprints...)
	put("crm_user", m.CRMUser)
	if m.Secret != "" {
		said = append(said, "secret")
	}
	return strings.Join(said, "; ")
}

var _ crmgate.Systemed = (*Handler)(nil)
