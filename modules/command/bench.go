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
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

const benchLong = `Measures side by side what a request costs: through plain Caddy (reverse_proxy in
this very binary), through the gate on a route without personal data (pass), and
through the gate with masking, its log in memory (mask, where /dev/shm is), and
with masking and two durable log entries (mask_log). Each is a process of its own on loopback; the load and the CRM are in this one. An employee
is signed in. The variants take turns in each round; the medians of the rounds
are printed.

  cpu_us     CPU time of the variant's process per request, from the system
  cpu_ratio  the same as a multiple of plain Caddy's in the same round
  rss_mb     the process's peak memory, the binary's pages included

All answers are checked afterwards: no masked value in clear, the rest as the CRM
sent it, each answer's two entries in the log. Without that no number is printed.

The stream (1g) is asked for once, by one connection. The whole takes about a
quarter of an hour; --bodies, --conns and --protos measure a part.

Keys and log are in a new folder below TMPDIR, so that has to be on the kind of
disk that the log will be on. Nothing else should run meanwhile.`

// benchOptions are the flags of the bench.
type benchOptions struct {
	seconds float64
	rounds  int
	bodies  []string
	conns   []int
	protos  []string
	json    bool
	pprof   string
}

// benchMost is how many bytes all connections together may hold of their answers.
const benchMost = 512 << 20

func benchCommand(cmd *cobra.Command) {
	var o benchOptions
	cmd.Flags().StringSliceVar(&o.bodies, "bodies", nil, "What to measure with, of "+strings.Join(benchBodyNames(), ", ")+" (default all)")
	cmd.Flags().IntSliceVar(&o.conns, "conns", []int{1, 32, 256}, "How many connections at a time")
	cmd.Flags().StringSliceVar(&o.protos, "protos", []string{benchHTTP1, benchHTTP2}, "What they speak")
	cmd.Flags().Float64Var(&o.seconds, "seconds", 1, "How long each measurement takes")
	cmd.Flags().IntVar(&o.rounds, "rounds", 5, "How often each measurement is made")
	cmd.Flags().BoolVar(&o.json, "json", false, "Print JSON, an array of one object a measurement")
	cmd.Flags().StringVar(&o.pprof, "pprof", "", "Write CPU and allocation profiles of each variant to this folder, after the measurements")
	cmd.Example = "  crmgate bench\n  crmgate bench --bodies 2k,html60k --conns 1,32 --protos HTTP/1.1\n  crmgate bench --seconds 5 --rounds 7 --json"
	cmd.AddCommand(benchAuditCommand(), benchMaskCommand(), benchPolicyCommand())
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return benchRun(cmd, o) }
}

func benchRun(cmd *cobra.Command, o benchOptions) (err error) {
	plan, err := o.plan()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this binary: %w", err)
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	b := &bench{benchOptions: o, plan: plan, self: self}
	b.progress, b.warnings = newProgress(cmd.ErrOrStderr(), "Measuring"), cmd.ErrOrStderr()
	results, err := b.measure(ctx)
	b.progress.end()
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	if o.json {
		return printIndented(cmd.OutOrStdout(), results)
	}
	return printBench(cmd.OutOrStdout(), b, results)
}

// plan is the part of the fixed plan that the options name.
func (o *benchOptions) plan() (benchPlan, error) {
	plan := benchFixedPlan()
	switch {
	case o.seconds <= 0 || o.rounds <= 0:
		return plan, errors.New("--seconds and --rounds have to be greater than 0")
	case len(o.conns) == 0 || slices.Min(o.conns) < 1 || slices.Max(o.conns) > 4096:
		return plan, errors.New("--conns takes numbers from 1 to 4096")
	}
	for _, proto := range o.protos {
		if proto != benchHTTP1 && proto != benchHTTP2 {
			return plan, fmt.Errorf("--protos doesn't take %q, but %s and %s", proto, benchHTTP1, benchHTTP2)
		}
	}
	for _, name := range o.bodies {
		if !slices.Contains(benchBodyNames(), name) {
			return plan, fmt.Errorf("--bodies doesn't take %q, but %s", name, strings.Join(benchBodyNames(), ", "))
		}
	}
	if len(o.bodies) > 0 {
		plan.bodies = slices.DeleteFunc(plan.bodies, func(b *benchBody) bool { return !slices.Contains(o.bodies, b.name) })
	}
	return plan, nil
}

// bench is one run of the whole bench.
type bench struct {
	benchOptions
	plan benchPlan
	// self is the path of this binary.
	self     string
	progress *progress
	warnings io.Writer

	// dir is a folder on the disk, memory one that is on none.
	dir, memory string
	crm         *benchCRM
	variants    []*benchVariant
}

// benchCell is one thing that is measured; each cell is measured once a round.
type benchCell struct {
	variant *benchVariant
	benchLoad
}

// measure runs everything and returns the results only if all checks passed.
func (b *bench) measure(ctx context.Context) (results []benchResult, err error) {
	if err := benchPossible(); err != nil {
		return nil, err
	}
	if err := b.folders(); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir), os.RemoveAll(b.memory)) }()
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
		if b.memory == "" && route.masked && !route.durable {
			continue
		}
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

// folders makes the folders for keys and logs.
func (b *bench) folders() (err error) {
	if b.dir, err = os.MkdirTemp("", "crmgate-bench-"); err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	var warning string
	if inMemory(b.dir) {
		warning = b.dir + " is in memory, where a durable log costs nothing: set TMPDIR to a folder on a disk\n"
	}
	const memory = "/dev/shm"
	if !inMemory(memory) {
		warning += memory + " is no folder in memory: the route mask is left out\n"
	} else if b.memory, err = os.MkdirTemp(memory, "crmgate-bench-"); err != nil {
		return errors.Join(fmt.Errorf("making a folder: %w", err), os.RemoveAll(b.dir))
	}
	if _, err := io.WriteString(b.warnings, warning); err != nil {
		return fmt.Errorf("writing a warning: %w", err)
	}
	return nil
}

// turns measures all cells, those that are compared one after another.
func (b *bench) turns(ctx context.Context) ([]benchResult, error) {
	cells := b.cells()
	samples := make([][]benchSample, len(cells))
	for round := range b.rounds {
		for i, c := range cells {
			if c.body.streams() && round > 0 {
				continue // once is long enough
			}
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

// cells are what is measured. Neighbours are compared. A stream is asked for once at
// a time, and the largest body not by so many that the load itself lacks memory.
func (b *bench) cells() []benchCell {
	var cells []benchCell
	for _, body := range b.plan.bodies {
		for _, conns := range b.conns {
			if body.streams() && conns > 1 || len(body.raw)*conns > benchMost {
				continue
			}
			for _, proto := range b.protos {
				for _, v := range b.variants {
					cells = append(cells, benchCell{v, benchLoad{body, conns, proto}})
				}
			}
		}
	}
	return cells
}

// sample measures one cell once, after a short run to warm up.
func (c benchCell) sample(ctx context.Context, d time.Duration) (benchSample, error) {
	if !c.body.streams() {
		if _, err := c.variant.load(ctx, c.benchLoad, d/8); err != nil {
			return benchSample{}, err
		}
	}
	p := c.variant.process
	if err := p.resetPeak(); err != nil {
		return benchSample{}, err
	}
	before, err := p.cpu()
	if err != nil {
		return benchSample{}, err
	}
	run, err := c.variant.load(ctx, c.benchLoad, d)
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
		for _, body := range b.plan.bodies {
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
