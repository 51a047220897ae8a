package profile

import (
	"maps"
	"net/textproto"
	"slices"
	"strings"
)

// PassesHeader reports whether a response header, in its canonical spelling, may have
// the value before the client.
func (p *Profile) PassesHeader(name, value string) bool { return contains(p.headers[name], value) }

// headers compiles the response headers that the CRM's client needs. The others'
// meaning is the gateway's own to judge.
func (c *compiler) headers() {
	c.p.headers = map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(c.spec.Headers)) {
		canonical, values := textproto.CanonicalMIMEHeaderKey(name), c.spec.Headers[name]
		if !strings.HasPrefix(canonical, "X-") || len(values) == 0 || slices.Contains(values, "") {
			c.fail("headers "+name, "name headers of the CRM's own, which begin with X-, and their values: `headers: {X-App-Content: [\"yes\"]}`")
		}
		c.p.headers[canonical] = values
	}
}
