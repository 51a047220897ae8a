package speed_test

import (
	"bytes"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/tidwall/gjson"
	"golang.org/x/net/html"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	dochtml "github.com/crmgate/crmgate/internal/doc/html"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/policy"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/policies"
)

// answer is one answer of the CRM on its way through the gate.
type answer struct {
	tb     testing.TB
	src    []byte
	parse  func([]byte, doc.Limits) (*doc.Tree, error)
	x      *profile.Exchange
	plan   *access.Plan
	masker *mask.Masker

	tree  *doc.Tree
	found *profile.Located
	res   mask.Result
	out   []byte
}

func newAnswer(tb testing.TB, path string, src []byte, parse func([]byte, doc.Limits) (*doc.Tree, error)) *answer {
	tb.Helper()
	p, err := profile.Load([]byte(profileText))
	must(tb, err)
	model, err := policies.Files.ReadFile("model.conf")
	must(tb, err)
	pol, err := policy.Load([]policy.File{{Name: "policy.csv", Bytes: []byte(policyText)}}, model, policy.Vocabulary{Entities: p.Entities()})
	must(tb, err)
	x, err := p.Classify(profile.Request{Method: "GET", Path: path})
	must(tb, err)
	x.User = employee
	d, err := pol.Decide([]string{"sales"}, x.Accesses)
	must(tb, err)
	if d.Refused {
		tb.Fatal(d.Text)
	}
	return &answer{tb: tb, src: src, parse: parse, x: x, plan: d.Plan, masker: mask.New(mask.Config{})}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func (a *answer) read() {
	var err error
	a.tree, err = a.parse(a.src, doc.DefaultLimits())
	must(a.tb, err)
}

func (a *answer) locate() {
	var err error
	a.found, err = a.x.Locate(a.tree, 200)
	must(a.tb, err)
}

func (a *answer) mask(second bool) mask.Result {
	res, err := a.masker.Apply(a.tree, &a.found.Found, a.plan, mask.Options{Scope: "session", SecondPass: second})
	must(a.tb, err)
	return res
}

func (a *answer) bothPasses() { a.res = a.mask(true) }

func (a *answer) splice() {
	var err error
	a.out, err = a.res.Body(a.out[:0])
	must(a.tb, err)
}

func (a *answer) release() {
	a.found.Release()
	switch a.tree.Format.Name() {
	case "json":
		json.Release(a.tree)
	case "html":
		dochtml.Release(a.tree)
	}
}

// whole is what the gate does with the bytes of an answer.
func (a *answer) whole() {
	a.read()
	a.locate()
	a.bothPasses()
	a.splice()
	a.release()
}

// measure runs the pipeline and the reader in turns, and reports the medians and
// how fast the pipeline is beside the reader: 1 is as fast. The steps are
// measured within the pipeline; the first pass alone is run besides.
func measure(b *testing.B, a *answer, reader func()) {
	names := []string{"reader", "parse", "locate", "mask", "splice", "first"}
	took := make([][]time.Duration, len(names))
	run := func(i int, step func()) {
		start := now()
		step()
		took[i] = append(took[i], now()-start)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for b.Loop() {
		run(0, reader)
		run(1, a.read)
		run(2, a.locate)
		run(3, a.bothPasses)
		run(4, a.splice)
		run(5, func() { a.mask(false) })
		a.release()
	}
	whole := time.Duration(0)
	for i, name := range names {
		slices.Sort(took[i])
		median := took[i][len(took[i])/2]
		b.ReportMetric(float64(median.Nanoseconds())/1e3, name+"-µs")
		if i > 0 && i < 5 {
			whole += median
		}
	}
	b.ReportMetric(float64(took[0][len(took[0])/2])/float64(whole), "ratio")
	b.ReportMetric(0, "ns/op") // it says nothing: the reader is in it
}

func BenchmarkJSON(b *testing.B) {
	src := listJSON()
	measure(b, newAnswer(b, "/contacts", src, json.Parse), func() {
		if !gjson.ValidBytes(src) {
			b.Fatal("not valid")
		}
	})
}

func BenchmarkHTML(b *testing.B) {
	src := listHTML()
	measure(b, newAnswer(b, "/page", src, dochtml.Parse), func() {
		z := html.NewTokenizer(bytes.NewReader(src))
		for z.Next() != html.ErrorToken {
		}
	})
}

// BenchmarkWhole measures the pipeline alone, for profiles and allocations.
func BenchmarkWhole(b *testing.B) {
	for _, c := range []struct {
		name string
		a    *answer
	}{
		{"json", newAnswer(b, "/contacts", listJSON(), json.Parse)},
		{"html", newAnswer(b, "/page", listHTML(), dochtml.Parse)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.a.src)))
			b.ReportAllocs()
			for b.Loop() {
				c.a.whole()
			}
		})
	}
}

// The numbers mean nothing if the pipeline lets something through.
func TestWhatIsMeasuredIsMasked(t *testing.T) {
	for _, a := range []*answer{
		newAnswer(t, "/contacts", listJSON(), json.Parse), newAnswer(t, "/page", listHTML(), dochtml.Parse),
	} {
		a.whole()
		if len(a.res.Disclosure.Records) == 0 || bytes.Equal(a.src, a.out) {
			t.Fatal("nothing was located")
		}
		for i := range len(a.res.Disclosure.Records) {
			p := newPerson(i)
			for _, secret := range []string{p.name, p.email, p.phone, p.iban} {
				if bytes.Contains(a.out, []byte(secret)) {
					t.Errorf("%q stands in the masked answer", secret)
				}
			}
		}
	}
}

// BenchmarkStream masks a list record by record, as a streamed answer is: an
// operation is a record. It reports how much the memory grew over all of them.
func BenchmarkStream(b *testing.B) {
	a := newAnswer(b, "/stream", nil, nil)
	records := make([][]byte, 1000)
	for i := range records {
		records[i] = append(newPerson(i).json(), ',')
	}
	s, err := json.NewSplitter("$.items", doc.DefaultLimits(), 1<<20)
	must(b, err)
	seen, out := mask.NewSeen(4096), []byte(nil)
	emit := func(u json.Unit) error {
		if !u.Record {
			return nil
		}
		found, err := a.x.LocateRow(u.Tree)
		if err != nil {
			return err
		}
		defer found.Release()
		res, err := a.masker.Apply(u.Tree, &found.Found, a.plan, mask.Options{Scope: "session", SecondPass: true, Seen: seen})
		if err != nil {
			return err
		}
		out, err = res.Body(out[:0])
		return err
	}
	must(b, s.Feed([]byte(`{"items":[`), emit))
	b.SetBytes(int64(len(records[0])))
	b.ReportAllocs()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	i := 0
	for b.Loop() {
		must(b, s.Feed(records[i%len(records)], emit))
		i++
	}
	runtime.ReadMemStats(&now)
	b.ReportMetric(float64(now.Sys-before.Sys)/(1<<20), "MB-grown")
}
