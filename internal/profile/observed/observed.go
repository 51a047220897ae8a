// Package observed collects what a CRM's interface looks like from the exchanges
// that go by, and drafts a profile of it.
//
// A collection holds no values. It holds names (of path segments, query parameters
// and members), and of the values that stand under a name how many there were, of
// which kind and form, and what internal/mask/detect finds in them. Names are what
// an interface is made of; what could be a value in the place of a name (an id in a
// path, a mail address as a key) is kept as a variable.
package observed

import (
	"maps"
	"mime"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/mask/detect"
	"github.com/crmgate/crmgate/internal/profile/vocabulary"
)

// Exchange is one request with its answer.
type Exchange struct {
	// Method is the request's, Path its canonical path, decoded.
	Method, Path string
	// Query are the names of the query's parameters.
	Query []string
	// RequestMedia is the media type of the request's body.
	RequestMedia string
	// Request is the request's document, nil without one.
	Request *doc.Tree
	// Status is the answer's.
	Status int
	// Media is the media type of the answer's body.
	Media string
	// Answer is the answer's document, nil unless it is JSON.
	Answer *doc.Tree
	// Known says that the profile knows the route.
	Known bool
}

// The bounds of a collection. What lies beyond is counted, not kept.
const (
	maxRoutes  = 2000
	maxFields  = 100_000 // of all routes
	maxMembers = 600     // of one object
	maxDepth   = 16
	maxQueries = 200
	maxMedia   = 8
)

// LeftOut counts what wasn't kept.
type LeftOut struct {
	// Routes are exchanges on addresses beyond the bound, Failed those on unknown
	// addresses that the CRM answered with an error: what stands in such an address
	// can be anything.
	Routes int `json:"routes,omitempty"`
	Failed int `json:"failed,omitempty"`
	// Fields are values beyond the bounds of number and depth.
	Fields int `json:"fields,omitempty"`
	// Queries are parameters beyond the bound.
	Queries int `json:"queries,omitempty"`
}

// Collector collects exchanges. It is safe for concurrent use.
type Collector struct {
	detector *detect.Detector
	words    *vocabulary.Vocabulary
	// seen are likenesses by text, and names their number.
	seen  sync.Map
	names atomic.Int64

	mu        sync.Mutex
	exchanges int
	leftOut   LeftOut
	root      *node
	routes    int
	fields    int
}

// New returns an empty Collector.
func New() *Collector {
	return &Collector{detector: detect.New(detect.Options{}), words: vocabulary.New(), root: &node{}}
}

// route is what was seen of one method at one address.
type route struct {
	// Method and Path are the address: `/api/contacts/{id}`.
	Method string `json:"method"`
	Path   string `json:"path"`
	// Count are the exchanges, Known those of them that the profile knew.
	Count int `json:"count"`
	Known int `json:"known,omitempty"`
	// Query, Status and media types with the numbers of exchanges.
	Query        map[string]int `json:"query,omitempty"`
	Status       map[string]int `json:"status,omitempty"`
	RequestMedia map[string]int `json:"request_media,omitempty"`
	Media        map[string]int `json:"media,omitempty"`
	// Request and Answer are the documents' roots. Answers to failed requests are
	// held by themselves.
	Request *field `json:"request,omitempty"`
	Answer  *field `json:"answer,omitempty"`
	Failure *field `json:"failure,omitempty"`
}

// Add notes an exchange. The trees aren't kept.
func (c *Collector) Add(e Exchange) {
	if !plainMethod.MatchString(e.Method) {
		return
	}
	said := texts(e.Request, e.Answer)
	request, answer := c.look(e.Request, said), c.look(e.Answer, said)
	segments := c.segments(e.Path, said, c.typed(e.Request, e.Answer))

	c.mu.Lock()
	defer c.mu.Unlock()
	c.exchanges++
	r := c.route(e.Method, segments, e.Status)
	if r == nil {
		return
	}
	r.Count++
	if e.Known {
		r.Known++
	}
	for _, name := range e.Query {
		c.count(&r.Query, c.parameter(name, said), maxQueries, &c.leftOut.Queries)
	}
	c.count(&r.Status, statusClass(e.Status), maxMedia, nil)
	c.count(&r.RequestMedia, mediaType(e.RequestMedia), maxMedia, nil)
	c.count(&r.Media, mediaType(e.Media), maxMedia, nil)
	c.merge(&r.Request, request)
	if e.Status >= 400 {
		c.merge(&r.Failure, answer)
	} else {
		c.merge(&r.Answer, answer)
	}
}

var plainMethod = regexp.MustCompile(`^[A-Z]{3,10}$`)

// count adds one to a name's number.
func (c *Collector) count(of *map[string]int, name string, most int, left *int) {
	if name == "" {
		return
	}
	if *of == nil {
		*of = map[string]int{}
	}
	if _, ok := (*of)[name]; !ok && len(*of) >= most {
		if left != nil {
			*left++
		}
		return
	}
	(*of)[name]++
}

func statusClass(status int) string {
	if status < 100 || status > 599 {
		return ""
	}
	return string(rune('0'+status/100)) + "xx"
}

var plainMedia = regexp.MustCompile(`^(?:application|audio|font|image|model|multipart|text|video)/[a-z][a-z.+-]{0,60}$`)

// mediaType is a media type without its parameters. One with numbers in it isn't
// kept as it is: an address could be its maker's own.
func mediaType(media string) string {
	if media == "" {
		return ""
	}
	typ, _, err := mime.ParseMediaType(media)
	if err != nil || !plainMedia.MatchString(typ) {
		return "other"
	}
	return typ
}

// add puts what another route saw to this one's.
func (r *route) add(o *route, c *Collector) {
	r.Count += o.Count
	r.Known += o.Known
	for _, m := range []struct{ to, from *map[string]int }{
		{&r.Query, &o.Query}, {&r.Status, &o.Status}, {&r.RequestMedia, &o.RequestMedia}, {&r.Media, &o.Media},
	} {
		addCounts(m.to, *m.from)
	}
	for _, m := range []struct{ to, from **field }{{&r.Request, &o.Request}, {&r.Answer, &o.Answer}, {&r.Failure, &o.Failure}} {
		if *m.from == nil {
			continue
		}
		if *m.to == nil {
			*m.to = *m.from
			continue
		}
		c.fold(*m.to, *m.from)
	}
}

func addCounts(to *map[string]int, from map[string]int) {
	if *to == nil {
		*to = maps.Clone(from)
		return
	}
	for k, n := range from {
		(*to)[k] += n
	}
}

// eachRoute calls visit for every route, in the order of their addresses.
func (c *Collector) eachRoute(visit func(*route)) { c.root.each(visit) }

// parameter is a parameter's name as it is kept: where[0][type] is where[*][type].
func (c *Collector) parameter(name string, said map[string]bool) string {
	var b strings.Builder
	for i, part := range strings.Split(name, "[") {
		part, closed := strings.CutSuffix(part, "]")
		switch {
		case i > 0 && !closed:
			return "*"
		case i > 0 && part == "":
			b.WriteString("[]")
			continue
		case !c.isName(part, said):
			part = "*"
		}
		if i > 0 {
			part = "[" + part + "]"
		}
		b.WriteString(part)
	}
	return b.String()
}
