package oidc

import (
	"slices"
	"strings"
	"time"
)

// Factor says which statements of the ID token prove a second factor. One match
// is enough; MaxAge is a bound on top and proves nothing by itself.
type Factor struct {
	// AMR are authentication methods (RFC 8176). An entry may join several with
	// "+": all of them have to be there ("pwd+otp").
	AMR []string
	// ACR are authentication contexts. They are asked for in the request, and
	// matched against the token's `acr` and Entra's `acrs`.
	ACR []string
	// MaxAge is how long ago the person may have signed in at the provider; 0 is
	// no bound. With one, a token without auth_time is refused.
	MaxAge time.Duration
}

func (f Factor) empty() bool { return len(f.AMR) == 0 && len(f.ACR) == 0 }

// String writes the proof as the Caddyfile does: "amr mfa pwd+otp, acr gold".
func (f Factor) String() string {
	var said []string
	if len(f.AMR) > 0 {
		said = append(said, "amr "+strings.Join(f.AMR, " "))
	}
	if len(f.ACR) > 0 {
		said = append(said, "acr "+strings.Join(f.ACR, " "))
	}
	return strings.Join(said, ", ")
}

// proven reports whether the methods and contexts of a token match.
func (f Factor) proven(amr, acr []string) bool {
	for _, want := range f.ACR {
		if slices.Contains(acr, want) {
			return true
		}
	}
	for _, want := range f.AMR {
		if hasAll(amr, strings.Split(want, "+")) {
			return true
		}
	}
	return false
}

func hasAll(have, want []string) bool {
	for _, w := range want {
		if w == "" || !slices.Contains(have, w) {
			return false
		}
	}
	return true
}
