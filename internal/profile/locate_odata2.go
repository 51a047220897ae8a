package profile

import (
	"regexp"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// Members of OData v2's answers that are no fields.
const (
	odataFrame   = "d"
	odataResults = "results"
	odataAbout   = "__metadata"
	odataLater   = "__deferred"
	odataNext    = "__next"
	odataCount   = "__count"
)

// locateODataTwo finds the records of an answer of OData v2: `{"d": {"results": […]}}`,
// `{"d": […]}` or `{"d": {…}}`.
func (f *finder) locateODataTwo() error {
	t, od, ent := f.t, f.x.od, f.x.ent
	frame := t.Member(doc.Root, odataFrame)
	if t.Nodes[doc.Root].Kind != doc.Object || frame < 0 || !isContainer(t, frame) {
		return ErrShape
	}
	list := frame
	if t.Nodes[frame].Kind == doc.Object {
		list = t.Member(frame, odataResults)
	}
	isList := list >= 0 && t.Nodes[list].Kind == doc.Array
	switch {
	case od.property != "":
		value := -1
		if t.Nodes[frame].Kind == doc.Object {
			value = t.Member(frame, od.property)
		}
		if value < 0 {
			return ErrShape
		}
		id := ""
		if len(od.ids) == 1 {
			id = od.ids[0]
		}
		rec := f.record(ent, f.x.typ, id)
		if rec < 0 {
			f.found.Rows++
		}
		f.memberAs(od.property, value, frame, rec, ent)
		f.cover(value)
	case isList && !od.one:
		for c := range t.Children(list) {
			f.related(c, f.x.typ, ent, nil)
		}
		f.cover(list)
		f.besideList(frame, list)
	case od.many || t.Nodes[frame].Kind != doc.Object:
		return ErrShape
	default:
		f.related(frame, f.x.typ, ent, nil)
		f.cover(frame)
	}
	f.coverRest(doc.Root, false)
	return nil
}

// besideList finds what stands beside a list: how many there are, and where the next
// page is.
func (f *finder) besideList(frame, list int) {
	if frame == list {
		return
	}
	for c := range f.t.Children(frame) {
		if c != list && f.aboutODataTwo(f.t.Key(c), c, -1, f.x.ent) {
			f.cover(c)
		}
	}
}

// aboutODataTwo finds what a member holds that is no field: what a record is, a
// relation that wasn't asked for, a number of records or the address of a page. It
// reports whether the member is one.
func (f *finder) aboutODataTwo(name string, node, rec int, ent *entity) bool {
	switch later := f.t.Member(node, odataLater); {
	case name == odataAbout && f.t.Nodes[node].Kind == doc.Object:
		for c := range f.t.Children(node) {
			f.aboutRecord(c, rec, ent)
		}
	case f.t.Nodes[node].Kind == doc.Object && later >= 0 && f.t.First(node) == later && f.t.After(later) < 0:
		for c := range f.t.Children(later) {
			f.aboutRecord(c, rec, ent)
		}
	case name == odataCount:
		if !isNumeral(f.t.Text(node)) {
			f.field(node, rec, ent, name, unclassified(), "")
		}
	case name == odataNext:
		if cats := f.x.sortCategories(); len(cats) > 0 {
			f.field(node, rec, ent, name, cats, "")
		}
	default:
		return false
	}
	return true
}

var (
	// An address of a record, or of what belongs to it: host and root, set, key, way on.
	keyedAddress = regexp.MustCompile(`^(?:https?://[A-Za-z0-9.:-]+)?/?(?:[A-Za-z0-9._-]+/)*[A-Za-z_][A-Za-z0-9_]*\((?:guid)?(?:'([^'()]*)'|([0-9]+))\)(?:/[$A-Za-z_][A-Za-z0-9_]*)?$`)
	plainEDM     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)
	plainMark    = regexp.MustCompile(`^(?:W/)?"[A-Za-z0-9'.:+/=%-]*"$`)
	plainKind    = regexp.MustCompile(`^[a-z]+/[A-Za-z0-9.+*-]+$`)
)

// aboutRecord finds what OData says of a record: its type, its mark, and addresses of
// it. An address with another key than the record's own holds values.
func (f *finder) aboutRecord(node, rec int, ent *entity) {
	text := f.textAt(node)
	known := false
	switch f.t.Key(node) {
	case "type":
		known = plainEDM.MatchString(text)
	case "etag", "media_etag":
		known = plainMark.MatchString(text)
	case "content_type":
		known = plainKind.MatchString(text)
	case "uri", "id", "media_src", "edit_media":
		m := keyedAddress.FindStringSubmatch(text)
		known = m != nil && rec >= 0 && strings.EqualFold(f.found.Records[rec].ID, m[1]+m[2])
	}
	if !known {
		f.field(node, rec, ent, f.t.Key(node), unclassified(), "")
	}
}

// isNumeral reports whether a text is a number of records.
func isNumeral(s string) bool {
	return s != "" && len(s) <= 12 && strings.Trim(s, "0123456789") == ""
}
