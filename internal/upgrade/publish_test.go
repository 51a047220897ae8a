package upgrade

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPublishedFolderIsReadAsItWasSigned(t *testing.T) {
	dir, secret := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	public, err := NewKey("releases.example", secret)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewKey("releases.example", secret); err == nil {
		t.Error("a second key overwrote the first")
	}
	if err := Publish(secret, dir, 90); err == nil {
		t.Error("a folder without a release has an index")
	}
	for _, name := range []string{
		"crmgate_1.4.2_amd64", "crmgate_1.4.2_amd64.deb", "crmgate_1.4.2_arm64.rpm", "crmgate_1.5.0~rc.1_amd64", "crmgate_1.4.2_amd64.sha256", "README",
	} {
		write(t, filepath.Join(dir, name), name)
	}
	if err := Publish(secret, dir, 90); err == nil || !strings.Contains(err.Error(), "formats") {
		t.Errorf("releases that don't say how they keep data: %v", err)
	}
	write(t, filepath.Join(dir, "crmgate_1.4.2.data"), "log 1\n")
	write(t, filepath.Join(dir, "crmgate_1.5.0~rc.1.data"), "log 2\n")
	if err := Publish(secret, dir, 90); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, IndexName))
	if err != nil {
		t.Fatal(err)
	}
	x, err := Open(raw, []string{public}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Releases) != 2 || x.Releases[0].Version != "1.5.0-rc.1" || x.Releases[0].Data != "log 2" || len(x.Releases[1].Files) != 3 {
		t.Errorf("%+v", x.Releases)
	}
	f, ok := x.Releases[1].File(Deb, "linux", "amd64")
	if !ok || f.is(filepath.Join(dir, f.Name)) != nil {
		t.Errorf("%+v isn't the package", f)
	}
	if _, err := Open(raw, []string{public}, time.Now().AddDate(0, 0, 91)); err == nil {
		t.Error("it is valid after 91 days")
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
