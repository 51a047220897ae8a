package gate

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/canon"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/session"
)

// passedHeaders are the CRM's response headers that a masked response keeps.
// What isn't listed can hold values, or speak of the unmasked bytes.
var passedHeaders = []string{
	"Content-Type", "Content-Language", "Set-Cookie", "Allow", "Retry-After", "Www-Authenticate",
	"Content-Security-Policy", "X-Frame-Options", "Referrer-Policy", "Permissions-Policy",
	"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Headers",
	"Access-Control-Allow-Methods", "Access-Control-Expose-Headers", "Vary",
}

// errorHeaders are those that an answer of the gateway's own keeps in the place
// of an error of the CRM's.
var errorHeaders = []string{"Set-Cookie", "Allow", "Retry-After", "Www-Authenticate"}

// headers copies what may go on. Values of masked fields are looked for in
// headers too.
func (l *release) headers(sweep *mask.Sweep) {
	l.copyHeaders(passedHeaders, sweep)
	from, to := l.resp.header, l.q.w.Header()
	for name, values := range from {
		for _, v := range values {
			if l.q.h.profile.PassesHeader(name, v) {
				to.Add(name, v)
			}
		}
	}
	if strings.HasPrefix(strings.ToLower(from.Get("Content-Disposition")), "attachment") {
		to.Set("Content-Disposition", "attachment") // a file's name can hold a person's
	}
	if _, hit := sweep.Mask(l.location); l.location != "" && !hit {
		to.Set("Location", l.location)
	}
	if _, hit := sweep.Mask(l.entityID); l.entityID != "" && !hit {
		to.Set(entityIDHeader, l.entityID)
	}
	for name, v := range l.handed {
		if _, hit := sweep.Mask(v); !hit {
			to.Set(name, v)
		}
	}
	to.Set("Cache-Control", "private, no-store")
	to.Set("X-Content-Type-Options", "nosniff")
	to.Set("Cross-Origin-Resource-Policy", "same-origin")
	if !keepsAddress(to.Values("Referrer-Policy")) {
		to.Set("Referrer-Policy", "same-origin")
	}
	to.Set("Audit-Id", l.q.auditID)
}

// keepsAddress reports whether a policy tells other sites no more than this
// site's name: addresses hold ids, and what was searched for.
func keepsAddress(policy []string) bool {
	if len(policy) != 1 {
		return false
	}
	switch strings.ToLower(policy[0]) {
	case "no-referrer", "same-origin", "origin", "strict-origin", "origin-when-cross-origin", "strict-origin-when-cross-origin":
		return true
	}
	return false
}

func (l *release) copyHeaders(names []string, sweep *mask.Sweep) {
	to := l.q.w.Header()
	for _, name := range names {
		for _, v := range l.resp.header.Values(name) {
			masked, hit := v, false
			if name != "Content-Type" {
				masked, hit = sweep.Mask(v)
			}
			if hit && name == "Set-Cookie" {
				continue // one with a placeholder in it would come back to the CRM
			}
			to.Add(name, masked)
		}
	}
	canon.StripSetCookies(to, session.Own)
	l.q.bindIssued(to)
}

// plainFragment is a fragment of words and ids alone.
var plainFragment = regexp.MustCompile(`^[A-Za-z0-9/_-]*$`)

// entityIDHeader is where OData says which record a save made, where the answer
// has no body.
const entityIDHeader = "Odata-Entityid"

// judgeAddresses judges the addresses in the headers, and returns the records that
// they name.
func (l *release) judgeAddresses() []access.DisclosedRecord {
	var sent, saved []access.DisclosedRecord
	l.location, sent = l.judgeAddress(l.resp.header.Values("Location"))
	l.entityID, saved = l.judgeAddress(l.resp.header.Values(entityIDHeader))
	return append(sent, saved...)
}

// judgeAddress judges where the CRM sends the client as the request that it
// becomes: an address can hold values. Another host, and what the profile
// doesn't know, are left out; a query stays only where this employee may ask
// it. It returns the records that the address names.
func (l *release) judgeAddress(lines []string) (string, []access.DisclosedRecord) {
	if len(lines) != 1 || lines[0] == "" {
		return "", nil
	}
	q := l.q
	to, abs := q.atHome(lines[0])
	if abs == nil {
		return "", nil
	}
	if to.Fragment != "" && !plainFragment.MatchString(to.Fragment) {
		to.Fragment, to.RawFragment = "", ""
	}
	x, whole := l.classifyLocation(abs)
	if x == nil {
		return "", nil
	}
	if to.RawQuery != "" && (!whole || !l.mayAsk(x)) {
		to.RawQuery = ""
	}
	if to.Path == "" && to.Host == "" {
		to.Path, to.RawPath = abs.Path, abs.RawPath
	}
	return to.String(), named(x)
}

// classifyLocation asks the profile about the request that an address becomes,
// with its query or, where that isn't known, without; nil is an address that is
// not known at all.
func (l *release) classifyLocation(abs *url.URL) (x *profile.Exchange, whole bool) {
	q := l.q
	opts := q.h.canon
	opts.HTTPS = q.https
	at := &url.URL{Path: abs.Path, RawPath: abs.RawPath, RawQuery: abs.RawQuery}
	c, err := canon.Request(&http.Request{Method: http.MethodGet, Host: q.c.Host, URL: at, Header: http.Header{}}, opts)
	if err != nil || (&request{c: c}).isOwn() {
		return nil, false
	}
	asked := profile.Request{Method: c.Method, Path: c.Path, Query: params(c.Query)}
	if x, err = q.h.profile.Classify(asked); err == nil {
		return x, true
	}
	asked.Query = nil
	if x, err = q.h.profile.Classify(asked); err == nil {
		return x, false
	}
	return nil, false
}

// mayAsk reports whether the employee may send the request with its query.
func (l *release) mayAsk(x *profile.Exchange) bool {
	if x.Pass {
		return false // nobody says what its parameters are
	}
	d, err := l.q.h.policy.Decide(l.q.employee.roles(), x.Accesses)
	return err == nil && !d.Refused
}

// named are the records that a request names.
func named(x *profile.Exchange) []access.DisclosedRecord {
	var list []access.DisclosedRecord
	for _, a := range x.Accesses {
		for _, id := range a.IDs {
			r := access.Record{Entity: a.Entity, Type: a.Type, ID: id}
			if !slices.ContainsFunc(list, func(d access.DisclosedRecord) bool { return d.Record == r }) {
				list = append(list, access.DisclosedRecord{Record: r})
			}
		}
	}
	return list
}
