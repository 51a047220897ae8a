package gate

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/coding"
	"github.com/crmgate/crmgate/internal/doc/html"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/profile"
)

// release judges a response, logs what it discloses and lets it go.
type release struct {
	q    *request
	resp *response
	s    *streamed
	// seen carries masked values between the answers of a batch.
	seen *mask.Seen
	// location is where the client may be sent, "" for nowhere, and entityID the
	// address of what was saved.
	location, entityID string
	// handed are the headers with handles that go on.
	handed map[string]string
}

// errType says that a response is not of the type that the profile gives for
// its route.
var errType = errors.New("the response has another type than the profile says")

// held releases a response that arrived whole.
func (l *release) held() {
	body, found, err := l.judge()
	if err != nil {
		l.fault(err)
		return
	}
	found.Disclosure.Records = append(found.Disclosure.Records, l.judgeAddresses()...)
	if l.location == "" && l.redirects() {
		l.withhold("redirect", textRedirect)
		return
	}
	if l.withheldCanary(&found.Disclosure) || !l.disclose(found.Disclosure, body) {
		return
	}
	l.headers(found.Sweep)
	l.q.status = l.resp.status
	l.q.write(l.resp.status, body)
}

// redirects reports whether a browser would follow the answer to an address.
func (l *release) redirects() bool {
	switch l.resp.status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// fault answers a response that can't be judged.
func (l *release) fault(err error) {
	q := l.q
	q.h.logger.Warn("the CRM's answer was withheld", zap.String("request", q.id), zap.String("audit_id", q.auditID), zap.Error(err))
	switch reason, t := faultReason(err); {
	case reason == "hold" || l.resp.status < 400:
		l.withhold(reason, t)
	default:
		l.withholdError()
	}
}

// faultReason names why an answer can't be judged.
func faultReason(err error) (string, text) {
	switch {
	case errors.Is(err, coding.ErrTooLarge), errors.Is(err, errHold):
		return "hold", textHold
	case errors.Is(err, errType), errors.Is(err, coding.ErrCoding):
		return "type", textCRMAnswer
	case errors.Is(err, errKept):
		return "session_store", textNotKept
	}
	return "malformed", textCRMAnswer
}

// withholdError answers in the place of an error of the CRM's that can't be
// judged: it keeps the status, without the text.
func (l *release) withholdError() {
	if !l.disclose(access.Disclosure{Withheld: 1}, nil) {
		return
	}
	l.copyHeaders(errorHeaders, nil)
	l.q.sayNo(refusal{status: l.resp.status, reason: "withheld", text: textCRMError(l.resp.status)})
}

// withhold answers 502 and says in the log that nothing was disclosed.
func (l *release) withhold(reason string, t text) { l.withholdAs(http.StatusBadGateway, reason, t) }

func (l *release) withholdAs(status int, reason string, t text) {
	e := l.entry()
	e.Error, e.Status = reason, status
	e.Disclosure = &access.Disclosure{}
	if _, ok := l.q.append(e); !ok {
		l.q.undisclosed()
		return
	}
	if l.q.saves() {
		t = t.and(textPerhapsSaved)
	}
	l.q.sayNo(refusal{status: status, reason: reason, text: t})
}

func (l *release) entry() *audit.Entry {
	e := l.q.entry(audit.Disclosure)
	e.Intent = l.q.intent.Seq
	e.Status, e.Detail = l.resp.status, strings.TrimPrefix(l.q.collected, "; ")
	e.Changes = l.changed()
	e.DurationMS = time.Since(l.q.start).Milliseconds()
	return e
}

// disclose makes the disclosure durable. Until it is, nothing leaves.
func (l *release) disclose(d access.Disclosure, body []byte) bool {
	if _, ok := l.q.append(l.disclosure(d, body)); !ok {
		l.q.undisclosed()
		return false
	}
	return true
}

// disclosure is the entry of a body that is to be released.
func (l *release) disclosure(d access.Disclosure, body []byte) *audit.Entry {
	e := l.entry()
	d.Records = merge(d.Records)
	e.Disclosure = &d
	nameNew(e.Changes, d.Records)
	e.Bytes = int64(len(body))
	sum := sha256.Sum256(body)
	e.BodySHA256 = hex.EncodeToString(sum[:])
	e.Detail = strings.Trim(e.Detail+"; "+l.q.revealedDetail(), "; ")
	return e
}

// judge decodes, parses, locates and masks the held body.
func (l *release) judge() ([]byte, mask.Result, error) {
	if l.bodyless() || l.resp.held.Len() == 0 {
		return nil, mask.Result{}, nil
	}
	body, err := l.decode()
	if err != nil {
		return nil, mask.Result{}, err
	}
	if l.q.x.Type == "none" {
		// What can't be masked was asked for by somebody who may see all of it.
		return body, mask.Result{Disclosure: access.Disclosure{Rows: 1}}, nil
	}
	charset, err := l.checkType(body)
	if err != nil {
		return nil, mask.Result{}, err
	}
	before, document, behind := l.q.x.Cut(body)
	t, links, err := l.parse(document, charset)
	if err != nil {
		return nil, mask.Result{}, err
	}
	found := &profile.Located{}
	l.q.changing.answered(l.q.x, t, l.resp.status)
	if !l.q.x.Pass { // one that passes comes here in a batch alone
		if found, err = l.q.x.Locate(t, l.resp.status); err != nil {
			return nil, mask.Result{}, err
		}
	}
	defer found.Release()
	if err := l.keepAsked(found.Given); err != nil {
		return nil, mask.Result{}, err
	}
	kept := l.judgeLinks(t, links, found)
	switch t.Format.Name() {
	case "json":
		defer json.Release(t)
	case "html":
		defer html.Release(t)
	}
	seen := l.seen
	if seen == nil && len(found.Nested) > 0 {
		seen = mask.NewSeen(maxSeen)
	}
	res, err := l.mask(t, found, seen)
	if err == nil && l.repeats(kept, found, res.Sweep) {
		res, err = l.mask(t, found, seen)
	}
	if err != nil {
		return nil, res, err
	}
	if body, err = res.Body(before); err != nil {
		return nil, res, err
	}
	body, err = l.q.x.Build(append(body, behind...))
	return body, res, err
}

// parse reads a document, with its addresses brought home, and says where they stand.
func (l *release) parse(document []byte, charset string) (*doc.Tree, []profile.Link, error) {
	x := l.q.x
	t, err := l.parseDiverted(document, charset)
	if err != nil || !x.HasLinks() {
		return t, nil, err
	}
	links := x.Links(t)
	homed, changed, err := l.q.homeLinks(x, t, links)
	if err != nil || !changed {
		return t, links, err
	}
	if t.Format.Name() == "json" {
		json.Release(t)
	}
	if t, err = x.Parse(homed, charset); err != nil {
		return nil, nil, err
	}
	return t, x.Links(t), nil
}

// mask applies the plan: first to documents that stand as texts in this one,
// then to the document itself.
func (l *release) mask(t *doc.Tree, found *profile.Located, seen *mask.Seen) (mask.Result, error) {
	if l.s != nil { // what is held was looked at whole
		if err := l.q.lookAtLinks(t); err != nil {
			return mask.Result{}, err
		}
	}
	var inner []access.Disclosure
	for i := range found.Nested {
		n := &found.Nested[i]
		res, err := l.mask(n.Tree, &n.Located, seen)
		if err != nil {
			return res, err
		}
		if res.Changed || len(res.Revealed) > 0 {
			body, err := res.Body(nil)
			if err != nil {
				return res, err
			}
			found.Withheld = append(found.Withheld, access.Withheld{Node: n.Node, Text: n.Text(body), Masked: true})
		}
		inner = append(inner, res.Disclosure)
	}
	l.q.unknownFields(found)
	if err := l.q.learn(t, found); err != nil {
		return mask.Result{}, fmt.Errorf("learning what is known of records: %w", err)
	}
	res, err := l.q.o.apply(t, &found.Found, l.q.decision.Plan, mask.Options{
		Scope: l.q.scope(), Echo: l.q.echo(), SecondPass: true, Seen: seen,
	})
	if err != nil {
		return res, fmt.Errorf("masking: %w", err)
	}
	l.q.sayRevealed(found, &res)
	for i := range inner {
		add(&res.Disclosure, &inner[i])
	}
	return res, nil
}

// merge joins what several places of a response say of one record: each category
// with its most revealing treatment.
func merge(records []access.DisclosedRecord) []access.DisclosedRecord {
	at := make(map[access.Record]int, len(records))
	out := records[:0]
	for _, r := range records {
		i, seen := at[r.Record]
		if !seen {
			at[r.Record] = len(out)
			out = append(out, r)
			continue
		}
		joined := maps.Clone(r.Treated) // records may share a map
		for c, t := range out[i].Treated {
			if joined == nil {
				joined = map[access.Category]access.Treatment{}
			}
			joined[c] = max(joined[c], t)
		}
		out[i].Treated = joined
	}
	return out
}

// add joins two disclosures of one response.
func add(to, d *access.Disclosure) {
	to.Records = append(to.Records, d.Records...)
	to.Rows += d.Rows
	to.Withheld += d.Withheld
	to.Identifying = append(to.Identifying, d.Identifying...)
}

// maxSeen is how many masked values are carried from one document of a response
// to the next.
const maxSeen = 4096

// scope is what pseudonyms are bound to: the employee's session, or the machine.
func (q *request) scope() string {
	if q.employee.machine != "" {
		return "machine " + q.employee.machine
	}
	return q.employee.session.Ref()
}

func (l *release) bodyless() bool {
	switch {
	case l.q.r.Method == http.MethodHead, l.resp.status == http.StatusNoContent, l.resp.status == http.StatusNotModified:
		return true
	}
	// A redirect's page repeats its address; the browser never shows it.
	return l.resp.status >= 300 && l.resp.status < 400
}

func (l *release) decode() ([]byte, error) {
	if l.resp.header.Get("Content-Encoding") == "" {
		return l.resp.held.Bytes(), nil // within hold already
	}
	r, err := coding.Decode(&l.resp.held, contentEncoding(l.resp.header), l.q.h.Hold)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r)
	return body, errors.Join(err, r.Close())
}

