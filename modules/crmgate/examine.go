package crmgate

import "context"

// Level says how bad a remark is.
type Level string

// The levels. Only an error makes `crmgate doctor` fail.
const (
	Good    Level = "ok"
	Warning Level = "warning"
	Failure Level = "error"
)

// Remark is what a check of a configuration says of one thing.
type Remark struct {
	Level Level `json:"level"`
	// Site is the address of the site that it is about; "" is all of them.
	Site string `json:"site,omitempty"`
	// About is what was looked at, in a word or two.
	About string `json:"about"`
	// What is how it is.
	What string `json:"what"`
	// Remedy says what to do about it; "" where nothing is to be done.
	Remedy string `json:"remedy,omitempty"`
}

// Examiner is a gate that can look at its identity provider without anybody
// signing in, and without sending a secret. redirects are the redirect URIs to
// try there.
type Examiner interface {
	Examine(ctx context.Context, redirects []string) []Remark
	// Issuer is the provider's name for itself.
	Issuer() string
}

// StoreExaminer is a session store that can be looked at without making or
// changing anything. The error says why it can't be used, with the remedy; else
// the text says how it is.
type StoreExaminer interface {
	ExamineStore(ctx context.Context, dir string) (string, error)
}

// ExamineStore looks at the session store.
func (a *App) ExamineStore(ctx context.Context) Remark {
	const about = "session store"
	x, ok := a.opener.(StoreExaminer)
	if !ok {
		return Remark{Level: Warning, About: about, What: "this one can't be looked at", Remedy: "The first sign-in shows whether it works"}
	}
	what, err := x.ExamineStore(ctx, a.DataDir)
	if err != nil {
		return Remark{Level: Failure, About: about, What: err.Error(), Remedy: "Without it nobody can sign in: correct it, or the global option crmgate's store"}
	}
	return Remark{Level: Good, About: about, What: what}
}
