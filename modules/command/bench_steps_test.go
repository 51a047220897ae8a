package command

import (
	"os"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/policy"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/policies"
)

// BenchmarkSteps measures what the gate does with one answer, step by step.
func BenchmarkSteps(b *testing.B) {
	for _, body := range benchFixedPlan().bodies {
		if body.path == "/contacts/" {
			b.Run(body.name, func(b *testing.B) { benchmarkSteps(b, body) })
		}
	}
}

func benchmarkSteps(b *testing.B, body *benchBody) {
	p, err := profile.Load([]byte(benchProfile))
	if err != nil {
		b.Fatal(err)
	}
	model, err := policies.Files.ReadFile("model.conf")
	if err != nil {
		b.Fatal(err)
	}
	pol, err := policy.Load([]policy.File{{Name: "policy.csv", Bytes: []byte(benchPolicy)}}, model, policy.Vocabulary{Entities: p.Entities()})
	if err != nil {
		b.Fatal(err)
	}
	steps := &benchSteps{b: b, body: body, profile: p, policy: pol, masker: mask.New(mask.Config{})}
	for _, step := range []func(){steps.classify, steps.decide, steps.parse, steps.locate, steps.mask, steps.splice} {
		step() // each has what it needs, whichever are chosen
	}
	b.Run("classify", func(b *testing.B) { repeat(b, 0, steps.classify) })
	b.Run("decide", func(b *testing.B) { repeat(b, 0, steps.decide) })
	b.Run("parse", func(b *testing.B) { repeat(b, len(body.raw), steps.parse) })
	b.Run("locate", func(b *testing.B) { repeat(b, len(body.raw), steps.locate) })
	b.Run("mask", func(b *testing.B) { repeat(b, len(body.raw), steps.mask) })
	b.Run("mask first pass", func(b *testing.B) { repeat(b, len(body.raw), steps.firstPass) })
	b.Run("splice", func(b *testing.B) { repeat(b, len(body.raw), steps.splice) })
	b.Run("log", func(b *testing.B) {
		ring, err := keys.Open(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		if steps.log, err = audit.Open(b.Context(), b.TempDir(), ring, audit.Options{}); err != nil {
			b.Fatal(err)
		}
		defer steps.log.Close()
		repeat(b, 0, steps.disclose)
	})
}

// repeat reports the CPU time too: on a machine that does other things as well,
// the time on the clock says little.
func repeat(b *testing.B, size int, step func()) {
	b.SetBytes(int64(size))
	b.ReportAllocs()
	process := benchProcess{os.Getpid()}
	before, err := process.cpu()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		step()
	}
	after, err := process.cpu()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(after-before)/float64(b.N), "cpu-ns/op")
}

// benchSteps keeps what each step hands to the next.
type benchSteps struct {
	b       *testing.B
	body    *benchBody
	profile *profile.Profile
	policy  *policy.Snapshot
	masker  *mask.Masker
	log     *audit.Log

	x        *profile.Exchange
	decision access.Decision
	tree     *doc.Tree
	found    *profile.Located
	masked   mask.Result
	out      []byte
}

func (s *benchSteps) must(err error) {
	if err != nil {
		s.b.Fatal(err)
	}
}

func (s *benchSteps) classify() {
	x, err := s.profile.Classify(profile.Request{Method: "GET", Path: "/contacts/" + s.body.name})
	s.must(err)
	x.User = benchEmployee
	s.x = x
}

func (s *benchSteps) decide() {
	d, err := s.policy.Decide([]string{"bench"}, s.x.Accesses)
	s.must(err)
	if d.Refused {
		s.b.Fatal(d.Text)
	}
	s.decision = d
}

func (s *benchSteps) parse() {
	if s.tree != nil {
		json.Release(s.tree)
	}
	var err error
	s.tree, err = json.Parse(s.body.raw, doc.DefaultLimits())
	s.must(err)
}

func (s *benchSteps) locate() {
	var err error
	s.found, err = s.x.Locate(s.tree, 200)
	s.must(err)
}

func (s *benchSteps) mask() {
	var err error
	s.masked, err = s.masker.Apply(s.tree, &s.found.Found, s.decision.Plan, mask.Options{Scope: "session", SecondPass: true})
	s.must(err)
}

func (s *benchSteps) firstPass() {
	_, err := s.masker.Apply(s.tree, &s.found.Found, s.decision.Plan, mask.Options{Scope: "session"})
	s.must(err)
}

func (s *benchSteps) splice() {
	var err error
	s.out, err = s.masked.Body(nil)
	s.must(err)
}

func (s *benchSteps) disclose() {
	_, err := s.log.Append(s.b.Context(), &audit.Entry{
		Kind: audit.Disclosure, Request: "01a20748-62c6-7822-8bf2-5a24f0a7d736", Intent: 1, Profile: "bench/1.0",
		Disclosure: &s.masked.Disclosure, Status: 200, Bytes: int64(len(s.out)),
	})
	s.must(err)
}
