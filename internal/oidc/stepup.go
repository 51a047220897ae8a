package oidc

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// demandLimit bounds a demand in the sealed state, in bytes of its JSON.
const demandLimit = 400

// Demand is what some requests need to be proven beyond a sign-in's own proof.
// All of its parts have to hold.
type Demand struct {
	// MaxAge is how long ago the person may have signed in at the provider; 0 is
	// no bound.
	MaxAge time.Duration `json:"a,omitempty"`
	// Proofs are sets of methods and contexts, each proven by one match.
	Proofs []Proof `json:"f,omitempty"`
	// PhishingResistant demands a factor that can't be phished, as the preset or
	// Config.Resistant proves it.
	PhishingResistant bool `json:"p,omitempty"`
}

// Proof is a set of methods and contexts, as in Factor: one match is enough.
type Proof struct {
	AMR []string `json:"m,omitempty"`
	ACR []string `json:"c,omitempty"`
}

// And demands both.
func (d Demand) And(more Demand) Demand {
	if d.MaxAge == 0 || more.MaxAge > 0 && more.MaxAge < d.MaxAge {
		d.MaxAge = more.MaxAge
	}
	d.Proofs = slices.Concat(d.Proofs, more.Proofs)
	d.PhishingResistant = d.PhishingResistant || more.PhishingResistant
	return d
}

