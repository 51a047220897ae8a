package command

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/consent"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// A file is brought in by parts, and one that can't be read whole not at all.
func TestConsentsAreBroughtInByParts(t *testing.T) {
	var file strings.Builder
	file.WriteString("email,purpose,channel,state,at\n")
	for i := range 450 {
		fmt.Fprintf(&file, "p%d@example.org,newsletter,email,confirmed,2025-05-01T12:30:00Z\n", i)
	}
	var parts []int
	send := func(q *crmgate.ConsentsAsked) (*consent.Report, error) {
		parts = append(parts, len(q.Rows))
		return &consent.Report{Rows: len(q.Rows), Taken: len(q.Rows) - 1, Refused: []consent.RefusedRow{{Line: q.Rows[0].Line, Why: "x"}}}, nil
	}
	got, err := importRows(strings.NewReader(file.String()), crmgate.ConsentsAsked{}, send)
	if err != nil || fmt.Sprint(parts) != "[200 200 50]" || got.Rows != 450 || got.Taken != 447 || len(got.Refused) != 3 || got.Refused[1].Line != 202 {
		t.Errorf("importRows = %+v, %v, in parts of %v", got, err, parts)
	}
	parts = nil
	if _, err := importRows(strings.NewReader(file.String()+"one,two\n"), crmgate.ConsentsAsked{}, send); err == nil || len(parts) != 0 {
		t.Errorf("a broken file: %v, in parts of %v", err, parts)
	}
	var out bytes.Buffer
	if err := showImport(&out, got, false, true); err == nil || !strings.Contains(out.String(), "line 202: x\n") || !strings.Contains(out.String(), "It would be: 450 rows") {
		t.Errorf("it prints %q, %v", out.String(), err)
	}
}
