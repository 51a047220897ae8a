package provider

import (
	"slices"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// proof is how and when an employee signed in. The zero value proves nothing.
type proof struct {
	subject  string
	sid      string
	authTime time.Time
	otp      bool
}

func (p proof) amr() []string {
	if p.otp {
		return []string{"pwd", "otp", "mfa"}
	}
	return []string{"pwd"}
}

func (p proof) acr() string {
	if p.otp {
		return ACRSecondFactor
	}
	return ACRPassword
}

// request is an authorization request on its way through the sign-in pages. The
// state hands out copies: the library reads them without a lock.
type request struct {
	id      string
	asked   oidc.AuthRequest
	created time.Time
	// demanded is the subject of an id_token_hint: nobody else may sign in.
	demanded string
	// browser is the cookie of the browser that opened the page first.
	browser string
	// pending is an employee whose password was right (or is still good) and
	// whose code is awaited.
	pending proof
	proof   proof
}

func (r *request) GetID() string                      { return r.id }
func (r *request) GetACR() string                     { return r.proof.acr() }
func (r *request) GetAMR() []string                   { return r.proof.amr() }
func (r *request) GetAudience() []string              { return []string{r.asked.ClientID} }
func (r *request) GetAuthTime() time.Time             { return r.proof.authTime }
func (r *request) GetClientID() string                { return r.asked.ClientID }
func (r *request) GetNonce() string                   { return r.asked.Nonce }
func (r *request) GetRedirectURI() string             { return r.asked.RedirectURI }
func (r *request) GetResponseType() oidc.ResponseType { return r.asked.ResponseType }
func (r *request) GetResponseMode() oidc.ResponseMode { return r.asked.ResponseMode }
func (r *request) GetScopes() []string                { return r.asked.Scopes }
func (r *request) GetState() string                   { return r.asked.State }
func (r *request) GetSubject() string                 { return r.proof.subject }
func (r *request) Done() bool                         { return r.proof.subject != "" }
func (r *request) prompts(p string) bool              { return slices.Contains(r.asked.Prompt, p) }
func (r *request) GetCodeChallenge() *oidc.CodeChallenge {
	return &oidc.CodeChallenge{Challenge: r.asked.CodeChallenge, Method: r.asked.CodeChallengeMethod}
}

// wantsCode reports whether an employee who has a second factor is asked for
// it. acr_values are in order of preference: the first one known decides.
func (r *request) wantsCode() bool {
	for _, v := range r.asked.ACRValues {
		switch v {
		case ACRSecondFactor:
			return true
		case ACRPassword:
			return false
		}
	}
	return true
}

// stage is what has to happen next.
type stage uint8

const (
	stagePassword stage = iota
	stageCode
	stageDone
)

// next says what an earlier sign-in in the same browser (the zero proof: none)
// is worth to this request.
func (r *request) next(earlier proof, e *Employee, now time.Time) stage {
	switch {
	case e == nil || earlier.subject != e.Subject:
		return stagePassword
	case r.demanded != "" && r.demanded != earlier.subject:
		return stagePassword
	case r.prompts(oidc.PromptLogin) || r.prompts(oidc.PromptSelectAccount):
		return stagePassword
	case r.tooOld(earlier.authTime, now):
		return stagePassword
	case !earlier.otp && e.TOTPSecret != "" && r.wantsCode():
		return stageCode
	}
	return stageDone
}

// tooOld applies max_age. 0 always asks anew, even within the same second.
func (r *request) tooOld(at, now time.Time) bool {
	if r.asked.MaxAge == nil {
		return false
	}
	age := *r.asked.MaxAge
	return age == 0 || now.Sub(at) > time.Duration(age)*time.Second
}

// grant is what a code was exchanged for. Sign-out ends it, with all its tokens.
type grant struct {
	id       string
	clientID string
	scopes   []string
	proof    proof
	// refresh is the only refresh token that is good now.
	refresh string
	expires time.Time
}

// refreshRequest is a grant that is being refreshed.
type refreshRequest struct {
	grant  grant
	scopes []string
}

func (r *refreshRequest) GetAMR() []string            { return r.grant.proof.amr() }
func (r *refreshRequest) GetAudience() []string       { return []string{r.grant.clientID} }
func (r *refreshRequest) GetAuthTime() time.Time      { return r.grant.proof.authTime }
func (r *refreshRequest) GetClientID() string         { return r.grant.clientID }
func (r *refreshRequest) GetScopes() []string         { return r.scopes }
func (r *refreshRequest) GetSubject() string          { return r.grant.proof.subject }
func (r *refreshRequest) SetCurrentScopes(s []string) { r.scopes = s }
