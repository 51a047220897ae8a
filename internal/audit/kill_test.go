package audit

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/keys"
)

const childDir = "CRMGATE_TEST_AUDIT_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		fmt.Fprintln(os.Stderr, appendForever(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// appendForever is the process that is killed. It prints each acknowledged entry.
func appendForever(dir string) error {
	ring, err := keys.Open(dir + "/master")
	if err != nil {
		return err
	}
	ctx := context.Background()
	l, err := Open(ctx, dir+"/log", ring, Options{SegmentSize: 32 << 10, Timeout: aMinute})
	if err != nil {
		return err
	}
	ended := make(chan error)
	for w := range 4 {
		go func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("%d.%d.%d", os.Getpid(), w, i)
				r, err := l.Append(ctx, &Entry{Kind: Intent, Request: id, Session: strings.Repeat(id, 20)})
				if err != nil {
					ended <- err
					return
				}
				// One write call: the line is out or not.
				if _, err := fmt.Fprintf(os.Stdout, "%d %s\n", r.Seq, id); err != nil {
					ended <- err
					return
				}
			}
		}()
	}
	return <-ended
}

// A process that is killed at any moment loses nothing that it acknowledged,
// and the next one starts on what it left.
func killedProcessLosesNothing(t *testing.T) {
	dir := t.TempDir()
	acked := map[uint64]string{}
	rnd := rand.New(rand.NewPCG(uint64(os.Getpid()), 1))
	kept := map[string][]byte{}
	for round := range 25 {
		killAfter(t, dir, rnd.IntN(300), acked)
		keepCheckpoints(t, dir, round, kept)
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
	ring, err := keys.Open(dir + "/master")
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, mustOpen(t, dir+"/log", ring, Options{SegmentSize: 32 << 10}))
	found, unclean := map[uint64]string{}, 0
	for _, s := range collect(t, Read(t.Context(), dir+"/log", ring)) {
		found[s.Seq] = s.Entry.Request
		if s.Entry.Event == UncleanStart {
			unclean++
		}
	}
	for seq, id := range acked {
		if found[seq] != id {
			t.Errorf("entry %d was acknowledged as %s and is %q", seq, id, found[seq])
		}
	}
	if report, err := Verify(t.Context(), dir+"/log", ring, Check{Against: kept}); err != nil || report.Segments < 3 {
		t.Errorf("Verify = %+v, %v", report, err)
	}
	t.Logf("%d acknowledged, %d in the log, %d unclean starts", len(acked), len(found), unclean)
}

// keepCheckpoints keeps what an auditor might have fetched after a round: the log
// has to continue all of them.
func keepCheckpoints(t *testing.T, dir string, round int, kept map[string][]byte) {
	t.Helper()
	names, err := filepath.Glob(dir + "/log/" + checkpointDir + "/*" + checkpointSuffix)
	if err != nil || len(names) == 0 {
		t.Fatalf("checkpoints %v, %v", names, err)
	}
	for _, name := range names {
		if kept[fmt.Sprint(round, name)], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
}

func killAfter(t *testing.T, dir string, lines int, acked map[uint64]string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	scan := bufio.NewScanner(out)
	for n := 0; scan.Scan(); n++ {
		seq, id, ok := strings.Cut(scan.Text(), " ")
		number, err := strconv.ParseUint(seq, 10, 64)
		if !ok || err != nil {
			t.Errorf("line %q", scan.Text())
			continue
		}
		if was := acked[number]; was != "" {
			t.Errorf("entry %d was acknowledged twice, as %s and %s", number, was, id)
		}
		acked[number] = id
		if n == lines {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != -1 {
		t.Errorf("the process ended by itself: %v", err)
	}
}
