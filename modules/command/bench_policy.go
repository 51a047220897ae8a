package command

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/profile"
)

const benchPolicyLong = `Measures how long policies of 10, 1,000 and 100,000 lines take to load, and what one
decision about a list costs with each. A decision is to cost the same whatever the
number of lines: the last column is a multiple of the smallest policy's.`

func benchPolicyCommand() *cobra.Command {
	var o benchMaskOptions
	cmd := &cobra.Command{
		Use: "policy [--seconds N] [--rounds N] [--json]", Short: "Measures what long policies cost", Long: benchPolicyLong, Args: cobra.NoArgs,
	}
	o.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := o.check(); err != nil {
			return err
		}
		results, err := o.policies(10, 1_000, 100_000)
		if err != nil {
			return fmt.Errorf("bench policy: %w", err)
		}
		if o.json {
			return printIndented(cmd.OutOrStdout(), results)
		}
		return o.printPolicies(cmd.OutOrStdout(), results)
	}
	return cmd
}

// benchPolicyResult is a policy of so many lines, as --json prints it.
type benchPolicyResult struct {
	Lines  int     `json:"lines"`
	Load   float64 `json:"load_ms"`
	Decide float64 `json:"decide_us"`
	Ratio  float64 `json:"decide_ratio"`
}

// policies measures in turns.
func (o *benchMaskOptions) policies(lines ...int) ([]benchPolicyResult, error) {
	p, err := profile.Load([]byte(benchProfile))
	if err != nil {
		return nil, err
	}
	results := make([]benchPolicyResult, len(lines))
	steps := make([]*benchSteps, len(lines))
	for i, n := range lines {
		began := time.Now()
		pol, err := benchPolicies(p, longPolicy(n))
		if err != nil {
			return nil, err
		}
		results[i] = benchPolicyResult{Lines: n, Load: round(float64(time.Since(began))/float64(time.Millisecond), 10)}
		steps[i] = &benchSteps{body: benchFixedPlan().bodies[0], profile: p, policy: pol}
		if err := steps[i].classify(); err != nil {
			return nil, err
		}
	}
	taken, ratios := make([][]float64, len(lines)), make([][]float64, len(lines))
	for round := range o.rounds {
		for i, s := range steps {
			cpu, err := cpuOf(time.Duration(o.seconds*float64(time.Second)), s.decide)
			if err != nil {
				return nil, err
			}
			taken[i] = append(taken[i], cpu)
			ratios[i] = append(ratios[i], cpu/taken[0][round])
		}
	}
	for i := range results {
		results[i].Decide, results[i].Ratio = round(median(taken[i]), 100), round(median(ratios[i]), 100)
	}
	return results, nil
}

// longPolicy is the bench's policy, with lines for other roles until there are n.
func longPolicy(n int) string {
	var b strings.Builder
	b.WriteString(benchPolicy)
	for i := strings.Count(benchPolicy, "\n"); i < n; i++ {
		fmt.Fprintf(&b, "p, role_%d, contact, email, search, partial, , allow\n", i)
	}
	return b.String()
}

func (o *benchMaskOptions) printPolicies(w io.Writer, results []benchPolicyResult) error {
	if _, err := fmt.Fprintf(w, "%s\n%d rounds of %g s each, medians\n\n", machine(), o.rounds, o.seconds); err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	rows := [][]string{{"LINES", "LOAD ms", "DECIDE µs", "x FIRST"}}
	for _, r := range results {
		rows = append(rows, []string{fmt.Sprint(r.Lines), plainNumber(r.Load), plainNumber(r.Decide), plainNumber(r.Ratio)})
	}
	return printTable(w, rows)
}
