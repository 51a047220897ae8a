package gate_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"testing"
	"unicode/utf16"
)

type check = func(*testing.T, *reply, *scene)

func status(want int) check {
	return func(t *testing.T, r *reply, _ *scene) {
		t.Helper()
		r.want(t, want)
	}
}

func both(checks ...check) check {
	return func(t *testing.T, r *reply, sc *scene) {
		t.Helper()
		for _, c := range checks {
			c(t, r, sc)
		}
	}
}

// notForwarded says that the CRM was asked, and didn't get these headers.
func notForwarded(names ...string) check {
	return func(t *testing.T, _ *reply, sc *scene) {
		t.Helper()
		got := sc.requests()
		if len(got) == 0 {
			t.Fatal("the CRM wasn't asked")
		}
		for _, name := range names {
			if v := got[0].header.Values(name); len(v) > 0 {
				t.Errorf("the CRM got %s: %v", name, v)
			}
		}
	}
}

// without says that the answer hasn't these headers, or not with the CRM's value.
func without(names ...string) check {
	return func(t *testing.T, r *reply, _ *scene) {
		t.Helper()
		for _, name := range names {
			if v := r.header.Values(name); len(v) > 0 {
				t.Errorf("the answer has %s: %v", name, v)
			}
		}
	}
}

func has(name, value string) check {
	return func(t *testing.T, r *reply, _ *scene) {
		t.Helper()
		if got := r.header.Get(name); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
}

// withHeader answers with JSON and further headers: name, value in turn.
func withHeader(body string, pairs ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(pairs); i += 2 {
			w.Header().Add(pairs[i], pairs[i+1])
		}
		_, _ = io.WriteString(w, body) // the gate reads all of it
	}
}

func base64Of(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func utf16le(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

// lacks says that the answer hasn't the text.
func lacks(text string) check {
	return func(t *testing.T, r *reply, _ *scene) {
		t.Helper()
		if bytes.Contains(r.body, []byte(text)) {
			t.Errorf("got %s, with %q in it", r, text)
		}
	}
}
