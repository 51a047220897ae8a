package gate

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/oidc"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// StepUp demands a fresh or stronger proof for some requests: those that any of
// Paths, Entities and Actions names. A request that several of them name has to
// meet all of their demands.
type StepUp struct {
	// Paths are exact paths, or whole trees that end in /* (`/admin/*`).
	Paths []string `json:"paths,omitempty"`
	// Entities are the profile's kinds of records.
	Entities []string `json:"entities,omitempty"`
	// Actions are what is done to records: `export`.
	Actions []string `json:"actions,omitempty"`
	// MaxAge is how long ago the employee may have signed in at the provider.
	MaxAge caddy.Duration `json:"max_age,omitempty"`
	// ACR and AMR are contexts and methods of the ID token: one of them is
	// enough.
	ACR []string `json:"acr,omitempty"`
	// AMR are methods; `a+b` means both.
	AMR []string `json:"amr,omitempty"`
	// PhishingResistant demands a factor that can't be phished.
	PhishingResistant bool `json:"phishing_resistant,omitempty"`
}

func (s *StepUp) demand() oidc.Demand {
	d := oidc.Demand{MaxAge: time.Duration(s.MaxAge), PhishingResistant: s.PhishingResistant}
	if len(s.AMR)+len(s.ACR) > 0 {
		d.Proofs = []oidc.Proof{{AMR: s.AMR, ACR: s.ACR}}
	}
	return d
}

// unmarshalStepUp reads a line:
//
//	step_up <path>|entity:<name>|action:<name>... [max_age <duration>] [acr <value>...] [amr <value>...] [phishing_resistant]
func (h *Handler) unmarshalStepUp(d *caddyfile.Dispenser) error {
	var s StepUp
	values := func() []string {
		var list []string
		for d.NextArg() {
			if slices.Contains(stepUpWords(), d.Val()) {
				d.Prev()
				break
			}
			list = append(list, d.Val())
		}
		return list
	}
	for _, target := range values() {
		if err := s.add(d, target); err != nil {
			return err
		}
	}
	for d.NextArg() {
		var err error
		switch word := d.Val(); word {
		case "max_age":
			if !d.NextArg() {
				return d.ArgErr()
			}
			err = duration(d, d.Val(), &s.MaxAge)
		case "acr":
			s.ACR = append(s.ACR, values()...)
		case "amr":
			s.AMR = append(s.AMR, values()...)
		case "phishing_resistant":
			if s.PhishingResistant = true; len(values()) > 0 {
				err = d.Err("phishing_resistant takes no values here: mfa phishing_resistant names them")
			}
		}
		if err != nil {
			return err
		}
	}
	h.StepUps = append(h.StepUps, s)
	if len(s.Paths)+len(s.Entities)+len(s.Actions) == 0 {
		return d.Err("step_up takes what it is for first: a path, entity:NAME or action:NAME")
	}
	return nil
}

func stepUpWords() []string { return []string{"max_age", "acr", "amr", "phishing_resistant"} }

func (s *StepUp) add(d *caddyfile.Dispenser, target string) error {
	kind, name, ok := strings.Cut(target, ":")
	switch {
	case strings.HasPrefix(target, "/"):
		s.Paths = append(s.Paths, target)
	case ok && kind == "entity":
		s.Entities = append(s.Entities, name)
	case ok && kind == "action":
		s.Actions = append(s.Actions, name)
	default:
		return crmgate.UnknownWord(d, target, append([]string{"entity:NAME", "action:NAME", "/PATH"}, stepUpWords()...)...)
	}
	return nil
}

// checkStepUps refuses lines that could never match or never be met.
func (h *Handler) checkStepUps() error {
	var all oidc.Demand
	for i := range h.StepUps {
		s := &h.StepUps[i]
		if err := h.checkStepUp(s); err != nil {
			return fmt.Errorf("step_up, line %d of them: %w", i+1, err)
		}
		all = all.And(s.demand())
	}
	if len(h.StepUps) > 0 {
		if err := h.provider.CheckDemand(all); err != nil {
			return fmt.Errorf("all step_up lines together: %w", err)
		}
	}
	return nil
}

func (h *Handler) checkStepUp(s *StepUp) error {
	if len(s.Paths)+len(s.Entities)+len(s.Actions) == 0 {
		return errors.New("it names no path, entity or action")
	}
	for _, p := range s.Paths {
		plain := strings.TrimSuffix(p, "/*")
		if plain == "" {
			plain = "/"
		}
		switch {
		case !strings.HasPrefix(p, "/") || strings.ContainsAny(plain, "*?#%;\\ ") || path.Clean(plain) != plain:
			return fmt.Errorf("%q is no path: write it as it is in the address, decoded and without a query; a whole tree ends in /*", p)
		case plain == ownPrefix || strings.HasPrefix(plain, ownPrefix+"/"):
			return fmt.Errorf("%q is the gateway's own: its pages have rules of their own", p)
		}
	}
	for _, e := range s.Entities {
		if known := h.profile.Entities(); !slices.Contains(known, access.Entity(e)) {
			return fmt.Errorf("the profile has no entity %q (there are: %s)", e, joined(known))
		}
	}
	for _, a := range s.Actions {
		if !access.Action(a).Valid() {
			return fmt.Errorf("there is no action %q (there are: %s)", a, joined(access.Actions()))
		}
	}
	return h.provider.CheckDemand(s.demand())
}

func joined[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = string(w)
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

// unmarshalResistant reads what follows `mfa phishing_resistant`:
//
//	[amr <method>...] [acr <context>...]
func (o *OIDC) unmarshalResistant(d *caddyfile.Dispenser, args []string) error {
	o.MFAPhishingResistant = true
	into := (*[]string)(nil)
	for _, a := range args {
		switch {
		case a == "amr":
			into = &o.MFAPhishingResistantAMR
		case a == "acr":
			into = &o.MFAPhishingResistantACR
		case into == nil:
			return crmgate.UnknownWord(d, a, "amr", "acr")
		default:
			*into = append(*into, a)
		}
	}
	if into != nil && len(*into) == 0 {
		return d.ArgErr()
	}
	return nil
}
