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
