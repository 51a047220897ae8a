package refdoc_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/profile/refdoc"
)

const page = "../../../docs/profile-language.md"

func sources(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	files, err := filepath.Glob("../spec*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if out[f], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestPageIsFresh: the page says what the comments say. UPDATE=1 writes it.
func TestPageIsFresh(t *testing.T) {
	want, err := refdoc.Page(sources(t))
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(page, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is stale (%v): run UPDATE=1 go test ./internal/profile/refdoc", page, err)
	}
}

func TestEveryKeyOfTheLanguageStandsInThePage(t *testing.T) {
	got, err := refdoc.Page(sources(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, src := range sources(t) {
		for line := range strings.Lines(string(src)) {
			_, rest, ok := strings.Cut(line, "`yaml:\"")
			if !ok || strings.HasPrefix(rest, ",") {
				continue
			}
			key, _, _ := strings.Cut(rest, "\"")
			if !bytes.Contains(got, []byte("| `"+key+"` |")) {
				t.Errorf("%s: the key %q isn't in the page", name, key)
			}
		}
	}
}

func TestKeyWithoutACommentIsAnError(t *testing.T) {
	_, err := refdoc.Page(map[string][]byte{"spec.go": []byte("package p\n\n// spec is it.\ntype spec struct {\n\tA string `yaml:\"a\"`\n}\n")})
	if err == nil || !strings.Contains(err.Error(), "spec.A (a) has no comment") {
		t.Errorf("Page = %v", err)
	}
}
