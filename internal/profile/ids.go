package profile

import (
	"regexp"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// key is the form of a name in which it is looked up.
func (p *Profile) key(name string) string {
	if p.folded {
		return strings.ToLower(name)
	}
	return name
}

func (e *entity) key(name string) string {
	if e.folded {
		return strings.ToLower(name)
	}
	return name
}

// isID reports whether a name is that of the field with the record's id.
func (e *entity) isID(name string) bool {
	return name == e.id || e.folded && strings.EqualFold(name, e.id)
}

func (p *Profile) foldKeys(in map[string]string) map[string]string {
	if !p.folded {
		return in
	}
	out := make(map[string]string, len(in))
	for name, v := range in {
		out[p.key(name)] = v
	}
	return out
}

// member is an object's member of that name, -1 without one.
func (p *Profile) member(t *doc.Tree, object int, name string) int {
	if n := t.Member(object, name); n >= 0 || !p.folded {
		return n
	}
	for c := range t.Children(object) {
		if strings.EqualFold(t.Key(c), name) {
			return c
		}
	}
	return -1
}

// foldedTwice reports whether two members of an object have the same name in another
// case: the CRM heeds one of them.
func foldedTwice(t *doc.Tree, object int) bool {
	seen := map[string]bool{}
	for c := range t.Children(object) {
		name := strings.ToLower(t.Key(c))
		if seen[name] {
			return true
		}
		seen[name] = true
	}
	return false
}

var salesforceForm = regexp.MustCompile(`^[0-9A-Za-z]{15}(?:[A-Za-z0-5]{3})?$`)

// isSalesforceID reports whether a text is one of Salesforce's ids: 15 characters in
// which case counts, or three more that say which of them are capitals.
func isSalesforceID(s string) bool { return salesforceForm.MatchString(s) }

const shortID = 15

// salesforceID is an id with its 18 characters. Of those the last three decide about
// case: Salesforce takes the others in any.
func salesforceID(s string) string {
	if len(s) == shortID {
		return s + capitals(s)
	}
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
	id, sums := []byte(strings.ToLower(s[:shortID])), strings.ToUpper(s[shortID:])
	for i := range id {
		const each = shortID / 3
		if strings.IndexByte(digits, sums[i/each])>>(i%each)&1 == 1 && id[i] >= 'a' {
			id[i] &^= 'a' - 'A'
		}
	}
	if plain := string(id); capitals(plain) == sums {
		return plain + sums
	}
	return s // Salesforce has none of this id
}

// capitals says, in three characters, which letters of an id are capitals.
func capitals(id string) string {
	const each, digits = shortID / 3, "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
	var out []byte
	for from := 0; from < shortID; from += each {
		sum := 0
		for i := range each {
			if c := id[from+i]; c >= 'A' && c <= 'Z' {
				sum |= 1 << i
			}
		}
		out = append(out, digits[sum])
	}
	return string(out)
}

// typeOfID is the type of the records whose ids begin so.
func (p *Profile) typeOfID(id string) (string, bool) {
	if len(p.prefixes) == 0 || p.salesforceIDs && !isSalesforceID(id) {
		return "", false
	}
	best := ""
	for prefix := range p.prefixes {
		if len(prefix) > len(best) && strings.HasPrefix(id, prefix) {
			best = prefix
		}
	}
	return p.prefixes[best], best != ""
}

// typeOfIDs is the type of the records whose ids stand in a text with commas between
// them, where all of them are of one.
func (p *Profile) typeOfIDs(ids string) (string, bool) {
	first, rest, more := strings.Cut(ids, ",")
	typ, ok := p.typeOfID(first)
	for more && ok {
		var next string
		next, rest, more = strings.Cut(rest, ",")
		of, known := p.typeOfID(next)
		ok = known && of == typ
	}
	return typ, ok
}

// plainIDs adds ids of a request in their one form.
func (x *Exchange) plainIDs(texts []string, ids *[]string) error {
	for _, text := range texts {
		if !isSalesforceID(text) {
			return refuse("malformed", "An id in the request is none of Salesforce's.")
		}
		*ids = append(*ids, salesforceID(text))
	}
	return nil
}

// onlyIDs makes the variable `id` of a pattern take nothing but ids.
func (p *pattern) onlyIDs(salesforce bool) {
	for i := range p.segments {
		s := &p.segments[i]
		s.isID = salesforce && s.name == "id" && s.literal == nil && !s.rest
	}
}

var plainAddress = regexp.MustCompile(`^/[A-Za-z0-9_./-]*/([0-9A-Za-z]+)$`)

// idInAddress is the id in which an address ends.
func (f *finder) idInAddress(node int) (string, bool) {
	if !f.x.p.salesforceIDs || f.t.Nodes[node].Kind != doc.String {
		return "", false
	}
	m := plainAddress.FindStringSubmatch(f.t.Text(node))
	if m == nil || !isSalesforceID(m[1]) {
		return "", false
	}
	return m[1], true
}
