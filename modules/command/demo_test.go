package command

import (
	"bytes"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/demo/provider"
)

func TestAnnouncementSaysWhoCanSignInAndWhatTheySee(t *testing.T) {
	h := &house{url: "http://localhost:8080/", state: &state{dir: "/tmp/a demo"}}
	var b bytes.Buffer
	if err := h.announce(&b, false); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	for _, e := range provider.Employees() {
		var line string
		for _, l := range lines {
			if strings.HasPrefix(strings.TrimSpace(l), e.Login+" ") {
				line = l
			}
		}
		if !strings.Contains(line, e.Password) || !strings.Contains(line, strings.Join(e.Roles, ", ")) {
			t.Errorf("%s: the line is %q", e.Login, line)
		}
	}
	for _, want := range []string{
		"http://localhost:8080/", "name, email clear; phone partial; address generalise; the rest hidden", "everything clear",
		"refused at sign-in", "of their own free text clear", "crmgate audit search --data '/tmp/a demo' --record contact/1001",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the announcement lacks %q:\n%s", want, b.String())
		}
	}
}

func TestDemoListensOnThisMachineAlone(t *testing.T) {
	for _, addr := range []string{":8080", "0.0.0.0:8080", "[::]:8080", "192.0.2.1:80", "example.com:80", "localhost", "localhost.evil.example:80"} {
		if s, err := parseListen(addr); err == nil || !strings.Contains(err.Error(), "--listen "+addr) {
			t.Errorf("parseListen(%q) = %+v, %v", addr, s, err)
		}
	}
	for _, addr := range []string{"localhost:8080", "127.0.0.1:0", "[::1]:80"} {
		if _, err := parseListen(addr); err != nil {
			t.Error(err)
		}
	}
}
