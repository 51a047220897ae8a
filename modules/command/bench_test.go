package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	_ "github.com/crmgate/crmgate/modules/store/sqlite"
)

// buildCRMGate builds the binary that the bench starts its variants from.
func buildCRMGate(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "crmgate")
	if out, err := exec.Command("go", "build", "-ldflags", "-s -w", "-o", bin, "../../cmd/crmgate").CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	return bin
}

func TestBenchMeasuresEachVariantAndChecksItself(t *testing.T) {
	bin := buildCRMGate(t)
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	var said, complained bytes.Buffer
	cmd := exec.Command(bin, "bench", "--bodies", "2k,html60k", "--conns", "1,8", "--seconds", "0.05", "--rounds", "1", "--json")
	cmd.Stdout, cmd.Stderr = &said, &complained
	if err := cmd.Run(); err != nil {
		t.Fatalf("bench: %v\n%s", err, &complained)
	}
	d := json.NewDecoder(&said)
	d.DisallowUnknownFields()
	var results []benchResult
	if err := d.Decode(&results); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, r := range results {
		seen[r.Route+" "+r.Body+" "+r.Proto]++
		if r.Conns != 1 && r.Conns != 8 || r.CPU <= 0 || r.RPS <= 0 || r.P50 <= 0 || r.P99 < r.P50 || r.RSS <= 0 {
			t.Errorf("no measurement: %+v", r)
		}
		if r.CPURatio <= 0 || r.Route == "plain" && r.CPURatio != 1 {
			t.Errorf("%s has the ratio %v", r.Route, r.CPURatio)
		}
	}
	routes := []string{"plain", "pass", "mask_log"}
	if inMemory("/dev/shm") {
		routes = append(routes, "mask")
	}
	for _, route := range routes {
		for _, what := range []string{"2k HTTP/1.1", "2k HTTP/2", "html60k HTTP/1.1", "html60k HTTP/2"} {
			if n := seen[route+" "+what]; n != 2 {
				t.Errorf("%s with %s was measured %d times, want once with each number of connections", route, what, n)
			}
		}
	}
	t.Run("a stream is compared with its first cycle and its entries", func(t *testing.T) {
		b := &bench{benchOptions: benchOptions{seconds: .05, rounds: 2, conns: []int{1, 8}, protos: []string{benchHTTP1, benchHTTP2}}, plan: newBenchPlan(newBenchStream("1m", 100_000, 1_000_000)), self: bin, warnings: &complained}
		results, err := b.measure(t.Context())
		if err != nil || len(results) != 2*len(routes) {
			t.Errorf("measured %d results, %v", len(results), err)
		}
	})

	t.Run("a policy that shows a value gives no numbers", func(t *testing.T) {
		plan := newBenchPlan(newBenchPage("html", 10_000))
		plan.policy = strings.Replace(plan.policy, "email,     search, partial", "email,     search, clear", 1)
		b := &bench{benchOptions: benchOptions{seconds: .05, rounds: 1, conns: []int{1}, protos: []string{benchHTTP1}}, plan: plan, self: bin, warnings: &complained}
		results, err := b.measure(t.Context())
		if err == nil || len(results) > 0 || !strings.Contains(err.Error(), "in clear") {
			t.Errorf("measured %d results, %v", len(results), err)
		}
	})
	t.Run("a variant that can't start says why", func(t *testing.T) {
		plan := newBenchPlan(newBenchList("2k", 2_000))
		plan.policy = "p, bench, nobody\n"
		b := &bench{benchOptions: benchOptions{seconds: .05, rounds: 1, conns: []int{1}, protos: []string{benchHTTP1}}, plan: plan, self: bin, warnings: &complained}
		if _, err := b.measure(t.Context()); !errors.Is(err, errBenchExited) || !strings.Contains(err.Error(), "policy.csv") {
			t.Errorf("got %v", err)
		}
	})
	if left, err := filepath.Glob(filepath.Join(tmp, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// maskedAnswer is a right answer to a body.
func maskedAnswer(b *benchBody) benchList {
	list := benchList{Total: len(b.contacts)}
	for i, c := range b.contacts {
		c.Name, c.Email, c.Phone, c.IBAN, c.BirthDate = "P-AAAA", "e******@masked.invalid", "+49 ••••••00", "••••••", "1900-01-01"
		if c.own() {
			c.Notes = benchBefore(i) + c.Email + benchAfter
		} else {
			c.Notes = "••••••"
		}
		list.Items = append(list.Items, c)
	}
	return list
}

func TestBenchFindsWhatMaskingMissed(t *testing.T) {
	b := newBenchList("2k", 2000)
	if err := checkMasked(b, benchJSON(maskedAnswer(b))); err != nil {
		t.Fatalf("a right answer: %v", err)
	}
	for name, breaks := range map[string]func(l *benchList){
		"an e-mail address in clear":     func(l *benchList) { l.Items[1].Email = b.contacts[1].Email },
		"a name in the free text":        func(l *benchList) { l.Items[0].Notes = benchBefore(0) + b.contacts[2].Name + benchAfter },
		"capital letters":                func(l *benchList) { l.Items[0].Company = strings.ToUpper(b.contacts[0].Email) },
		"an emptied value":               func(l *benchList) { l.Items[1].IBAN = "" },
		"a foreign free text in clear":   func(l *benchList) { l.Items[1].Notes = benchBefore(1) + benchAfter },
		"an own free text that is gone":  func(l *benchList) { l.Items[0].Notes = "••••••" },
		"a changed public field":         func(l *benchList) { l.Items[1].Company = "••••••" },
		"a missing record":               func(l *benchList) { l.Items = l.Items[1:] },
		"records in another order":       func(l *benchList) { l.Items[0], l.Items[2] = l.Items[2], l.Items[0] },
		"a total that was not passed on": func(l *benchList) { l.Total = 0 },
	} {
		list := maskedAnswer(b)
		breaks(&list)
		if err := checkMasked(b, benchJSON(list)); err == nil {
			t.Errorf("%s passed the check", name)
		}
	}
}

func TestBenchFindsAnAnswerWithoutItsEntries(t *testing.T) {
	b := newBenchList("2k", 2000)
	plan := newBenchPlan(b)
	entry := func() *access.Disclosure {
		d := &access.Disclosure{}
		for i := range b.contacts {
			d.Records = append(d.Records, access.DisclosedRecord{
				Record:  access.Record{Entity: "contact", Type: "contact", ID: b.contacts[i].ID},
				Treated: b.contacts[i].treated(),
			})
		}
		return d
	}
	check := func(breaks func(d *access.Disclosure)) error {
		es := benchEntries{plan: &plan, disclosures: map[uint64]*benchDisclosure{}}
		d := entry()
		breaks(d)
		es.add(&audit.Entry{Disclosure: &access.Disclosure{Records: d.Records[:1]}})
		es.add(&audit.Entry{Disclosure: &access.Disclosure{Records: d.Records[1:]}})
		return checkDisclosure(b, es.disclosures[0])
	}
	if err := check(func(*access.Disclosure) {}); err != nil {
		t.Fatalf("a right entry: %v", err)
	}
	for name, breaks := range map[string]func(d *access.Disclosure){
		"a record left out":    func(d *access.Disclosure) { d.Records = d.Records[1:] },
		"a record named twice": func(d *access.Disclosure) { d.Records[1] = d.Records[0] },
		"a foreign record":     func(d *access.Disclosure) { d.Records[1].ID = "x" },
		"another treatment":    func(d *access.Disclosure) { d.Records[1].Treated[access.Email] = access.Hidden },
		"a category left out":  func(d *access.Disclosure) { delete(d.Records[1].Treated, access.Bank) },
	} {
		if err := check(breaks); err == nil {
			t.Errorf("%s passed the check", name)
		}
	}
}

func TestBenchFindsWhatMaskingMissedInAPage(t *testing.T) {
	b := newBenchPage("page", 4_000)
	page := func(breaks func(c []benchContact)) []byte {
		masked := *b
		masked.contacts = maskedAnswer(b).Items
		breaks(masked.contacts)
		raw := bytes.Clone(b.raw[:bytes.Index(b.raw, []byte("<tr class"))])
		for i := range masked.contacts {
			raw = append(raw, benchTableRow(&masked.contacts[i])...)
		}
		return raw
	}
	if err := checkMasked(b, page(func([]benchContact) {})); err != nil {
		t.Fatalf("a right answer: %v", err)
	}
	if err := checkMasked(b, page(func(c []benchContact) { c[1].Source = "x, " + b.contacts[2].Phone })); err == nil || !strings.Contains(err.Error(), "in clear") {
		t.Errorf("a value in clear: %v", err)
	}
	if err := checkMasked(b, page(func(c []benchContact) { c[1].Phone = "" })); err == nil {
		t.Error("an emptied cell passed the check")
	}
}

func TestBenchRatioIsMadeWithinItsRound(t *testing.T) {
	plain := benchCell{variant: &benchVariant{route: benchRoutes()[0]}, benchLoad: benchLoad{body: &benchBody{name: "2k", times: 1}, conns: 1}}
	gated := benchCell{variant: &benchVariant{route: benchRoutes()[2]}, benchLoad: benchLoad{body: &benchBody{name: "2k", times: 1}, conns: 1}}
	results := summarize([]benchCell{plain, gated}, [][]benchSample{
		{{cpu: 10}, {cpu: 100}, {cpu: 20}},
		{{cpu: 20}, {cpu: 200}, {cpu: 40}},
	})
	if results[0].CPURatio != 1 || results[1].CPURatio != 2 || results[1].CPU != 40 {
		t.Errorf("got %+v", results)
	}
}

func TestBenchReadsTheCostOfAProcess(t *testing.T) {
	cmd := exec.Command("sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo; read end")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	p := benchProcess{cmd.Process.Pid}
	used, err := p.cpu()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.resetPeak(); err != nil {
		t.Fatal(err)
	}
	rss, err := p.peak()
	if err != nil || rss <= 0 {
		t.Fatalf("peak %d, %v", rss, err)
	}
	if err := errors.Join(in.Close(), ignoreExit(cmd.Wait())); err != nil {
		t.Fatal(err)
	}
	if all := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(); used <= 0 || used > all+20*time.Millisecond {
		t.Errorf("read %v of %v", used, all)
	}
	if _, err := p.peak(); err == nil {
		t.Error("a process that has ended still has a peak")
	}
}

func ignoreExit(err error) error {
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil
	}
	return err
}
