package oidc

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// elsewhere reports whether the caller proves the second factor by itself.
func (p *Provider) elsewhere() bool { return len(p.cfg.Elsewhere) > 0 }

// provenElsewhere is what is left of a proof then: the age, and what of the
// caller's methods can't be phished.
func provenElsewhere(cfg Config) (proof, error) {
	switch {
	case !cfg.Factor.empty():
		return proof{}, errors.New("mfa gateway and mfa amr or acr exclude each other: either the gateway proves the second factor, or the provider does")
	case cfg.Factor.MaxAge < 0:
		return proof{}, errors.New("mfa max_age is negative: give a duration such as 12h")
	case len(cfg.Resistant.ACR) > 0:
		return proof{}, errors.New("mfa phishing_resistant acr speaks of the provider, and with mfa gateway the gateway proves the second factor: leave the values out")
	}
	return proof{factor: Factor{MaxAge: cfg.Factor.MaxAge}, resistant: cfg.Resistant}, nil
}

// checkElsewhere refuses a demand that the caller's own methods can't meet.
func (p *Provider) checkElsewhere(d Demand) error {
	for _, proof := range d.Proofs {
		if len(proof.ACR) > 0 {
			return fmt.Errorf("with mfa gateway no acr is looked at: demand amr %s", strings.Join(p.cfg.Elsewhere, " or "))
		}
		for _, amr := range proof.AMR {
			if !slices.Contains(p.cfg.Elsewhere, amr) {
				return fmt.Errorf("with mfa gateway nothing proves amr %q: demand %s", amr, strings.Join(p.cfg.Elsewhere, " or "))
			}
		}
	}
	if d.PhishingResistant && p.proof.resistant.empty() {
		return errors.New("phishing_resistant takes passkeys, which mfa gateway leaves out here: name passkey there")
	}
	return nil
}

// leftToProve is what a step-up demands of the caller's own proof.
func (p *Provider) leftToProve(st state) (d Demand, err error) {
	if !p.elsewhere() || st.stepUp == nil {
		return d, nil
	}
	if err := json.Unmarshal([]byte(st.stepUp.demand), &d); err != nil {
		return d, fmt.Errorf("%w: the state's demand is unreadable", ErrState)
	}
	return d, nil
}
