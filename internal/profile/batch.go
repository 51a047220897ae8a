package profile

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/doc/batch"
)

// batchRoute is a compiled description of batches.
type batchRoute struct {
	multipart  bool
	requests   *batch.List // nil: none in JSON
	answers    *batch.List
	references string
	ids        []string
	headers    []glob
	root       string
	most       int
}

const defaultMost = 100

// batch compiles what a route says of batches.
func (c *compiler) batch(where string, rt *route, s *routeSpec) {
	b := &s.Batch
	inJSON := b.Requests.At != ""
	if !b.Multipart && !inJSON {
		return
	}
	rt.batch = &batchRoute{multipart: b.Multipart, references: b.References, ids: b.IDs, root: b.Root, most: b.Most}
	if rt.batch.most == 0 {
		rt.batch.most = defaultMost
	}
	if inJSON {
		rt.batch.requests, rt.batch.answers = b.Requests.list(), b.Answers.list()
	}
	for _, name := range append(batchHeaders(), b.Headers...) {
		rt.batch.headers = append(rt.batch.headers, glob(strings.ToLower(name)))
	}
	r, a := &b.Requests, &b.Answers
	switch {
	case !slices.Equal(rt.pattern.methods, []string{"POST"}):
		c.fail(where, "batch: the address takes POST alone: `match: POST /…`")
	case rt.batch.most < 1 || rt.batch.most > batch.MaxMessages:
		c.fail(where, "batch: most is 1 to %d", batch.MaxMessages)
	case inJSON && (r.Method == "" || r.URL == "" || r.Status != ""):
		c.fail(where, "batch: requests need the members method and url, and have no status")
	case inJSON && (a.At == "" || a.Status == "" || a.Body == "" || a.Method != "" || a.URL != ""):
		c.fail(where, "batch: answers need at, status and body, and have no method and url")
	case inJSON && a.ID != "" && r.ID == "":
		c.fail(where, "batch: answers are known by an id that requests don't have; name its member in requests, too")
	case b.Root != "" && (!plainRoot.MatchString(b.Root) || strings.Contains(b.Root, "//")):
		c.fail(where, "batch: root %q is no plain path with a slash at both ends", b.Root)
	case b.Root == "" && len(c.spec.Normalize.Paths) > 0:
		c.fail(where, "batch: with other paths in normalize say where relative addresses begin: `root: /api/`")
	case s.OData != "" || s.Write != nil || len(s.Records)+len(s.Refs)+len(s.IDs)+len(s.Members) > 0 || s.Entity != "" || s.Pass || s.Stream != "" || s.Type != "" || s.Body != "" || s.Opaque || s.Image:
		c.fail(where, "batch: what is asked, and what the answers hold, is said by the routes of its requests; leave all else out")
	}
	rt.body = "any"
	c.batchParts(where, b)
}

// batchParts compiles what a route says of groups and of references in a batch.
func (c *compiler) batchParts(where string, b *batchSpec) {
	r, a := &b.Requests, &b.Answers
	switch {
	case r.Groups != a.Groups || r.Groups != "" && (r.GroupID == "" || a.GroupID == "" || a.ID == ""):
		c.fail(where, "batch: groups stand in requests and answers alike, and are known by `group_id`; their answers by an id")
	case len(b.IDs) > 0 && (b.References == "" || !c.p.integerIDs && !c.p.salesforceIDs):
		c.fail(where, "batch: ids are members to which references may lead: say how these begin, `references: \"@{\"`, and in normalize what ids are")
	}
}

// batchHeaders are those that a request in a batch may always have.
func batchHeaders() []string {
	return []string{
		"accept", "accept-language", "content-type", "content-language", "if-match", "prefer",
		"odata-version", "odata-maxversion", "odata-isolation",
	}
}

// Takes reports whether a request in the batch may have a header.
func (b *Batch) Takes(name string) bool { return matchAny(b.spec.headers, strings.ToLower(name)) }

func (s *batchListSpec) list() *batch.List {
	return &batch.List{
		Groups: s.Groups, GroupID: s.GroupID, At: s.At, ID: s.ID, Method: s.Method, URL: s.URL, Status: s.Status, Headers: s.Headers, Body: s.Body,
		Members: s.Members, Beside: s.Beside,
	}
}

var plainRoot = regexp.MustCompile(`^/(?:[A-Za-z0-9._~-]+/)*$`)

// Batch is what a request carries that holds several.
type Batch struct {
	Requests *batch.Batch

	spec *batchRoute
	// list says that it is JSON.
	list bool
	root string
	// asked are the requests that were classified, nil for one that wasn't.
	asked []*Exchange
}

// Batch is the several requests that this one carries, nil as a rule.
func (x *Exchange) Batch() *Batch { return x.batch }

