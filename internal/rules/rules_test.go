package rules

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func shipped(t testing.TB) Source {
	t.Helper()
	var s Source
	for name, into := range map[string]*File{BuiltinDE: &s.DE, BuiltinEN: &s.EN, BuiltinQuiz: &s.Quiz} {
		f, err := Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		*into = f
	}
	return s
}

func loaded(t testing.TB) *Rules {
	t.Helper()
	r, err := Load(shipped(t))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheShippedRulesAreWhole(t *testing.T) {
	r := loaded(t)
	if r.Questions() != 6 || r.Title(German) == "" || r.Title(English) == "" || r.Title(German) == r.Title(English) {
		t.Errorf("%d questions, titles %q and %q", r.Questions(), r.Title(German), r.Title(English))
	}
	for lang, marks := range map[string][]string{
		German:  {"Art. 9 DSGVO", "Gewerkschaft", "Bankverbindung", "Einwilligung", "Phishing", "72 Stunden", "<table>"},
		English: {"Art. 9 GDPR", "trade union", "bank account", "consent", "phishing", "72 hours", "<table>"},
	} {
		for _, m := range marks {
			if !strings.Contains(string(r.in(lang).body), m) {
				t.Errorf("the text in %s doesn't speak of %s", lang, m)
			}
		}
	}
	// The same sections in both, in the same order.
	if de, en := strings.Count(string(r.in(German).body), "<h2>"), strings.Count(string(r.in(English).body), "<h2>"); de != en || de < 6 {
		t.Errorf("%d sections in German, %d in English", de, en)
	}
}

// A version is that of all files: whatever changes, it is asked again.
func TestEveryFileMakesTheVersion(t *testing.T) {
	seen := map[string]string{loaded(t).Version(): "the shipped one"}
	for name, change := range map[string]func(s *Source){
		"de":        func(s *Source) { s.DE.Raw = append(slices.Clone(s.DE.Raw), "\nMehr.\n"...) },
		"en":        func(s *Source) { s.EN.Raw = append(slices.Clone(s.EN.Raw), "\nMore.\n"...) },
		"quiz":      func(s *Source) { s.Quiz.Raw = append(slices.Clone(s.Quiz.Raw), "\n# more\n"...) },
		"exchanged": func(s *Source) { s.DE, s.EN = s.EN, s.DE },
	} {
		s := shipped(t)
		change(&s)
		r, err := Load(s)
		if err != nil {
			t.Fatal(err)
		}
		if was := seen[r.Version()]; was != "" || len(r.Version()) != 64 {
			t.Errorf("%s: version %s is that of %s, too", name, r.Version(), was)
		}
		seen[r.Version()] = name
	}
}

func TestMarkdownTakesTextAndLinksAlone(t *testing.T) {
	const head = "# Title\n\nText.\n\n"
	for src, want := range map[string]string{
		"Text alone":                       "has to begin with its title",
		"## Section\n\nText":               "has to begin with its title",
		"# \n\nText":                       "title is empty",
		"# Title":                          "no text",
		head + "# Another":                 "line 5: a second title",
		head + "<b>bold</b>":               "line 5: HTML",
		head + "<script>alert(1)</script>": "line 5: HTML",
		head + "a\nb <img src=x onerror=alert(1)>": "HTML",
		head + "<!-- note -->":                     "HTML",
		head + "![p](https://x.example/p.png)":     "line 5: pictures",
		head + "[l](javascript:alert(1))":          "line 5: the link",
		head + "[l](JaVaScRiPt:alert(1))":          "the link",
		head + "[l](&#106;avascript:alert(1))":     "the link",
		head + "[l](data:text/html,x)":             "the link",
		head + "[l](//evil.example/)":              "the link",
		head + `[l](/\\evil.example/)`:             "the link",
		head + "[l](page)":                         "the link",
		head + "[l](#part)":                        "the link",
		head + "[l](https://a@evil.example/)":      "a name before its host",
		head + "[l](ftp://x.example/)":             "the link",
		head + "[l][r]\n\n[r]: vbscript:x":         "the link",
		head + "<ftp://x.example/>":                "the link",
		head + "- a\n- b\n- [l](file:///etc/x)":    "line 7: the link",
	} {
		if _, err := markdown([]byte(src)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", src, err, want)
		}
	}
	r, err := markdown([]byte(head + "## Part\n\n[out](https://x.example/a?b=c \"t\") [in](/.crmgate/) <dpo@x.example> <https://y.example> [m](mailto:a@x.example) [t](tel:+4930123)\n\n`<b>` &lt;i&gt;\n\n| a | b |\n|---|:-:|\n| 1 | 2 |\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`href="https://x.example/a?b=c"`, `rel="noopener noreferrer"`, `target="_blank"`, `<a href="/.crmgate/">`, `href="mailto:dpo@x.example"`,
		`href="tel:+4930123"`, "<code>&lt;b&gt;</code>", "&lt;i&gt;", "<table>",
	} {
		if !strings.Contains(string(r.body), want) {
			t.Errorf("%s isn't in %s", want, r.body)
		}
	}
}

func quizOf(parts ...string) string {
	return "questions:\n- ask: {de: F, en: Q}\n  why: {de: W, en: Y}\n  answers:\n  - {de: a, en: a, right: true}\n" + strings.Join(parts, "\n")
}

func TestQuizIsReadStrictly(t *testing.T) {
	if _, err := readQuiz([]byte(quizOf("  - {de: b, en: b}"))); err != nil {
		t.Error(err)
	}
	for src, want := range map[string]string{
		"":                                      "empty",
		"questions: []":                         "line 1: questions is a list",
		"question: []":                          `line 1: unknown word "question"`,
		"[a]":                                   "line 1: here stand questions",
		quizOf("  - {de: b, en: b}", "more: 1"): `line 7: unknown word "more"`,
		quizOf("  - {de: b, en: b, rigth: true}"):                                       `line 6: unknown word "rigth"`,
		quizOf("  - {de: b}"):                                                           `line 6: the text in "en" is missing`,
		quizOf("  - {de: b, en: ' '}"):                                                  `line 6: the text in "en" is missing`,
		quizOf("  - {de: b, en: b, right: yes}"):                                        "line 6: right is true or false",
		quizOf("  - {de: b, en: b, right: 'true'}"):                                     "right is true or false",
		quizOf("  - {de: b, en: b, right: true}"):                                       "all of the answers are right",
		quizOf("  - {de: a, en: c}"):                                                    "line 6: this answer stands there twice",
		quizOf("  - {de: b, de: c, en: b}"):                                             "line 6: de stands there twice",
		quizOf():                                                                        "answers is a list of 2",
		quizOf("  - {de: &x b, en: *x}"):                                                "anchors",
		quizOf("  - {de: [b], en: b}"):                                                  "line 6",
		quizOf("  - {de: b, en: b}", "---", "a: b"):                                     "one YAML document",
		quizOf("  - {de: " + strings.Repeat("x", 1001) + ", en: b}"):                    "at most 1000",
		strings.Replace(quizOf("  - {de: b, en: b}"), ", right: true", "", 1):           "none of the answers is right",
		strings.Replace(quizOf("  - {de: b, en: b}"), "  why: {de: W, en: Y}\n", "", 1): "why is missing",
		strings.Replace(quizOf("  - {de: b, en: b}"), "en: Q", "fr: Q", 1):              `unknown word "fr"`,
	} {
		if _, err := readQuiz([]byte(src)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", src, err, want)
		}
	}
}

func FuzzQuizAndText(f *testing.F) {
	for _, name := range []string{BuiltinDE, BuiltinQuiz} {
		file, err := Builtin(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(file.Raw))
	}
	f.Add("# T\n\n[a](https://x.example) <i> ![b](c)\n")
	f.Add(quizOf("  - {de: &x b, en: *x}"))
	// Whatever is taken, a page of it holds no script, no picture, and no link elsewhere
	// than it may lead to.
	f.Fuzz(func(t *testing.T, src string) {
		if quiz, err := readQuiz([]byte(src)); err == nil && len(quiz) == 0 {
			t.Error("a quiz without a question")
		}
		r, err := markdown([]byte(src))
		if err != nil {
			return
		}
		nodes, err := html.ParseFragment(strings.NewReader(string(r.body)), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range nodes {
			harmless(t, n)
		}
	})
}

func harmless(t *testing.T, n *html.Node) {
	t.Helper()
	if n.Type == html.ElementNode && slices.Contains([]string{"script", "img", "iframe", "form", "style", "object", "input", "svg", "base", "meta", "link"}, n.Data) {
		t.Errorf("the text holds <%s>", n.Data)
	}
	for _, a := range n.Attr {
		u, err := url.Parse(a.Val)
		switch {
		case strings.HasPrefix(a.Key, "on"), a.Key == "style" && !strings.HasPrefix(a.Val, "text-align:"):
			t.Errorf("the text holds %s=%q", a.Key, a.Val)
		case a.Key == "href" && (err != nil || !slices.Contains([]string{"https", "http", "mailto", "tel", ""}, u.Scheme)):
			t.Errorf("a link leads to %q", a.Val)
		}
	}
	for c := range n.ChildNodes() {
		harmless(t, c)
	}
}

func TestLoadNamesTheFile(t *testing.T) {
	for want, change := range map[string]func(s *Source){
		"builtin/rules.de.md: line":        func(s *Source) { s.DE.Raw = []byte("# T\n\n<b>") },
		"builtin/rules.md: it isn't":    func(s *Source) { s.EN.Raw = []byte("# T\n\n\xff") },
		"builtin/quiz.yaml: the quiz is":   func(s *Source) { s.Quiz.Raw = nil },
		"builtin/quiz.yaml: it has 262145": func(s *Source) { s.Quiz.Raw = make([]byte, fileLimit+1) },
	} {
		s := shipped(t)
		change(&s)
		if _, err := Load(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// fill answers a sheet: every question rightly but those in wrong.
func fill(s *Sheet, wrong ...int) url.Values {
	form := url.Values{}
	for i := range s.rules.quiz {
		for _, a := range s.answers(i) {
			if a.right != slices.Contains(wrong, i) {
				form.Add(field(i), a.name)
			}
		}
	}
	return form
}

func TestOnlyRightAnswersToAllAreAllRight(t *testing.T) {
	s := loaded(t).Sheet([32]byte{1}, "session")
	if v := s.Judge(fill(s)); !v.AllRight() {
		t.Errorf("right answers: %+v", v)
	}
	for i := range s.rules.quiz {
		if v := s.Judge(fill(s, i)); v.AllRight() || !slices.Equal(v.wrong, []int{i}) || len(v.open) > 0 {
			t.Errorf("question %d is wrong: %+v", i, v)
		}
		form := fill(s)
		form.Del(field(i))
		if v := s.Judge(form); v.AllRight() || !slices.Equal(v.open, []int{i}) {
			t.Errorf("question %d is open: %+v", i, v)
		}
		form = fill(s)
		for _, a := range s.answers(i) {
			form.Add(field(i), a.name) // all of them
		}
		if v := s.Judge(form); v.AllRight() {
			t.Errorf("question %d is answered with everything, and that is right", i)
		}
	}
	many := s.Judge(fill(s, 0, 2))
	if many.AllRight() || !slices.Equal(many.again(), []int{0, 2}) {
		t.Errorf("two are wrong: %+v", many)
	}
	if s.Judge(nil).AllRight() || s.Judge(url.Values{"q1": {"true"}, "q2": {"right"}}).AllRight() {
		t.Error("no answers are right")
	}
}

// The answers of one session, version or key are nothing in another.
func TestAnswersAreOfTheirSession(t *testing.T) {
	r := loaded(t)
	mine := fill(r.Sheet([32]byte{1}, "mine"))
	src := shipped(t)
	src.DE.Raw = append(slices.Clone(src.DE.Raw), "\nMehr.\n"...)
	other, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*Sheet{
		"another's session": r.Sheet([32]byte{1}, "theirs"), "another key": r.Sheet([32]byte{2}, "mine"), "another version": other.Sheet([32]byte{1}, "mine"),
	} {
		if v := s.Judge(mine); v.AllRight() || len(v.open) != len(r.quiz) {
			t.Errorf("%s takes the answers: %+v", name, v)
		}
	}
	if !r.Sheet([32]byte{1}, "mine").Judge(mine).AllRight() {
		t.Error("the same sheet made anew doesn't take them")
	}
}

// Neither place nor name says which answer is right.
func TestTheOrderOfAnswersTellsNothing(t *testing.T) {
	r := loaded(t)
	const sessions = 200
	first := make([]int, len(r.quiz))
	for n := range sessions {
		s := r.Sheet([32]byte{7}, fmt.Sprint(n))
		for i := range r.quiz {
			if s.answers(i)[0].right {
				first[i]++
			}
		}
	}
	for i, n := range first {
		share := 0
		for _, a := range r.quiz[i].answers {
			if a.right {
				share++
			}
		}
		want := sessions * share / len(r.quiz[i].answers)
		if n < want/2 || n > want*2 {
			t.Errorf("question %d has a right answer first %d times of %d, want about %d", i, n, sessions, want)
		}
	}
}

func TestPagesHoldNoAnswer(t *testing.T) {
	r := loaded(t)
	s := r.Sheet([32]byte{3}, "session")
	wrong := s.Judge(fill(s, 1, 4))
	for _, lang := range []string{German, English} {
		for name, p := range map[string]Page{
			"first": {Sheet: s, ReturnTo: "/a?b=c"}, "again": {Sheet: s, Verdict: wrong, ReturnTo: "/"}, "changed": {Sheet: s, Changed: true, ReturnTo: "/"},
		} {
			body, policy := r.Render(lang, p)
			for _, no := range []string{"unsafe", "https:", "img-src", "*"} {
				if strings.Contains(policy, no) {
					t.Errorf("%s in %s: policy %s", name, lang, policy)
				}
			}
			if form := questionsOf(t, body); strings.Contains(form, "checked") || strings.Contains(form, "selected") {
				t.Errorf("%s in %s: something is chosen already", name, lang)
			}
			for i := range r.quiz {
				for _, a := range s.answers(i) {
					// What was answered rightly is sent along; of what is asked again, all answers look alike.
					n := strings.Count(string(body), a.name)
					asked := p.Verdict == nil || slices.Contains(p.Verdict.again(), i)
					if asked && n != 1 || !asked && n != map[bool]int{true: 1, false: 0}[a.right] {
						t.Errorf("%s in %s: an answer of question %d is there %d times", name, lang, i, n)
					}
				}
				if why := r.quiz[i].why.In(lang); strings.Contains(string(body), html.EscapeString(why)) != (p.Verdict != nil && slices.Contains(wrong.wrong, i)) {
					t.Errorf("%s in %s: the reason of question %d", name, lang, i)
				}
			}
		}
	}
}

// questionsOf cuts the form out of a page.
func questionsOf(t *testing.T, body []byte) string {
	t.Helper()
	_, after, ok := strings.Cut(string(body), "<form")
	form, _, closed := strings.Cut(after, "</form>")
	if !ok || !closed {
		t.Fatalf("no form in %s", body)
	}
	return form
}

func TestNothingOnThePageBreaksOut(t *testing.T) {
	r := loaded(t)
	s := r.Sheet([32]byte{3}, "session")
	for _, to := range []string{`/"><script>alert(1)</script>`, `javascript:alert(1)`, `/'onmouseover=x`, "/</script>"} {
		for _, p := range []Page{{Sheet: s, ReturnTo: to}, {ReturnTo: to}, {ReturnTo: to, Print: true}} {
			body, policy := r.Render(German, p)
			if n := strings.Count(string(body), "<script"); n > 1 || n == 1 && p.Sheet == nil || strings.Contains(string(body), `href="javascript`) || strings.Contains(string(body), "alert(1)<") {
				t.Errorf("%q: %d scripts", to, n)
			}
			if strings.Contains(policy, "script-src") != (p.Sheet != nil) {
				t.Errorf("policy %s", policy)
			}
		}
	}
	body, _ := r.Render(German, Page{Sheet: s, Print: true, ReturnTo: "/"})
	if strings.Contains(string(body), "<form") || strings.Contains(string(body), "<header") {
		t.Error("the print view has a form or a header")
	}
}
