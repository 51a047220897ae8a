package profile

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// tell notes where a field stands that is wanted besides masking. What the client sent
// itself is nothing that the CRM says, and what was so once isn't now.
func (f *finder) tell(node, rec int, ent *entity, name string) {
	if f.x.Wants == nil || rec < 0 || ent == nil || f.typed || f.echo || f.past || !slices.Contains(f.x.Wants[ent.name], name) {
		return
	}
	f.found.Told = append(f.found.Told, access.Told{Record: rec, Name: name, Node: node})
}

// ownRequest is a compiled request of the gateway's own.
type ownRequest struct {
	method, path, query, body string
	remains                   Remains
}

// Remains is what the CRM keeps of a record that was deleted.
type Remains string

// The words for it; "" is nothing.
const (
	RemainsMarked   Remains = "marked"
	RemainsArchived Remains = "archived"
)

func (c *compiler) ownRequest(where string, s *requestSpec) *ownRequest {
	if *s == (requestSpec{}) {
		return nil
	}
	method, target, ok := strings.Cut(s.Request, " ")
	if !ok || !strings.HasPrefix(target, "/") || !slices.Contains([]string{"GET", "POST", "DELETE"}, method) {
		c.fail(where, "request: write the method and the address: `DELETE /api/v1/{type}/{id}`")
		return nil
	}
	if !strings.Contains(target+s.Body, "{id}") {
		c.fail(where, "the request doesn't name the record: write {id} where its id stands")
		return nil
	}
	r := &ownRequest{method: method, body: s.Body, remains: Remains(s.Remains)}
	r.path, r.query, _ = strings.Cut(target, "?")
	switch r.remains {
	case "", RemainsMarked, RemainsArchived:
	default:
		c.fail(where, "remains: %q is neither marked nor archived", s.Remains)
	}
	return r
}

// ownRequests checks that the profile itself reads each of the gateway's own requests as
// what it is meant to be, for every type of the entity that has a name.
func (c *compiler) ownRequests() {
	if len(c.errs) > 0 {
		return // what they are read with is broken
	}
	for typ, e := range c.p.types {
		if e.read == nil && e.erase == nil {
			continue
		}
		rec := access.Record{Entity: e.name, Type: typ, ID: c.sampleID(typ)}
		if e.read != nil {
			if _, err := c.p.OwnRead(rec); err != nil {
				c.fail("entity "+string(e.name)+", read", "%v", err)
			}
		}
		if e.erase != nil {
			if _, err := c.p.OwnDelete(rec); err != nil {
				c.fail("entity "+string(e.name)+", delete", "%v", err)
			}
		}
	}
}

// sampleID is an id as the profile wants it.
func (c *compiler) sampleID(typ string) string {
	if !c.p.salesforceIDs {
		return "1"
	}
	for prefix, of := range c.p.prefixes {
		if of == typ {
			return salesforceID(prefix + "000000000001")
		}
	}
	return salesforceID("000000000000001")
}

// Own is a request of the gateway's own for one record.
type Own struct {
	Request StoredRequest
	// Exchange is what the profile says of it: how its answer is read.
	Exchange *Exchange
	// Remains is what the CRM keeps after a deletion.
	Remains Remains
	record  access.Record
}

var (
	// ErrNoOwn says that the profile has no such request for the entity.
	ErrNoOwn = errors.New("the profile doesn't say how")
	errOwn   = errors.New("the profile's own routes and calls don't read the request so")
)

// OwnRead is the gateway's own read of a record. Fields are those that are needed: some
// CRMs give no others.
func (p *Profile) OwnRead(r access.Record, fields ...string) (Own, error) {
	e := p.entityOf(r.Type)
	if e == nil || e.read == nil {
		return Own{}, ErrNoOwn
	}
	return p.ownRequest(r, e, e.read, fields, access.Read, access.Search)
}

// OwnDelete is the gateway's own request that deletes a record.
func (p *Profile) OwnDelete(r access.Record) (Own, error) {
	e := p.entityOf(r.Type)
	if e == nil || e.erase == nil {
		return Own{}, ErrNoOwn
	}
	return p.ownRequest(r, e, e.erase, nil, access.Delete)
}

