package command

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/modules/crmgate"
	_ "github.com/crmgate/crmgate/modules/keys/age" // the sources
	_ "github.com/crmgate/crmgate/modules/keys/systemd"
)

func runKeys(t *testing.T, in string, args ...string) (string, error) {
	t.Helper()
	cmd := &cobra.Command{Use: "keys", SilenceErrors: true, SilenceUsage: true}
	keysCommand(cmd)
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(new(bytes.Buffer))
	cmd.SetIn(strings.NewReader(in))
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

// keyed writes a configuration of a data directory whose keys are kept otherwise.
func keyed(t *testing.T, dir, source string) string {
	t.Helper()
	config := filepath.Join(t.TempDir(), "crmgate.json")
	try(t, os.WriteFile(config, fmt.Appendf(nil, `{"apps":{"crmgate":{"data_dir":%q,"keys":%s}}}`, dir, source), 0o600))
	return config
}

// Keys of a log that goes on are moved out of the clear, are rotated where they are
// then, and the log opens with them; not beside the plain file.
func TestKeysAreMovedAndRotatedWhereTheConfigurationSays(t *testing.T) {
	dir := t.TempDir()
	appendTo(t, dir, "a")
	i, err := age.GenerateX25519Identity()
	try(t, err)
	file := filepath.Join(t.TempDir(), "identity")
	try(t, os.WriteFile(file, []byte(i.String()+"\n"), 0o600))
	config := keyed(t, dir, fmt.Sprintf(`{"source":"age","identity":%q}`, file))
	plain := filepath.Join(dir, "keys", keys.FileName)

	if out, err := runAudit(t, "verify", "--config", config); err == nil || !strings.Contains(err.Error(), "crmgate keys move") {
		t.Errorf("verify beside a plain file says %v\n%s", err, out)
	}
	if out, err := runKeys(t, "", "move", "--config", config); err != nil || !strings.Contains(out, "shred -u") {
		t.Fatalf("move says %v\n%s", err, out)
	}
	if _, err := runKeys(t, "", "move", "--config", config); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second move says %v", err)
	}
	backup, err := os.ReadFile(plain)
	try(t, err)
	try(t, os.Remove(plain))
	if out, err := runAudit(t, "verify", "--config", config); err != nil {
		t.Errorf("verify says %v\n%s", err, out)
	}
	if out, err := runAudit(t, "verify", "--data", dir); err == nil || !strings.Contains(err.Error(), "--config") {
		t.Errorf("verify without the configuration says %v\n%s", err, out)
	}
	if out, err := runKeys(t, "", "rotate", "--config", config, "--in", "0s"); err != nil || !strings.Contains(out, "Key 02 was added to "+plain+".age") {
		t.Errorf("rotate says %v\n%s", err, out)
	}
	if out, err := runKeys(t, "", "show", "--config", config); err != nil || !strings.Contains(out, "02") || strings.Contains(out, string(backup[16:40])) {
		t.Errorf("show says %v\n%s", err, out)
	}
	if out, err := runAudit(t, "verify", "--config", config); err != nil {
		t.Errorf("verify after the rotation says %v\n%s", err, out)
	}
	// A lost key is not made anew beside a log.
	try(t, os.Remove(plain+".age"))
	src := keys.File{Path: plain + ".age", Wrapper: keys.Age{Identity: file}}
	if _, err := crmgate.OpenKeys(t.Context(), dir, src, true); err == nil || !strings.Contains(err.Error(), "its master key is missing") {
		t.Errorf("opening a log whose key is lost says %v", err)
	}
	if _, err := os.Stat(plain + ".age"); err == nil {
		t.Error("a new key was made beside a log")
	}
}

// Keys that another program encrypts are made and added to in a pipe.
func TestKeysArePipedForSystemd(t *testing.T) {
	dir, credentials := t.TempDir(), t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", credentials)
	config := keyed(t, dir, `{"source":"systemd","name":"master"}`)
	first, err := runKeys(t, "", "new")
	try(t, err)
	second, err := runKeys(t, first, "rotate", "--pipe")
	if err != nil || !strings.HasPrefix(second, first) || strings.Count(second, "\n") != 2 {
		t.Fatalf("rotate --pipe says %v\n%s", err, second)
	}
	try(t, os.WriteFile(filepath.Join(credentials, "master"), []byte(second), 0o400))
	if out, err := runKeys(t, "", "show", "--config", config); err != nil || !strings.Contains(out, "systemd credential master") {
		t.Errorf("show says %v\n%s", err, out)
	}
	try(t, os.MkdirAll(filepath.Join(dir, "log"), 0o700))
	for _, args := range [][]string{{"rotate", "--config", config}, {"move", "--config", config}, {"rotate", "--pipe", "--config", config}, {"rotate", "--pipe", "--in", "-1h"}} {
		if out, err := runKeys(t, first, args...); err == nil {
			t.Errorf("%v says\n%s", args, out)
		}
	}
	if out, err := runKeys(t, "no keys", "rotate", "--pipe"); err == nil || out != "" {
		t.Errorf("rotate --pipe of what are no keys says %v\n%s", err, out)
	}
}
