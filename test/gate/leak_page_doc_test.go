package gate_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
)

const leakDoc = "../../docs/leaks.md"

// leakHead stands before the table.
const leakHead = `# How a masking gateway leaks

What can go wrong when a gateway masks what it doesn't understand, and what this one does about each way. The page is made of
the tests: ` + "`UPDATE=1 go test ./test/gate -run TestLeakPageIsFresh`" + `. To see them run: ` + "`go test -v -run TestLeak ./test/gate`" + `.

Each case has a control: who may see the values does see them by the same exchange, or the CRM alone would have shown them.

- **masked**: the answer comes, without the values.
- **withheld**: the answer is not released.
- **refused**: the question is not forwarded for a role that may not see what it asks about.
- **closed**: it is not forwarded for anybody, until a profile describes it.
- **defended**: the case says what has to be.
- **out of reach**: nothing that passes the gateway can prevent it.

| | way | | what is done |
|---|---|---|---|
`

// TestLeakPageIsFresh keeps the page what the tests are.
func TestLeakPageIsFresh(t *testing.T) {
	var page strings.Builder
	page.WriteString(leakHead)
	for _, l := range leaks() {
		fmt.Fprintf(&page, "| %d | %s | %s | %s |\n", l.n, strings.ReplaceAll(l.name, "-", " "), l.verdict, l.says)
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(leakDoc, []byte(page.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(leakDoc)
	if err != nil || !bytes.Equal(got, []byte(page.String())) {
		t.Errorf("%s is stale (%v): run UPDATE=1 go test ./test/gate -run TestLeakPageIsFresh", leakDoc, err)
	}
}

// TestLeakListIsComplete: every number from 1 to 116 is there, in order, and what
// isn't out of reach is tried.
func TestLeakListIsComplete(t *testing.T) {
	at := 0
	for _, l := range leaks() {
		if l.n != at && l.n != at+1 {
			t.Errorf("behind %d comes %d", at, l.n)
		}
		at = l.n
		if (l.verdict == beyond) != (len(l.tries) == 0) {
			t.Errorf("%d %s is %s and has %d tries", l.n, l.name, l.verdict, len(l.tries))
		}
	}
	if at != 116 {
		t.Errorf("the last one is %d", at)
	}
}
