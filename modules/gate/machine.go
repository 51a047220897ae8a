package gate

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/oidc"
)

// Machine is an API client: a program that calls the CRM without an employee. It
// proves no second factor; that is an exception, so each one is named here, in
// the log at every start, and in each of its entries. It signs in by a token
// (Issuer), by a TLS client certificate (one of the MTLS fields), or by a secret
// (Secret): one of the three.
type Machine struct {
	// Name is the machine's name in the log: up to 64 letters, digits, dots,
	// hyphens and underscores. Required.
	Name string `json:"name,omitempty"`
	// Roles are its roles in the policy. Required.
	Roles []string `json:"roles,omitempty"`
	// CRMUser is its name in the CRM, for the fact `own`. Without it the fact is
	// unknown.
	CRMUser string `json:"crm_user,omitempty"`

	// Issuer is the address of who issues the machine's tokens (JWT, signed with
	// an asymmetric key).
	Issuer string `json:"issuer,omitempty"`
	// Audience has to be in the token's `aud`. Required with Issuer.
	Audience string `json:"audience,omitempty"`
	// Clients are the allowed ones: `azp` and `client_id` of the token are
	// compared with them. Required with Issuer.
	Clients []string `json:"clients,omitempty"`
	// Typ is what the token's header `typ` has to be, as `at+jwt`. Default:
	// at+jwt, JWT or none.
	Typ string `json:"typ,omitempty"`

	// MTLSSubjects are subjects of client certificates, as RFC 2253 writes them:
	// `CN=report,O=Acme`.
	MTLSSubjects []string `json:"mtls_subjects,omitempty"`
	// MTLSSANs are subject alternative names, with their kind in front:
	// `dns:report.example.de`, `uri:spiffe://…`, `email:…`, `ip:…`.
	MTLSSANs []string `json:"mtls_sans,omitempty"`
	// MTLSFingerprints are SHA-256 hashes of client certificates (DER), in
	// hexadecimal.
	MTLSFingerprints []string `json:"mtls_fingerprints,omitempty"`

	// Secret is what the machine presents together with its name. It has at
	// least 32 characters, and stands elsewhere: {env.NAME} or {file./path}.
	Secret string `json:"secret,omitempty"`
}

// machines are the API clients of a gate.
type machines struct {
	byName map[string]*Machine
	certs  []*Machine
	tokens *oidc.Machines // nil: no machine signs in by a token
	// secrets are HMACs of the secrets under a key that this process drew:
	// comparing them tells nothing of a secret, however long it takes.
	secrets map[string][]byte
	key     []byte
}

// newMachines checks the machines. It touches no network.
func (h *Handler) newMachines() error {
	if len(h.Machines) == 0 {
		return nil
	}
	m := &machines{byName: make(map[string]*Machine), secrets: make(map[string][]byte), key: make([]byte, sha256.Size)}
	rand.Read(m.key) // never fails (crypto/rand)
	var rules []oidc.MachineRule
	for i := range h.Machines {
		one := &h.Machines[i]
		if err := h.checkMachine(one); err != nil {
			return fmt.Errorf("machine %s: %w", one.Name, err)
		}
		if m.byName[one.Name] != nil {
			return fmt.Errorf("machine %s stands twice: an entry has to say which one it was", one.Name)
		}
		m.byName[one.Name] = one
		switch {
		case one.Issuer != "":
			rules = append(rules, oidc.MachineRule{
				Name: one.Name, Issuer: one.Issuer, Audience: one.Audience, Clients: one.Clients, Type: one.Typ,
			})
		case one.Secret != "":
			secret, err := kept(one.Secret)
			if err == nil {
				err = strong(secret)
			}
			if err != nil {
				return fmt.Errorf("machine %s: secret: %w", one.Name, err)
			}
			m.secrets[one.Name] = m.hash(secret)
		default:
			if err := m.addCertificate(one); err != nil {
				return fmt.Errorf("machine %s: %w", one.Name, err)
			}
		}
	}
	if len(rules) > 0 {
		var err error
		m.tokens, err = oidc.NewMachines(oidc.MachineConfig{Rules: rules, Employees: map[string]string{h.OIDC.Issuer: h.OIDC.ClientID}})
		if err != nil {
			return err
		}
	}
	h.machines = m
	return nil
}

