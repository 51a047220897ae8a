package profile

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/html"
	"github.com/crmgate/crmgate/internal/profile/soql"
)

// ErrShape says that a response hasn't the shape that the profile describes:
// what stands in it can't be told, so nothing of it may pass.
var ErrShape = errors.New("the response has not the shape that the profile describes")

// recordAt is a compiled place in a response where records stand.
type recordAt struct {
	at        expr
	selector  string
	entity    string
	relEntity path
	id        string
	relID     path
	idExpr    *expr
	bare      bool
	field     string
	fieldAt   *expr // of an argument that names it
	keys      bool
	columns   *expr
	headings  *expr
	cut       string
	byKey     bool // the type is the name of the member around the record
	idByKey   bool // and so is its id
	header    bool
	separator string
	tuple     []string
	fields    map[string]string
	status    string
	html      *htmlRecord
	pairs     *pairsAt
}

// Located is what was found in a response: in its document, and in documents
// that stand as texts inside it.
type Located struct {
	access.Found
	Nested []Nested
	// Given are the handles in the document.
	Given []Given
	// Failed says that a remote call's answer is an error, whatever its status.
	Failed bool
}

// Nested is a document that is the text of a node.
type Nested struct {
	Node int
	Tree *doc.Tree
	// Base64 is how the document is coded in the text; nil for not at all.
	Base64 *base64.Encoding
	Located
}

// Text is the text that stands for a document.
func (n *Nested) Text(document []byte) string {
	if n.Base64 != nil {
		return n.Base64.EncodeToString(document)
	}
	return string(document)
}

// finder collects what is found in one document.
type finder struct {
	x       *Exchange
	t       *doc.Tree
	found   Located
	covered []span      // subtrees that a record or field accounts for
	depth   int         // of nested documents
	level   *soql.Level // of the rows of a query, nil for other objects
	rows    int         // the list of rows in an answer of OData, -1 without one
	echo    bool        // values here are computed from what the client sent alone
	typed   bool        // so are these, and the profile vouches for it: they are the client's own
	cut     string      // what ends a field's name in a member's
	past    bool        // what is found was so once
	root    int         // the record's own object
	// marked is set where values carry marks and names repeat; lost is why such a
	// document can't be masked.
	marked doc.Marked
	lost   error
	// names are the members that were looked up, and next is where the one that
	// comes next is expected: records of one kind name the same again and again.
	names []memberName
	next  int
	// resolved are names in profiles that were looked up.
	resolved []resolvedName
	// kinds are the types of objects that fragments or __typename tell.
	kinds map[int]string
	// matched and seen are what one record of a page leaves to the next.
	matched []int
	seen    []bool
	matcher html.Matcher
	// named is the place of rows whose columns the answer has named: namedColumns.
	named        *recordAt
	namedColumns []string
	// owned are the facts of records that are, and aren't, the employee's own.
	owned [2]access.Facts
}

type span struct{ from, to int }

// maxRoom is the greatest number of fields whose memory is kept for reuse.
const maxRoom = 1 << 13

// fieldPool holds the memory that released results left. It is wiped.
var fieldPool = sync.Pool{New: func() any {
	s := make([]access.FoundField, 0, 256)
	return &s
}}

func newFields() []access.FoundField {
	pooled, _ := fieldPool.Get().(*[]access.FoundField)
	return (*pooled)[:0]
}

// Release gives the fields' memory back for reuse. They must not be used afterwards.
func (l *Located) Release() {
	s := l.Fields
	l.Fields = nil
	if cap(s) > 0 && cap(s) <= maxRoom {
		clear(s)
		s = s[:0]
		fieldPool.Put(&s)
	}
}

// maxNested is how deep documents may stand in each other.
const maxNested = 3