// readBatch reads the requests apart. What they ask is not looked at yet.
func (x *Exchange) readBatch() error {
	spec := x.rt.batch
	b := &Batch{spec: spec, root: spec.root}
	if b.root == "" {
		b.root = x.req.Path[:strings.LastIndexByte(x.req.Path, '/')+1]
	}
	if !plainRoot.MatchString(b.root) {
		return refuse("malformed", "The address of a batch is no plain path.")
	}
	var err error
	switch {
	case spec.multipart && x.req.MediaType == "multipart/mixed":
		var boundary string
		if boundary, err = batch.Boundary(x.req.ContentType); err == nil {
			b.Requests, err = batch.ParseRequests(x.req.Body, boundary, spec.most)
		}
	case spec.requests != nil && x.req.MediaType == "application/json":
		b.list = true
		b.Requests, err = batch.ParseList(x.req.Body, spec.requests, spec.most)
	default:
		return &Refusal{Reason: "type", Text: "This address takes batches of another type.", Status: 415}
	}
	if err != nil {
		return &Refusal{Reason: "malformed", Text: "The batch is not strictly what it says: " + err.Error() + ".", Status: 400}
	}
	b.asked = make([]*Exchange, len(b.Requests.Messages))
	x.batch = b
	return nil
}

// Answers reads the batch's answer and tells which of its messages belongs to which
// request, -1 for none: an error before it has ended the batch.
func (b *Batch) Answers(contentType string, body []byte) (answers *batch.Batch, of []int, err error) {
	if b.list {
		answers, err = batch.ParseList(body, b.spec.answers, len(b.Requests.Messages))
	} else {
		var boundary string
		if boundary, err = batch.Boundary(contentType); err == nil {
			answers, err = batch.ParseAnswers(body, boundary, len(b.Requests.Messages))
		}
	}
	if err != nil {
		return nil, nil, err
	}
	of, err = b.Requests.Match(answers)
	return answers, of, err
}

// IsAnswer reports whether an answer of that media type can be the batch's.
func (b *Batch) IsAnswer(media string) bool {
	if b.list {
		return media == "application/json"
	}
	return media == "multipart/mixed"
}

func malformedPart(text string) *Refusal {
	return &Refusal{Reason: "malformed", Text: text, Status: 400}
}

// Request is the i-th request with its own headers, as it would have come to host by
// itself. It isn't canonical yet. The error is a *Refusal.
func (b *Batch) Request(i int, host string) (*http.Request, error) {
	m := &b.Requests.Messages[i]
	u := &url.URL{}
	rest := m.Target
	if scheme, after, ok := strings.Cut(m.Target, "://"); ok && isScheme(scheme) {
		end := strings.IndexAny(after, "/?#")
		if end < 0 {
			end = len(after)
		}
		u.Scheme, u.Host, rest = strings.ToLower(scheme), after[:end], after[end:]
		if !strings.HasPrefix(rest, "/") {
			rest = "/" + rest
		}
	} else if !strings.HasPrefix(rest, "/") {
		rest = b.root + rest
	}
	u.RawPath, u.RawQuery, _ = strings.Cut(rest, "?")
	var err error
	if u.Path, err = url.PathUnescape(u.RawPath); err != nil {
		return nil, malformedPart("The address has a percent sign that is none.")
	}
	if b.refers(i, u) {
		return nil, refuseReference()
	}
	inRoot, ok := strings.CutPrefix(u.RawPath, b.root)
	if first, _, _ := strings.Cut(inRoot, "/"); ok && strings.Contains(first, ":") {
		if scheme, _, _ := strings.Cut(first, ":"); isScheme(scheme) {
			return nil, malformedPart("A relative address begins like an absolute one.")
		}
	}
	if b.absolute(i) && (!ok || inRoot == "") {
		return nil, malformedPart("A request leads elsewhere than to the batch's own service.")
	}
	return &http.Request{Method: m.Method, Host: host, URL: u, Header: m.Header.Clone()}, nil
}

// isScheme reports whether a text can be an address's scheme.
func isScheme(s string) bool {
	return s != "" && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789+-.") == ""
}

// absolute reports whether the i-th request names the host. That is the gateway's,
// and need not be the CRM's own.
func (b *Batch) absolute(i int) bool {
	m := &b.Requests.Messages[i]
	scheme, _, ok := strings.Cut(m.Target, "://")
	return ok && isScheme(scheme) || m.Header.Get("Host") != ""
}

// Target is how an address in its canonical form is written in the i-th request's
// place: from the batch's root on, where the request named the host or nothing, else
// from the host on.
func (b *Batch) Target(i int, rawPath, rawQuery string) (string, error) {
	target := rawPath
	if b.absolute(i) || !strings.HasPrefix(b.Requests.Messages[i].Target, "/") {
		rest, ok := strings.CutPrefix(rawPath, b.root)
		if !ok {
			return "", errors.New("an address of a batch has left its root")
		}
		target = rest
	}
	if rawQuery != "" {
		target += "?" + rawQuery
	}
	return target, nil
}
