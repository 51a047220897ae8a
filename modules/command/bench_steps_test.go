package command

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
)

// BenchmarkSteps measures what the gate does with one answer, step by step, and the
// entry that says so. `crmgate bench mask` does the same without a compiler; this is
// for benchstat.
func BenchmarkSteps(b *testing.B) {
	for _, body := range benchFixedPlan().bodies {
		if !body.streams() {
			b.Run(body.name, func(b *testing.B) { benchmarkSteps(b, body) })
		}
	}
}

func benchmarkSteps(b *testing.B, body *benchBody) {
	s, err := newBenchSteps(body)
	if err != nil {
		b.Fatal(err)
	}
	for _, step := range s.all() {
		if err := step.do(); err != nil { // each has what it needs, whichever are chosen
			b.Fatal(err)
		}
	}
	for _, step := range s.all() {
		size := 0
		if step.body {
			size = len(body.raw)
		}
		b.Run(step.name, func(b *testing.B) { repeat(b, size, step.do) })
	}
	b.Run("log", func(b *testing.B) {
		ring, err := keys.Open(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		l, err := audit.Open(b.Context(), b.TempDir(), ring, audit.Options{})
		if err != nil {
			b.Fatal(err)
		}
		defer l.Close()
		repeat(b, 0, func() error {
			_, err := l.Append(b.Context(), &audit.Entry{
				Kind: audit.Disclosure, Request: "01a20748-62c6-7822-8bf2-5a24f0a7d736", Intent: 1, Profile: "bench/1.0",
				Disclosure: &s.masked.Disclosure, Status: 200, Bytes: int64(len(s.out)),
			})
			return err
		})
	})
}

// repeat reports the CPU time too: on a machine that does other things as well,
// the time on the clock says little.
func repeat(b *testing.B, size int, step func() error) {
	b.SetBytes(int64(size))
	b.ReportAllocs()
	process := benchProcess{os.Getpid()}
	before, err := process.cpu()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := step(); err != nil {
			b.Fatal(err)
		}
	}
	after, err := process.cpu()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(after-before)/float64(b.N), "cpu-ns/op")
}

func TestBenchMaskMeasuresEachStep(t *testing.T) {
	cmd := benchMaskCommand()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"--seconds", "0.001", "--rounds", "1", "--json"})
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	var results []benchMaskResult
	if err := json.Unmarshal(out.Bytes(), &results); err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.CPU <= 0 || (r.MBs <= 0) != (r.Step == "classify" || r.Step == "decide") || r.Step == "reader" && r.Ratio != 1 {
			t.Errorf("no measurement: %+v", r)
		}
	}
	if len(results) != 4*8 {
		t.Errorf("%d measurements", len(results))
	}
}

func TestBenchPolicyHasPoliciesOfThoseLengths(t *testing.T) {
	o := benchMaskOptions{seconds: .001, rounds: 1}
	results, err := o.policies(10, 200)
	if err != nil || len(results) != 2 || results[0].Ratio != 1 || results[1].Lines != 200 || results[1].Decide <= 0 || results[1].Load <= 0 {
		t.Errorf("%+v, %v", results, err)
	}
	if n := bytes.Count([]byte(longPolicy(200)), []byte("\n")); n != 200 {
		t.Errorf("%d lines", n)
	}
}
