package gate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/mask/detect"
	"github.com/crmgate/crmgate/internal/restore"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// Forbid says what employees must not enter into the free texts of an entity,
// and into fields that the profile doesn't know. What a stored text already
// holds may stay.
type Forbid struct {
	// Entity is an entity of the profile, or `*`. Required.
	Entity string `json:"entity,omitempty"`
	// Kinds are what detection can find (iban, card, steuer_id, …), or
	// categories (bank, identity, …), which stand for all of their kinds.
	// Required.
	Kinds []string `json:"kinds,omitempty"`
	// Flag lets such a save through and says so in its entry. Without it the
	// save is refused.
	Flag bool `json:"flag,omitempty"`
}

// unmarshalForbid reads `forbid <entity> <kind>...` and `flag <entity> <kind>...`.
func (h *Handler) unmarshalForbid(d *caddyfile.Dispenser) error {
	word := d.Val()
	args := d.RemainingArgs()
	if len(args) < 2 {
		return d.Errf("%s takes an entity, or *, and what must not be entered: %s * card iban", word, word)
	}
	for _, name := range args[1:] {
		if len(kindsOf(name)) == 0 {
			return crmgate.UnknownWord(d, name, kindNames()...)
		}
	}
	h.Forbid = append(h.Forbid, Forbid{Entity: args[0], Kinds: args[1:], Flag: word == "flag"})
	return nil
}

// kindsOf are the kinds that a name stands for.
func kindsOf(name string) []detect.Kind {
	var kinds []detect.Kind
	for _, k := range detect.Kinds() {
		if string(k) == name || string(k.Category()) == name {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// kindNames are the names of kinds and of their categories.
func kindNames() []string {
	var names []string
	for _, k := range detect.Kinds() {
		for _, name := range []string{string(k), string(k.Category())} {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// loadRules reads Forbid, wherever it came from.
func (h *Handler) loadRules() error {
	var rules []restore.Rule
	for i, f := range h.Forbid {
		entities := append(h.profile.Entities(), access.AnyEntity)
		if !slices.Contains(entities, access.Entity(f.Entity)) {
			return fmt.Errorf("forbid %d: entity %q is unknown; it is one of: %s", i+1, f.Entity, joined(entities))
		}
		if len(f.Kinds) == 0 {
			return fmt.Errorf("forbid %d: it names nothing; name some of: %s", i+1, strings.Join(kindNames(), ", "))
		}
		r := restore.Rule{Entity: access.Entity(f.Entity), Flag: f.Flag}
		for _, name := range f.Kinds {
			kinds := kindsOf(name)
			if len(kinds) == 0 {
				return fmt.Errorf("forbid %d: kind %q is unknown; it is one of: %s", i+1, name, strings.Join(kindNames(), ", "))
			}
			r.Kinds = append(r.Kinds, kinds...)
		}
		rules = append(rules, r)
	}
	h.rules = restore.NewRules(rules)
	return nil
}

// collect refuses a save that enters what must not be collected, and notes what
// is only flagged for the entry of its answer. The fields and kinds are named,
// the values nowhere.
func (q *request) collect(entered []restore.Entered) bool {
	var refused, flagged []string
	for _, e := range entered {
		if e.Flag {
			flagged = append(flagged, e.String())
		} else {
			refused = append(refused, e.String())
		}
	}
	if len(refused) > 0 {
		names := strings.Join(refused, ", ")
		q.collected = "; forbidden: " + names
		q.notSaved("forbidden", text{textForbidden.de + names, textForbidden.en + names})
		return false
	}
	if len(flagged) > 0 {
		q.collected += "; flagged: " + strings.Join(flagged, ", ")
	}
	return true
}
