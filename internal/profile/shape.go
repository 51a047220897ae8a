package profile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"strings"

	"go.yaml.in/yaml/v3"
)

// shape is the form of the gateway's own answers, as this CRM's client
// understands them.
type shape struct {
	status  int
	headers map[string]string
	body    []byte // JSON with {text} and {id} inside
	page    string // or HTML with {text} inside
}

func (s *shape) given() bool { return s.body != nil || s.page != "" }

// Answer is a response of the gateway's own.
type Answer struct {
	Status  int
	Headers map[string]string
	Body    []byte
}

// Shapes are the forms of the gateway's own answers to one kind of client.
type Shapes struct {
	refusal   shape
	signedOut *shape
}

// ShapesAt returns the forms for the clients of an address.
func (p *Profile) ShapesAt(method, path string) *Shapes {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for _, tr := range p.transports {
		if tr.pattern.match(method, segments, map[string]string{}) && tr.shapes != nil {
			return tr.shapes
		}
	}
	if rt := p.shapedRoute(method, segments); rt != nil {
		return rt.shapes
	}
	return &p.shapes
}

// shapedRoute is the route of an address whose refusals have a shape of their own;
// nil without one.
func (p *Profile) shapedRoute(method string, segments []string) *route {
	for _, rt := range p.routes {
		if rt.shapes != nil && rt.pattern.match(method, segments, map[string]string{}) {
			return rt
		}
	}
	return nil
}

func (c *compiler) errorShapes() { c.p.shapes = c.shapes("error", &c.spec.Error) }

func (c *compiler) shapes(where string, s *errorSpec) Shapes {
	out := Shapes{refusal: c.shape(where, s, 403)}
	if s.SignedOut != nil {
		gone := c.shape(where+".signed_out", s.SignedOut, 401)
		out.signedOut = &gone
	}
	return out
}

func (c *compiler) shape(where string, s *errorSpec, status int) shape {
	sh := shape{status: s.Status, headers: s.Headers, page: s.Page}
	if sh.status == 0 {
		sh.status = status
	}
	if s.Body.Kind != 0 && s.Page != "" {
		c.fail(where, "has both body and page; keep the one that the CRM's client reads")
	}
	if s.Body.Kind != 0 {
		var buf bytes.Buffer
		if err := writeJSON(&buf, &s.Body); err != nil {
			c.fail(where, "%v", err)
		}
		sh.body = buf.Bytes()
	}
	return sh
}

// writeJSON writes a YAML node as JSON and keeps the order of its members.
func writeJSON(w *bytes.Buffer, n *yaml.Node) error {
	switch n.Kind {
	case yaml.AliasNode:
		return writeJSON(w, n.Alias)
	case yaml.MappingNode:
		return writeObject(w, n)
	case yaml.SequenceNode:
		w.WriteByte('[')
		for i, c := range n.Content {
			if i > 0 {
				w.WriteByte(',')
			}
			if err := writeJSON(w, c); err != nil {
				return err
			}
		}
		w.WriteByte(']')
		return nil
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	return writeValue(w, n, v)
}

func writeObject(w *bytes.Buffer, n *yaml.Node) error {
	w.WriteByte('{')
	for i := 0; i+1 < len(n.Content); i += 2 {
		if i > 0 {
			w.WriteByte(',')
		}
		if err := writeValue(w, n.Content[i], n.Content[i].Value); err != nil {
			return err
		}
		w.WriteByte(':')
		if err := writeJSON(w, n.Content[i+1]); err != nil {
			return err
		}
	}
	w.WriteByte('}')
	return nil
}

func writeValue(w *bytes.Buffer, n *yaml.Node, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	w.Write(raw)
	return nil
}

// Refuse returns the answer for a refused request, in the profile's own shape
// where it has one. id is the request's own id, raw JSON.
func (p *Profile) Refuse(status int, text, id string) (Answer, bool) {
	return p.shapes.Refuse(status, text, id)
}

// SignedOut is Shapes.SignedOut in the profile's own shape.
func (p *Profile) SignedOut(text, id string) (Answer, bool) { return p.shapes.SignedOut(text, id) }

// Refuse returns the answer for a refused request, in the CRM's own shape where
// there is one. id is the request's own id, raw JSON.
func (p *Shapes) Refuse(status int, text, id string) (Answer, bool) {
	if !p.refusal.given() {
		return Answer{}, false
	}
	a := p.refusal.fill(text, id)
	if status != 0 {
		a.Status = status
	}
	return a, true
}

// ShapesRoutes reports whether the shape is for all of the CRM's clients: with
// remote calls it is for those alone.
func (p *Profile) ShapesRoutes() bool { return p.shapes.refusal.given() && len(p.transports) == 0 }

// SignedOut returns the answer for a call without a session, and false where
// there is no shape of its own for it.
func (p *Shapes) SignedOut(text, id string) (Answer, bool) {
	if p.signedOut == nil {
		return Answer{}, false
	}
	return p.signedOut.fill(text, id), true
}

func (s *shape) fill(text, id string) Answer {
	a := Answer{Status: s.status, Headers: map[string]string{"Content-Type": "application/json"}}
	if s.page != "" {
		a.Headers["Content-Type"] = "text/html; charset=utf-8"
		a.Body = []byte(strings.ReplaceAll(s.page, "{text}", html.EscapeString(text)))
	} else {
		a.Body = s.fillJSON(text, id)
	}
	for k, v := range s.headers {
		a.Headers[k] = strings.ReplaceAll(v, "{text}", asciiOnly(text))
	}
	return a
}

func (s *shape) fillJSON(text, id string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil {
		quoted = []byte(`""`)
	}
	if !json.Valid([]byte(id)) {
		id = "null"
	}
	// Both at once: what is filled in is not searched again.
	return []byte(strings.NewReplacer("{text}", string(quoted[1:len(quoted)-1]), `"{id}"`, id).Replace(string(s.body)))
}

func asciiOnly(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}

// IsCall reports whether a request goes to a transport for remote calls, or to an
// address whose refusals have a shape of their own.
func (p *Profile) IsCall(method, path string) bool {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for _, tr := range p.transports {
		if tr.pattern.match(method, segments, map[string]string{}) {
			return true
		}
	}
	return p.shapedRoute(method, segments) != nil
}
