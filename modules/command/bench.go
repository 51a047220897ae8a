package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

const benchLong = `Measures side by side what a request costs: through plain Caddy (reverse_proxy in
this very binary), through the gate on a route without personal data (pass), and
through the gate with masking and two durable log entries (mask_log). Each is a
process of its own on loopback; the load and the CRM are in this one. An employee
is signed in. The variants take turns in each round; the medians of the rounds
are printed.

  cpu_us     CPU time of the variant's process per request, from the system
  cpu_ratio  the same as a multiple of plain Caddy's in the same round
  rss_mb     the process's peak memory, the binary's pages included

All answers are checked afterwards: no masked value in clear, the rest as the CRM
sent it, each answer's two entries in the log. Without that no number is printed.

Keys and log are in a new folder below TMPDIR, so that has to be on the kind of
disk that the log will be on. Nothing else should run meanwhile.`

// benchOptions are the flags of the bench.
type benchOptions struct {
	seconds float64
	rounds  int
	json    bool
	pprof   string
}

func benchCommand(cmd *cobra.Command) {
	var o benchOptions
	cmd.Flags().Float64Var(&o.seconds, "seconds", 2, "How long each measurement takes")
	cmd.Flags().IntVar(&o.rounds, "rounds", 5, "How often each measurement is made")
	cmd.Flags().BoolVar(&o.json, "json", false, "Print JSON, an array of one object a measurement")
	cmd.Flags().StringVar(&o.pprof, "pprof", "", "Write CPU and allocation profiles of each variant to this folder, after the measurements")
	cmd.Example = "  crmgate bench\n  crmgate bench --seconds 5 --rounds 7 --json"
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return benchRun(cmd, o) }
}

func benchRun(cmd *cobra.Command, o benchOptions) (err error) {
	if o.seconds <= 0 || o.rounds <= 0 {
		return errors.New("--seconds and --rounds have to be greater than 0")
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this binary: %w", err)
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	b := &bench{benchOptions: o, plan: benchFixedPlan(), self: self}
	b.progress, b.warnings = newProgress(cmd.ErrOrStderr(), "Measuring"), cmd.ErrOrStderr()
	results, err := b.measure(ctx)
	b.progress.end()
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	if o.json {
		return printBenchJSON(cmd.OutOrStdout(), results)
	}
	return printBench(cmd.OutOrStdout(), b, results)
}

// bench is one run of the whole bench.
type bench struct {
	benchOptions
	plan benchPlan
	// self is the path of this binary.
	self     string
	progress *progress
	warnings io.Writer

	dir      string
	crm      *benchCRM
	variants []*benchVariant
}

// benchCell is one thing that is measured; each cell is measured once a round.
type benchCell struct {
	variant *benchVariant
	body    *benchBody
	conns   int
}

// measure runs everything and returns the results only if all checks passed.
func (b *bench) measure(ctx context.Context) (results []benchResult, err error) {
	if err := benchPossible(); err != nil {
		return nil, err
	}
	if b.dir, err = os.MkdirTemp("", "crmgate-bench-"); err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if inMemory(b.dir) {
		if _, err := fmt.Fprintf(b.warnings, "%s is in memory, where a durable log costs nothing: set TMPDIR to a folder on a disk\n", b.dir); err != nil {
			return nil, fmt.Errorf("writing a warning: %w", err)
		}
	}
	if b.crm, err = startBenchCRM(&b.plan); err != nil {
		return nil, err
	}
	defer b.crm.close()
	defer func() {
		for _, v := range b.variants {
			v.kill()
		}
	}()
	for _, route := range benchRoutes() {
		v, err := b.start(ctx, route)
		if err != nil {
			return nil, fmt.Errorf("starting the variant %s: %w", route.name, err)
		}
		b.variants = append(b.variants, v)
	}
	if results, err = b.turns(ctx); err != nil {
		return nil, err
	}
	if err := b.profiles(ctx); err != nil {
		return nil, err
	}
	for _, v := range b.variants {
		if err := v.stop(ctx); err != nil {
			return nil, fmt.Errorf("stopping the variant %s: %w", v.route.name, err)
		}
		if err := v.check(ctx, &b.plan); err != nil {
			return nil, fmt.Errorf("the variant %s failed its check, so there are no numbers: %w", v.route.name, err)
		}
	}
	return results, nil
}

// turns measures all cells, those that are compared one after another.
func (b *bench) turns(ctx context.Context) ([]benchResult, error) {
	cells := b.cells()
	samples := make([][]benchSample, len(cells))
	for round := range b.rounds {
		for i, c := range cells {
			s, err := c.sample(ctx, b.duration())
			if err != nil {
				return nil, fmt.Errorf("measuring %s with %s: %w", c.variant.route.name, c.body.name, err)
			}
			samples[i] = append(samples[i], s)
			b.progress.tell(int64(round*len(cells)+i+1), int64(b.rounds*len(cells)))
		}
	}
	return summarize(cells, samples), nil
}

func (b *bench) duration() time.Duration { return time.Duration(b.seconds * float64(time.Second)) }

func (b *bench) cells() []benchCell {
	var cells []benchCell
	for i := range b.plan.bodies {
		for _, conns := range []int{1, 32} {
			for _, v := range b.variants {
				cells = append(cells, benchCell{variant: v, body: &b.plan.bodies[i], conns: conns})
			}
		}
	}
	return cells
}

// sample measures one cell once, after a short run to warm up.
func (c benchCell) sample(ctx context.Context, d time.Duration) (benchSample, error) {
	if _, err := c.variant.load(ctx, c.body, c.conns, d/8); err != nil {
		return benchSample{}, err
	}
	p := c.variant.process
	if err := p.resetPeak(); err != nil {
		return benchSample{}, err
	}
	before, err := p.cpu()
	if err != nil {
		return benchSample{}, err
	}
	run, err := c.variant.load(ctx, c.body, c.conns, d)
	if err != nil {
		return benchSample{}, err
	}
	after, err := p.cpu()
	if err != nil {
		return benchSample{}, err
	}
	peak, err := p.peak()
	if err != nil {
		return benchSample{}, err
	}
	return newBenchSample(run, after-before, peak), nil
}

// profiles writes pprof files, each from a run that isn't measured.
func (b *bench) profiles(ctx context.Context) error {
	if b.pprof == "" {
		return nil
	}
	if err := os.MkdirAll(b.pprof, 0o750); err != nil {
		return fmt.Errorf("making --pprof: %w", err)
	}
	for _, v := range b.variants {
		for i := range b.plan.bodies {
			body := &b.plan.bodies[i]
			for _, kind := range []string{"profile", "allocs"} {
				file := filepath.Join(b.pprof, fmt.Sprintf("%s-%s-%s.pb.gz", v.route.name, body.name, kind))
				if err := b.profile(ctx, v, body, kind, file); err != nil {
					return fmt.Errorf("profiling %s: %w", v.route.name, err)
				}
			}
		}
	}
	return nil
}

// machine says what the numbers were measured on.
func machine() string {
	return fmt.Sprintf("%s, %d CPUs (%s), %s", runtime.GOOS+"/"+runtime.GOARCH, runtime.NumCPU(), cpuModel(), runtime.Version())
}
