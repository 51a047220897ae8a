package e2e

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/crmgate/crmgate/test/stack"
)

// quiet searches what the gateway keeps and says beside its answers, with
// Caddy's access log on and at debug level: no personal value stands there.
func (h *hand) quiet(t *testing.T) {
	t.Helper()
	h.searchQuietly(t, "its process log", []byte(h.String()))
	err := filepath.WalkDir(filepath.Dir(h.Data), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		h.searchQuietly(t, path, bytes.TrimRight(raw, "\x00"))
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func (h *hand) searchQuietly(t *testing.T, where string, raw []byte) {
	t.Helper()
	text := stack.Read(raw)
	for _, s := range h.all {
		if text.Holds(s.value) {
			t.Errorf("%s holds %s", where, s)
		}
	}
}
