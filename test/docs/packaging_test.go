package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The Caddyfile to begin with starts as it stands, and so does the site that
// its comment shows once the comment's marks are taken away.
func TestCaddyfileToBeginWithStarts(t *testing.T) {
	text := packaged(t, "Caddyfile")
	t.Run("as it stands", func(t *testing.T) { startable(t, text) })

	_, site, found := strings.Cut(text, "\n# crm.example.de {\n")
	if !found {
		t.Fatal("it shows no site crm.example.de")
	}
	site = "crm.example.de {\n" + regexp.MustCompile(`(?m)^# ?`).ReplaceAllString(site, "")
	t.Run("with its site", func(t *testing.T) { startable(t, text+"\n"+site) })
	if !strings.Contains(text, "\n\tadmin unix//run/crmgate/admin.sock\n") {
		t.Error("the admin endpoint isn't a socket in the unit's runtime directory")
	}
}

// The unit keeps the service to what it needs. A line that is taken out widens
// what a fault in the gateway could reach.
func TestUnitIsConfined(t *testing.T) {
	lines := strings.Split(packaged(t, "systemd/crmgate.service"), "\n")
	for _, want := range []string{
		"Type=notify", "User=crmgate", "StateDirectory=crmgate", "StateDirectoryMode=0700", "RuntimeDirectory=crmgate",
		"RuntimeDirectoryMode=0700", "UMask=0077", "LimitCORE=0", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
		"NoNewPrivileges=true", "ProtectSystem=strict", "ProtectHome=true", "PrivateTmp=true", "PrivateDevices=true",
		"MemoryDenyWriteExecute=true", "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
		"SystemCallArchitectures=native", "SystemCallFilter=@system-service",
		// Unforced, a changed policy behind the same Caddyfile wouldn't be read.
		"ExecReload=/usr/local/bin/crmgate reload --config /etc/crmgate/Caddyfile --force",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("the unit has no line %s", want)
		}
	}
	for _, l := range lines {
		if strings.HasPrefix(l, "Exec") && strings.Contains(l, "--environ") {
			t.Errorf("%s: prints secrets", l)
		}
	}
}

func packaged(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, "packaging", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// The image builds what `make build` builds, with the Go version of the module, and
// ends without a shell, as nobody in particular.
func TestImageIsConfined(t *testing.T) {
	file := packaged(t, "container/Containerfile")
	_, last, found := strings.Cut(file, "\nFROM gcr.io/distroless/static-debian12:nonroot\n")
	if !found {
		t.Fatal("the image isn't made from distroless")
	}
	for _, want := range []string{"\nUSER 65532:65532\n", "\nVOLUME /var/lib/crmgate\n", "\nENTRYPOINT [\"/usr/bin/crmgate\"]\n"} {
		if !strings.Contains(last, want) {
			t.Errorf("the image has no line %q", strings.TrimSpace(want))
		}
	}
	if strings.Contains(last, "\nRUN ") {
		t.Error("something runs in an image that has no shell")
	}
	module := regexp.MustCompile(`(?m)^go (\d+\.\d+)\.`).FindStringSubmatch(source(t, "go.mod"))
	if module == nil || !strings.Contains(file, "golang:"+module[1]+".") {
		t.Errorf("the image isn't built with the module's Go %v", module)
	}
	ignored := source(t, ".dockerignore")
	for _, line := range regexp.MustCompile(`(?m)^COPY (?:[^-\n].*) \S+$`).FindAllString(file, -1) {
		for _, from := range strings.Fields(line)[1 : len(strings.Fields(line))-1] {
			if _, err := os.Stat(filepath.Join(root, from)); err != nil {
				t.Errorf("%s: %v", line, err)
			}
			if !strings.Contains(ignored, "\n!"+from+"\n") {
				t.Errorf("%s: .dockerignore keeps it out", line)
			}
		}
	}
}

func source(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
