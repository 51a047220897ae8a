package gate

import (
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func TestPassivePathsAreExactOrAllBelow(t *testing.T) {
	t.Parallel()
	h := &Handler{Passive: []string{"/poll", "/presence/*"}}
	for path, want := range map[string]bool{
		"/poll": true, "/presence/": true, "/presence/a/b": true,
		"/poll/": false, "/pollute": false, "/presence": false, "/presences/a": false, "/x/poll": false, "/": false,
	} {
		if got := h.passive(path); got != want {
			t.Errorf("passive(%q) = %v", path, got)
		}
	}
	for _, p := range []string{"/*", "poll", "/a*", "/a/*/b", "/a//b", "*", "/a?x=1", "/{x}", "/a#b", ""} {
		h := &Handler{Passive: []string{p}}
		if err := h.checkSessions(); err == nil {
			t.Errorf("passive %q is taken", p)
		}
		if err := h.unmarshalPassive(words("passive", p)); err == nil || !strings.Contains(err.Error(), "passive") {
			t.Errorf("passive %q in a Caddyfile: %v", p, err)
		}
	}
}

// words is a line of a Caddyfile, read up to its first word.
func words(line ...string) *caddyfile.Dispenser {
	for i := range line {
		line[i] = `"` + line[i] + `"`
	}
	d := caddyfile.NewTestDispenser(strings.Join(line, " "))
	d.Next()
	return d
}

func TestSessionLine(t *testing.T) {
	t.Parallel()
	h := &Handler{}
	if err := h.unmarshalSession(words("session", "per_employee", "3", "idle", "5m")); err != nil || h.SessionsPerEmployee != 3 || h.SessionIdle == 0 {
		t.Errorf("session line: %+v, %v", h, err)
	}
	for _, bad := range []string{"0", "-1", "many", "1.5"} {
		if err := h.unmarshalSession(words("session", "per_employee", bad)); err == nil || !strings.Contains(err.Error(), "write 5") {
			t.Errorf("per_employee %s: %v", bad, err)
		}
	}
	if err := h.unmarshalSession(words("session", "per_person", "3")); err == nil || !strings.Contains(err.Error(), `nearest: "per_employee"`) {
		t.Errorf("an unknown word: %v", err)
	}
	if err := (&Handler{SessionsPerEmployee: -1}).checkSessions(); err == nil {
		t.Error("a negative limit in JSON is taken")
	}
}