func (p *Profile) ownRequest(r access.Record, e *entity, o *ownRequest, fields []string, actions ...access.Action) (Own, error) {
	for _, v := range []string{r.Type, r.ID} {
		if v == "" || strings.Trim(v, ".") == "" || len(v) > 200 || strings.ContainsAny(v, "/\\?#%;{}") || strings.ContainsFunc(v, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
			return Own{}, errors.New("the record's type or id can't stand in a request")
		}
	}
	req, err := o.fill(r, fields)
	if err != nil {
		return Own{}, err
	}
	query, err := url.ParseQuery(req.Query)
	if err != nil {
		return Own{}, fmt.Errorf("%w: its query can't be read", errOwn)
	}
	asked := Request{Method: req.Method, Path: req.Path, MediaType: req.MediaType, ContentType: req.MediaType, Body: req.Body}
	for name, values := range query {
		for _, v := range values {
			asked.Query = append(asked.Query, Param{Name: name, Value: v})
		}
	}
	x, err := p.Classify(asked)
	if err != nil {
		return Own{}, fmt.Errorf("%w: %w", errOwn, err)
	}
	if len(x.Accesses) != 1 || x.Pass || !slices.Contains(actions, x.Accesses[0].Action) || x.Accesses[0].Entity != e.name ||
		x.Accesses[0].Action != access.Search && !slices.Equal(x.Accesses[0].IDs, []string{r.ID}) {
		return Own{}, errOwn
	}
	return Own{Request: req, Exchange: x, Remains: o.remains, record: r}, nil
}

// fill puts type and id in their places. In a body both are JSON.
func (o *ownRequest) fill(r access.Record, fields []string) (StoredRequest, error) {
	vars := map[string]string{"type": r.Type, "id": r.ID}
	escaped := map[string]string{"type": url.QueryEscape(r.Type), "id": url.QueryEscape(r.ID), "fields": url.QueryEscape(strings.Join(fields, ","))}
	req := StoredRequest{Method: o.method, Path: expandVars(o.path, vars), Query: expandVars(o.query, escaped)}
	if o.body == "" {
		return req, nil
	}
	for name, v := range vars {
		quoted, err := json.Marshal(v)
		if err != nil {
			return req, fmt.Errorf("making a request: %w", err)
		}
		vars[name] = strings.Trim(string(quoted), `"`)
	}
	body := expandVars(o.body, vars)
	if !json.Valid([]byte(body)) {
		return req, errors.New("the body isn't JSON with this id")
	}
	req.MediaType, req.Body = "application/json", []byte(body)
	return req, nil
}

// Parse reads the answer to a request of the gateway's own.
func (o *Own) Parse(body []byte) (*doc.Tree, error) { return o.Exchange.Parse(body, "") }

// Gone reports whether an answer to a read says that the record is there no longer: an
// address that isn't there, or a call's result without it. An error says nothing.
func (o *Own) Gone(status int, body []byte) bool {
	if o.Exchange.tr == nil {
		return status == 404 || status == 410
	}
	if status >= 300 {
		return false
	}
	t, err := o.Parse(body)
	if err != nil {
		return false
	}
	if tr := o.Exchange.tr; !tr.bare && (tr.result.first(t, doc.Root) < 0 || tr.failure.at.first(t, doc.Root) >= 0) {
		return false
	}
	found, err := o.Exchange.Locate(t, status)
	if err != nil {
		return false
	}
	defer found.Release()
	return !slices.ContainsFunc(found.Records, func(r access.FoundRecord) bool { return r.ID == o.record.ID })
}

// Failed reports whether an answer to a deletion says that it wasn't done.
func (o *Own) Failed(status int, body []byte) bool {
	if status < 200 || status >= 300 {
		return true
	}
	tr := o.Exchange.tr
	if tr == nil || tr.bare {
		return false
	}
	t, err := o.Parse(body)
	return err != nil || tr.failure.at.first(t, doc.Root) >= 0
}

// CanDelete reports whether the profile says how records of a type are deleted.
func (p *Profile) CanDelete(typ string) bool {
	e := p.entityOf(typ)
	return e != nil && e.erase != nil
}

// CanRead reports whether the profile says how the gateway reads one record of a type.
func (p *Profile) CanRead(typ string) bool {
	e := p.entityOf(typ)
	return e != nil && e.read != nil
}

// Internal reports whether records of an entity are no persons' data: they aren't
// named anywhere.
func (p *Profile) Internal(name access.Entity) bool {
	for _, e := range p.entities {
		if e.name == name {
			return e.internal
		}
	}
	return false
}

// CanReadEntity reports whether the profile says how the gateway reads one record of an
// entity.
func (p *Profile) CanReadEntity(name access.Entity) bool {
	return slices.ContainsFunc(p.entities, func(e *entity) bool { return e.name == name && e.read != nil })
}
