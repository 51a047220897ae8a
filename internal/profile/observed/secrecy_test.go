package observed_test

import (
	stdjson "encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/profile/observed"
	"github.com/crmgate/crmgate/internal/profile/vocabulary"
)

// invented makes values of the kinds that CRMs hold, none of them twice.
type invented struct {
	*rand.Rand
	all []string
}

func (v *invented) letters(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "bcdfghjklmnprstvwxz"[v.IntN(19)]
		if i%2 == 1 {
			b[i] = "aeiouy"[v.IntN(6)]
		}
	}
	return string(b)
}

func (v *invented) note(s string) string {
	v.all = append(v.all, s)
	return s
}

func (v *invented) id() string {
	switch v.IntN(5) {
	case 0:
		return v.note(fmt.Sprint(1000 + v.IntN(1<<40)))
	case 1:
		return v.note(fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", v.Uint32(), v.IntN(1<<16), v.IntN(1<<12), v.IntN(1<<12), v.Int64N(1<<48)))
	case 2:
		return v.note(fmt.Sprintf("%013x4a", v.Int64N(1<<52)))
	case 3:
		return v.note(fmt.Sprintf("rec%s%d%s%d", strings.ToUpper(v.letters(3)), v.IntN(90)+10, v.letters(4), v.IntN(90)+10))
	default:
		return v.note(fmt.Sprintf("%s-%05d", strings.ToUpper(v.letters(2)), v.IntN(100_000)))
	}
}

func (v *invented) mail() string  { return v.note(v.letters(6) + "@" + v.letters(7) + ".example") }
func (v *invented) phone() string { return v.note(fmt.Sprintf("+4940%07d", v.IntN(10_000_000))) }
func (v *invented) name() string {
	first, last := v.letters(6), v.letters(8)
	v.note(first)
	v.note(last)
	return strings.ToUpper(first[:1]) + first[1:] + " " + strings.ToUpper(last[:1]) + last[1:]
}

func (v *invented) record(id string) map[string]any {
	name := v.name()
	first, last, _ := strings.Cut(name, " ")
	return map[string]any{
		"id": id, "vorname": first, "lastName": last, "fullName": name, "mail": v.mail(), "tel": v.phone(), "shoe": v.note(v.letters(9)),
		"text":   name + " sagt " + v.note(v.letters(11)),
		"byId":   map[string]any{v.id(): v.letters(5), v.id(): v.letters(5)},
		"byMail": map[string]any{v.mail(): 7},
		"byName": map[string]any{first: 3, strings.ToLower(last) + "." + strings.ToLower(first): 4},
		"users":  map[string]any{v.note(v.letters(8)): map[string]any{"n": 1}, v.note(v.letters(8)): map[string]any{"n": 2}},
		"deep":   []any{map[string]any{"tag": v.note(v.letters(7)), v.phone(): true}},
	}
}

func TestNoValueStandsInASavedCollection(t *testing.T) {
	for seed := range uint64(6) {
		v := &invented{Rand: rand.New(rand.NewPCG(seed, 7))}
		c := observed.New()
		for range 12 {
			id := v.id()
			src, err := stdjson.Marshal(map[string]any{"total": 1, "items": []any{v.record(id), v.record(v.id())}, "index": map[string]any{v.id(): v.record(v.id())}})
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{"/api/people", "/api/people/" + id, "/api/people/" + v.mail() + "/calls", "/api/people/" + v.phone()} {
				e := get(t, path, string(src), "sort", v.id(), "filter["+v.mail()+"]", v.phone())
				e.Method, e.RequestMedia, e.Request = "POST", "application/vnd."+v.note(v.letters(6))+"1+json", tree(t, string(src))
				c.Add(e)
			}
		}
		got := strings.ToLower(saved(t, c))
		for _, s := range v.all {
			if len(s) > 3 && strings.Contains(got, strings.ToLower(s)) {
				t.Fatalf("seed %d: %s stands in the file:\n%s", seed, s, got)
			}
		}
	}
}

// namesIn lists the names that a saved collection holds: of members, steps of
// addresses, parameters and media types.
func namesIn(t *testing.T, src string) []string {
	t.Helper()
	var file struct {
		Routes []map[string]any `json:"routes"`
	}
	if err := stdjson.Unmarshal([]byte(src), &file); err != nil {
		t.Fatal(err)
	}
	var list []string
	var walk func(v any)
	walk = func(v any) {
		in, _ := v.(map[string]any)
		members, _ := in["members"].(map[string]any)
		for name, m := range members {
			list = append(list, name)
			walk(m)
		}
		if in["elements"] != nil {
			walk(in["elements"])
		}
	}
	for _, r := range file.Routes {
		walk(r["request"])
		walk(r["answer"])
		walk(r["failure"])
		path, _ := r["path"].(string)
		list = append(list, strings.Split(path, "/")...)
		query, _ := r["query"].(map[string]any)
		for name := range query {
			list = append(list, strings.FieldsFunc(name, func(r rune) bool { return r == '[' || r == ']' })...)
		}
	}
	return list
}

// FuzzAdd: what an exchange says as a value doesn't stand in the file as a name,
// unless everybody calls things so.
func FuzzAdd(f *testing.F) {
	f.Add("/api/contacts/4711", "sort", `{"items":[{"id":1,"name":"Anna Meier","meier":{"x":1},"byMail":{"anna@example.com":2}}]}`)
	f.Add("/people/Meier", "where[0][anna]", `[{"Meier":["Meier"]}]`)
	f.Add("/a/b//c", "a[b", `{"a.b":{"":[[],{}]},"x y":"z"}`)
	words := vocabulary.New()
	f.Fuzz(func(t *testing.T, path, query, answer string) {
		tr, err := json.Parse([]byte(answer), doc.Limits{Depth: 30, Nodes: 2000})
		if err != nil {
			return
		}
		c := observed.New()
		c.Add(observed.Exchange{Method: "GET", Path: path, Query: []string{query}, Status: 200, Media: "application/json", Answer: tr})
		file := filepath.Join(t.TempDir(), "site.json")
		if err := c.Save(file); err != nil {
			t.Fatal(err)
		}
		if _, err := observed.Load(file); err != nil {
			t.Fatal(err)
		}
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		names := namesIn(t, string(src))
		said, types := map[string]bool{}, map[string]bool{}
		for n := range tr.Nodes {
			if tr.Nodes[n].Kind != doc.String {
				continue
			}
			text := strings.ToLower(tr.Text(n))
			if strings.HasPrefix(text, "/") || strings.HasPrefix(text, "http") || len(text) > 4000 {
				continue
			}
			said[text] = true
			for w := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
				said[w] = true
			}
			if vocabulary.Has(vocabulary.Types, tr.Key(n)) {
				types[text] = true
			}
		}
		for _, name := range names {
			lower := strings.ToLower(name)
			if len(name) > 3 && name != "{id}" && said[lower] && !types[lower] && !words.Knows(name) {
				t.Errorf("%q is a value, and stands in the file as a name", name)
			}
			digits := 0
			for _, r := range name {
				if unicode.IsDigit(r) {
					digits++
				}
			}
			if digits > 6 {
				t.Errorf("%q has %d digits", name, digits)
			}
		}
		if src, err := c.Draft("x/1"); err == nil {
			load(t, src)
		}
	})
}
