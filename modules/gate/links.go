package gate

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/alarm"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/html"
	"github.com/crmgate/crmgate/internal/link"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// Links looks for web addresses in the CRM's answers that aren't what they look like.
// Each raises an alarm, a host once a day; where it is a link in an HTML page, it leads
// to a page that names the real host.
type Links struct {
	// Own are the company's domains, as they are registered (`example.de`). Required.
	Own []string `json:"own,omitempty"`
	// Like are further domains whose look-alikes are recognised, beside those that
	// everybody knows.
	Like []string `json:"like,omitempty"`
	// Known are hosts that are never suspected, with all below them, and IP addresses.
	Known []string `json:"known,omitempty"`
}

// unmarshalLinks reads the block:
//
//	links {
//	    own   <domain>...
//	    like  <domain>...
//	    known <host>|<ip>...
//	}
func (h *Handler) unmarshalLinks(d *caddyfile.Dispenser) error {
	if h.Links != nil {
		return d.Err("links stands once in crm_gate: put all into one block")
	}
	if d.NextArg() {
		return d.Errf("links takes a block, not %q: links { own example.de }", d.Val())
	}
	h.Links = new(Links)
	opening := *d
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		var into *[]string
		switch word := d.Val(); word {
		case "own":
			into = &h.Links.Own
		case "like":
			into = &h.Links.Like
		case "known":
			into = &h.Links.Known
		default:
			return crmgate.UnknownWord(d, word, "own", "like", "known")
		}
		args := d.RemainingArgs()
		if len(args) == 0 {
			return d.ArgErr()
		}
		*into = append(*into, args...)
	}
	if len(h.Links.Own) == 0 {
		return opening.Err("links needs the company's domains: own example.de")
	}
	return nil
}

// hostsQuiet is how long a host in the CRM's texts is quiet after it was told.
const hostsQuiet = 24 * time.Hour

func (h *Handler) loadLinks() error {
	if h.Links == nil {
		return nil
	}
	if len(h.Links.Own) == 0 {
		return errors.New("links: it needs the company's domains: own example.de")
	}
	judge, err := link.New(h.Links.Own, h.Links.Like, h.Links.Known)
	if err != nil {
		return fmt.Errorf("links: %w", err)
	}
	h.alarms.links, h.alarms.hosts = judge, &alarm.Quiet{For: hostsQuiet}
	return nil
}

// links are nil where nothing looks for them.
func (h *Handler) links() *link.Judge {
	if h.alarms == nil {
		return nil
	}
	return h.alarms.links
}

// lookAtLinks raises an alarm for each address in a document that isn't what it looks
// like. It is durable before anything of the answer leaves.
func (q *request) lookAtLinks(t *doc.Tree) error {
	judge := q.h.links()
	if judge == nil {
		return nil
	}
	left := maxLooked
	var failed error
	tell := func(v link.Verdict) {
		if q.raised.hosts < maxHosts && failed == nil {
			failed = q.suspicious(v)
		}
	}
	for n := 0; n < len(t.Nodes) && left > 0 && q.raised.hosts < maxHosts && failed == nil; n++ {
		if t.Nodes[n].Kind != doc.String {
			continue
		}
		text := t.Text(n)
		judge.Text(text, &left, tell)
		if isHref(t, n) { // one without a scheme of its own
			left--
			if v, bad := judge.Address(text); bad {
				tell(v)
			}
		}
	}
	return failed
}

// maxLooked is how many addresses of a document are judged, and maxHosts of how many
// hosts one request tells: each is an entry, and who writes a mail would otherwise
// decide how long the request takes. The next one tells of others.
const (
	maxLooked = 20_000
	maxHosts  = 20
)

// suspicious raises the alarm of an address, unless its host was told of today, or is
// the CRM's own.
func (q *request) suspicious(v link.Verdict) error {
	if q.isCRM(&url.URL{Host: v.Host}) {
		return nil
	}
	cause := string(v.Reason) + "\n" + v.Host
	tell, since := q.h.alarms.hosts.Tell(cause, time.Now())
	if !tell {
		return nil
	}
	err := q.raise(&audit.Alarm{
		Cause: alarm.Link, Level: string(weight(v.Reason)), How: string(v.Reason), Entry: q.intent.String(), Host: v.Host, Repeated: since,
	})
	if err != nil {
		q.h.alarms.hosts.Untold(cause)
		return errors.Join(errLog, err)
	}
	q.raised.hosts++
	return nil
}

// weight grades a reason. Numbers for hosts stand in notes of the company's own, too.
func weight(r link.Reason) alarm.Level {
	if r == link.IP || r == link.Unreadable {
		return alarm.Low
	}
	return alarm.Medium
}

func isHref(t *doc.Tree, n int) bool {
	if t.Format.Name() != "html" || t.Nodes[n].Flags&html.FlagAttr == 0 {
		return false
	}
	switch t.Key(n) {
	case "@href", "@xlink:href":
	default:
		return false
	}
	switch t.Key(int(t.Nodes[n].Parent)) {
	case "a", "area":
		return true
	}
	return false
}

