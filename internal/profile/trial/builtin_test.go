package trial

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/profile"
)

// TestBuiltinProfilesFindWhatStandsInTheirExchanges: every folder of exchanges
// beside the profiles, with everything in it found and little masked in vain.
func TestBuiltinProfilesFindWhatStandsInTheirExchanges(t *testing.T) {
	manifests, err := filepath.Glob("../testdata/*/" + ManifestName)
	if err != nil || len(manifests) == 0 {
		t.Fatalf("no exchanges: %v", err)
	}
	for _, m := range manifests {
		t.Run(filepath.Base(filepath.Dir(m)), func(t *testing.T) {
			f, err := Read(m)
			if err != nil {
				t.Fatal(err)
			}
			src, err := profile.Builtin(f.CRM)
			if err != nil {
				t.Fatal(err)
			}
			p, err := profile.Load(src)
			if err != nil {
				t.Fatal(err)
			}
			rep, err := Run(f, p)
			if err != nil {
				t.Fatal(err)
			}
			known := expected(t, filepath.Dir(m))
			for _, c := range rep.Cases {
				for _, d := range c.Differences {
					if !known[c.ID] {
						t.Errorf("%s: %s", c.ID, d)
					}
				}
				if known[c.ID] && len(c.Differences) == 0 {
					t.Errorf("%s: no difference any more; take it out of differs.txt", c.ID)
				}
			}
			if most := max(rep.Total.Masked/10, 3); rep.Total.Overmasked > most {
				t.Errorf("%d of %d values are masked without need", rep.Total.Overmasked, rep.Total.Masked)
			}
		})
	}
}

// expected are the cases that are known to differ: one id a line, and why.
func expected(t *testing.T, dir string) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	raw, err := os.ReadFile(filepath.Join(dir, "differs.txt"))
	if os.IsNotExist(err) {
		return known
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range splitLines(string(raw)) {
		known[line] = true
	}
	return known
}

func splitLines(s string) []string {
	var ids []string
	for line := range strings.Lines(s) {
		if id, _, _ := strings.Cut(strings.TrimSpace(line), " "); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}
