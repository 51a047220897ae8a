package trial

import (
	"net/http"
	"net/textproto"
	"net/url"

	"github.com/crmgate/crmgate/internal/profile"
)

// memory is what the cases of a folder leave to those behind them: the requests that
// got handles.
type memory map[profile.Handle]profile.Request

// unknownHandle is why a request isn't let through that brings back a handle which no
// case before it was given.
const unknownHandle = "it goes on from a request that no case before it makes"

// resume makes of a request that brings handles back what it asks.
func (t *trial) resume(x *profile.Exchange) (*profile.Exchange, error) {
	for x != nil && x.Handles() != nil {
		first, known := t.first(x.Handles())
		if known {
			t.from = first
			return x.Resume(*first)
		}
		var err error
		if x, err = x.Otherwise(); err != nil {
			return nil, err
		}
	}
	if x == nil {
		t.Refused = unknownHandle
	}
	return x, nil
}

// first is the one request that got all of the handles.
func (t *trial) first(handles []profile.Handle) (*profile.Request, bool) {
	var first *profile.Request
	for _, h := range handles {
		r, known := t.memory[h]
		if !known || first != nil && !same(first, &r) {
			return nil, false
		}
		first = &r
	}
	return first, true
}

func same(a, b *profile.Request) bool {
	return a.Method == b.Method && a.Path == b.Path && string(a.Body) == string(b.Body)
}

// remember keeps the request for the handles that its answer gives.
func (t *trial) remember(given []profile.Given) {
	headers, _ := t.x.HeaderHandles(func(name string) []string {
		for k, v := range t.c.Response.Headers {
			if textproto.CanonicalMIMEHeaderKey(k) == name {
				return []string{v}
			}
		}
		return nil
	})
	for _, g := range headers {
		given = append(given, g)
	}
	for _, g := range given {
		h := g.Handle
		if g.Address {
			var leads bool
			if h, leads = t.leadsTo(g); !leads {
				t.differs("the address of the handle %s leads to no route that continues it", g.Name)
				continue
			}
		}
		t.memory[h] = *t.from
	}
}

// leadsTo is the handle that the route takes to which an address leads.
func (t *trial) leadsTo(g profile.Given) (profile.Handle, bool) {
	u, err := url.Parse(g.Value)
	if err != nil {
		return profile.Handle{}, false
	}
	r := &http.Request{Method: http.MethodGet, Host: "crm.example", URL: &url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}, Header: http.Header{}}
	req, refused := canonical(r, t.p)
	if refused != "" {
		return profile.Handle{}, false
	}
	x, err := t.p.Classify(req)
	if err != nil {
		return profile.Handle{}, false
	}
	for _, h := range x.Handles() {
		if h.Name == g.Name {
			return h, true
		}
	}
	return profile.Handle{}, false
}
