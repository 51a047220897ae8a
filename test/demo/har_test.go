package demo

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// recordHAR asks the CRM itself, without the gate, and writes what browsers
// export: har FILE PATH...
func recordHAR(ts *testscript.TestScript, _ bool, args []string) {
	h := houseOf(ts)
	var entries []any
	for _, path := range args[1:] {
		entries = append(entries, recordEntry(ts, h.upstream+path))
	}
	raw, err := json.Marshal(map[string]any{"log": map[string]any{
		"version": "1.2", "creator": map[string]any{"name": "test", "version": "1"}, "entries": entries,
	}})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), raw, 0o600))
}

func recordEntry(ts *testscript.TestScript, url string) any {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	ts.Check(err)
	r.Header.Set("Accept", "*/*")
	r.Header.Set("Accept-Language", "en")
	resp, err := (&http.Client{Timeout: patience}).Do(r)
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	return map[string]any{
		"startedDateTime": "2026-01-01T00:00:00.000Z", "time": 1,
		"request": map[string]any{
			"method": "GET", "url": url, "httpVersion": "HTTP/2",
			"headers": append(named(r.Header), map[string]string{"name": ":authority", "value": r.Host}),
		},
		"response": map[string]any{
			"status": resp.StatusCode, "headers": named(resp.Header),
			"content": map[string]any{"size": len(body), "mimeType": resp.Header.Get("Content-Type"), "text": string(body)},
		},
	}
}

func named(h http.Header) []map[string]string {
	var list []map[string]string
	for k, vs := range h {
		for _, v := range vs {
			list = append(list, map[string]string{"name": k, "value": v})
		}
	}
	return list
}

// sameAnswer compares what `get` printed with what `explain --json` says that
// the gate answers: sameanswer GOT EXPLAINED.
func sameAnswer(ts *testscript.TestScript, _ bool, args []string) {
	_, got, _ := strings.Cut(ts.ReadFile(args[0]), "Audit-Id: ")
	_, got, _ = strings.Cut(got, "\n")
	var explained struct {
		Answer struct{ Body string }
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &explained))
	if got != explained.Answer.Body+"\n" {
		ts.Fatalf("the gate answers\n%s\nexplain says\n%s", got, explained.Answer.Body)
	}
}
