package observed

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/mask/detect"
	"github.com/crmgate/crmgate/internal/profile/vocabulary"
)

// entity is a kind of record of a draft.
type entity struct {
	name string
	// record is what was seen of its records in all answers.
	record *field
	ids    map[string]int
	id     string
	// tables are fields of objects whose keys are values.
	tables []string
	// searches are the parameters that search it.
	searches []string
	// routes is the number of the routes that speak of it.
	routes int
}

// entityOf is the entity of that name; a new one where there is none.
func (d *draft) entityOf(name string) *entity {
	if e := d.entities[name]; e != nil {
		return e
	}
	e := &entity{name: name, record: &field{}, ids: map[string]int{}}
	d.entities[name] = e
	return e
}

// learn adds what was seen of records at one place.
func (e *entity) learn(p *place) {
	if p.table != "" {
		if !slices.Contains(e.tables, p.table) {
			e.tables = append(e.tables, p.table)
		}
		return
	}
	e.record.absorb(p.record)
	id := p.id
	if id == "" {
		id = p.record.idMember()
	}
	if id != "" {
		e.ids[id] += p.record.Members[id].Seen
	}
}

// settle decides which member is the id.
func (e *entity) settle() {
	e.id = "id"
	most := 0
	for _, name := range slices.Sorted(maps.Keys(e.ids)) {
		if e.ids[name] > most {
			e.id, most = name, e.ids[name]
		}
	}
}

// containers are words that say nothing of what stands in them: /contacts/records.
const containers = "record item data list result entry object row collection"

// entityName is the word for what an address is about: its last step that isn't a
// variable, a version, or says what is done. One that says nothing counts where no
// other does.
func entityName(segments []string) string {
	last := ""
	for _, s := range slices.Backward(segments) {
		if s == variable || s == "" || versions.MatchString(s) || vocabulary.IsVerb(s) || vocabulary.All("api rest json v index", s) {
			continue
		}
		name := singular(s)
		if name != "" && !vocabulary.All(containers, name) {
			return name
		}
		last = cmp.Or(last, name)
	}
	return cmp.Or(last, "record")
}

// singular is a name for one of what a word names: EmailAddresses is email_address.
func singular(s string) string {
	words := vocabulary.Words(s)
	if len(words) == 0 {
		return ""
	}
	words[len(words)-1] = vocabulary.Singular(words[len(words)-1])
	return strings.Join(words, "_")
}

// guess is what a field's name and its values say that it holds.
type guess struct {
	categories []access.Category
	// public says that it is plainly technical.
	public bool
	why    []string
}

// guess tells what a field can hold; nothing where neither its name nor detection
// says. of is the category of the composite that it is a part of.
func (d *draft) guess(e *entity, name string, f *field, of access.Category) guess {
	v := f.flat()
	g := guess{}
	if why := d.technical(name, v); why != "" {
		return guess{public: true, why: []string{why}}
	}
	if of != "" && vocabulary.All(vocabulary.States+" label", name) && v.Shapes[shapeWord] > 0 && v.Shapes[shapeWord]+v.Kinds["null"] >= v.Seen {
		return guess{public: true, why: []string{"of what kind the value beside it is"}}
	}
	byName := d.c.words.Category(name)
	if employee(name) && (byName == "" || byName == access.Email || byName == access.Name) && !v.objects() {
		return guess{public: true, why: []string{"the employee's who did it, or who it belongs to"}}
	}
	if employee(e.name) && (vocabulary.Is("name username", name) || byName == access.Email || byName == access.Name) {
		return guess{public: true, why: []string{"an employee's, not that of a person whose data are hidden"}}
	}
	c := d.c.words.Category(name)
	switch {
	case c != "":
		g.add(c, "by its name")
	case vocabulary.Is("from to cc bcc", name):
		g.add(access.Name, "by its name")
	case vocabulary.Has("name names bezeichnung", name) && (vocabulary.Has(vocabulary.Objects, name) || e.routes == 0 && vocabulary.Has(vocabulary.Objects, e.name)):
		return guess{public: true, why: []string{"what a thing is called"}}
	case vocabulary.Has("name names bezeichnung", name) && !vocabulary.Has(vocabulary.Objects, e.name):
		g.add(access.Name, "by its name; of a company or a thing it would be public")
	case of != "":
		g.add(of, "as what it is a part of")
	}
	d.detected(&g, v)
	return g
}