// Locate finds records and fields in a response. status is the HTTP status. What is
// found may be released once the response is masked.
func (x *Exchange) Locate(t *doc.Tree, status int) (*Located, error) {
	f := &finder{x: x, t: t, rows: -1}
	f.marked, _ = t.Format.(doc.Marked)
	f.found.Fields = newFields()
	if x.tr != nil {
		return &f.found, f.locateCall(status)
	}
	switch {
	case x.Type == "html":
		return &f.found, f.locateHTML(status)
	case x.Type == "csv", x.Type == "xlsx":
		return &f.found, f.locateCSV(&columns{})
	case f.marked != nil:
		return &f.found, f.locateMarked(status)
	}
	if f.x.gql != nil {
		return &f.found, f.locateGraphQL(status)
	}
	if f.x.od != nil && f.x.rt.odataPath() {
		return &f.found, f.locateOData(status)
	}
	described, placed := false, false
	for i := range x.op.records {
		r := &x.op.records[i]
		if r.fitsStatus(status) {
			f.locateAt(r, doc.Root)
			described, placed = true, placed || r.at.path.hasPlace(t, doc.Root)
		}
	}
	// Records that stand somewhere else than the profile says would be in nobody's
	// log, and their numbers in clear.
	if status < 300 && described && !placed {
		return nil, ErrShape
	}
	f.rootAnnotations()
	if err := f.handles(status); err != nil {
		return nil, err
	}
	f.coverRest(doc.Root, status >= 400)
	return &f.found, nil
}

// LocateRow finds the fields of one row of a streamed response: t is the row.
func (x *Exchange) LocateRow(t *doc.Tree) (*Located, error) {
	f := &finder{x: x, t: t, names: x.names, rows: -1}
	defer func() { x.names = f.names }()
	f.found.Fields = newFields()
	for i := range x.op.records {
		if x.op.records[i].fitsStatus(http.StatusOK) {
			f.locateNode(&x.op.records[i], doc.Root)
		}
	}
	f.coverRest(doc.Root, false)
	return &f.found, nil
}

// nested finds the records in a text that is a document of its own, and
// reports whether it is one.
func (f *finder) nested(node int, typ string, ent *entity, decode string) bool {
	if f.depth >= maxNested {
		return false
	}
	src, coding := []byte(f.t.Text(node)), (*base64.Encoding)(nil)
	if decode == "base64_json" {
		src, coding = decodeBase64(src)
	}
	t, err := parseJSON(src)
	if err != nil || !isContainer(t, doc.Root) {
		return false // a number alone could be one that identifies
	}
	in := &finder{x: f.x, t: t, depth: f.depth + 1, rows: -1}
	in.related(doc.Root, typ, ent, nil)
	f.found.Nested = append(f.found.Nested, Nested{Node: node, Tree: t, Base64: coding, Located: in.found})
	return true
}

// decodeBase64 decodes base64 in whichever alphabet, padded or not.
func decodeBase64(text []byte) ([]byte, *base64.Encoding) {
	for _, enc := range [...]*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if out, err := enc.Strict().DecodeString(string(text)); err == nil {
			return out, enc
		}
	}
	return nil, nil
}

func (r *recordAt) fitsStatus(status int) bool {
	if r.status == "" {
		return status < 400
	}
	if strings.HasSuffix(r.status, "xx") {
		return status/100 == int(r.status[0]-'0')
	}
	return r.status == strconv.Itoa(status)
}

func (f *finder) locateAt(r *recordAt, result int) {
	root := doc.Root
	if r.at.origin == fromResult {
		root = result
	}
	r.at.path.each(f.t, root, func(n int) { f.locateNode(r, n) })
}