// Contexts are the contexts to ask for: those that meet every proof that takes
// one, or all where there are none such.
func (d Demand) Contexts() []string {
	var all []string
	for _, p := range d.Proofs {
		all = append(all, p.ACR...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	common := slices.DeleteFunc(slices.Clone(all), func(acr string) bool {
		return slices.ContainsFunc(d.Proofs, func(p Proof) bool { return len(p.ACR) > 0 && !slices.Contains(p.ACR, acr) })
	})
	if len(common) > 0 {
		return common
	}
	return all
}

// StepUp is somebody who is signed in and has to prove themselves anew.
type StepUp struct {
	Demand Demand
	// Subject is who it has to be that comes back.
	Subject string
}

// CheckDemand refuses a demand that can't be met, naming the remedy. It touches
// no network.
func (p *Provider) CheckDemand(d Demand) error {
	switch {
	case d.MaxAge == 0 && len(d.Proofs) == 0 && !d.PhishingResistant:
		return errors.New("nothing is demanded: give max_age 5m, acr …, amr … or phishing_resistant")
	case d.MaxAge != 0 && d.MaxAge < Skew:
		return fmt.Errorf("max_age %s is less than the clocks may differ: give at least %s", d.MaxAge, Skew)
	case len(d.encode()) > demandLimit:
		return fmt.Errorf("the demand is longer than the %d bytes that fit into a sign-in: name fewer values", demandLimit)
	}
	if p.elsewhere() {
		return p.checkElsewhere(d)
	}
	for _, proof := range d.Proofs {
		if err := checkValues("step_up", slices.Concat(proof.AMR, proof.ACR)); err != nil {
			return err
		}
		if !p.proof.together(p.preset, Factor{AMR: proof.AMR, ACR: proof.ACR}) {
			return fmt.Errorf("an ID token has one acr, and none of %s proves a second factor here: name it in mfa acr, too", strings.Join(proof.ACR, ", "))
		}
	}
	if d.PhishingResistant {
		return p.proof.checkResistant(p.preset)
	}
	return nil
}

// Meets reports whether a person has proven what is demanded. It costs no more
// than a few comparisons.
func (p *Provider) Meets(id Identity, d Demand) bool {
	if d.MaxAge > 0 {
		age := p.cfg.Now().Sub(id.AuthTime)
		if id.AuthTime.IsZero() || age > d.MaxAge+Skew || age < -Skew {
			return false
		}
	}
	return p.provesKind(id.AMR, strings.Fields(id.ACR), d)
}

// Proves reports whether what a person has proven is what every sign-in has to
// prove. issued is when they, or the provider at a renewal, did so: that long
// after auth_time max_age may lie, and a minute for what happened in between.
// With Config.Elsewhere the kind of the proof is the caller's to judge.
func (p *Provider) Proves(id Identity, issued time.Time) bool {
	if most := p.proof.factor.MaxAge; most > 0 {
		age := issued.Sub(id.AuthTime)
		if id.AuthTime.IsZero() || age > most+2*Skew || age < -2*Skew {
			return false
		}
	}
	if p.elsewhere() {
		return true
	}
	acr := strings.Fields(id.ACR)
	return p.proof.factor.proven(id.AMR, acr) && (!p.proof.always || p.proof.resistant.proven(id.AMR, acr))
}

// provesKind is Meets without the time.
func (p *Provider) provesKind(amr, acr []string, d Demand) bool {
	for _, proof := range d.Proofs {
		if !(Factor{AMR: proof.AMR, ACR: proof.ACR}).proven(amr, acr) {
			return false
		}
	}
	return !d.PhishingResistant || p.proof.resistant.proven(amr, acr)
}

// proveStepUp holds a step-up to what it was made for: the same person, asked
// anew, with the factor that is demanded. A provider that ignores what it is
// asked for is refused here by name; otherwise the way back would lead to the
// next step-up, without end.
func (p *Provider) proveStepUp(c claims, st state) error {
	if st.stepUp == nil {
		return nil
	}
	person := personHash(c.text("sub"))
	if subtle.ConstantTimeCompare(person[:], st.stepUp.person[:]) != 1 {
		return fmt.Errorf("%w: the step-up was begun by another person (sub)", ErrOtherPerson)
	}
	if p.elsewhere() {
		return nil
	}
	at, ok := c.time("auth_time")
	switch {
	case !ok:
		return fmt.Errorf("%w: the ID token has no auth_time: let the provider send it for this client", ErrStepUp)
	case at.After(p.cfg.Now().Add(Skew)):
		return fmt.Errorf("%w: auth_time lies in the future: set the clocks of gateway and provider", ErrStepUp)
	case at.Before(st.begun.Add(-Skew)):
		return fmt.Errorf("%w: auth_time too old: the provider did not ask again (prompt=login, max_age=0)", ErrStepUp)
	}
	var d Demand
	if err := json.Unmarshal([]byte(st.stepUp.demand), &d); err != nil {
		return fmt.Errorf("%w: the state's demand is unreadable", ErrState)
	}
	amr, acr := c.methods(p.preset.methods), c.contexts()
	if !p.provesKind(amr, acr, d) {
		return fmt.Errorf("%w: the ID token has %s, and the step-up demands %s", ErrStepUp, stated(amr, acr), st.stepUp.demand)
	}
	return nil
}

// sealedStepUp is a StepUp in a state.
type sealedStepUp struct {
	person [sha256.Size]byte
	demand string
}

func (u *StepUp) seal() *sealedStepUp {
	if u == nil {
		return nil
	}
	return &sealedStepUp{person: personHash(u.Subject), demand: u.Demand.encode()}
}

func (d Demand) encode() string {
	raw, err := json.Marshal(d)
	if err != nil { // words, numbers and truths always encode
		return "{}"
	}
	return string(raw)
}

func personHash(subject string) [sha256.Size]byte {
	return sha256.Sum256([]byte("step-up\n" + subject))
}

// cutStepUp reads what encode wrote and returns what follows; nil where it isn't
// whole.
func cutStepUp(b []byte) (*sealedStepUp, []byte) {
	var u sealedStepUp
	if len(b) < len(u.person)+2 {
		return nil, b
	}
	copy(u.person[:], b)
	b = b[len(u.person):]
	n := int(binary.BigEndian.Uint16(b))
	b = b[2:]
	if n > demandLimit || n > len(b) {
		return nil, b
	}
	u.demand = string(b[:n])
	return &u, b[n:]
}
