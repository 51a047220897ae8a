package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// benchRoute is a variant: what stands between the employee and the CRM.
type benchRoute struct {
	name string
	// gated says that the gate stands before the proxy, masked that the answer is
	// masked and logged, and durable that the log is on a disk.
	gated, masked, durable bool
}

// way is where a body is asked for.
func (r benchRoute) way(b *benchBody) string {
	if r.gated && !r.masked {
		return "/pass/" + b.name
	}
	return b.path + b.name
}

func benchRoutes() []benchRoute {
	return []benchRoute{
		{name: "plain"},
		{name: "pass", gated: true, durable: true},
		{name: "mask", gated: true, masked: true},
		{name: "mask_log", gated: true, masked: true, durable: true},
	}
}

// benchVariant is a process that serves one route.
type benchVariant struct {
	route   benchRoute
	dir     string
	addr    string
	cookie  string
	process benchProcess
	answers benchAnswers

	cmd    *exec.Cmd
	exited chan struct{}
	failed error // how it ended; read it after exited
}

const (
	// benchWait bounds the start and the stop of a variant, and an answer.
	benchWait = time.Minute
	// benchStreamWait bounds an answer that is a stream.
	benchStreamWait = 30 * time.Minute
)

// start starts a variant and waits until it answers.
func (b *bench) start(ctx context.Context, route benchRoute) (*benchVariant, error) {
	parent := b.dir
	if route.masked && !route.durable {
		parent = b.memory
	}
	v := &benchVariant{route: route, dir: filepath.Join(parent, route.name), exited: make(chan struct{})}
	if err := os.Mkdir(v.dir, 0o700); err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	if route.gated {
		var err error
		if v.cookie, err = signIn(ctx, v.data()); err != nil {
			return nil, fmt.Errorf("signing the employee in: %w", err)
		}
	}
	if err := b.writeConfig(v); err != nil {
		return nil, err
	}
	if err := b.spawn(v); err != nil {
		return nil, err
	}
	if err := v.ready(ctx, b.plan.bodies[0]); err != nil {
		v.kill()
		return nil, fmt.Errorf("%w\n%s", err, v.lastWords())
	}
	return v, nil
}

func (v *benchVariant) data() string { return filepath.Join(v.dir, "data") }

func (v *benchVariant) path(name string) string { return filepath.Join(v.dir, name) }

// writeConfig writes profile, policy and Caddy's configuration. The listener is
// the file that spawn hands down: nobody else can take its port meanwhile.
func (b *bench) writeConfig(v *benchVariant) error {
	type object = map[string]any
	handle := []object{{"handler": "reverse_proxy", "upstreams": []object{{"dial": b.crm.addr}}}}
	if v.route.gated {
		handle = append([]object{{
			"handler": "crm_gate", "profile": v.path("profile.yaml"), "policies": []string{v.path("policy.csv")},
			"oidc": object{
				"issuer": benchIssuer, "client_id": benchClient, "client_secret": "bench", "roles": benchRoles, "crm_user": benchUser,
				"mfa_amr": []string{"otp"},
			},
		}}, handle...)
	}
	apps := object{"http": object{"servers": object{"bench": object{
		"listen": []string{"fd/3"}, "protocols": []string{"h1", "h2c"}, "automatic_https": object{"disable": true},
		"routes": []object{{"match": []object{{"host": []string{"127.0.0.1"}}}, "handle": handle}},
	}}}}
	if v.route.gated {
		apps["crmgate"] = object{"data_dir": v.data()}
	}
	admin := object{"disabled": true}
	if b.pprof != "" {
		admin = object{"listen": "unix/" + v.path("admin")}
	}
	admin["config"] = object{"persist": false}
	config, err := json.Marshal(object{"admin": admin, "apps": apps})
	if err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	for name, raw := range map[string][]byte{
		"profile.yaml": []byte(b.plan.profile), "policy.csv": []byte(b.plan.policy), "caddy.json": config,
	} {
		if err := os.WriteFile(v.path(name), raw, 0o600); err != nil {
			return fmt.Errorf("writing the configuration: %w", err)
		}
	}
	return nil
}

