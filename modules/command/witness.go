package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/witness"
)

const witnessLong = `
A witness countersigns the checkpoints of audit logs: that each log only grew since
the last one. Who has cut a log back, or written it anew, gets no further
cosignature, also with all the keys of the gateway. Run it where the gateway's
administrators can't write: at another site, on the auditor's machine.

It speaks the C2SP protocol (https://c2sp.org/tlog-witness), for the logs of others,
too.
`

const witnessInitLong = `
Draws the witness's key, begins its memory of what it has countersigned, and prints
the public key: for the gateway's Caddyfile, and for whoever verifies a log.

Key and memory stay in --dir, and belong together. A witness that has lost one of them
is at its end: make another, of a new name. A backup of the directory that is put back
makes it forget, and sign what it shouldn't.
`

const witnessServeLong = `
Answers the gateways. --log is the public key of a log (the line "key" of crmgate audit
verify), or a file with one a line; a log that isn't named gets no answer.

It speaks plain HTTP: what it says is signed, and holds no more of a log than its size.
To be reached over HTTPS it stands behind a proxy; crmgate is one:

  crmgate reverse-proxy --from witness.example.org --to 127.0.0.1:8788
`

func witnessCommand(cmd *cobra.Command) {
	cmd.Long = witnessLong
	var dir, name string
	var asJSON bool
	begin := &cobra.Command{
		Use: "init --dir DIR --name NAME", Short: "Makes a witness and prints its public key", Long: witnessInitLong,
		Example: "  crmgate witness init --dir /var/lib/witness --name witness.example.org",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			public, err := witness.Make(dir, name)
			if err != nil {
				return err
			}
			return printWitnessKey(cmd.OutOrStdout(), public, asJSON)
		},
	}
	begin.Flags().StringVar(&dir, "dir", "", "The witness's own directory")
	begin.Flags().StringVar(&name, "name", "", "What it is called, by custom its address without https://")
	jsonFlag(begin, &asJSON)
	var s witnessServer
	serve := &cobra.Command{
		Use: "serve --dir DIR --log KEY|FILE … [--listen ADDR]", Short: "Countersigns the checkpoints of the named logs", Long: witnessServeLong,
		Example: "  crmgate witness serve --dir /var/lib/witness --log logs.txt",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return s.run(cmd) },
	}
	serve.Flags().StringVar(&s.dir, "dir", "", "The witness's own directory")
	serve.Flags().StringArrayVar(&s.logs, "log", nil, "A log's public key, or a file with one a line; may be given several times")
	serve.Flags().StringVar(&s.listen, "listen", "127.0.0.1:8788", "Where to listen; port 0 takes a free one")
	jsonFlag(serve, &s.json)
	for _, c := range []*cobra.Command{begin, serve} {
		needFlag(c, "dir")
	}
	needFlag(begin, "name")
	needFlag(serve, "log")
	group(cmd, begin, serve)
}

// needFlag has a command refuse to run without a flag.
func needFlag(cmd *cobra.Command, name string) {
	if err := cmd.MarkFlagRequired(name); err != nil {
		panic(err) // the flag was made above
	}
}

func printWitnessKey(w io.Writer, public string, asJSON bool) error {
	if asJSON {
		return printJSON(w, struct {
			Key string `json:"key"`
		}{public})
	}
	_, err := fmt.Fprintln(w, public)
	return err
}

// witnessServer are the flags of `witness serve`.
type witnessServer struct {
	dir, listen string
	logs        []string
	json        bool
}

func (s *witnessServer) run(cmd *cobra.Command) (err error) {
	logs, err := keysGiven("--log", s.logs)
	if err != nil {
		return err
	}
	w, err := witness.Open(s.dir, logs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.listen)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", s.listen, err)
	}
	if err := s.announce(cmd.OutOrStdout(), w, l.Addr()); err != nil {
		return errors.Join(err, l.Close())
	}
	return serveUntil(ctx, l, w.Handler(tellRefusals(cmd.ErrOrStderr())))
}

func (s *witnessServer) announce(out io.Writer, w *witness.Witness, at net.Addr) error {
	logs := w.Logs()
	slices.Sort(logs)
	if s.json {
		return printJSON(out, struct {
			Listen string   `json:"listen"`
			Key    string   `json:"key"`
			Logs   []string `json:"logs"`
		}{at.String(), w.Key(), logs})
	}
	rows := [][]string{{"listens on", "http://" + at.String()}, {"key", w.Key()}}
	for _, origin := range logs {
		rows = append(rows, []string{"log", origin})
	}
	return printTable(out, rows)
}

// serveUntil serves until the context ends, and lets go of no request that has begun.
func serveUntil(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		return fmt.Errorf("stopping: %w", err)
	}
	return nil
}

// tellRefusals prints what a witness refuses of logs that it knows. A log that asks again
// and again fills no disk: each reason of a log is said once an hour.
func tellRefusals(w io.Writer) func(origin string, fault bool, err error) {
	var mu sync.Mutex
	told := map[string]time.Time{}
	return func(origin string, fault bool, err error) {
		mu.Lock()
		defer mu.Unlock()
		key := origin + "\n" + err.Error()
		if now := time.Now(); !fault && now.Sub(told[key]) < time.Hour {
			return
		}
		if len(told) > 1000 { // strangers name what they like
			clear(told)
		}
		told[key] = time.Now()
		_, _ = fmt.Fprintf(w, "%s  refused %s: %v\n", time.Now().Format(time.DateTime), printable(origin), err)
	}
}

// keysGiven reads public keys, and files with one a line, as a flag names them.
func keysGiven(flag string, given []string) ([]string, error) {
	var keys []string
	for _, g := range given {
		text, err := os.ReadFile(g)
		if err != nil {
			if !strings.Contains(g, "+") {
				return nil, fmt.Errorf("%s: %w", flag, err)
			}
			keys = append(keys, g)
			continue
		}
		for lines := bufio.NewScanner(strings.NewReader(string(text))); lines.Scan(); {
			if line := strings.TrimSpace(lines.Text()); line != "" && !strings.HasPrefix(line, "#") {
				keys = append(keys, line)
			}
		}
	}
	return keys, nil
}
