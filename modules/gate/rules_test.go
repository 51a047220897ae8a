package gate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/rules"
)

// ruledHandler reads a block of rules as Caddy does, and loads them.
func ruledHandler(block string, desk bool) (*Handler, error) {
	h := &Handler{logger: zap.NewNop()}
	d := caddyfile.NewTestDispenser("rules " + block)
	d.Next()
	if err := h.unmarshalRules(d); err != nil {
		return nil, err
	}
	if desk {
		h.DeskRaw = []byte("{}")
	}
	return h, h.loadHouseRules()
}

func TestRulesOfTheHouseAreJudgedAtLoad(t *testing.T) {
	dir := t.TempDir()
	for name, builtin := range map[string]string{"de.md": rules.BuiltinDE, "en.md": rules.BuiltinEN, "quiz.yaml": rules.BuiltinQuiz} {
		f, err := rules.Builtin(builtin)
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, name, string(f.Raw))
	}
	write(t, dir, "html.md", "# T\n\n<b>x</b>\n")
	own := fmt.Sprintf("text %[1]s/de.md %[1]s/en.md\n", dir)
	builtin, err := ruledHandler("{\n text builtin\n quiz builtin\n}", false)
	if err != nil {
		t.Fatal(err)
	}
	for block, files := range map[string]int{"": 0, "{\n every 90d\n for role sales\n except role x\n}": 0, "{\n" + own + "quiz builtin\n}": 2, "{\n" + own + "quiz " + dir + "/quiz.yaml\n}": 3} {
		h, err := ruledHandler(block, false)
		if err != nil {
			t.Errorf("%q: %v", block, err)
			continue
		}
		if v := h.HouseRules.loaded.Version(); v != builtin.HouseRules.loaded.Version() || len(h.HouseRules.files()) != files {
			t.Errorf("%q: version %s, files %q", block, v, h.HouseRules.files())
		}
	}
	if every := time.Duration(builtin.HouseRules.Every); every != 365*24*time.Hour {
		t.Errorf("every %s", every)
	}
	for block, want := range map[string]string{
		"x":                    "rules takes a block",
		"{\n txet builtin\n}":  `nearest: "text"`,
		"{\n text a.md\n}":     "text takes",
		"{\n text a b c\n}":    "text takes",
		"{\n" + own + "}":      "takes a quiz",
		"{\n quiz\n}":          "quiz takes one path",
		"{\n every\n}":         "every takes a duration",
		"{\n every never\n}":   "is no duration",
		"{\n every 1h\n}":      "it takes 1 to 1100 days",
		"{\n every 2000d\n}":   "it takes 1 to 1100 days",
		"{\n for sales\n}":     "for takes `role`",
		"{\n except role\n}":   "except takes `role`",
		"{\n for role *\n}":    `"*" is no role`,
		"{\n for role a a\n}":  "stands there twice",
		"{\n names role hr\n}": "there is no desk",
		"{\n text /no/de.md /no/en.md\n quiz builtin\n}":                         "no such file",
		fmt.Sprintf("{\n text %[1]s/html.md %[1]s/en.md\n quiz builtin\n}", dir): "html.md: line 3: HTML",
		fmt.Sprintf("{\n quiz %[1]s/html.md\n}", dir):                            "html.md: ",
	} {
		if _, err := ruledHandler(block, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", block, err, want)
		}
	}
	if _, err := ruledHandler("{\n names role hr\n}", true); err != nil {
		t.Error(err)
	}
	half := &Handler{logger: zap.NewNop(), HouseRules: &HouseRules{TextDE: dir + "/de.md", Quiz: "builtin"}}
	if err := half.loadHouseRules(); err == nil || !strings.Contains(err.Error(), "one language alone") {
		t.Errorf("a text in one language: %v", err)
	}
}

func TestRulesConcernWhomTheyName(t *testing.T) {
	for _, c := range []struct {
		rules HouseRules
		roles []string
		want  bool
	}{
		{HouseRules{}, []string{"sales"}, true},
		{HouseRules{}, nil, true},
		{HouseRules{ForRoles: []string{"sales"}}, []string{"support"}, false},
		{HouseRules{ForRoles: []string{"sales"}}, []string{"support", "sales"}, true},
		{HouseRules{ExceptRoles: []string{"emergency"}}, []string{"sales", "emergency"}, false},
		{HouseRules{ForRoles: []string{"sales"}, ExceptRoles: []string{"emergency"}}, []string{"sales"}, true},
	} {
		if got := c.rules.concern(c.roles); got != c.want {
			t.Errorf("%+v concern %q: %t, want %t", c.rules, c.roles, got, c.want)
		}
	}
}

func TestChangedRulesAreAnotherConfiguration(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"de.md", "en.md", "quiz.yaml"} {
		write(t, dir, name, "one")
	}
	h := &Handler{Profile: "demo", HouseRules: &HouseRules{TextDE: dir + "/de.md", TextEN: dir + "/en.md", Quiz: dir + "/quiz.yaml"}}
	first := h.filesNow()
	for _, name := range []string{"de.md", "en.md", "quiz.yaml"} {
		write(t, dir, name, "two")
		if h.filesNow() == first || first == "" {
			t.Errorf("a changed %s is the same configuration", name)
		}
		write(t, dir, name, "one")
	}
}

func TestTheWayBackLeadsHomeAlone(t *testing.T) {
	for raw, want := range map[string]string{
		"/contacts?q=a": "/contacts?q=a", "": "/", "https://evil.example/": "/", "//evil.example": "/", `/\evil.example`: "/", "/a#b": "/",
		"/.crmgate/rules": "/", "/.crmgate/rules?to=/x": "/", "/.crmgate/rules/print": "/", "/.crmgate/desk": "/.crmgate/desk", "/.crmgate/sign-out": "/",
		"/" + strings.Repeat("a", 4000): "/",
	} {
		if got := wayBack(raw); got != want {
			t.Errorf("%.40q leads to %q, want %q", raw, got, want)
		}
	}
	if at := rulesFor("/contacts?a=b&c=d"); at != "/.crmgate/rules?to=%2Fcontacts%3Fa%3Db%26c%3Dd" {
		t.Errorf("the rules are at %q", at)
	}
}
