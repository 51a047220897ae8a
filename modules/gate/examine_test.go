package gate

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/oidc"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// remarked is what an examination is to say: each level about each matter.
func remarked(list ...crmgate.Remark) string {
	var said []string
	for _, r := range list {
		said = append(said, fmt.Sprintf("%s %s", r.Level, r.About))
	}
	return strings.Join(said, ", ")
}

func TestExaminationTellsGoodFromBad(t *testing.T) {
	t.Parallel()
	whole := oidc.Examined{Keys: 1, Algs: []string{"ES256"}, Secret: true, PKCE: true}
	without := func(change func(*oidc.Examined)) []crmgate.Remark {
		e := whole
		change(&e)
		return tokens(e)
	}
	const uri = "https://crm.example.de/.crmgate/callback"
	for name, c := range map[string]struct {
		got  []crmgate.Remark
		want string
	}{
		"all of it": {tokens(whole), "ok ID tokens, ok PKCE"},
		"no key":    {without(func(e *oidc.Examined) { e.Keys = 0 }), "error ID tokens, ok PKCE"},
		"keys out of reach": {
			without(func(e *oidc.Examined) { e.Keys, e.KeysFault = 0, errors.New("status 404") }), "error ID tokens, ok PKCE",
		},
		"no secret":         {without(func(e *oidc.Examined) { e.Secret = false }), "ok ID tokens, error client, ok PKCE"},
		"no PKCE":           {without(func(e *oidc.Examined) { e.PKCE = false }), "ok ID tokens, warning PKCE"},
		"clock agrees":      {[]crmgate.Remark{clocks(oidc.Examined{ClockKnown: true, Ahead: -time.Second})}, "ok clocks"},
		"clock is off":      {[]crmgate.Remark{clocks(oidc.Examined{ClockKnown: true, Ahead: -40 * time.Second})}, "warning clocks"},
		"clock is far off":  {[]crmgate.Remark{clocks(oidc.Examined{ClockKnown: true, Ahead: -2 * time.Minute})}, "error clocks"},
		"clock is far on":   {[]crmgate.Remark{clocks(oidc.Examined{ClockKnown: true, Ahead: 2 * time.Minute})}, "error clocks"},
		"clock isn't known": {[]crmgate.Remark{clocks(oidc.Examined{})}, "warning clocks"},
		"factor announced":  {factors(oidc.Examined{Announced: []string{"the claim amr"}}), "ok second factor"},
		"factor doubted":    {factors(oidc.Examined{Doubts: []oidc.Doubt{{What: "no", Remedy: "do"}}}), "warning second factor"},
		"sign-outs":         {signOuts(oidc.Examined{EndSession: true, BackChannel: true}), "ok sign-out, ok back-channel logout"},
		"no sign-outs":      {signOuts(oidc.Examined{}), "warning sign-out, warning back-channel logout"},
		"redirect taken":    {[]crmgate.Remark{redirectRemark(uri, oidc.RedirectTaken, nil)}, "ok redirect URI"},
		"redirect refused":  {[]crmgate.Remark{redirectRemark(uri, oidc.RedirectRefused, nil)}, "error redirect URI"},
		"redirect unclear":  {[]crmgate.Remark{redirectRemark(uri, oidc.RedirectUnclear, nil)}, "warning redirect URI"},
		"redirect untried":  {[]crmgate.Remark{redirectRemark(uri, "", errors.New("down"))}, "warning redirect URI"},
		"provider down":     {[]crmgate.Remark{unreachable(oidc.ErrProviderDown)}, "error identity provider"},
		"another issuer":    {[]crmgate.Remark{unreachable(oidc.ErrMisconfigured)}, "error identity provider"},
		"factor impossible": {[]crmgate.Remark{unreachable(oidc.ErrNoSecondFactor)}, "error second factor"},
	} {
		if got := remarked(c.got...); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		for _, r := range c.got {
			if r.What == "" || (r.Remedy == "") != (r.Level == crmgate.Good) {
				t.Errorf("%s: a remedy belongs to what isn't good: %+v", name, r)
			}
		}
	}
}
