package gate_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

func coded(coding, body string) []byte {
	var out bytes.Buffer
	var w io.WriteCloser
	switch coding {
	case "gzip", "x-gzip":
		w = gzip.NewWriter(&out)
	case "deflate":
		w = zlib.NewWriter(&out)
	case "br":
		w = brotli.NewWriter(&out)
	case "zstd":
		w, _ = zstd.NewWriter(&out)
	}
	if _, err := io.WriteString(w, body); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func codedAnswer(codings []string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header()["Content-Encoding"] = codings
		_, _ = w.Write(body) // the gate may cut it
	}
}

func TestCodedAnswersAreMasked(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"gzip":            codedAnswer([]string{"gzip"}, coded("gzip", contact(1))),
		"X-GZIP":          codedAnswer([]string{"X-GZIP"}, coded("gzip", contact(1))),
		"br":              codedAnswer([]string{"br"}, coded("br", contact(1))),
		"zstd":            codedAnswer([]string{"zstd"}, coded("zstd", contact(1))),
		"deflate":         codedAnswer([]string{"deflate"}, coded("deflate", contact(1))),
		"gzip, br":        codedAnswer([]string{"gzip, br"}, coded("br", string(coded("gzip", contact(1))))),
		"on two lines":    codedAnswer([]string{"gzip", "br"}, coded("br", string(coded("gzip", contact(1))))),
		"identity":        codedAnswer([]string{"identity"}, []byte(contact(1))),
		"identity, gzip":  codedAnswer([]string{"identity", "gzip"}, coded("gzip", contact(1))),
		"nothing, coded":  codedAnswer([]string{"gzip"}, coded("gzip", contact(1))),
		"plain, no field": codedAnswer(nil, []byte(contact(1))),
	} {
		sc := newScene(t, answer)
		for _, s := range []*site{env.plain, env.secure} {
			for _, accept := range []string{"", "gzip", "zstd, br, gzip"} {
				r := s.as(t, "vera").do(t, ask{path: "/api/contacts/1", scene: sc, header: http.Header{"Accept-Encoding": {accept}}})
				if r.status != http.StatusOK {
					t.Errorf("%s: got %s", name, r)
					continue
				}
				r.hides(t)
				want := strings.Replace(contact(1), canary, "•••", 1)
				if r.header.Get("Content-Encoding") == "" && !strings.Contains(string(r.body), `"email":"muster@example.com"`) {
					t.Errorf("%s: got %s, want about %s", name, r, want)
				}
			}
		}
	}
}

func TestUnreadableCodingIsHeldBack(t *testing.T) {
	t.Parallel()
	whole := coded("gzip", contact(1))
	bomb := coded("gzip", strings.Repeat(" ", 64<<20)+contact(1))
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		reason string
	}{
		"unknown":              {codedAnswer([]string{"compress"}, []byte(contact(1))), "type"},
		"a dictionary":         {codedAnswer([]string{"dcb"}, []byte(contact(1))), "type"},
		"not what it says":     {codedAnswer([]string{"gzip"}, []byte(contact(1))), "malformed"},
		"gzip without a field": {codedAnswer(nil, whole), "type"},
		"cut":                  {codedAnswer([]string{"gzip"}, whole[:len(whole)-9]), "malformed"},
		"bytes behind":         {codedAnswer([]string{"gzip"}, append(bytes.Clone(whole), "{}"...)), "malformed"},
		"two members":          {codedAnswer([]string{"gzip"}, append(bytes.Clone(whole), whole...)), "malformed"},
		"a bomb":               {codedAnswer([]string{"gzip"}, bomb), "hold"},
		"four on each other":   {codedAnswer([]string{"gzip, gzip, gzip, gzip"}, whole), "type"},
	} {
		sc := newScene(t, c.answer)
		r := env.plain.as(t, "vera").get(t, "/api/contacts/1", sc)
		if r.status != http.StatusBadGateway {
			t.Errorf("%s: got %s", name, r)
			continue
		}
		r.hides(t)
		problem(t, r, c.reason)
		r.logged(t).faulted(t, c.reason)
	}
	works(t, env.plain.as(t, "vera"))
}