// linkPath is the page that a suspicious link leads to.
const linkPath = ownPrefix + "/link"

// maxTarget is the longest address that the page leads on to, in bytes.
const maxTarget = 4 << 10

// target is what the token of a link holds.
type target struct {
	URL string `json:"url"`
	// Cut says that it is only the beginning of an address.
	Cut bool `json:"cut,omitempty"`
}

// divert has the suspicious links in an HTML page lead to the warning page. A text that
// is edited in the page keeps its links: it would be saved with them.
func (q *request) divert(t *doc.Tree) ([]byte, bool, error) {
	judge := q.h.links()
	if judge == nil || t.Format.Name() != "html" {
		return t.Src, false, nil
	}
	var edits []doc.Edit
	for n, left := 0, maxLooked; n < len(t.Nodes) && left > 0; n++ {
		if t.Nodes[n].Kind != doc.String || !isHref(t, n) {
			continue
		}
		left--
		text := t.Text(n)
		v, bad := judge.Address(text)
		if !bad || q.isCRM(&url.URL{Host: v.Host}) || edited(t, n) {
			continue
		}
		to, err := q.diverted(text)
		if err != nil {
			return nil, false, err
		}
		node := &t.Nodes[n]
		edits = append(edits, doc.Edit{Start: node.Start, End: node.End, With: t.Format.Encode(nil, t, n, doc.Value{Kind: doc.String, Text: to})})
	}
	if len(edits) == 0 {
		return t.Src, false, nil
	}
	out, err := doc.Splice(nil, t.Src, edits)
	return out, true, err
}

// parseDiverted reads a document, with its suspicious links diverted.
func (l *release) parseDiverted(document []byte, charset string) (*doc.Tree, error) {
	t, err := l.q.x.Parse(document, charset)
	if err != nil {
		return nil, err
	}
	if err := l.q.lookAtLinks(t); err != nil {
		return nil, err
	}
	diverted, changed, err := l.q.divert(t)
	if err != nil || !changed {
		return t, err
	}
	html.Release(t)
	return l.q.x.Parse(diverted, charset)
}

// edited reports whether a node stands where the page lets people edit.
func edited(t *doc.Tree, n int) bool {
	for at := int(t.Nodes[n].Parent); at > doc.Root; at = int(t.Nodes[at].Parent) {
		if t.Key(at) == "template" {
			return true
		}
		if e := t.Member(at, "@contenteditable"); e >= 0 && !strings.EqualFold(t.Text(e), "false") {
			return true
		}
	}
	return false
}

// diverted is the address of the warning page for an address. Its token is sealed for
// the employee: nobody else can be led there by it, and nothing in it can be read.
func (q *request) diverted(address string) (string, error) {
	at := target{URL: address}
	if len(at.URL) > maxTarget {
		at = target{URL: at.URL[:maxTarget], Cut: true}
	}
	text, err := json.Marshal(at)
	if err != nil {
		return "", fmt.Errorf("sealing a link: %w", err)
	}
	sealed, err := q.h.sealer.Seal("link", text, q.linkOwner())
	if err != nil {
		return "", fmt.Errorf("sealing a link: %w", err)
	}
	return q.baseURL() + linkPath + "?to=" + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// linkOwner binds a token to a person at this site.
func (q *request) linkOwner() []byte {
	id := q.employee.session.Identity
	owner, _ := json.Marshal([]string{q.h.realm(), id.Issuer, id.Subject}) // of strings alone: no error
	return owner
}

// holdsDiverted reports whether a request would save the address of a warning page:
// the text came from a page, and the CRM would keep the gateway's address in place of
// the one that stood there.
func (q *request) holdsDiverted() bool {
	if q.h.links() == nil || !slices.ContainsFunc(q.x.Accesses, func(a access.Access) bool { return a.Action != access.Read && a.Action != access.Search }) {
		return false
	}
	has := func(s string) bool {
		s = strings.ToLower(s)
		return strings.Contains(s, linkPath+"?to=") || strings.Contains(s, "%2f.crmgate%2flink%3fto%3d")
	}
	if has(string(q.body)) {
		return true
	}
	t := q.x.Body()
	if t == nil {
		return false
	}
	for n := range t.Nodes {
		if t.Nodes[n].Kind == doc.String && has(t.Text(n)) {
			return true
		}
	}
	return false
}

var textDiverted = text{
	"Im Text steht die Adresse einer Warnseite statt des Links, vor dem sie warnt. Gespeichert wurde nichts. Nehmen Sie den Link heraus, oder schreiben Sie seine Adresse von der Warnseite ab.",
	"The text holds the address of a warning page in the place of the link that it warns of. Nothing was saved. Take the link out, or copy its address from the warning page.",
}
