package docs

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	inlineCode = regexp.MustCompile("`[^`]*`")
	link       = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

func TestEveryInternalLinkResolves(t *testing.T) {
	list := pages(t)
	for _, p := range list {
		for _, l := range p.lines {
			for _, m := range link.FindAllStringSubmatch(inlineCode.ReplaceAllString(l.text, ""), -1) {
				if what := dangling(list, p, m[1]); what != "" {
					t.Errorf("%s:%d: %s", p.path, l.number, what)
				}
			}
		}
	}
}

// dangling says what is wrong with a link, "" for nothing.
func dangling(list []*page, from *page, target string) string {
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return ""
	}
	file, anchor, _ := strings.Cut(target, "#")
	to := from.path
	if file != "" {
		to = path.Join(path.Dir(from.path), file)
	}
	if _, err := os.Stat(filepath.Join(root, to)); err != nil || strings.HasPrefix(to, "..") {
		return "the link " + target + " leads nowhere: there is no " + to
	}
	i := slices.IndexFunc(list, func(p *page) bool { return p.path == to })
	if anchor == "" || i >= 0 && list[i].anchors()[anchor] {
		return ""
	}
	return "the link " + target + " leads nowhere: " + to + " has no such heading"
}

// A page in two languages says the same in both: the same headings at the same
// levels, the same commands and configurations, as many lines in its tables.
func TestTranslatedPagesHaveTheSameShape(t *testing.T) {
	list := pages(t)
	pairs := 0
	for _, german := range list {
		stem, ok := strings.CutSuffix(german.path, ".de.md")
		if !ok {
			continue
		}
		pairs++
		english := at(t, list, stem+".md")
		if g, e := german.headings(), english.headings(); !slices.Equal(g, e) {
			t.Errorf("%s has headings of the levels %v, %s %v", german.path, g, english.path, e)
		}
		if g, e := infos(german), infos(english); !slices.Equal(g, e) {
			t.Errorf("%s has the blocks %q, %s %q", german.path, g, english.path, e)
		}
		if g, e := rows(german), rows(english); g != e {
			t.Errorf("%s has %d rows in its tables, %s %d", german.path, g, english.path, e)
		}
	}
	if pairs == 0 {
		t.Error("no page has a translation")
	}
}

func infos(p *page) []string {
	var all []string
	for _, b := range p.blocks {
		all = append(all, b.info)
	}
	return all
}

func rows(p *page) int {
	n := 0
	for _, l := range p.lines {
		if strings.HasPrefix(l.text, "|") {
			n++
		}
	}
	return n
}
