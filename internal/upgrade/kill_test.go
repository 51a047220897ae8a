package upgrade

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// killAt ends the process at the nth step that its service or its program is asked for.
type killAt struct {
	fakeService
	steps, at int
}

func (k *killAt) step() {
	if k.steps++; k.steps == k.at {
		p, _ := os.FindProcess(os.Getpid())
		_ = p.Kill()
		select {}
	}
}

func (k *killAt) Active(ctx context.Context) (bool, error) {
	k.step()
	return k.fakeService.Active(ctx)
}

func (k *killAt) Restart(ctx context.Context) error {
	k.step()
	err := k.fakeService.Restart(ctx)
	if err == nil {
		err = os.WriteFile(k.program+".runs", []byte(k.runs), 0o600)
	}
	k.step()
	return err
}

func (k *killAt) Healthy(ctx context.Context, version string) error {
	k.step()
	raw, err := os.ReadFile(k.program + ".runs")
	if err != nil {
		return err
	}
	k.runs = string(raw)
	return k.fakeService.Healthy(ctx, version)
}

// killed is what the process that is to be killed works on.
type killed struct {
	Address, Key, State, Program, Sick string
	Certificate                        []byte
	At                                 int
}

func TestMain(m *testing.M) {
	if job := os.Getenv("UPGRADE_KILLED"); job != "" {
		os.Exit(upgradeAndDie(job))
	}
	os.Exit(m.Run())
}

func upgradeAndDie(job string) int {
	var k killed
	if err := json.Unmarshal([]byte(job), &k); err != nil {
		panic(err)
	}
	state, err := OpenState(k.State)
	if err != nil {
		panic(err)
	}
	service := &killAt{fakeService: fakeService{program: k.Program, sick: map[string]bool{k.Sick: true}}, at: k.At}
	u := &Upgrade{
		Source: &Source{Address: k.Address, Keys: []string{k.Key}}, State: state, Place: &Place{Binary, k.Program}, Service: service,
		At: "1.0.0", Data: "log 1", Say: func(string, ...any) {},
		Try: func(context.Context, string) error { service.step(); return nil },
	}
	trust(u.Source, k.Certificate)
	if u.Run(context.Background()) != nil {
		return 3 // as it should be where the new one is sick
	}
	return 0
}

// trust makes the source take the test server's certificate.
func trust(s *Source, certificate []byte) {
	pool := x509.NewCertPool()
	cert, err := x509.ParseCertificate(certificate)
	if err != nil {
		panic(err)
	}
	pool.AddCert(cert)
	s.http().Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
}

// Killed at any step, the next run leaves a whole program that is the one that runs.
func TestKilledAtAnyStepTheNextRunEndsWhatWasBegun(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Fatal("an upgrade replaces programs that run")
	}
	for _, sick := range []string{"", "1.1.0"} {
		ended := false
		for at := 1; !ended && at < 20; at++ {
			ended = killedAt(t, sick, at)
		}
		if !ended {
			t.Fatal("it never came to its end")
		}
	}
}

// killedAt reports whether the upgrade had fewer steps.
func killedAt(t *testing.T, sick string, at int) bool {
	h := newHouse(t)
	h.index.Expires = h.index.Expires.AddDate(50, 0, 0)
	if err := h.u.State.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.program+".runs", []byte("program 1.0.0"), 0o600); err != nil {
		t.Fatal(err)
	}
	k := killed{Address: h.u.Source.Address, Key: h.u.Source.Keys[0], State: h.u.State.dir, Program: h.program, Sick: sick, Certificate: h.certificate, At: at}
	died := h.process(k)
	if got := h.installed(); got != "1.0.0" && got != "1.1.0" {
		t.Fatalf("killed at step %d: the program is %q", at, got)
	}
	k.At = 0
	h.process(k) // ends what was begun
	h.process(k) // does what the killed one didn't come to
	raw, err := os.ReadFile(h.program + ".runs")
	if err != nil {
		t.Fatal(err)
	}
	runs, want := strings.TrimPrefix(string(raw), "program "), "1.1.0"
	if sick != "" {
		want = "1.0.0"
	}
	if runs != want || h.installed() != want {
		t.Errorf("killed at step %d (sick: %q): %s is installed and %s runs, want %s", at, sick, h.installed(), runs, want)
	}
	state, err := OpenState(h.u.State.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer state.Close()
	if state.kept.Under != nil {
		t.Errorf("killed at step %d: %+v is still under way", at, state.kept.Under)
	}
	if parts, _ := filepath.Glob(filepath.Join(filepath.Dir(h.program), partly+"*")); len(parts) > 0 {
		t.Errorf("killed at step %d: %v is left beside the program", at, parts)
	}
	return !died
}

// process runs an upgrade in a process of its own and reports whether it was killed.
func (h *house) process(k killed) bool {
	h.t.Helper()
	job, err := json.Marshal(k)
	if err != nil {
		h.t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		h.t.Fatal(err)
	}
	cmd := exec.CommandContext(h.t.Context(), self)
	cmd.Env = append(os.Environ(), "UPGRADE_KILLED="+string(job), "STEP="+strconv.Itoa(k.At))
	out, err := cmd.CombinedOutput()
	dead := err != nil && strings.Contains(err.Error(), "signal: killed")
	if err != nil && !dead && cmd.ProcessState.ExitCode() != 3 {
		h.t.Fatalf("%v: %s", err, out)
	}
	return dead
}
