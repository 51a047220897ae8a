package command

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestProfileIsDrawnFromMetadata(t *testing.T) {
	try := func(args ...string) (string, error) {
		var out bytes.Buffer
		cmd := profileMetadataCommand()
		cmd.SetOut(&out)
		cmd.SilenceUsage, cmd.SilenceErrors = true, true
		cmd.SetArgs(args)
		err := cmd.Execute()
		return out.String(), err
	}
	out, err := try("../../internal/profile/metadata/testdata/bookshop.xml", "--path", "/odata/v4/catalog", "--name", "catalog/1")
	if err != nil || !strings.Contains(out, `"GET /odata/v4/catalog/{resource**}"`) || !strings.Contains(out, `profile: "catalog/1"`) {
		t.Errorf("%v\n%s", err, out)
	}
	other := filepath.Join(t.TempDir(), "x.xml")
	if err := os.WriteFile(other, []byte("<html/>"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := try(other); err == nil || !strings.Contains(err.Error(), "$metadata") {
		t.Errorf("a page: %v", err)
	}
}
