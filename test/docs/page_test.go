package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// root is the module's root as the tests see it.
const root = "../.."

// page is a Markdown file.
type page struct {
	path   string // relative to the root, with slashes
	text   string
	lines  []line
	blocks []block
}

// line is a line of prose: outside fenced code and HTML comments.
type line struct {
	number  int
	text    string
	heading int // its level, 0 for none
}

// block is a fenced block of code.
type block struct {
	info string
	line int // of the first line of code
	text string
}

// pages reads every Markdown file of the repository.
func pages(t *testing.T) []*page {
	t.Helper()
	var list []*page
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"node_modules", "testdata", "bin"}, d.Name())):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".md":
			return nil
		}
		list = append(list, readPage(t, path))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 10 {
		t.Fatalf("only %d pages found below %s", len(list), root)
	}
	return list
}

func readPage(t *testing.T, path string) *page {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rel, err := filepath.Rel(root, path)
	if err != nil {
		t.Fatal(err)
	}
	p := &page{path: filepath.ToSlash(rel), text: string(raw)}
	p.parse()
	return p
}

var headingMark = regexp.MustCompile(`^(#{1,6}) +(.*)$`)

func (p *page) parse() {
	fence, comment := "", false
	for i, text := range strings.Split(p.text, "\n") {
		trimmed := strings.TrimSpace(text)
		switch {
		case fence != "" && strings.HasPrefix(trimmed, fence) && strings.Trim(trimmed, "`") == "":
			fence = ""
		case fence != "":
			p.blocks[len(p.blocks)-1].text += text + "\n"
		case strings.HasPrefix(trimmed, "```"):
			info := strings.TrimLeft(trimmed, "`")
			fence = trimmed[:len(trimmed)-len(info)]
			p.blocks = append(p.blocks, block{info: strings.TrimSpace(info), line: i + 2})
		case comment || strings.HasPrefix(trimmed, "<!--"):
			comment = !strings.Contains(trimmed, "-->")
		default:
			l := line{number: i + 1, text: text}
			if m := headingMark.FindStringSubmatch(text); m != nil {
				l.heading, l.text = len(m[1]), m[2]
			}
			p.lines = append(p.lines, l)
		}
	}
}

// headings lists the levels of the headings in their order.
func (p *page) headings() []int {
	var levels []int
	for _, l := range p.lines {
		if l.heading > 0 {
			levels = append(levels, l.heading)
		}
	}
	return levels
}

// anchors are the names by which the forge lets headings be linked to.
func (p *page) anchors() map[string]bool {
	names := map[string]bool{}
	for _, l := range p.lines {
		if l.heading == 0 {
			continue
		}
		name := slug(l.text)
		for n := 1; names[name]; n++ {
			name = slug(l.text) + "-" + strconv.Itoa(n)
		}
		names[name] = true
	}
	return names
}

var linkText = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)

func slug(heading string) string {
	heading = linkText.ReplaceAllString(heading, "$1")
	var b strings.Builder
	for _, r := range strings.ToLower(heading) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// at returns the page of that path.
func at(t *testing.T, list []*page, path string) *page {
	t.Helper()
	i := slices.IndexFunc(list, func(p *page) bool { return p.path == path })
	if i < 0 {
		t.Fatalf("there is no page %s", path)
	}
	return list[i]
}
