package profile

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/profile/soql"
)

// refers reports whether a request speaks of another one's record or answer. Where the
// profile says which members of an answer hold ids, a value may be one of them: an id
// tells nothing that its reader doesn't see. In a path, and in a name, nothing may.
func (b *Batch) refers(i int, u *url.URL) bool {
	if slices.ContainsFunc(strings.Split(u.Path, "/"), b.Requests.Refers) {
		return true
	}
	text := b.spec.references
	if text == "" || !b.list {
		return false
	}
	query, err := url.QueryUnescape(u.RawQuery)
	if err != nil || strings.Contains(u.Path, text) || !b.leadsToIDs(i, query) || b.codedTwice(query) {
		return true
	}
	return b.Requests.Holds(i, text, func(value string) bool { return b.leadsToIDs(i, value) })
}

// codedTwice reports whether a reference appears in a text that is decoded once more:
// nobody knows how often the CRM decodes before it looks for references.
func (b *Batch) codedTwice(query string) bool {
	if !strings.Contains(query, "%") {
		return false
	}
	again, err := url.QueryUnescape(strings.ReplaceAll(query, "+", "%2B"))
	return err == nil && strings.Count(again, b.spec.references) != strings.Count(query, b.spec.references)
}

// leadsToIDs reports whether every reference in a value of the i-th request is one to
// an id that a request before it answers with.
func (b *Batch) leadsToIDs(i int, value string) bool {
	for {
		_, rest, found := strings.Cut(value, b.spec.references)
		if !found {
			return true
		}
		path, after, closed := strings.Cut(rest, "}")
		m := reference.FindStringSubmatch(path)
		if !closed || m == nil || !slices.Contains(b.spec.ids, m[2]) {
			return false
		}
		k := b.Requests.Before(i, m[1])
		if k < 0 || b.asked[k] == nil || !b.asked[k].holdsIDs(m[2]) {
			return false
		}
		value = after
	}
}

// reference is what stands in a reference: the request's id, the way, and the member.
var reference = regexp.MustCompile(`^([A-Za-z0-9_]+)(?:\.[A-Za-z0-9_]+|\[[0-9]{1,4}\])*\.([A-Za-z0-9_]+)$`)

// holdsIDs reports whether members of that name in the answer hold what the CRM calls
// so, and nothing that the request itself has named so.
func (x *Exchange) holdsIDs(name string) bool {
	switch {
	case x.rt == nil || x.handles != nil || x.batch != nil || x.Pass || x.gql != nil || x.od != nil || x.op.opaque || x.op.image || x.Type != "json":
		return false
	case x.asks == nil:
		return true
	}
	for _, level := range x.asks.Rows {
		if namesColumn(level, strings.ToLower(name)) {
			return false
		}
	}
	return true
}

func namesColumn(level *soql.Level, name string) bool {
	if _, named := level.Columns[name]; named || level.Grouped {
		return true
	}
	for _, sub := range level.Subs {
		if namesColumn(sub, name) {
			return true
		}
	}
	return false
}

// made reports whether a link leads to a new record that a request before this one
// makes in the same change set. Nobody can know anything about it yet.
func (x *Exchange) made(link string) bool {
	id, ok := strings.CutPrefix(link, "$")
	return ok && x.req.Batch != nil && contains(x.req.Batch.Requests.Made(x.req.Part), id)
}

// checkReferences refuses a body that speaks of another request's answer: a value
// that its author doesn't see could be copied into a field that they do.
func (x *Exchange) checkReferences() error {
	if x.req.Batch == nil || x.tree == nil {
		return nil
	}
	for n := range x.tree.Nodes {
		if x.tree.Nodes[n].Kind != doc.String {
			continue
		}
		text := x.tree.Text(n)
		if first, _, _ := strings.Cut(text, "/"); x.req.Batch.Requests.Refers(first) && !x.made(text) {
			return refuseReference()
		}
	}
	return nil
}

func refuseReference() *Refusal {
	return refuse("reference", "A request refers to what another one of the batch makes or answers: which record or value that is can't be known beforehand.")
}
