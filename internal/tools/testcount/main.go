// Command testcount reads what `go test -json` prints: it shows a line for each
// package and the whole output of what failed, and appends a line of three
// numbers (passed, failed, skipped) to the file named by its first argument. It
// exits with status 1 if anything failed or nothing ran. A second argument names
// a file that gets a line `PACKAGE TEST` for each top-level test that failed; the
// line has no TEST where a package failed as a whole.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// event is what test2json and the go command write.
type event struct {
	Action, Package, ImportPath, Test, Output string
	Elapsed                                   float64
}

// counter adds up events. Output is kept until its test has passed.
type counter struct {
	passed, failed, skipped int
	output                  map[string]*strings.Builder
	failedIn                map[string]int
	testsIn                 map[string]int
	failures                []string
}

func main() {
	c := &counter{output: map[string]*strings.Builder{}, failedIn: map[string]int{}, testsIn: map[string]int{}}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		var e event
		if json.Unmarshal(in.Bytes(), &e) != nil {
			fmt.Println(in.Text()) // the go command's own words
			continue
		}
		c.add(e)
	}
	if err := in.Err(); err != nil {
		fmt.Fprintln(os.Stderr, "reading test events:", err)
		c.failed++
	}
	if c.passed+c.failed+c.skipped == 0 {
		fmt.Println("no test ran")
		c.failed++
	}
	if err := c.write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "writing the counts:", err)
		os.Exit(1)
	}
	if len(os.Args) > 2 {
		if err := os.WriteFile(os.Args[2], []byte(strings.Join(c.failures, "")), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "writing the failures:", err)
			os.Exit(1)
		}
	}
	if c.failed > 0 {
		os.Exit(1)
	}
}

func (c *counter) write(name string) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(f, c.passed, c.failed, c.skipped); err != nil {
		return err
	}
	return f.Close()
}

func (c *counter) add(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		if c.output[key] == nil {
			c.output[key] = &strings.Builder{}
		}
		c.output[key].WriteString(e.Output)
	case "build-output":
		fmt.Print(e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			c.endPackage(e)
		} else {
			c.endTest(e)
		}
		delete(c.output, key)
	}
}

func (c *counter) endTest(e event) {
	c.testsIn[e.Package]++
	switch e.Action {
	case "pass":
		c.passed++
	case "skip":
		c.skipped++
	case "fail":
		c.failed++
		c.failedIn[e.Package]++
		if !strings.Contains(e.Test, "/") {
			c.failures = append(c.failures, e.Package+" "+e.Test+"\n")
		}
		c.show(e)
	}
}

func (c *counter) endPackage(e event) {
	switch {
	case e.Action != "fail":
		if n := c.testsIn[e.Package]; n > 0 {
			fmt.Printf("ok    %6.1fs %5d tests  %s\n", e.Elapsed, n, e.Package)
		}
	case c.failedIn[e.Package] == 0: // it didn't build, panicked or ran out of time
		c.failed++
		c.failures = append(c.failures, e.Package+"\n")
		c.showUnfinished(e.Package)
		c.show(e)
		fallthrough
	default:
		fmt.Printf("FAIL  %6.1fs %5d tests  %s\n", e.Elapsed, c.testsIn[e.Package], e.Package)
	}
}

// showUnfinished prints what the tests said that a panic or a timeout ended.
func (c *counter) showUnfinished(pkg string) {
	for key, out := range c.output {
		if strings.HasPrefix(key, pkg+" ") && key != pkg+" " {
			fmt.Print(out.String())
		}
	}
}

func (c *counter) show(e event) {
	if out := c.output[e.Package+" "+e.Test]; out != nil {
		fmt.Print(out.String())
	}
}
