package metadata

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/profile/vocabulary"
)

// section is that of an entity: a new one, or that of another type of the same.
func (x *extension) section(e *entity, typ string, added bool) *section {
	name, _ := x.base.EntityOf(typ)
	sec := &section{name: string(name)}
	if added {
		x.added++
		sec.name = x.entityName(e)
		sec.head = append(sec.head, "like: "+word(x.like(e)), "types: ["+words(e.types)+"]", "unknown: mask # what isn't listed is hidden")
		if isName(e.id) {
			sec.head = append(sec.head, "id: "+word(e.id))
		}
		if isName(e.display) {
			sec.head = append(sec.head, "display: "+word(e.display))
		}
	}
	if i := slices.IndexFunc(x.sections, func(s *section) bool { return s.name == sec.name }); i >= 0 {
		sec = x.sections[i]
		sec.comment += ", "
	} else {
		x.sections = append(x.sections, sec)
	}
	sec.comment += e.typ()
	if l := plainText(e.label); l != "" && l != e.typ() {
		sec.comment += " (“" + l + "”)"
	}
	return sec
}

const (
	inFields = iota
	inRelations
	inSearch
)

// put adds rows to a section. What two types say differently of one name is
// unclassified; a search looks into what it looks into of each.
func (x *extension) put(sec *section, rows ...[]row) {
	for i, list := range rows {
		for _, r := range list {
			at := slices.IndexFunc(sec.rows[i], func(have row) bool { return strings.EqualFold(have.name, r.name) })
			if at < 0 {
				sec.rows[i] = append(sec.rows[i], r)
				continue
			}
			have := &sec.rows[i][at]
			for _, p := range r.parts {
				if !slices.Contains(have.parts, p) {
					have.parts = append(have.parts, p)
				}
			}
			if have.spec == r.spec {
				continue
			}
			differs := row{name: r.name, spec: string(access.Unclassified), comment: "CHECK: " + have.spec + " of the one, " + r.spec + " of the other"}
			if i == inRelations {
				sec.rows[i] = slices.Delete(sec.rows[i], at, at+1)
				sec.rows[inFields] = append(sec.rows[inFields], differs)
				continue
			}
			*have = differs
		}
	}
}

// entityName is the word for an added type in policies.
func (x *extension) entityName(e *entity) string {
	typ := e.typ()
	if len(e.types) > 1 && strings.Trim(typ, "0123456789-") == "" {
		typ = e.types[len(e.types)-1] // an objectTypeId says nothing
	}
	list := vocabulary.Words(ownWords(typ))
	if last := len(list) - 1; last >= 0 {
		list[last] = vocabulary.Singular(list[last])
	}
	name := strings.Join(list, "_")
	if name == "" {
		name = "record"
	}
	for base, n := name, 2; slices.ContainsFunc(x.sections, func(s *section) bool { return s.name == name }) || slices.Contains(x.base.Entities(), access.Entity(name)); n++ {
		name = fmt.Sprintf("%s_%d", base, n)
	}
	return name
}

// profile writes the profile.
func (x *extension) profile(name string) []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	x.count()
	line("# What this company's system has beside the profile %s that ships, drawn from what it says", x.s.crm)
	line("# of itself (%s): %d fields and relations, %d kinds of records that the profile doesn't know.", strings.Join(x.s.sources, ", "), x.fields, x.added)
	line("# What a field holds was told by its type, its name and its label: look at every line.")
	line("# What is unclassified (%d) is hidden until you give it a category, or `public` where it is nobody's.", x.open)
	if x.hidden > 0 {
		line("# %d further fields of the CRM's own, of which nothing tells what they hold, are left to the profile that ships.", x.hidden)
	}
	if len(x.left) > 0 {
		line("# Kinds of records of the CRM's own that nobody describes are refused: %d, %s.", len(x.left), few(x.left))
	}
	for _, n := range x.s.notes {
		line("# %s", n)
	}
	line("profile: %q", name)
	line("extends: %s", x.s.crm)
	line("evidence: documented # `live VERSION` once it was tried against your CRM")
	x.prefixes(line)
	if len(x.sections) > 0 {
		line("entities:")
	}
	for _, sec := range x.sections {
		line("  %s: # %s", word(sec.name), sec.comment)
		for _, h := range sec.head {
			line("    %s", h)
		}
		for i, key := range []string{"fields", "relations", "search"} {
			if len(sec.rows[i]) > 0 {
				line("    %s:", key)
			}
			for _, r := range sec.rows[i] {
				if i == inSearch {
					r.spec = "{parts: [" + words(r.parts) + "]}"
				}
				line("      %s: %s # %s", word(r.name), r.spec, r.comment)
			}
		}
	}
	return []byte(b.String())
}

func (x *extension) count() {
	for _, sec := range x.sections {
		for _, list := range sec.rows {
			x.fields += len(list)
			for _, r := range list {
				if r.spec == string(access.Unclassified) {
					x.open++
				}
			}
		}
	}
}

// prefixes writes what the ids of added records begin with, where the CRM says so.
func (x *extension) prefixes(line func(string, ...any)) {
	head := false
	for _, e := range x.s.entities {
		if e.prefix == "" || len(e.types) == 0 || x.drawn[e.typ()] != e {
			continue
		}
		if !head {
			line("normalize:\n  prefixes:")
			head = true
		}
		line("    %q: %s", e.prefix, word(e.typ()))
	}
}

func few(list []string) string {
	const most = 8
	if len(list) > most {
		return strings.Join(list[:most], ", ") + " and others"
	}
	return strings.Join(list, ", ")
}

var plainWord = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// word is a name as YAML takes it for a text.
func word(s string) string {
	reserved := []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
	if plainWord.MatchString(s) && !slices.Contains(reserved, strings.ToLower(s)) {
		return s
	}
	return fmt.Sprintf("%q", s)
}

func words(names []string) string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = word(n)
	}
	return strings.Join(list, ", ")
}
