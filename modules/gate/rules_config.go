package gate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/rules"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// HouseRules are the company's rules, which employees acknowledge before the CRM opens
// for them, by answering a few questions: once for each version, and every so often.
type HouseRules struct {
	// TextDE and TextEN are the paths of the rules in German and English, in Markdown.
	// Default: those that ship.
	TextDE string `json:"text_de,omitempty"`
	// TextEN is the English text; it stands with TextDE, or neither does.
	TextEN string `json:"text_en,omitempty"`
	// Quiz is the path of the questions (YAML), or `builtin` for those that ship. With
	// texts of one's own it has to be said; without, the default is `builtin`.
	Quiz string `json:"quiz,omitempty"`
	// Every is for how long an acknowledgement holds: 1 to 1100 days. Default 365 days.
	Every caddy.Duration `json:"every,omitempty"`
	// ForRoles are the roles whose employees have to. Default: everybody. Machines
	// never do.
	ForRoles []string `json:"for_roles,omitempty"`
	// ExceptRoles are roles whose employees don't have to, whatever else they are: for
	// an emergency.
	ExceptRoles []string `json:"except_roles,omitempty"`
	// NamesRoles are the roles that see at the desk who hasn't acknowledged. Default:
	// nobody; the desk shows how many.
	NamesRoles []string `json:"names_roles,omitempty"`

	loaded *rules.Rules
}

const (
	wordBuiltin   = "builtin"
	rulesEvery    = 365 * 24 * time.Hour
	shortestEvery = 24 * time.Hour
	longestEvery  = 1100 * 24 * time.Hour
)

// unmarshalRules reads the block:
//
//	rules {
//	    text   builtin | <de.md> <en.md>
//	    quiz   builtin | <file.yaml>
//	    every  <duration>
//	    for    role <role>...
//	    except role <role>...
//	    names  role <role>...
//	}
func (h *Handler) unmarshalRules(d *caddyfile.Dispenser) error {
	if h.HouseRules != nil {
		return d.Err("rules stands once in crm_gate: put all into one block")
	}
	if d.NextArg() {
		return d.Errf("rules takes a block, not %q: rules { text builtin }", d.Val())
	}
	r := &HouseRules{}
	h.HouseRules = r
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		var err error
		switch word := d.Val(); word {
		case "text":
			err = r.unmarshalText(d)
		case "quiz":
			if !d.AllArgs(&r.Quiz) {
				err = d.Err("quiz takes one path, or `builtin`: quiz rules/quiz.yaml")
			} else if r.Quiz != wordBuiltin {
				r.Quiz = beside(d, r.Quiz)
			}
		case "every":
			if args := d.RemainingArgs(); len(args) != 1 {
				err = d.Err("every takes a duration: every 365d")
			} else {
				err = duration(d, args[0], &r.Every)
			}
		case "for":
			err = rulesRoles(d, &r.ForRoles)
		case "except":
			err = rulesRoles(d, &r.ExceptRoles)
		case "names":
			err = rulesRoles(d, &r.NamesRoles)
		default:
			err = crmgate.UnknownWord(d, word, "text", "quiz", "every", "for", "except", "names")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *HouseRules) unmarshalText(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	switch {
	case len(args) == 1 && args[0] == wordBuiltin:
		r.TextDE, r.TextEN = "", ""
	case len(args) == 2:
		r.TextDE, r.TextEN = beside(d, args[0]), beside(d, args[1])
	default:
		return d.Err("text takes `builtin`, or two paths, of the German and the English text: text rules.de.md rules.md")
	}
	return nil
}

func rulesRoles(d *caddyfile.Dispenser, into *[]string) error {
	word := d.Val()
	args := d.RemainingArgs()
	if len(args) < 2 || args[0] != "role" {
		return d.Errf("%s takes `role` and one or more roles: %s role sales", word, word)
	}
	*into = append(*into, args[1:]...)
	return nil
}

// files are those that were written by somebody else than us.
func (r *HouseRules) files() []string {
	if r == nil {
		return nil
	}
	var own []string
	for _, name := range []string{r.TextDE, r.TextEN, r.Quiz} {
		if name != "" && name != wordBuiltin {
			own = append(own, name)
		}
	}
	return own
}

// loadHouseRules reads and judges the rules, where the configuration has some.
func (h *Handler) loadHouseRules() error {
	r := h.HouseRules
	if r == nil {
		return nil
	}
	if err := r.check(h.DeskRaw != nil); err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	var src rules.Source
	var err error
	for _, f := range []struct {
		name, builtin string
		into          *rules.File
	}{{r.TextDE, rules.BuiltinDE, &src.DE}, {r.TextEN, rules.BuiltinEN, &src.EN}, {r.Quiz, rules.BuiltinQuiz, &src.Quiz}} {
		if *f.into, err = readRules(f.name, f.builtin); err != nil {
			return fmt.Errorf("rules: %w", err)
		}
	}
	if r.loaded, err = rules.Load(src); err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	h.logger.Info("employees acknowledge the rules before the CRM opens", zap.String("version", r.loaded.Version()),
		zap.Duration("every", time.Duration(r.Every)), zap.Strings("for", r.ForRoles), zap.Strings("except", r.ExceptRoles), zap.Strings("names", r.NamesRoles))
	return nil
}

func readRules(name, builtin string) (rules.File, error) {
	if name == "" || name == wordBuiltin {
		return rules.Builtin(builtin)
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		return rules.File{}, fmt.Errorf("reading the rules: %w", err)
	}
	return rules.File{Name: name, Raw: raw}, nil
}

// check judges what the configuration says, and sets what it leaves out.
func (r *HouseRules) check(desk bool) error {
	if r.Every == 0 {
		r.Every = caddy.Duration(rulesEvery)
	}
	switch e := time.Duration(r.Every); {
	case (r.TextDE == "") != (r.TextEN == ""):
		return errors.New("there is a text in one language alone: give the German and the English one")
	case r.TextDE != "" && r.Quiz == "":
		return errors.New("a text of your own takes a quiz: `quiz rules/quiz.yaml`, or `quiz builtin` where the shipped questions go with it")
	case e < shortestEvery || e > longestEvery:
		return fmt.Errorf("every %s: it takes 1 to 1100 days, 365d for once a year", e)
	case len(r.NamesRoles) > 0 && !desk:
		return errors.New("names says who sees names at the desk, and there is no desk: add the block desk")
	}
	for word, list := range map[string][]string{"for": r.ForRoles, "except": r.ExceptRoles, "names": r.NamesRoles} {
		for i, role := range list {
			switch {
			case role == "" || role == "*" || strings.ContainsAny(role, " \t\r\n{}"):
				return fmt.Errorf("%s: %q is no role: write one as the provider does", word, role)
			case slices.Contains(list[:i], role):
				return fmt.Errorf("%s: the role %q stands there twice", word, role)
			}
		}
	}
	return nil
}

// concern reports whether employees with these roles have to acknowledge.
func (r *HouseRules) concern(roles []string) bool {
	has := func(of []string) bool {
		return slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(of, role) })
	}
	return !has(r.ExceptRoles) && (len(r.ForRoles) == 0 || has(r.ForRoles))
}

