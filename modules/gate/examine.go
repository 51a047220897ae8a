package gate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/oidc"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// Examine implements crmgate.Examiner: what the provider says of itself, whether
// its ID tokens can be checked and prove a second factor, how the clocks stand,
// and whether it takes the redirect URIs.
func (h *Handler) Examine(ctx context.Context, redirects []string) []crmgate.Remark {
	demands := make([]oidc.Demand, len(h.StepUps))
	for i := range h.StepUps {
		demands[i] = h.StepUps[i].demand()
	}
	list := h.examineObserve()
	e, err := h.provider.Examine(ctx, demands...)
	if err != nil {
		return append(list, unreachable(err))
	}
	list = append(list, crmgate.Remark{
		Level: crmgate.Good, About: "identity provider", What: "its discovery document is there, and calls it " + h.Issuer() + " as the configuration does",
	})
	list = append(list, tokens(e)...)
	list = append(list, clocks(e))
	if h.ownFactor() {
		list = append(list, crmgate.Remark{
			Level: crmgate.Good, About: "second factor", What: "the gateway asks for it after the provider's sign-in: " + strings.Join(h.OIDC.MFAGateway, " or "),
		})
	}
	list = append(list, factors(e)...)
	list = append(list, signOuts(e)...)
	for _, uri := range redirects {
		taken, err := h.provider.TakesRedirect(ctx, strings.TrimSuffix(uri, oidc.CallbackPath))
		list = append(list, redirectRemark(uri, taken, err))
	}
	return list
}

// Issuer implements crmgate.Examiner.
func (h *Handler) Issuer() string { return h.provider.Issuer() }

// tokens says whether ID tokens can be got and checked.
func tokens(e oidc.Examined) []crmgate.Remark {
	const about = "ID tokens"
	signed := crmgate.Remark{Level: crmgate.Good, About: about, What: fmt.Sprintf("signed with %s; keys that check them: %d", strings.Join(e.Algs, " or "), e.Keys)}
	switch {
	case e.KeysFault != nil:
		signed = crmgate.Remark{
			Level: crmgate.Failure, About: about, What: e.KeysFault.Error(),
			Remedy: "Let this machine reach the provider's jwks_uri, and the provider answer there with its keys",
		}
	case e.Keys == 0:
		signed = crmgate.Remark{Level: crmgate.Failure, About: about, What: "the provider publishes no key that checks a signature", Remedy: "Let the provider sign ID tokens with a key pair (RS256 or ES256)"}
	}
	list := []crmgate.Remark{signed}
	if !e.Secret {
		list = append(list, crmgate.Remark{
			Level: crmgate.Failure, About: "client", What: "the provider takes no client secret (neither client_secret_basic nor client_secret_post)",
			Remedy: "Let the provider offer one of them for this client",
		})
	}
	if e.PKCE {
		return append(list, crmgate.Remark{Level: crmgate.Good, About: "PKCE", What: "the provider takes S256"})
	}
	return append(list, crmgate.Remark{
		Level: crmgate.Warning, About: "PKCE", What: "the provider doesn't say that it takes S256 (some, as Entra ID, do so without saying)",
		Remedy: "Require PKCE for this client where the provider can; it is sent in any case",
	})
}

// factors compares what the provider announces with what is demanded.
func factors(e oidc.Examined) []crmgate.Remark {
	const about = "second factor"
	var list []crmgate.Remark
	if len(e.Announced) > 0 {
		list = append(list, crmgate.Remark{
			Level: crmgate.Good, About: about,
			What: "the provider announces " + strings.Join(e.Announced, ", ") + "; whether it comes, the first sign-in shows",
		})
	}
	for _, d := range e.Doubts {
		list = append(list, crmgate.Remark{Level: crmgate.Warning, About: about, What: d.What, Remedy: sentence(d.Remedy)})
	}
	return list
}

// unreachable says why the provider can't sign anybody in.
func unreachable(err error) crmgate.Remark {
	r := crmgate.Remark{
		Level: crmgate.Failure, About: "identity provider", What: err.Error(),
		Remedy: "Check the issuer's address, and that this machine reaches it (name, proxy, firewall, certificate)",
	}
	switch {
	case errors.Is(err, oidc.ErrNoSecondFactor):
		r.About, r.Remedy = "second factor", "Let the provider offer what the configuration demands, or change `mfa`"
	case errors.Is(err, oidc.ErrMisconfigured):
		r.Remedy = "Correct the issuer, or what the provider publishes"
	}
	return r
}

func clocks(e oidc.Examined) crmgate.Remark {
	r := crmgate.Remark{Level: crmgate.Good, About: "clocks", What: fmt.Sprintf("this one is %s ahead of the provider's", e.Ahead)}
	if e.Ahead < 0 {
		r.What = fmt.Sprintf("this one is %s behind the provider's", -e.Ahead)
	}
	switch off := max(e.Ahead, -e.Ahead); {
	case !e.ClockKnown:
		r.Level, r.What, r.Remedy = crmgate.Warning, "the provider doesn't say what time it has", "Make sure that this machine's clock is set (chrony, systemd-timesyncd)"
	case off > oidc.Skew:
		r.Level, r.Remedy = crmgate.Failure, fmt.Sprintf("Set the clocks: with more than %s between them nobody can sign in", oidc.Skew)
	case off > oidc.Skew/2:
		r.Level, r.Remedy = crmgate.Warning, fmt.Sprintf("Set the clocks: from %s on nobody can sign in", oidc.Skew)
	case off < 2*time.Second:
		r.What = "they agree"
	}
	return r
}

func signOuts(e oidc.Examined) []crmgate.Remark {
	list := []crmgate.Remark{{Level: crmgate.Good, About: "sign-out", What: "the provider is told of a sign-out here"}}
	if !e.EndSession {
		list[0] = crmgate.Remark{
			Level: crmgate.Warning, About: "sign-out", What: "the provider can't be told of a sign-out here (no end_session_endpoint)",
			Remedy: "Tell employees that they stay signed in there; the page after a sign-out says so, too",
		}
	}
	if e.BackChannel {
		return append(list, crmgate.Remark{
			Level: crmgate.Good, About: "back-channel logout", What: "the provider can tell of a sign-out there: register the address below",
		})
	}
	return append(list, crmgate.Remark{
		Level: crmgate.Warning, About: "back-channel logout", What: "the provider doesn't say that it can tell of a sign-out there",
		Remedy: "Whoever is locked there stays signed in here until the tokens are renewed, or the session ends: end sessions with `crmgate session revoke`",
	})
}

// redirectRemark says what the provider makes of a redirect URI.
func redirectRemark(uri string, taken oidc.Taken, err error) crmgate.Remark {
	const about, register = "redirect URI", "Register exactly this redirect URI for the client, and check client_id"
	switch {
	case err != nil:
		return crmgate.Remark{Level: crmgate.Warning, About: about, What: uri + " couldn't be tried: " + err.Error(), Remedy: "Try it in a browser"}
	case taken == oidc.RedirectTaken:
		return crmgate.Remark{Level: crmgate.Good, About: about, What: "the provider takes " + uri}
	case taken == oidc.RedirectRefused:
		return crmgate.Remark{Level: crmgate.Failure, About: about, What: "the provider refuses " + uri + ", or the client", Remedy: register}
	}
	return crmgate.Remark{
		Level: crmgate.Warning, About: about, What: "whether the provider takes " + uri + " can't be told: it shows a page of its own",
		Remedy: register + ", and try it in a browser",
	}
}

// sentence begins with a capital.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

var _ crmgate.Examiner = (*Handler)(nil)
