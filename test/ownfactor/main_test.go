package ownfactor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"

	_ "github.com/crmgate/crmgate/modules/standard"
)

// env is the one Caddy of this package.
var env environment

type environment struct {
	dir, admin string
	op         *op
	// closed takes the administrator's code, open enrols everybody, strict takes
	// passkeys alone.
	closed, open, strict string
	files                []*os.File
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ownfactor-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := env.start(dir); err != nil {
		fmt.Fprintln(os.Stderr, "starting:", err)
		return 1
	}
	defer caddy.Stop()
	return m.Run()
}

func serve(h http.Handler) (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go srv.Serve(ln) // ends with the process
	return "http://" + ln.Addr().String(), nil
}

// site binds a site's socket and hands it to Caddy: no port is guessed.
func (e *environment) site(into *string, issuer, crm, mfa string) (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	tcp, ok := ln.(*net.TCPListener)
	if !ok {
		return "", errors.New("no TCP")
	}
	file, err := tcp.File()
	if err != nil {
		return "", err
	}
	e.files = append(e.files, file)
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	*into = "http://localhost:" + port
	return fmt.Sprintf(`%s {
	bind fd/%d
	crm_gate {
		profile demo
		policy builtin:demo
		oidc %s {
			client_id crm
			client_secret secret
			%s
		}
		administrators role it_admin
		step_up /leads phishing_resistant
		step_up /contacts/new max_age 5m
	}
	reverse_proxy %s
}
`, *into, file.Fd(), issuer, mfa, crm), nil
}

func (e *environment) start(dir string) error {
	e.dir, e.admin = dir, filepath.Join(dir, "admin.sock")
	e.op = &op{key: newKey()}
	var err error
	if e.op.url, err = serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { e.op.handler().ServeHTTP(w, r) })); err != nil {
		return err
	}
	crm, err := serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		fmt.Fprint(w, "the CRM")
	}))
	if err != nil {
		return err
	}
	text := fmt.Sprintf(`{
	admin unix/%s
	persist_config off
	auto_https off
	storage file_system %s/caddy
	log {
		output file %s/process.log
		level DEBUG
	}
}
`, e.admin, dir, dir)
	for _, s := range []struct {
		into *string
		mfa  string
	}{
		{&e.closed, "mfa gateway"},
		{&e.open, "mfa gateway\n\t\t\tmfa open_enrolment a test"},
		{&e.strict, "mfa gateway passkey\n\t\t\tmfa phishing_resistant\n\t\t\tmfa open_enrolment a test"},
	} {
		block, err := e.site(s.into, e.op.url, crm, s.mfa)
		if err != nil {
			return err
		}
		text += block
	}
	adapted, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		return fmt.Errorf("adapting: %w", err)
	}
	var cfg map[string]any
	if err := json.Unmarshal(adapted, &cfg); err != nil {
		return err
	}
	apps, ok := cfg["apps"].(map[string]any)
	if !ok {
		return errors.New("no apps")
	}
	apps["crmgate"] = map[string]any{"data_dir": e.data(), "log": map[string]any{"segment_mib": 1}}
	raw, err := json.Marshal(cfg)
	if err != nil {
		return err
	}
	return caddy.Load(raw, true)
}

func (e *environment) data() string { return filepath.Join(e.dir, "data") }

// administer asks the admin API what crmgate's commands ask.
func (e *environment) administer(path string, what map[string]any) (int, map[string]any, error) {
	what["data_dir"] = e.data()
	body, err := json.Marshal(what)
	if err != nil {
		return 0, nil, err
	}
	c := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", e.admin)
	}, DisableKeepAlives: true}}
	resp, err := c.Post("http://127.0.0.1"+path, "application/json", bytesReader(body))
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	var answer map[string]any
	err = json.NewDecoder(resp.Body).Decode(&answer)
	return resp.StatusCode, answer, err
}
