package oidc

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// answer is a userinfo answer or token with these claims.
type answer string

func (a answer) Claims(v any) error { return json.Unmarshal([]byte(a), v) }

// FuzzClaims: whatever a provider writes, roles are texts that it wrote, or the
// sign-in is refused; nothing panics.
func FuzzClaims(f *testing.F) {
	f.Add(`{"realm_access":{"roles":["sales"]},"amr":["pwd","mfa"],"auth_time":1800000000}`)
	f.Add(`{"realm_access":{"roles":"sales"},"amr":"mfa","auth_time":"1.8e9","acrs":["c1"]}`)
	f.Add(`{"realm_access.roles":[1],"_claim_names":{"realm_access":"src1"}}`)
	f.Add(`null`)
	f.Add(`{"auth_time":1e400,"realm_access":[{"roles":{}}]}`)
	p := &Provider{cfg: Config{RolesClaim: "realm_access.roles", UserClaim: "preferred_username"}}
	f.Fuzz(func(t *testing.T, raw string) {
		c, err := decodeClaims(answer(raw))
		if err != nil {
			if !errors.Is(err, ErrToken) {
				t.Fatalf("decodeClaims = %v", err)
			}
			return
		}
		roles, found, err := p.roles([]claims{c})
		if err != nil && !errors.Is(err, ErrToken) {
			t.Fatalf("roles = %v", err)
		}
		if len(roles) > 0 && !found {
			t.Fatal("roles from nowhere")
		}
		for _, role := range roles {
			quoted, err := json.Marshal(role)
			if err != nil || role == "" {
				t.Fatalf("role %q, %v", role, err)
			}
			if !strings.Contains(raw, `\`) && strings.ToValidUTF8(raw, "") == raw && !strings.ContainsAny(role, "<>&\u2028\u2029") && !strings.Contains(raw, string(quoted)) {
				t.Fatalf("role %q isn't in %q", role, raw)
			}
		}
		if (Factor{AMR: []string{"mfa"}}).proven(c.methods("also"), c.contexts()) && !strings.Contains(raw, "amr") && !strings.Contains(raw, "also") && !strings.Contains(raw, `\`) {
			t.Fatalf("a factor from nowhere in %q", raw)
		}
		_, _ = c.time("auth_time")
		_, _ = p.user([]claims{c})
		p.overage(c)
	})
}
