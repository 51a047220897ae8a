package mask

import (
	"html"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/mask/detect"
)

// Under `partial` a free text is shown, and personal data that is found in it is
// treated as the plan says for its own category: what no line allows is hidden.
// Only what has a form is found (see internal/mask/detect); the values of the
// document's masked fields are found by the second pass. Names of others, streets
// and what the text tells about a person stay visible. So this is for texts that
// a policy names, and never a default.

// partText reports whether a value is a free text that is shown in part. A field
// that can hold other categories, too, isn't one: nothing tells where in the text
// they stand.
func partText(cats []access.Category, s access.Shape, k doc.Kind, text string, tr access.Treatment) bool {
	return tr == access.Partial && len(cats) == 1 && cats[0] == access.FreeText && s == "" && k == doc.String &&
		strings.TrimSpace(text) != ""
}

// About is the record that a text belongs to, and what the policy says of it.
type About struct {
	Plan   *access.Plan
	Entity access.Entity
	Facts  access.Facts
}

// Again masks a field's value as Apply does without its second pass, so that a
// value which comes back in a write can be compared with the stored one.
func (m *Masker) Again(cats []access.Category, s access.Shape, k doc.Kind, text string, a About, scope string) (v doc.Value, drop bool) {
	cat, tr := Decide(a.Plan, a.Entity, cats, a.Facts)
	n := &names{key: m.key, scope: scope, picture: m.picture}
	if partText(cats, s, k, text, tr) {
		shown, _ := inPart(m.detector, text, a, n)
		return doc.Value{Kind: doc.String, Text: shown}, false
	}
	return value(cat, s, k, text, tr, n)
}

// finding is personal data that was found in a free text, and what stands in its
// place.
type finding struct {
	text string
	cat  access.Category
	tr   access.Treatment
	with string
}

// inPart returns what is shown of a free text, and what was found in it. A text
// that holds personal data in an encoding is hidden as a whole.
func inPart(d *detect.Detector, text string, a About, n *names) (string, []finding) {
	hits := d.Find(text)
	found := make([]finding, 0, len(hits))
	var b strings.Builder
	from := 0
	for _, h := range hits {
		f := findingAt(text, h, a, n)
		found = append(found, f)
		b.WriteString(text[from:h.Start])
		b.WriteString(f.with)
		from = h.End
	}
	if beyond := encodedFindings(d, text, found, a, n); len(beyond) > 0 {
		return HiddenText, append(found, beyond...)
	}
	if from == 0 {
		return text, nil
	}
	b.WriteString(text[from:])
	return b.String(), found
}

func findingAt(text string, h detect.Hit, a About, n *names) finding {
	f := finding{text: text[h.Start:h.End], cat: h.Category}
	_, f.tr = Decide(a.Plan, a.Entity, []access.Category{f.cat}, a.Facts)
	v, drop := value(f.cat, "", doc.String, f.text, f.tr, n)
	if !drop {
		f.with = v.Text
	}
	return f
}

// encodedFindings are what isn't shown clear and only a decoded text holds: CRMs
// keep HTML in their notes, with references and marks between the letters.
func encodedFindings(d *detect.Detector, text string, found []finding, a About, n *names) []finding {
	var beyond []finding
	for _, decoded := range Decodings(text) {
		for _, h := range d.Find(decoded) {
			f := findingAt(decoded, h, a, n)
			same := func(known finding) bool {
				return known.cat == f.cat && Normalize(known.cat, known.text) == Normalize(f.cat, f.text)
			}
			if f.tr != access.Clear && !slices.ContainsFunc(found, same) {
				beyond = append(beyond, f)
			}
		}
	}
	return beyond
}

// Decodings are the ways to read a text otherwise than it is written.
func Decodings(text string) []string {
	var list []string
	add := func(decoded string) {
		if decoded != text {
			list = append(list, decoded)
		}
	}
	if strings.IndexByte(text, '%') >= 0 {
		add(percentDecoded(text))
	}
	if strings.IndexByte(text, '\\') >= 0 {
		add(escapesDecoded(text))
	}
	if strings.IndexByte(text, '&') >= 0 {
		add(html.UnescapeString(text))
	}
	if strings.IndexByte(text, '<') >= 0 {
		add(html.UnescapeString(withoutTags(text, "")))
		add(html.UnescapeString(withoutTags(text, " ")))
	}
	return list
}

// withoutTags puts something in the place of each tag. What a browser shows in
// one piece may be written in several, and a line's end may be a tag.
func withoutTags(text, with string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "<")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		_, after, ok := strings.Cut(rest, ">")
		if !ok {
			b.WriteString(rest)
			return b.String()
		}
		b.WriteString(with)
		text = after
	}
}

// partly is a free text that is shown in part, before the second pass.
type partly struct {
	node int
	text string
}

// showInPart takes a free text in whose second pass is still to come.
func (p *pass) showInPart(node int, f *access.FoundField, text string) {
	masked, found := inPart(p.detector, text, p.textAbout(f), p.names)
	for _, one := range found {
		p.note(f, decision{cat: one.cat, tr: one.tr, noted: noted([]access.Category{one.cat})})
		if p.unnamed(f) {
			p.persons = append(p.persons, access.Identifier{Category: one.cat, Value: one.text})
		}
		if one.tr != access.Clear && p.opts.SecondPass {
			p.secret(one.text, one.cat, doc.Value{Kind: doc.String, Text: one.with})
		}
	}
	p.parts = append(p.parts, partly{node, masked})
	p.state[node] |= shownInPart
}

// textAbout is the record that a field's text belongs to.
func (p *pass) textAbout(f *access.FoundField) About {
	about := About{Plan: p.plan, Entity: f.Entity}
	if f.Record >= 0 {
		about.Facts = p.found.Records[f.Record].Facts
	}
	return about
}

// endParts replaces what is shown in part, with the values in it that were masked
// elsewhere.
func (p *pass) endParts(sweeps []*Sweep) {
	for _, one := range p.parts {
		text, _ := maskAll(sweeps, one.text, nil)
		if text != p.t.Text(one.node) {
			p.replace(one.node, doc.Value{Kind: doc.String, Text: text})
			p.masked++
		}
	}
}
