package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/net/html"
)

const benchMaskLong = `Measures what the gate does with one answer, step by step, in this process: reading the
request, deciding, parsing, finding the fields, masking (both passes; the first alone
beside it) and writing the answer. Beside them a reader that does no more than read the
same bytes: encoding/json.Valid, or the tokenizer of golang.org/x/net/html.

  CPU µs    CPU time of the process, garbage collection included
  x READER  the same as a multiple of the reader's in the same round`

type benchMaskOptions struct {
	seconds float64
	rounds  int
	json    bool
}

func (o *benchMaskOptions) flags(cmd *cobra.Command) {
	cmd.Flags().Float64Var(&o.seconds, "seconds", .2, "How long each measurement takes")
	cmd.Flags().IntVar(&o.rounds, "rounds", 5, "How often each measurement is made")
	cmd.Flags().BoolVar(&o.json, "json", false, "Print JSON, an array of one object a measurement")
}

func (o *benchMaskOptions) check() error {
	if o.seconds <= 0 || o.rounds <= 0 {
		return errors.New("--seconds and --rounds have to be greater than 0")
	}
	return benchPossible()
}

func benchMaskCommand() *cobra.Command {
	var o benchMaskOptions
	cmd := &cobra.Command{
		Use: "mask [--seconds N] [--rounds N] [--json]", Short: "Measures the steps of masking one answer", Long: benchMaskLong, Args: cobra.NoArgs,
	}
	o.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := o.check(); err != nil {
			return err
		}
		var results []benchMaskResult
		for _, body := range benchFixedPlan().bodies {
			if body.streams() {
				continue
			}
			of, err := o.measure(body)
			if err != nil {
				return fmt.Errorf("bench mask: %s: %w", body.name, err)
			}
			results = append(results, of...)
		}
		if o.json {
			return printIndented(cmd.OutOrStdout(), results)
		}
		return o.print(cmd.OutOrStdout(), results)
	}
	return cmd
}

// benchMaskResult is one step with one body, as --json prints it.
type benchMaskResult struct {
	Body string  `json:"body"`
	Step string  `json:"step"`
	CPU  float64 `json:"cpu_us"`
	// Of steps that touch the whole body.
	MBs   float64 `json:"mb_per_s,omitempty"`
	Ratio float64 `json:"reader_ratio,omitempty"`
}

// measure times all steps in turns.
func (o *benchMaskOptions) measure(body *benchBody) ([]benchMaskResult, error) {
	s, err := newBenchSteps(body)
	if err != nil {
		return nil, err
	}
	steps := append([]benchStep{{"reader", body.justRead, true}}, s.all()...)
	for _, step := range steps {
		if err := step.do(); err != nil { // each has what it needs
			return nil, fmt.Errorf("%s: %w", step.name, err)
		}
	}
	if err := checkMasked(body, s.out); err != nil {
		return nil, err
	}
	taken := make([][]float64, len(steps))
	for range o.rounds {
		for i, step := range steps {
			cpu, err := cpuOf(time.Duration(o.seconds*float64(time.Second)), step.do)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", step.name, err)
			}
			taken[i] = append(taken[i], cpu)
		}
	}
	results := make([]benchMaskResult, len(steps))
	for i, step := range steps {
		ratios := make([]float64, len(taken[i]))
		for round := range ratios {
			ratios[round] = taken[i][round] / taken[0][round]
		}
		cpu := median(taken[i])
		results[i] = benchMaskResult{Body: body.name, Step: step.name, CPU: round(cpu, 100)}
		if step.body {
			results[i].MBs, results[i].Ratio = round(float64(len(body.raw))/cpu, 10), round(median(ratios), 1000)
		}
	}
	return results, nil
}

// cpuOf returns the CPU time of one call in microseconds.
func cpuOf(d time.Duration, do func() error) (float64, error) {
	p := benchProcess{os.Getpid()}
	runtime.GC() // what the step before left is not this one's
	before, err := p.cpu()
	if err != nil {
		return 0, err
	}
	n := 0
	for began := time.Now(); n == 0 || time.Since(began) < d; n++ {
		if err := do(); err != nil {
			return 0, err
		}
	}
	after, err := p.cpu()
	if err != nil {
		return 0, err
	}
	return float64(after-before) / float64(time.Microsecond) / float64(n), nil
}

// justRead does nothing with the body but read it.
func (b *benchBody) justRead() error {
	if !b.isPage() {
		if !json.Valid(b.raw) {
			return errors.New("the list is no JSON")
		}
		return nil
	}
	for z := html.NewTokenizer(bytes.NewReader(b.raw)); ; {
		if z.Next() != html.ErrorToken {
			continue
		}
		if err := z.Err(); !errors.Is(err, io.EOF) {
			return fmt.Errorf("reading the page: %w", err)
		}
		return nil
	}
}

func (o *benchMaskOptions) print(w io.Writer, results []benchMaskResult) error {
	if _, err := fmt.Fprintf(w, "%s\n%d rounds of %g s each, medians\n\n", machine(), o.rounds, o.seconds); err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	rows := [][]string{{"BODY", "STEP", "CPU µs", "MB/S", "x READER"}}
	for _, r := range results {
		row := []string{r.Body, r.Step, plainNumber(r.CPU), "", ""}
		if r.MBs > 0 {
			row[3], row[4] = plainNumber(r.MBs), plainNumber(r.Ratio)
		}
		rows = append(rows, row)
	}
	return printTable(w, rows)
}