// employee reports whether a name says that a value is one of the CRM's own users.
func employee(name string) bool {
	return vocabulary.All(vocabulary.Employees, name) && vocabulary.Has("owner creator assignee assigned by betreuer bearbeiter ersteller", name)
}

// fewTexts is how many texts have to be seen before what is found in them says what
// a field without a telling name holds.
const fewTexts = 3

// detected adds what detection finds in most texts to what the name says. A field
// for free text stays one, and a number with a strong form is not taken for a phone's.
func (d *draft) detected(g *guess, v *field) {
	texts := v.Kinds["string"] - v.Shapes[shapeEmpty]
	if len(g.categories) == 0 && texts < fewTexts {
		return
	}
	exact := []access.Category{access.FreeText, access.Bank, access.TaxID, access.Identity, access.Birthdate, access.Credential}
	if len(g.categories) > 0 && slices.Contains(exact, g.categories[0]) {
		return
	}
	for _, k := range detect.Kinds() {
		const most, of = 4, 5
		if n := v.Found[string(k)]; n > 0 && of*n >= most*texts {
			g.add(k.Category(), "by what was found in it")
		}
	}
}

func (g *guess) add(c access.Category, why string) {
	if !slices.Contains(g.categories, c) {
		g.categories = append(g.categories, c)
		g.why = append(g.why, why)
	}
}

// technical says why a field holds no personal data; "" where it could.
func (d *draft) technical(name string, v *field) string {
	if len(v.Found) > 0 || d.c.words.Category(name) != "" || v.Kinds["object"]+v.Kinds["array"] > 0 {
		return ""
	}
	only := func(kind string, shapes ...string) bool {
		n := 0
		for _, s := range shapes {
			n += v.Shapes[s]
		}
		return n > 0 && n+v.Kinds["null"]+v.Shapes[shapeEmpty] >= v.Seen && (kind == "" || v.Kinds[kind] > 0)
	}
	switch {
	case only("boolean", shapeBoolean) && vocabulary.All(vocabulary.Flags, name):
		return "says something of the record, not of a person"
	case only("", shapeTime, shapeDate) && vocabulary.Has(vocabulary.Changes, name) && vocabulary.All(vocabulary.Stamps, name):
		return "when the record was changed"
	case namesID(name) && v.isID():
		return "an id"
	case only("string", shapeWord, shapeID) && vocabulary.All(vocabulary.States, name):
		return "a kind or a state"
	case only("number", shapeInteger) && vocabulary.All(vocabulary.Counts, name):
		return "a count"
	}
	return ""
}

// namesID reports whether a name says that it is an id, and not whose: object_id,
// not passport_id.
func namesID(name string) bool {
	words := vocabulary.Words(name)
	return len(words) > 0 && slices.Contains([]string{"id", "ids", "uuid", "guid", "vid", "vids"}, words[len(words)-1])
}

// evidence says what was seen of a field: how often, and what is in it.
func evidence(f *field) string {
	v := f.flat()
	parts := []string{fmt.Sprintf("seen %s", times(v.Seen))}
	for _, k := range detect.Kinds() {
		if n := v.Found[string(k)]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s in %d", kindWords(k), n))
		}
	}
	if len(v.Found) == 0 {
		if s := v.mostly(); s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ", ")
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// mostly says what most values look like.
func (f *field) mostly() string {
	shape, most := "", 0
	for _, s := range shapes() {
		if f.Shapes[s] > most {
			shape, most = s, f.Shapes[s]
		}
	}
	switch {
	case f.Kinds["object"] > 0:
		return "an object"
	case most == 0:
		return ""
	case shape == shapeEmpty:
		return "mostly empty"
	}
	return "mostly " + map[string]string{
		shapeDate: "dates", shapeTime: "moments", shapeUUID: "UUIDs", shapeInteger: "whole numbers", shapeLong: "long numbers", shapeDecimal: "decimals",
		shapeBoolean: "yes or no", shapeID: "ids", shapeURL: "addresses of pages", shapeWord: "single words", shapeLine: "short texts", shapeText: "long texts",
		shapeMarkup: "markup", shapeDocument: "documents of their own",
	}[shape]
}

func kindWords(k detect.Kind) string {
	switch k {
	case detect.Email:
		return "an e-mail address"
	case detect.Phone:
		return "a phone number"
	case detect.IBAN:
		return "an IBAN"
	case detect.Birthdate:
		return "a date of birth"
	case detect.IPAddress:
		return "an IP address"
	case detect.TaxID:
		return "a tax number"
	}
	return "an official number (" + string(k) + ")"
}