// startRules opens the ledger of who has acknowledged; nil where there is nothing to.
func (h *Handler) startRules(s *crmgate.Services) (*rules.Ledger, error) {
	r := h.HouseRules
	if r == nil {
		return nil, nil //nolint:nilnil // there is none, and that is no fault
	}
	l, err := rules.NewLedger(rules.LedgerConfig{Rules: r.loaded, Every: time.Duration(r.Every), Store: s.Store, Ring: s.Ring})
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	return l, nil
}

// Rules are those in force, for the desk.
func (h *Handler) Rules() *crmgate.RulesInForce {
	r := h.HouseRules
	if r == nil || r.loaded == nil {
		return nil
	}
	force := &crmgate.RulesInForce{
		ID:      short(h.realm(), r.loaded.Version(), fmt.Sprintf("%q %q %q %d", r.ForRoles, r.ExceptRoles, r.NamesRoles, r.Every)),
		Version: r.loaded.Version(), Concern: r.concern, Names: r.NamesRoles,
		Outstanding: func(context.Context, []string) ([]string, error) { return nil, errors.New("the gate has not started") },
	}
	if o := h.opened.Load(); o != nil && o.rules != nil {
		force.SignIns, force.Outstanding = o.log.Keyed(realmKeyed, h.realm()), o.rules.Outstanding
	}
	return force
}

// realmKeyed is the category by which the log finds the sign-ins of a realm.
const realmKeyed = "realm"

func short(words ...string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", words))
	return hex.EncodeToString(sum[:8])
}

var _ crmgate.RulesGate = (*Handler)(nil)

// register adds what the register says of the rules to a site's settings.
func (r *HouseRules) register(into map[string]string) {
	if r == nil || r.loaded == nil {
		return
	}
	into["rules_version"], into["rules_every"] = r.loaded.Version(), time.Duration(r.Every).String()
	for name, roles := range map[string][]string{"rules_for": r.ForRoles, "rules_except": r.ExceptRoles, "rules_names": r.NamesRoles} {
		if len(roles) > 0 {
			into[name] = strings.Join(roles, ", ")
		}
	}
}
