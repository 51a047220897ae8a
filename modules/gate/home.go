package gate

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/canon"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/profile"
)

// This file brings addresses home: what the CRM tells a client to ask next leads to
// the gate. A client that follows one to the CRM's own host would walk around it.

// linkHeaders are the headers that name an address of the CRM's, beside Location.
var linkHeaders = []string{"Content-Location", "Odata-Entityid"}

// upstreamPlaceholder is what the proxy behind the gate says of where it went.
const upstreamPlaceholder = "http.reverse_proxy.upstream.hostport"

// checkCRMHosts checks the names under which the CRM is known, too.
func (h *Handler) checkCRMHosts() error {
	for i, name := range h.CRMHosts {
		host, port, err := net.SplitHostPort(name)
		if err != nil {
			host, port = name, ""
		}
		if err == nil && !isPort(port) || !isCRMHost(host) {
			return fmt.Errorf("crm_hosts %s: write a host's name, with a port where it has one: crm_hosts crm.internal.example.de", name)
		}
		h.CRMHosts[i] = strings.ToLower(name)
	}
	return nil
}

func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

// isCRMHost reports whether s can be a host's name, of one word too, or a pattern.
func isCRMHost(s string) bool {
	if domain, ok := strings.CutPrefix(s, "*."); ok {
		return profile.IsHostName(domain)
	}
	return net.ParseIP(s) != nil || profile.IsHostName(s+".x")
}

// isCRM reports whether an address is one of the CRM's: at the host that the proxy
// asked, at one that the profile or the configuration names, or at the gate's own in
// another scheme.
func (q *request) isCRM(u *url.URL) bool {
	host := strings.ToLower(u.Host)
	if host == strings.ToLower(q.c.Host) || profile.HostIn(q.h.CRMHosts, host) || profile.HostIn(q.h.CRMHosts, u.Hostname()) || q.h.profile.IsHost(u.Hostname()) {
		return true
	}
	repl, ok := q.r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok {
		return false
	}
	asked, _ := repl.GetString(upstreamPlaceholder)
	if host == strings.ToLower(asked) {
		return true
	}
	name, _, err := net.SplitHostPort(asked)
	return err == nil && u.Port() == "" && strings.EqualFold(name, u.Hostname())
}

// homed returns the address of the gate for an address of the CRM's, and false for
// one that leads elsewhere. All behind the host stays as it is spelt.
func (q *request) homed(address string) (string, bool) {
	u, err := url.Parse(address)
	if err != nil || u.User != nil || strings.ContainsRune(address, '\\') { // a browser reads `\` as `/`
		return "", false
	}
	switch strings.ToLower(u.Scheme) {
	case "":
		if u.Host == "" || strings.EqualFold(u.Host, q.c.Host) {
			return address, true
		}
	case "http", "https":
	default:
		return "", false
	}
	if u.Host == "" || !q.isCRM(u) {
		return "", false
	}
	_, rest, _ := strings.Cut(address, "//")
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		return q.baseURL() + rest[i:], true
	}
	return q.baseURL(), true
}

// atHome returns the address of the gate for an address of the CRM's, as it is spelt
// and as whoever follows it asks it. Nil leads elsewhere.
func (q *request) atHome(address string) (to, abs *url.URL) {
	homed, ok := q.homed(address)
	if !ok {
		return nil, nil
	}
	to, err := url.Parse(homed)
	if err != nil {
		return nil, nil
	}
	abs = (&url.URL{Scheme: "https", Host: q.c.Host, Path: q.c.Path, RawPath: q.c.RawPath}).ResolveReference(to)
	if abs.Scheme != "https" && abs.Scheme != "http" || abs.User != nil || !strings.EqualFold(abs.Host, q.c.Host) {
		return nil, nil
	}
	return to, abs
}

