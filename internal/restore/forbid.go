package restore

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/mask/detect"
	"github.com/crmgate/crmgate/internal/profile"
)

// Rule says what must not be entered into the texts of an entity.
type Rule struct {
	// Entity is the entity, or access.AnyEntity.
	Entity access.Entity
	Kinds  []detect.Kind
	// Flag lets the save through, with a word in its entry.
	Flag bool
}

// Rules find what employees enter where it must not be collected: in free texts
// and in fields that no profile classified. What other fields may hold is the
// policy's. Nil finds nothing.
type Rules struct {
	list     []Rule
	detector *detect.Detector
}

// NewRules returns rules; of none, nil.
func NewRules(list []Rule) *Rules {
	if len(list) == 0 {
		return nil
	}
	var kinds []detect.Kind
	for _, r := range list {
		kinds = append(kinds, r.Kinds...)
	}
	return &Rules{list: list, detector: detect.New(detect.Options{Kinds: kinds})}
}

// Entered is something that a rule names, in a field. It holds no value but to
// compare it with the stored ones.
type Entered struct {
	Field string
	Kind  detect.Kind
	Flag  bool
	value string
}

// String is the field and the kind, for people and the log.
func (e Entered) String() string { return e.Field + " (" + string(e.Kind) + ")" }

// Find returns what a write enters. Where only values are computed, nothing is.
func (r *Rules) Find(body *doc.Tree, w *profile.Write) []Entered {
	if r == nil || w.Mode == profile.WriteEcho {
		return nil
	}
	var list []Entered
	for i := range w.Fields {
		f := &w.Fields[i]
		if !holdsText(f.Categories) {
			continue
		}
		for _, l := range f.Leaves {
			if k := body.Nodes[l.Node].Kind; k != doc.String && k != doc.Number {
				continue
			}
			for kind, value := range values(r.detector, body.Text(l.Node)) {
				if flag, ok := r.says(w.Entity, kind); ok {
					list = append(list, Entered{Field: f.Name, Kind: kind, Flag: flag, value: value})
				}
			}
		}
	}
	return list
}

// holdsText reports whether a field can hold any text.
func holdsText(cats []access.Category) bool {
	return len(cats) == 0 || slices.Contains(cats, access.FreeText) || slices.Contains(cats, access.Unclassified)
}

// says returns whether a kind is only flagged, and whether any rule names it. The
// strictest one counts.
func (r *Rules) says(e access.Entity, k detect.Kind) (flag, named bool) {
	flag = true
	for _, rule := range r.list {
		if (rule.Entity == e || rule.Entity == access.AnyEntity) && slices.Contains(rule.Kinds, k) {
			flag, named = flag && rule.Flag, true
		}
	}
	return flag, named
}

// values yields what is found in a text and in the ways to read it, without what
// stands between letters and digits.
func values(d *detect.Detector, text string) func(yield func(detect.Kind, string) bool) {
	return func(yield func(detect.Kind, string) bool) {
		for _, way := range append(mask.Decodings(text), text) {
			for _, h := range d.Find(way) {
				if !yield(h.Kind, mask.Normalize(access.Bank, way[h.Start:h.End])) {
					return
				}
			}
		}
	}
}

// NeedsStored are the names of the fields whose stored values tell what was
// entered from what a form only sent back; none where nothing is stored.
func NeedsStored(list []Entered, w *profile.Write) []string {
	if !w.CanStore() {
		return nil
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Field)
	}
	return names
}

// Fresh leaves out what every stored record already has in the same field. Each
// thing stands once in the result.
func (r *Rules) Fresh(list []Entered, w *profile.Write, s Stored) []Entered {
	var fresh []Entered
	for _, e := range list {
		same := func(f Entered) bool { return f.Field == e.Field && f.Kind == e.Kind }
		if !slices.ContainsFunc(fresh, same) && !r.stands(e, w, s) {
			fresh = append(fresh, e)
		}
	}
	slices.SortFunc(fresh, func(a, b Entered) int { return strings.Compare(a.String(), b.String()) })
	return fresh
}

// stands reports whether all of a write's records hold the value already.
func (r *Rules) stands(e Entered, w *profile.Write, s Stored) bool {
	if s.Tree == nil || len(w.IDs) == 0 {
		return false
	}
	for _, id := range w.IDs {
		record, ok := s.Records[id]
		if !ok || !r.holds(e, w, s.Tree, record) {
			return false
		}
	}
	return true
}

func (r *Rules) holds(e Entered, w *profile.Write, t *doc.Tree, record int) bool {
	node, leaves, _ := w.StoredField(t, record, e.Field)
	if node < 0 {
		return false
	}
	for _, l := range leaves {
		for kind, value := range values(r.detector, t.Text(l.Node)) {
			if kind == e.Kind && value == e.value {
				return true
			}
		}
	}
	return false
}
