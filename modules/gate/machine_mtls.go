package gate

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

func (m *Machine) hasCertificate() bool {
	return len(m.MTLSSubjects)+len(m.MTLSSANs)+len(m.MTLSFingerprints) > 0
}

// addCertificate checks what a certificate is known by, and brings it into the
// form that it is compared in.
func (m *machines) addCertificate(one *Machine) error {
	for i, f := range one.MTLSFingerprints {
		raw, err := hex.DecodeString(strings.ReplaceAll(f, ":", ""))
		if err != nil || len(raw) != sha256.Size {
			return fmt.Errorf("mtls_fingerprint %q is no SHA-256 in hexadecimal: openssl x509 -noout -fingerprint -sha256 -in FILE prints it", f)
		}
		one.MTLSFingerprints[i] = hex.EncodeToString(raw)
	}
	for i, san := range one.MTLSSANs {
		kind, value, ok := strings.Cut(san, ":")
		if !ok || value == "" || !slices.Contains([]string{"dns", "uri", "email", "ip"}, kind) {
			return fmt.Errorf("mtls_san %q needs its kind in front: dns:report.example.de, uri:spiffe://…, email:…, ip:…", san)
		}
		if kind == "dns" {
			one.MTLSSANs[i] = "dns:" + strings.ToLower(value)
		}
		if u, err := url.Parse(value); kind == "uri" && (err != nil || u.String() != value) {
			return fmt.Errorf("mtls_san %q is no URI as certificates write it", san)
		}
		if ip := net.ParseIP(value); kind == "ip" && (ip == nil || ip.String() != value) {
			return fmt.Errorf("mtls_san %q is no address in its usual form", san)
		}
	}
	if slices.Contains(one.MTLSSubjects, "") {
		return errors.New("mtls_subject is empty: openssl x509 -noout -subject -nameopt RFC2253 -in FILE prints it")
	}
	m.certs = append(m.certs, one)
	return nil
}

// errCertificates says that two machines claim one certificate.
var errCertificates = errors.New("the certificate belongs to several machines")

// byCertificate returns the machine of a connection's client certificate, or nil.
// Only a certificate with a verified chain counts: with `mode request` or
// `require` anybody can present any name, and the chain is empty then.
func (m *machines) byCertificate(state *tls.ConnectionState) (*Machine, error) {
	if m == nil || len(m.certs) == 0 || state == nil || len(state.VerifiedChains) == 0 || len(state.VerifiedChains[0]) == 0 {
		return nil, nil //nolint:nilnil // no certificate is no error
	}
	known := names(state.VerifiedChains[0][0])
	var found *Machine
	for _, one := range m.certs {
		if !known.belongTo(one) {
			continue
		}
		if found != nil {
			return nil, errCertificates
		}
		found = one
	}
	return found, nil
}

// certNames is what a certificate can be known by.
type certNames struct {
	subject, fingerprint string
	sans                 []string
}

func names(c *x509.Certificate) certNames {
	sum := sha256.Sum256(c.Raw)
	n := certNames{fingerprint: hex.EncodeToString(sum[:])}
	// c.Subject keeps the last of several common names and forgets the others.
	var rdn pkix.RDNSequence
	if rest, err := asn1.Unmarshal(c.RawSubject, &rdn); err == nil && len(rest) == 0 {
		n.subject = rdn.String()
	}
	for _, v := range c.DNSNames {
		n.sans = append(n.sans, "dns:"+strings.ToLower(v))
	}
	for _, v := range c.EmailAddresses {
		n.sans = append(n.sans, "email:"+v)
	}
	for _, v := range c.URIs {
		n.sans = append(n.sans, "uri:"+v.String())
	}
	for _, v := range c.IPAddresses {
		n.sans = append(n.sans, "ip:"+v.String())
	}
	return n
}

// belongTo reports whether the certificate is one of the machine's: each kind
// that the machine names has to match.
func (n certNames) belongTo(m *Machine) bool {
	if len(m.MTLSSubjects) > 0 && !slices.Contains(m.MTLSSubjects, n.subject) {
		return false
	}
	if len(m.MTLSFingerprints) > 0 && !slices.Contains(m.MTLSFingerprints, n.fingerprint) {
		return false
	}
	if len(m.MTLSSANs) > 0 && !slices.ContainsFunc(n.sans, func(s string) bool { return slices.Contains(m.MTLSSANs, s) }) {
		return false
	}
	return m.hasCertificate()
}

// certificates reports whether a machine signs in by a client certificate.
func (m *machines) certificates() bool { return m != nil && len(m.certs) > 0 }