// homeLinks brings the addresses in a document home. It returns the document as it
// is where all lead to the gate already.
func (q *request) homeLinks(x *profile.Exchange, t *doc.Tree, links []profile.Link) ([]byte, bool, error) {
	var edits []doc.Edit
	for _, l := range links {
		text := t.Text(l.Node)
		to, ok := q.homed(text)
		if !ok && (l.Name || text == "") {
			continue
		}
		if !ok {
			q.noteForeign(text)
			to = x.WithheldText()
		}
		if to == text {
			continue
		}
		n := &t.Nodes[l.Node]
		edits = append(edits, doc.Edit{Start: n.Start, End: n.End, With: t.Format.Encode(nil, t, l.Node, doc.Value{Kind: doc.String, Text: to})})
	}
	if len(edits) == 0 {
		return t.Src, false, nil
	}
	out, err := doc.Splice(nil, t.Src, edits)
	return out, true, err
}

// noteForeign says in the process log which host an address was withheld for.
func (q *request) noteForeign(address string) {
	host := "unknown"
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		host = u.Host
	}
	q.h.logger.Warn("an address in the CRM's answer was withheld: it leads to a host that isn't known to be the CRM's; if it is, write crm_hosts into crm_gate",
		zap.String("request", q.id), zap.String("route", q.route), zap.String("host", host))
}

// homeHeaders brings the addresses in the headers of an answer home that goes on as
// it is. One that leads elsewhere stays: it isn't the CRM's.
func (q *request) homeHeaders(h http.Header) {
	for _, name := range append([]string{"Location"}, linkHeaders...) {
		for i, v := range h[name] {
			if to, ok := q.homed(v); ok {
				h[name][i] = to
			}
		}
	}
	for i, v := range h["Link"] {
		h["Link"][i] = q.homeLink(v)
	}
}

// homeLink brings the addresses in a Link header (RFC 8288) home.
func (q *request) homeLink(v string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(v, "<")
		address, behind, closed := strings.Cut(rest, ">")
		if !ok || !closed {
			return b.String() + v
		}
		if to, ok := q.homed(address); ok {
			address = to
		}
		b.WriteString(before + "<" + address + ">")
		v = behind
	}
}

// passLinks forwards a request without personal data whose answer tells the client
// where to ask: nothing of it changes but that.
func (q *request) passLinks() {
	canon.MaskedRoute(q.r.Header, codings...)
	q.prepare(q.r, q.body)
	resp := newResponse(q.h.Hold)
	if err := q.run(resp, q.r); err != nil || resp.status == 0 && resp.err == nil {
		q.answer(plain{status: http.StatusBadGateway, reason: "crm", text: textCRMDown})
		return
	}
	q.passHeld(resp)
}

// passHeld answers with what was held, its addresses brought home.
func (q *request) passHeld(resp *response) {
	body, err := q.homeBody(resp)
	if err != nil {
		q.h.logger.Warn("the CRM's answer was withheld", zap.String("request", q.id), zap.Error(err))
		reason, t := faultReason(err)
		q.answer(plain{status: http.StatusBadGateway, reason: reason, text: t})
		return
	}
	p := q.passTo()
	maps.Copy(p.Header(), resp.header)
	p.WriteHeader(resp.status)
	_, _ = p.Write(body) // the client may be gone
	q.status = resp.status
}

// homeBody brings the addresses in a held body home. An error page of another type
// stays as it is: no client takes addresses from it.
func (q *request) homeBody(resp *response) ([]byte, error) {
	if resp.err != nil {
		return nil, resp.err
	}
	l := &release{q: q, resp: resp}
	if !q.x.HasLinks() || l.bodyless() || resp.held.Len() == 0 {
		return resp.held.Bytes(), nil
	}
	body, err := l.decode()
	if err != nil {
		return nil, err
	}
	charset, err := l.checkType(body)
	if err != nil && resp.status >= http.StatusBadRequest {
		return resp.held.Bytes(), nil
	}
	if err != nil {
		return nil, err
	}
	before, document, behind := q.x.Cut(body)
	t, err := q.x.Parse(document, charset)
	if err != nil {
		return nil, err
	}
	document, changed, err := q.homeLinks(q.x, t, q.x.Links(t))
	if err != nil || !changed {
		return resp.held.Bytes(), err
	}
	for _, name := range []string{"Content-Encoding", "Content-Length", "Etag", "Content-Md5", "Digest", "Content-Digest", "Repr-Digest"} {
		resp.header.Del(name)
	}
	return append(append(append([]byte(nil), before...), document...), behind...), nil
}
