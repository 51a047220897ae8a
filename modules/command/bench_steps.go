package command

import (
	"errors"
	"fmt"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/html"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/policy"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/policies"
)

// benchSteps are what the gate does with one answer, one by one. Each keeps what the
// next one needs.
type benchSteps struct {
	body    *benchBody
	profile *profile.Profile
	policy  *policy.Snapshot
	masker  *mask.Masker

	x        *profile.Exchange
	decision access.Decision
	tree     *doc.Tree
	found    *profile.Located
	masked   mask.Result
	out      []byte
}

func newBenchSteps(body *benchBody) (*benchSteps, error) {
	p, err := profile.Load([]byte(benchProfile))
	if err != nil {
		return nil, err
	}
	pol, err := benchPolicies(p, benchPolicy)
	if err != nil {
		return nil, err
	}
	return &benchSteps{body: body, profile: p, policy: pol, masker: mask.New(mask.Config{})}, nil
}

func benchPolicies(p *profile.Profile, text string) (*policy.Snapshot, error) {
	model, err := policies.Files.ReadFile("model.conf")
	if err != nil {
		return nil, fmt.Errorf("reading the policy's model: %w", err)
	}
	return policy.Load([]policy.File{{Name: "policy.csv", Bytes: []byte(text)}}, model, policy.Vocabulary{Entities: p.Entities()})
}

func (s *benchSteps) classify() error {
	x, err := s.profile.Classify(profile.Request{Method: "GET", Path: s.body.path + s.body.name})
	if err != nil {
		return err
	}
	x.User = benchEmployee
	s.x = x
	return nil
}

func (s *benchSteps) decide() error {
	d, err := s.policy.Decide([]string{"bench"}, s.x.Accesses)
	if err != nil {
		return err
	}
	if d.Refused {
		return errors.New(d.Text)
	}
	s.decision = d
	return nil
}

func (s *benchSteps) parse() (err error) {
	if s.body.isPage() {
		if s.tree != nil {
			html.Release(s.tree)
		}
		s.tree, err = html.Parse(s.body.raw, doc.DefaultLimits())
		return err
	}
	if s.tree != nil {
		json.Release(s.tree)
	}
	s.tree, err = json.Parse(s.body.raw, doc.DefaultLimits())
	return err
}

func (s *benchSteps) locate() (err error) {
	if s.found != nil {
		s.found.Release()
	}
	s.found, err = s.x.Locate(s.tree, 200)
	return err
}

func (s *benchSteps) mask() (err error) {
	s.masked, err = s.masker.Apply(s.tree, &s.found.Found, s.decision.Plan, mask.Options{Scope: "session", SecondPass: true})
	return err
}

func (s *benchSteps) firstPass() error {
	_, err := s.masker.Apply(s.tree, &s.found.Found, s.decision.Plan, mask.Options{Scope: "session"})
	return err
}

func (s *benchSteps) splice() (err error) {
	s.out, err = s.masked.Body(nil)
	return err
}

// all are the steps in their order.
func (s *benchSteps) all() []benchStep {
	return []benchStep{
		{"classify", s.classify, false},
		{"decide", s.decide, false},
		{"parse", s.parse, true},
		{"locate", s.locate, true},
		{"mask", s.mask, true},
		{"mask, first pass alone", s.firstPass, true},
		{"splice", s.splice, true},
	}
}

type benchStep struct {
	name string
	do   func() error
	// body says that it reads or writes the whole body.
	body bool
}
