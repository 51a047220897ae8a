package profile

import (
	"slices"
	"strings"
	"testing"
)

func TestOpensNamesTheRoutesInTheWay(t *testing.T) {
	t.Parallel()
	p := mini(t)
	for path, want := range map[string]string{
		"/static/*": "", "/static/app.css": "", "/static/a/b/*": "",
		"/people": "people", "/people/7": "one", "/people/*": "one", "/page/*": "GET /page/{id}",
	} {
		masked, found := p.Opens(strings.TrimSuffix(path, "/*"), strings.HasSuffix(path, "/*"))
		if got := strings.Join(masked, ", "); got != want || !found {
			t.Errorf("Opens(%s) = %q, %v, want %q", path, got, found, want)
		}
	}
	if _, found := p.Opens("/nowhere/at/all", false); found {
		t.Error("a path of no route was found")
	}
	if masked, _ := p.Opens("", true); !slices.Contains(masked, "one") {
		t.Errorf("everything is masked by %q", masked)
	}
	if masked, found := tryton(t).Opens("/dist", true); len(masked) > 0 || !found {
		t.Errorf("the client's own files: %q, %v", masked, found)
	}
}

// TestOpensAgreesWithClassify: what Opens lets through is classified as pass.
func TestOpensAgreesWithClassify(t *testing.T) {
	t.Parallel()
	paths := []string{
		"/", "/static/app.css", "/static/", "/static", "/static/a/b", "/people", "/people/7", "/data/x", "/export.csv",
		"/page/1", "/pages", "/picture", "/db/", "/db/data/x", "/images/x.png", "/dist/x", "/favicon.ico", "/avatar/x",
	}
	for _, p := range []*Profile{mini(t), tryton(t)} {
		for _, path := range paths {
			for _, public := range []string{path, "/static/*", "/*", "/people/*", "/db/*", "/dist/*"} {
				prefix, below := strings.CutSuffix(public, "/*")
				if path != public && (!below || !strings.HasPrefix(path, prefix+"/")) {
					continue
				}
				masked, found := p.Opens(prefix, below)
				x, err := p.Classify(Request{Method: "GET", Path: path})
				if err == nil && !x.Pass && found && len(masked) == 0 {
					t.Errorf("%s: Opens(%s) sees nothing in the way of a masked route", p.Name, path)
				}
			}
		}
	}
}
