package policy

import (
	"strings"
	"testing"
)

func runTests(t *testing.T, text string) ([]Result, error) {
	t.Helper()
	return office(t).RunTests(File{Name: "office_test.yaml", Bytes: []byte(text)})
}

func TestPolicyTestsTellRightFromWrong(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		`{ask: sales read contact email, want: partial}`:                                                                  true,
		`{ask: sales read contact email, want: clear}`:                                                                    false,
		`{ask: sales read contact email, want: partial, rule: "p, sales, contact, contact_data, read, partial, , allow"}`: true,
		`{ask: sales read contact email, want: partial, rule: "p, sales, contact, email, read, partial, , allow"}`:        false,
		`{ask: sales read contact email, want: partial, rule: none}`:                                                      false,
		`{ask: sales read contact special, want: hidden, rule: none}`:                                                     true,
		`{ask: sales read contact special, want: hidden, rule: "p, sales, contact, special, read, hidden, , allow"}`:      false,
		`{ask: sales read contact bank, facts: {own: true}, want: clear}`:                                                 true,
		`{ask: sales read contact bank, facts: {own: false}, want: clear}`:                                                false,
		`{ask: sales delete contact, facts: {own: true}, want: allowed}`:                                                  true,
		`{ask: sales delete contact, want: refused}`:                                                                      true,
		`{ask: sales export contact, want: no_policy}`:                                                                    true,
		`{ask: sales export contact, want: denied}`:                                                                       false,
		`{ask: boss+intern export contact, want: denied, rule: "p, intern, *, *, export, , , deny"}`:                      true,
		`{ask: boss+intern export contact name, want: refused}`:                                                           true,
		`{ask: boss+intern export contact name, want: hidden}`:                                                            false,
		`{ask: stranger read contact name, want: no_role}`:                                                                true,
		`{ask: sales read contact name, want: no_role}`:                                                                   false,
	} {
		results, err := runTests(t, "- "+text)
		if err != nil || len(results) != 1 {
			t.Errorf("%s: %v, %v", text, results, err)
			continue
		}
		if r := results[0]; r.OK != ok || r.Where != "office_test.yaml:1" {
			t.Errorf("%s: %+v, want OK %v", text, r, ok)
		}
	}
}

// A misspelt question is hidden or refused, which is what many cases want.
func TestMisspeltPolicyTestsAreErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                                      "office_test.yaml",
		`[]`:                                    "holds no case",
		`{}`:                                    "office_test.yaml",
		"- sales read contact name":             "a case is a mapping",
		`- {ask: sales read contact, wantt: x}`: `did you mean "want"?`,
		`- {ask: slaes read contact name, want: hidden}`:                              `no role "slaes"`,
		`- {ask: sales+slaes read contact name, want: hidden}`:                        `no role "slaes"`,
		`- {ask: sales raed contact name, want: hidden}`:                              `did you mean "read"?`,
		`- {ask: sales * contact name, want: hidden}`:                                 `action "*"`,
		`- {ask: sales read contcat name, want: hidden}`:                              `did you mean "contact"?`,
		`- {ask: sales read contact namme, want: hidden}`:                             `did you mean "name"?`,
		`- {ask: sales read contact name, want: hiden}`:                               `did you mean "hidden"?`,
		`- {ask: sales read contact name}`:                                            "want",
		`- {ask: sales read contact, want: clear}`:                                    "decision",
		`- {ask: sales read contact name x, want: clear}`:                             "5 words",
		`- {ask: sales read contact name, facts: {onw: true}, want: clear}`:           `"onw" is no fact`,
		`- {ask: sales read contact name, facts: {own: maybe}, want: clear}`:          "office_test.yaml:1",
		"- {ask: sales read contact name, want: clear}\n---\n- {ask: a, want: clear}": "second document",
	} {
		if results, err := runTests(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v; want an error that says %q", text, results, err, want)
		}
	}
}

func FuzzRunTests(f *testing.F) {
	f.Add("- {ask: sales read contact email, want: partial}")
	f.Add("- ask: sales+boss delete contact\n  facts: {own: true}\n  want: allowed\n  rule: none\n")
	s := office(f)
	f.Fuzz(func(t *testing.T, text string) {
		results, err := s.RunTests(File{Name: "fuzz.yaml", Bytes: []byte(text)})
		if err == nil && len(results) == 0 {
			t.Fatal("a file without a case passes")
		}
	})
}
