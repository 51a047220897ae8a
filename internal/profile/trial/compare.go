package trial

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

// compare looks at the marks in the answer and in what is left of it: masked
// where the profile knows of a value, and masked everywhere.
func (t *trial) compare(body, known, whole []byte) {
	a, b, c := readAnswer(body), readAnswer(known), readAnswer(whole)
	for _, m := range t.c.Personal {
		before, ok := a.at(m)
		if !ok {
			t.differs("the mark at %s leads nowhere in the answer", m.At)
			continue
		}
		by, okBy := b.at(m)
		after, okAfter := c.at(m)
		switch {
		case okAfter && before == after || m.Kind == "text" && by == after && !t.inLine(m):
			t.differs("the %s at %s is not masked", m.Category, m.At)
		case okBy && before == by:
			t.ValuesMasked++
			t.SecondPass++
		default:
			t.ValuesMasked++
		}
	}
	marked := func(at string) bool {
		return slices.ContainsFunc(t.c.Personal, func(m Mark) bool {
			return m.At == at || strings.HasPrefix(m.At, at+"#") || m.Kind == "key" && strings.HasPrefix(at, m.At+"/")
		})
	}
	for _, at := range a.changed(c) {
		t.Masked++
		if !marked(at) {
			t.Overmasked++
			t.Unneeded = append(t.Unneeded, at)
			t.because = append(t.because, cmp.Or(t.reasons[at], repeated))
		}
	}
}

// inLine reports whether the profile found a value of the mark's kind in its
// line: that something of the line is masked doesn't tell.
func (t *trial) inLine(m Mark) bool {
	n, _ := strconv.Atoi(strings.TrimPrefix(m.At, "line "))
	inside := []access.Category{access.Email, access.FreeText} // an address and a note quote names
	if m.Category == string(access.Name) && slices.ContainsFunc(t.lines[n], func(c access.Category) bool { return slices.Contains(inside, c) }) {
		return true
	}
	return slices.Contains(t.lines[n], access.Category(m.Category)) || slices.Contains(t.lines[n], access.Unclassified)
}

// answer is an answer's body: JSON, or lines.
type answer struct {
	isJSON bool
	value  any
	lines  []string
}

func readAnswer(body []byte) *answer {
	if v, ok := readJSON(body); ok {
		return &answer{isJSON: true, value: v}
	}
	return &answer{lines: strings.Split(string(body), "\n")}
}

// readJSON reads one document, or what is left of it behind a text that keeps
// scripts from running it.
func readJSON(body []byte) (any, bool) {
	start := bytes.IndexAny(body, "{[")
	if start < 0 || start > 64 {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(body[start:]))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil, false
	}
	return v, true
}

// at is what stands at a mark, as one text; false where the place isn't there.
func (a *answer) at(m Mark) (string, bool) {
	if line, ok := strings.CutPrefix(m.At, "line "); ok {
		n, err := strconv.Atoi(line)
		if err != nil || a.isJSON || n < 1 || n > len(a.lines) {
			return "", false
		}
		return a.lines[n-1], true
	}
	v := a.value
	for i, part := range strings.Split(m.At, "#") {
		if i > 0 {
			var ok bool
			if v, part, ok = within(v, part); !ok {
				return "", false
			}
		}
		var ok bool
		if v, ok = walk(v, part); !ok {
			return "", false
		}
	}
	if m.Kind == "key" {
		if members, ok := v.(map[string]any); ok {
			keys := make([]string, 0, len(members))
			for k := range members {
				keys = append(keys, k)
			}
			slices.Sort(keys)
			return strings.Join(keys, "\n"), true
		}
		return "key", true // its place is there no more once it is masked
	}
	return fmt.Sprint(v), true
}

// within opens the document in a text: `json/a/b`, `b64json/a/b`.
func within(v any, part string) (document any, rest string, ok bool) {
	text, ok := v.(string)
	if !ok {
		return nil, "", false
	}
	coding, rest, _ := strings.Cut(part, "/")
	src := []byte(text)
	if coding == "b64json" {
		if src = decoded(text); src == nil {
			return nil, "", false
		}
	}
	document, ok = readJSON(src)
	if rest != "" {
		rest = "/" + rest
	}
	return document, rest, ok
}

func decoded(text string) []byte {
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if out, err := enc.DecodeString(text); err == nil {
			return out
		}
	}
	return nil
}

// walk follows a JSON pointer.
func walk(v any, pointer string) (any, bool) {
	if pointer == "" {
		return v, true
	}
	for step := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		switch in := v.(type) {
		case map[string]any:
			next, ok := in[step]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			n, err := strconv.Atoi(step)
			if err != nil || n < 0 || n >= len(in) {
				return nil, false
			}
			v = in[n]
		default:
			return nil, false
		}
	}
	return v, true
}

// changed are the places that differ in b: of scalars and of keys in JSON, lines
// elsewhere.
func (a *answer) changed(b *answer) []string {
	var out []string
	if a.isJSON && b.isJSON {
		differing(&out, "", a.value, b.value)
		return out
	}
	for i, line := range a.lines {
		if i >= len(b.lines) || b.lines[i] != line {
			out = append(out, "line "+strconv.Itoa(i+1))
		}
	}
	return out
}

func differing(out *[]string, at string, a, b any) {
	switch in := a.(type) {
	case map[string]any:
		other, _ := b.(map[string]any)
		names := make([]string, 0, len(in))
		for k := range in {
			names = append(names, k)
		}
		slices.Sort(names)
		for _, k := range names {
			place := at + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(k)
			if v, ok := other[k]; ok {
				differing(out, place, in[k], v)
			} else {
				*out = append(*out, place)
			}
		}
	case []any:
		other, _ := b.([]any)
		for i, v := range in {
			if i < len(other) {
				differing(out, at+"/"+strconv.Itoa(i), v, other[i])
			} else {
				*out = append(*out, at+"/"+strconv.Itoa(i))
			}
		}
	default:
		if fmt.Sprint(a) != fmt.Sprint(b) {
			*out = append(*out, at)
		}
	}
}