// locateNode handles one node at which a record stands.
func (f *finder) locateNode(r *recordAt, node int) {
	typ := f.typeAt(r, node)
	ent := f.x.p.entityOf(typ)
	f.echo, f.typed = f.x.echoes(), f.x.op.alone && len(f.x.Accesses[0].IDs) == 0
	f.cut = r.cut
	f.atLevel(node)
	defer func() { f.echo, f.typed, f.cut, f.level = false, false, "", nil }()
	switch {
	case f.marked != nil:
		f.markedNode(r, node, typ, ent)
	case (r.columns != nil || r.tuple != nil) && f.t.Nodes[node].Kind != doc.Array:
		f.field(node, -1, ent, typ, unclassified(), "")
	case r.columns != nil:
		f.columnRow(r, node, typ)
	case r.tuple != nil:
		f.tuple(r, node, typ, ent)
	case r.keys:
		f.keyed(r, node, typ)
	case r.field != "":
		rec := f.record(ent, typ, f.idAt(r, node))
		f.value(node, -1, rec, typ, f.x.expand(r.field))
	case r.bare:
		f.bare(node, typ, ent)
	default:
		f.related(node, typ, ent, r)
	}
	f.cover(node)
}

func (f *finder) typeAt(r *recordAt, node int) string {
	switch {
	case r.byKey:
		return f.keyAround(node)
	case r.relEntity != nil:
		return f.typeIn(r, node)
	case r.entity != "":
		return f.x.typeOf(r.entity)
	}
	return f.x.typ
}

// typeIn is the type that stands below a record, or that its id there begins with. What
// has no id is no record: it says of one of the operation's why it wasn't saved.
func (f *finder) typeIn(r *recordAt, node int) string {
	at := doc.Leaf(f.t, r.relEntity.first(f.t, node))
	if at < 0 && len(f.x.p.prefixes) > 0 && r.entity == r.id {
		return f.x.typ
	}
	typ := f.t.Text(max(at, 0))
	if of, ok := f.x.p.typeOfID(typ); ok {
		return of
	}
	return typ
}

// keyAround is the name of the nearest member that a node is or stands in.
func (f *finder) keyAround(node int) string {
	for n := node; n >= 0; n = int(f.t.Nodes[n].Parent) {
		if key := f.t.Key(n); key != "" {
			return key
		}
	}
	return ""
}

// typeOf is the type that a word, a variable or two of them stand for: of
// `{type}.{link}` the type to which the relation leads.
func (x *Exchange) typeOf(s string) string {
	of, name, ok := strings.Cut(s, "}.{")
	if !ok {
		return x.expand(s)
	}
	related, _ := x.p.relation(x.p.entityOf(x.expand(of+"}")), x.expand("{"+name))
	return related
}

// expand returns the variable that {name} stands for, or the word itself.
func (x *Exchange) expand(s string) string {
	if strings.HasPrefix(s, "{") {
		return x.vars[strings.Trim(s, "{}")]
	}
	return s
}

// keyID says that a record's id is the name of the member in which it stands.
const keyID = "@key"

// idAt returns the id that the record's place names, "" where the record's own
// field does.
func (f *finder) idAt(r *recordAt, node int) string {
	if r.idByKey {
		if key := f.t.Key(node); !f.x.p.integerIDs || isInteger(key) {
			return key
		}
		return ""
	}
	if r.relID != nil {
		if n := doc.Leaf(f.t, r.relID.first(f.t, node)); n >= 0 {
			return f.t.Text(n)
		}
	}
	if r.idExpr == nil {
		return ""
	}
	vs := f.x.valuesAt(*r.idExpr)
	if len(vs) == 0 {
		return ""
	}
	id := vs[0].text
	if vs[0].node >= 0 {
		id = f.x.tree.Text(vs[0].node)
	}
	if isOwn(id) {
		return ""
	}
	return id
}

// isOwn reports whether an id is the client's own, of a record that isn't saved.
func isOwn(id string) bool { return strings.HasPrefix(id, "-") }

func unclassified() []access.Category { return []access.Category{access.Unclassified} }

func isContainer(t *doc.Tree, node int) bool {
	return t.Nodes[node].Kind == doc.Object || t.Nodes[node].Kind == doc.Array
}