var machineName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func (h *Handler) checkMachine(m *Machine) error {
	ways := 0
	for _, given := range []bool{m.Issuer != "", m.Secret != "", m.hasCertificate()} {
		if given {
			ways++
		}
	}
	switch {
	case !machineName.MatchString(m.Name):
		return errors.New("a machine's name has up to 64 letters, digits, dots, hyphens and underscores: machine nightly-sync { … }")
	case len(m.Roles) == 0:
		return errors.New("role is missing: without one the policy lets it do nothing")
	case ways != 1:
		return errors.New("say in one way how it signs in: issuer (a token), mtls_subject, mtls_san or mtls_fingerprint (a client certificate), or secret")
	case m.Issuer == "" && (m.Audience != "" || len(m.Clients) > 0 || m.Typ != ""):
		return errors.New("audience, client and typ belong to a token: name its issuer")
	}
	for _, role := range m.Roles {
		if !h.policy.Knows(role) {
			return fmt.Errorf("the policy has no role %q: write a line for it, or mend its name", role)
		}
	}
	return nil
}

// kept resolves a secret that stands outside the configuration. One that stands
// in it would be in every copy of it: backups, the admin API, version control.
func kept(value string) (string, error) {
	if !strings.Contains(value, "{") {
		return "", errors.New("it stands in the configuration itself: name where it is kept, {env.NAME} or {file./path}")
	}
	s, err := caddy.NewReplacer().ReplaceOrErr(value, true, true)
	if err != nil {
		return "", fmt.Errorf("reading it: %w", err)
	}
	if s == "" {
		return "", errors.New("it is empty")
	}
	return s, nil
}

// minSecret is how many characters a secret has at least: nobody guesses as many
// random ones, so that no brake on guessing is needed.
const minSecret = 32

func strong(secret string) error {
	different := map[rune]bool{}
	for _, c := range secret {
		different[c] = true
	}
	if len(secret) < minSecret || len(different) < minSecret/3 {
		return fmt.Errorf("it is too easy to guess: use at least %d random characters, for example from `openssl rand -hex 32`", minSecret)
	}
	return nil
}

func (m *machines) hash(secret string) []byte {
	mac := hmac.New(sha256.New, m.key)
	mac.Write([]byte(secret)) // never fails
	return mac.Sum(nil)
}

// bySecret returns the machine of a name and its secret, or nil. It takes as
// long for a name that nobody has.
func (m *machines) bySecret(name, secret string) *Machine {
	want, ok := m.secrets[name]
	if !ok {
		want = m.key
	}
	if !hmac.Equal(m.hash(secret), want) || !ok {
		return nil
	}
	return m.byName[name]
}

// how says in a few words how a machine signs in.
func (m *Machine) how() string {
	switch {
	case m.Issuer != "":
		return "token of " + m.Issuer
	case m.Secret != "":
		return "secret"
	}
	return "client certificate"
}

// describeMachines names the exceptions for the log.
func (h *Handler) describeMachines() string {
	var b strings.Builder
	for i := range h.Machines {
		m := &h.Machines[i]
		fmt.Fprintf(&b, "; exempt from the second factor: machine %s (role %s, %s)", m.Name, strings.Join(m.Roles, " "), m.how())
	}
	return b.String()
}

// logMachines writes each exception to the process log.
func (h *Handler) logMachines() {
	for i := range h.Machines {
		m := &h.Machines[i]
		h.logger.Warn("exempt from the second factor",
			zap.String("machine", m.Name), zap.Strings("roles", m.Roles), zap.String("by", m.how()))
	}
}

// The two headers in which a machine's credential comes. Authorization belongs
// to the CRM. Hygiene takes both out of every request.
const (
	headerProxyAuthorization = "Proxy-Authorization"
	headerOwnAuthorization   = "X-Crmgate-Authorization"
)

// presented are the credentials in a request, before hygiene takes them out.
func (m *machines) presented(h http.Header) []string {
	if m == nil {
		return nil
	}
	own, proxy := h.Values(headerOwnAuthorization), h.Values(headerProxyAuthorization)
	if len(own) == 0 {
		return proxy
	}
	return append(append([]string(nil), own...), proxy...)
}