// spawn starts the process.
func (b *bench) spawn(v *benchVariant) error {
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	defer ln.Close()
	v.addr = ln.Addr().String()
	socket, err := ln.File()
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	defer socket.Close()
	said, err := os.Create(v.path("process.log"))
	if err != nil {
		return fmt.Errorf("writing the process log: %w", err)
	}
	defer said.Close()
	v.cmd = exec.Command(b.self, "run", "--config", v.path("caddy.json")) //nolint:gosec,noctx // this very binary; stop ends it in good order, kill in any case
	v.cmd.Env = append(os.Environ(), "HOME="+v.dir, "XDG_DATA_HOME="+v.dir, "XDG_CONFIG_HOME="+v.dir)
	v.cmd.Stdout, v.cmd.Stderr, v.cmd.ExtraFiles = said, said, []*os.File{socket}
	tie(v.cmd)
	if err := v.cmd.Start(); err != nil {
		return fmt.Errorf("starting the process: %w", err)
	}
	v.process = benchProcess{v.cmd.Process.Pid}
	go func() {
		v.failed = v.cmd.Wait()
		close(v.exited)
	}()
	return nil
}

var errBenchExited = errors.New("the process has ended")

// ready waits until the variant lets a request through. It asks for what no
// entry is written for.
func (v *benchVariant) ready(ctx context.Context, body *benchBody) error {
	ctx, cancel := context.WithTimeout(ctx, benchWait)
	defer cancel()
	for {
		status, err := v.knock(ctx, body)
		if err == nil && status == http.StatusOK {
			return nil
		}
		// A process that refuses its configuration resets the connection on its
		// way out, and a gate answers 503 until its log is open.
		select {
		case <-v.exited:
			return errBenchExited
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("waiting for an answer (the last one was %d): %w", status, ctx.Err()), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (v *benchVariant) knock(ctx context.Context, body *benchBody) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+v.addr+"/pass/"+body.name, http.NoBody)
	if err != nil {
		return 0, fmt.Errorf("asking for the first time: %w", err)
	}
	req.Header.Set("Cookie", v.cookie)
	t := &http.Transport{DisableKeepAlives: true}
	resp, err := t.RoundTrip(req)
	if err != nil {
		return 0, fmt.Errorf("asking for the first time: %w", err)
	}
	return resp.StatusCode, resp.Body.Close()
}

// lastWords is the end of the process log, for an error.
func (v *benchVariant) lastWords() string {
	said, err := os.ReadFile(v.path("process.log"))
	if err != nil {
		return ""
	}
	return string(said[max(0, len(said)-2000):])
}

// stop ends the process in good order, so that its log is whole.
func (v *benchVariant) stop(ctx context.Context) error {
	if err := v.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("%w: %s", errBenchExited, v.lastWords())
	}
	ctx, cancel := context.WithTimeout(ctx, benchWait)
	defer cancel()
	select {
	case <-v.exited:
	case <-ctx.Done():
		return fmt.Errorf("waiting for its end: %w", ctx.Err())
	}
	if v.failed != nil {
		return fmt.Errorf("%w\n%s", v.failed, v.lastWords())
	}
	return nil
}

// kill ends the process if it still runs.
func (v *benchVariant) kill() {
	_ = v.cmd.Process.Kill() // it may have ended
	<-v.exited
}

// profile has a variant profiled while it is under load.
func (b *bench) profile(ctx context.Context, v *benchVariant, body *benchBody, kind, file string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	loaded := make(chan error, 1)
	go func() {
		_, err := v.load(ctx, benchLoad{body: body, conns: benchProfiled(body), proto: benchHTTP1}, b.duration()+3*time.Second)
		loaded <- err
	}()
	seconds := max(1, int(b.seconds+0.5))
	raw, err := v.admin(ctx, fmt.Sprintf("/debug/pprof/%s?seconds=%d", kind, seconds))
	if err != nil {
		return err
	}
	if err := <-loaded; err != nil {
		return err
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		return fmt.Errorf("writing the profile: %w", err)
	}
	return nil
}

// admin asks the variant's admin API.
func (v *benchVariant) admin(ctx context.Context, path string) ([]byte, error) {
	t := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", v.path("admin"))
	}}
	defer t.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1"+path, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("asking the admin API: %w", err)
	}
	resp, err := t.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("asking the admin API: %w", err)
	}
	defer resp.Body.Close()
	var raw bytes.Buffer
	if _, err := io.Copy(&raw, resp.Body); err != nil {
		return nil, fmt.Errorf("asking the admin API: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the admin API answered %d: %s", resp.StatusCode, strings.TrimSpace(raw.String()))
	}
	return raw.Bytes(), nil
}

// benchProfiled is how many connections ask while a variant is profiled.
func benchProfiled(b *benchBody) int {
	if b.streams() {
		return 1
	}
	return 32
}