// contentEncoding joins the lines of a header that may have several.
func contentEncoding(h http.Header) string { return strings.Join(h.Values("Content-Encoding"), ", ") }

// checkType compares the type that the CRM names, the one that the profile
// gives and what the first bytes say, and returns the charset that the CRM names.
func (l *release) checkType(body []byte) (charset string, err error) {
	types := l.resp.header.Values("Content-Type")
	if len(types) != 1 {
		return "", fmt.Errorf("%w: it has none, or more than one", errType)
	}
	m, err := coding.ParseMedia(types[0])
	if err != nil {
		return "", fmt.Errorf("%w: %w", errType, err)
	}
	if !l.q.x.Accepts(m.Type) {
		return "", errType
	}
	if !coding.Agrees(m.Type, body[:min(len(body), 512)]) {
		return "", fmt.Errorf("%w: its bytes are something else", errType)
	}
	if l.q.x.Type == "csv" {
		return "", nil // its charset is the dialect's
	}
	cs, err := m.Charset()
	if err != nil || (cs.Name() != "utf-8" && cs.Name() != "us-ascii" && !l.q.x.OwnCharset()) {
		return "", fmt.Errorf("%w: its charset is not UTF-8", errType)
	}
	if len(m.Charsets) > 0 {
		charset = cs.Name()
	}
	return charset, nil
}

// echo are the values that the client sent itself in this request.
func (q *request) echo() mask.Echo {
	writes := q.x.Writes()
	if len(writes) == 0 || q.x.Body() == nil {
		return nil
	}
	echo := mask.Echo{}
	t := q.x.Body()
	for _, w := range writes {
		for _, f := range w.Fields {
			if f.File {
				continue
			}
			for _, leaf := range f.Leaves {
				text := t.Text(leaf.Node)
				if mask.IsPlaceholder(text) {
					continue
				}
				for _, c := range f.Categories {
					echo.Add(c, text)
				}
			}
		}
	}
	return echo
}
