package detect

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// bars are what each kind has to reach: on the sheet that the detector was made
// with less, since its mistakes were collected there.
func bars() map[string]float64 { return map[string]float64{"tuned": 0.80, "heldout": 0.90} }

// score counts what was found of one kind.
type score struct {
	wanted int // values in the notes
	found  int // of these, wholly covered by hits of their category
	hits   int
	right  int // hits that touch a value of their category
}

func (s score) recall() float64    { return ratio(s.found, s.wanted) }
func (s score) precision() float64 { return ratio(s.right, s.hits) }

func ratio(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}

// measured is what came out of a sheet.
type measured struct {
	notes int
	kinds map[Kind]*score
	all   score
	// beside counts bytes outside of values that hits cover, of all outside.
	beside, outside int
}

func measure(t testing.TB, name string) measured {
	t.Helper()
	d := New(Options{})
	m := measured{kinds: map[Kind]*score{}}
	for _, k := range Kinds() {
		m.kinds[k] = &score{}
	}
	for _, n := range corpus(t, name) {
		m.notes++
		m.add(t, n, d.Find(n.text))
	}
	return m
}

func (m *measured) add(t testing.TB, n note, hits []Hit) {
	for _, w := range n.want {
		s := m.kinds[w.Kind]
		s.wanted++
		m.all.wanted++
		if covered(w, hits) {
			s.found++
			m.all.found++
		} else if testing.Verbose() {
			t.Logf("missed %s %q in %q", w.Kind, n.text[w.Start:w.End], n.text)
		}
	}
	for _, h := range hits {
		s := m.kinds[h.Kind]
		s.hits++
		m.all.hits++
		if touches(h, n.want) {
			s.right++
			m.all.right++
		} else if testing.Verbose() {
			t.Logf("wrong %s %q in %q", h.Kind, n.text[h.Start:h.End], n.text)
		}
	}
	for i := range len(n.text) {
		in := func(list []Hit) bool {
			for _, h := range list {
				if h.Start <= i && i < h.End {
					return true
				}
			}
			return false
		}
		if !in(n.want) {
			m.outside++
			if in(hits) {
				m.beside++
			}
		}
	}
}

// covered reports whether hits of a value's category cover all of it.
func covered(w Hit, hits []Hit) bool {
	at := w.Start
	for _, h := range hits {
		if h.Category == w.Category && h.Start <= at && h.End > at {
			at = h.End
		}
	}
	return at >= w.End
}

func touches(h Hit, want []Hit) bool {
	for _, w := range want {
		if h.Category == w.Category && h.Start < w.End && w.Start < h.End {
			return true
		}
	}
	return false
}

func TestEveryKindReachesTheBar(t *testing.T) {
	for sheet, bar := range bars() {
		m := measure(t, sheet)
		for _, k := range Kinds() {
			s := m.kinds[k]
			if s.wanted < perSheet {
				t.Errorf("%s: only %d values of %s", sheet, s.wanted, k)
			}
			if s.recall() < bar || s.precision() < bar {
				t.Errorf("%s: %s has recall %.3f and precision %.3f", sheet, k, s.recall(), s.precision())
			}
		}
	}
}

// table is what the pages show.
func table(t testing.TB) string {
	t.Helper()
	tuned, held := measure(t, "tuned"), measure(t, "heldout")
	var b strings.Builder
	line := func(name string, h, u *score) {
		fmt.Fprintf(&b, "| %s | %d | %.3f | %.3f | %d | %.3f | %.3f |\n", name, h.wanted, h.recall(), h.precision(), u.wanted, u.recall(), u.precision())
	}
	for _, k := range Kinds() {
		line("`"+string(k)+"`", held.kinds[k], tuned.kinds[k])
	}
	line("**Σ**", &held.all, &tuned.all)
	return b.String()
}

const (
	numbersBegin = "<!-- numbers: go test ./internal/mask/detect -update -->\n"
	numbersEnd   = "<!-- end of numbers -->"
)

func TestPagesShowTheMeasuredNumbers(t *testing.T) {
	want := table(t)
	for _, name := range []string{"detection.md", "detection.de.md"} {
		path := filepath.Join("..", "..", "..", "docs", name)
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		before, rest, _ := strings.Cut(string(raw), numbersBegin)
		old, after, ok := strings.Cut(rest, numbersEnd)
		if !ok {
			t.Fatalf("%s has no place for the numbers", name)
		}
		lines := strings.SplitAfter(old, "\n")
		const head = 2 // of the table
		if len(lines) < head {
			t.Fatalf("%s has no head above the numbers", name)
		}
		if *update {
			page := before + numbersBegin + lines[0] + lines[1] + want + numbersEnd + after
			if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got := strings.Join(lines[head:], ""); got != want {
			t.Errorf("%s shows other numbers than are measured: go test ./internal/mask/detect -update\n%s", name, want)
		}
	}
}
