package gate

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"testing"
)

// Any further method could be a way around the mask that net/http or a module
// looks for: ReadFrom, Unwrap, Hijack, Push, Flush, WriteString.
func TestWritersHaveFourMethods(t *testing.T) {
	t.Parallel()
	for _, w := range []any{new(response), new(passing)} {
		typ := reflect.TypeOf(w)
		var names []string
		for m := range typ.Methods() {
			names = append(names, m.Name)
		}
		if want := []string{"FlushError", "Header", "Write", "WriteHeader"}; !slices.Equal(names, want) {
			t.Errorf("%s has %v, want %v", typ, names, want)
		}
	}
}

func TestResponseHoldsUpToItsLimit(t *testing.T) {
	t.Parallel()
	r := newResponse(4)
	for _, p := range []string{"ab", "cd"} {
		if n, err := r.Write([]byte(p)); n != 2 || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	for range 2 {
		if n, err := r.Write([]byte("e")); n != 0 || !errors.Is(err, errHold) {
			t.Errorf("Write beyond the limit = %d, %v, want errHold each time", n, err)
		}
	}
	if r.status != http.StatusOK || r.held.String() != "abcd" {
		t.Errorf("status %d, held %q", r.status, r.held.String())
	}
}

func TestPassingWritesStripBeforeTheFirstByte(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]func(*passing){
		"write":  func(p *passing) { _, _ = p.Write([]byte("x")) },
		"flush":  func(p *passing) { _ = p.FlushError() },
		"header": func(p *passing) { p.WriteHeader(http.StatusOK) },
	} {
		rec := httptest.NewRecorder()
		p := &passing{w: rec, strip: func(h http.Header) { h.Del("Set-Cookie") }}
		p.Header().Set("Set-Cookie", "crmgate=x")
		p.WriteHeader(http.StatusEarlyHints)
		first(p)
		p.WriteHeader(http.StatusTeapot)
		if got := rec.Result(); got.StatusCode != http.StatusOK || got.Header.Get("Set-Cookie") != "" || p.status != http.StatusOK {
			t.Errorf("%s: status %d, cookies %v", name, got.StatusCode, got.Header)
		}
	}
}
