// Package packages makes the packages and installs, upgrades and removes them below a
// folder, with dpkg and rpm themselves.
package packages

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

const root = "../.."

// TestPackages runs the scripts beside this file on packages of the real binary.
func TestPackages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	binary, standIn := filepath.Join(dir, "crmgate"), filepath.Join(dir, "stand-in")
	build := func(version, to string) {
		run(t, nil, "go", "build", "-ldflags", "-s -w -X 'github.com/caddyserver/caddy/v2.CustomVersion=crmgate v"+version+"-0-g0123456789ab, Caddy'",
			"-o", to, root+"/cmd/crmgate")
	}
	build("1.0.0", binary)
	build("1.1.0", binary+"-next")
	if err := os.WriteFile(standIn, []byte("#!/bin/sh\necho the one before\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	pack := func(binary, version, sbom, to string) {
		run(t, []string{"PACKAGE_VERSION=" + version, "SBOM=" + sbom}, root+"/packaging/package", binary, filepath.Join(dir, to))
	}
	pack(binary, "1.0.0", "", "1.0.0")
	sbom := single(t, filepath.Join(dir, "1.0.0", "*.cdx.json"))
	pack(standIn, "1.0.0~rc.1", sbom, "1.0.0~rc.1")
	pack(binary+"-next", "1.1.0", sbom, "1.1.0")

	t.Run("licences", func(t *testing.T) { everyLicenceIsKnown(t, sbom) })
	t.Run("same-bytes", func(t *testing.T) {
		pack(standIn, "1.0.0~rc.1", sbom, "again")
		for _, pattern := range []string{"*.deb", "*.rpm"} {
			if read(t, single(t, filepath.Join(dir, "1.0.0~rc.1", pattern))) != read(t, single(t, filepath.Join(dir, "again", pattern))) {
				t.Errorf("%s is another file when it is made again", pattern)
			}
		}
	})
	scripts, err := filepath.Abs(root + "/packaging/scripts")
	if err != nil {
		t.Fatal(err)
	}
	packaging := filepath.Dir(scripts)
	packages := map[string]string{"SCRIPTS": scripts, "RELEASE": packaging + "/release", "VERSION_SCRIPT": packaging + "/version", "PROGRAM": binary, "NEXT": binary + "-next"}
	for before, version := range map[string]string{"_BEFORE": "1.0.0~rc.1", "": "1.0.0", "_NEXT": "1.1.0"} {
		packages["DEB"+before] = single(t, filepath.Join(dir, version, "*.deb"))
		packages["RPM"+before] = single(t, filepath.Join(dir, version, "*.rpm"))
	}
	packages["FOREIGN"] = filepath.Join(dir, "caddy")
	run(t, nil, "go", "build", "-ldflags", "-s -w", "-o", packages["FOREIGN"], "./foreign")
	testscript.Run(t, testscript.Params{
		Dir: ".",
		Setup: func(e *testscript.Env) error {
			for name, file := range packages {
				e.Setenv(name, file)
			}
			return source(e)
		},
	})
}

// source serves the script's folder releases, as a source of releases: its address is $SOURCE, its authority in
// $SSL_CERT_FILE. What it is to cut short is named in the file cut.
func source(e *testscript.Env) error {
	dir := filepath.Join(e.WorkDir, "releases")
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := filepath.Base(r.URL.Path)
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		if cut, err := os.ReadFile(filepath.Join(e.WorkDir, "cut")); err == nil && strings.TrimSpace(string(cut)) == name {
			raw = raw[:len(raw)/2]
		}
		_, _ = w.Write(raw) // who goes away early is told by the command
	}))
	e.Defer(server.Close)
	e.Setenv("SOURCE", server.URL)
	e.Setenv("ARCH", runtime.GOARCH)
	authority := filepath.Join(e.WorkDir, "authority.pem")
	e.Setenv("SSL_CERT_FILE", authority)
	return os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600)
}

// everyLicenceIsKnown holds that everything in the binary may be given on with it.
func everyLicenceIsKnown(t *testing.T, sbom string) {
	allowed := []string{
		"Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Unlicense", "CC0-1.0", "Zlib",
		"MPL-2.0",         // files under it stay under it; we change none
		"BSD-Source-Code", // what the finder calls BSD-3-Clause with another word
		"OFL-1.1-no-RFN",  // a font
	}
	var bill struct {
		Components []struct {
			Name     string
			Version  string
			Evidence struct {
				Licenses []struct{ License struct{ ID string } }
			}
		}
	}
	if err := json.Unmarshal([]byte(read(t, sbom)), &bill); err != nil {
		t.Fatal(err)
	}
	if len(bill.Components) < 100 {
		t.Errorf("the bill of materials names %d modules", len(bill.Components))
	}
	for _, c := range bill.Components {
		if len(c.Evidence.Licenses) == 0 {
			t.Errorf("%s %s: no licence was found", c.Name, c.Version)
		}
		for _, l := range c.Evidence.Licenses {
			if !slices.Contains(allowed, l.License.ID) {
				t.Errorf("%s %s is under %q: may it be given on with the binary?", c.Name, c.Version, l.License.ID)
			}
		}
	}
}

func single(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %d files, want one (%v)", pattern, len(found), err)
	}
	return found[0]
}

func read(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func run(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}
