package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
)

// exchange are the entries of one request.
type exchange struct {
	intent     *audit.Entry
	refused    *audit.Entry
	disclosure *audit.Entry
	own        int // entries of reads of the gateway's own
}

// exchanges are all requests by the seq of any of their entries, as an Audit-Id
// names it.
type exchanges map[string]*exchange

func (s *site) exchanges(t *testing.T) exchanges {
	t.Helper()
	byRequest, bySeq := map[string]*exchange{}, exchanges{}
	for _, e := range s.Entries(t) {
		if e.Entry.Request == "" {
			continue
		}
		x := byRequest[e.Entry.Request]
		if x == nil {
			x = &exchange{}
			byRequest[e.Entry.Request] = x
		}
		bySeq[strconv.FormatUint(e.Seq, 10)] = x
		x.note(t, &e.Entry)
	}
	return bySeq
}

func (x *exchange) note(t *testing.T, e *audit.Entry) {
	t.Helper()
	switch {
	case ownRead(e):
		x.own++
	case e.Kind == audit.Intent && e.Decision.Refused:
		x.refused = e
	case e.Kind == audit.Intent:
		x.intent = e
	case e.Kind == audit.Disclosure:
		if x.intent == nil {
			t.Errorf("request %s: a disclosure without an intent before it", e.Request)
		}
		x.disclosure = joined(x.disclosure, e)
	}
}

// joined adds a part of a streamed answer's disclosure to those before it.
func joined(before, e *audit.Entry) *audit.Entry {
	if before == nil || e.Part < 2 || e.Disclosure == nil || before.Disclosure == nil {
		return e
	}
	all, d := *e, *before.Disclosure
	d.Records = slices.Concat(d.Records, e.Disclosure.Records)
	d.Rows += e.Disclosure.Rows
	d.Withheld += e.Disclosure.Withheld
	all.Disclosure, all.Bytes = &d, before.Bytes+e.Bytes
	return &all
}

// ownRead reports whether an entry speaks of the gateway's own read before a
// save, not of what the employee asked for.
func ownRead(e *audit.Entry) bool {
	return strings.HasPrefix(e.Detail, "the gateway's own read") || e.Detail == "nothing of it was released"
}

// of finds the entries that an answer's Audit-Id names.
func (xs exchanges) of(auditID string) *exchange {
	_, seq, _ := strings.Cut(auditID, "/")
	return xs[seq]
}

// released reports whether the disclosure speaks of exactly these bytes; that of a
// stream of as many.
func (x *exchange) released(body []byte) bool {
	if x.disclosure != nil && x.disclosure.Parts > 0 {
		return x.disclosure.Bytes == int64(len(body))
	}
	sum := sha256.Sum256(body)
	return x.disclosure != nil && x.disclosure.BodySHA256 == hex.EncodeToString(sum[:])
}

// names reports whether the disclosure names a record, by type and id; an empty
// type is any.
func (x *exchange) names(typ, id string) bool {
	if x.disclosure == nil || x.disclosure.Disclosure == nil {
		return false
	}
	for _, r := range x.disclosure.Disclosure.Records {
		if r.ID == id && (typ == "" || r.Type == typ) {
			return true
		}
	}
	return false
}
