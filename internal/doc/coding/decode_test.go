package coding

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"github.com/crmgate/crmgate/internal/doc"
)

// encode applies codings in order.
func encode(t testing.TB, src []byte, codings ...string) []byte {
	t.Helper()
	for _, c := range codings {
		var b bytes.Buffer
		var w io.WriteCloser
		switch c {
		case "gzip":
			w = gzip.NewWriter(&b)
		case "deflate":
			w = zlib.NewWriter(&b)
		case "br":
			w = brotli.NewWriter(&b)
		case "zstd":
			z, err := zstd.NewWriter(&b)
			if err != nil {
				t.Fatal(err)
			}
			w = z
		}
		if _, err := w.Write(src); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		src = b.Bytes()
	}
	return src
}

func decode(body io.Reader, contentEncoding string, limit int64) ([]byte, error) {
	r, err := Decode(body, contentEncoding, limit)
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(r)
	return out, errors.Join(err, r.Close())
}

func text() []byte { return bytes.Repeat([]byte("erika@example.org;Berlin\r\n"), 4000) }

func all() []string { return []string{"gzip", "deflate", "br", "zstd"} }

func TestCodingsAreTakenOff(t *testing.T) {
	src := text()
	for _, c := range []struct {
		header string
		coded  []byte
	}{
		{"", src},
		{" ", src},
		{"identity", src},
		{"Identity, identity", src},
		{"gzip", encode(t, src, "gzip")},
		{"X-GZIP", encode(t, src, "gzip")},
		{"deflate", encode(t, src, "deflate")},
		{"br", encode(t, src, "br")},
		{"zstd", encode(t, src, "zstd")},
		{"gzip, br", encode(t, src, "gzip", "br")},
		{"zstd,identity ,deflate,\tgzip", encode(t, src, "zstd", "deflate", "gzip")},
	} {
		for name, body := range map[string]io.Reader{
			"whole": bytes.NewReader(c.coded), "bytes": iotest.OneByteReader(bytes.NewReader(c.coded)),
			"end with data": iotest.DataErrReader(bytes.NewReader(c.coded)),
		} {
			got, err := decode(body, c.header, 1<<20)
			if err != nil || !bytes.Equal(got, src) {
				t.Errorf("%q, %s: %d bytes, %v", c.header, name, len(got), err)
			}
		}
	}
}

func TestEmptyBodyIsEmptyInEveryCoding(t *testing.T) {
	for _, c := range append(all(), "", "gzip, br") {
		if got, err := decode(strings.NewReader(""), c, 1); err != nil || len(got) > 0 {
			t.Errorf("%q: %q, %v", c, got, err)
		}
		if c == "" || strings.Contains(c, ",") {
			continue
		}
		if got, err := decode(bytes.NewReader(encode(t, nil, c)), c, 1); err != nil || len(got) > 0 {
			t.Errorf("%q of nothing: %q, %v", c, got, err)
		}
	}
}

func TestUnknownCodingsAreRefused(t *testing.T) {
	for _, c := range []string{
		"compress", "gzip,", ",gzip", "gzip;q=1", "gzip br", "br\x00", "*", "dcb", "gzip,gzip,gzip,gzip", "aws-chunked",
	} {
		if _, err := Decode(strings.NewReader(""), c, 1); !errors.Is(err, ErrCoding) {
			t.Errorf("%q: %v, want ErrCoding", c, err)
		}
	}
}

func TestCutAndDamagedBodiesAreRefused(t *testing.T) {
	src := text()
	for _, c := range all() {
		coded := encode(t, src, c)
		for n := 1; n < len(coded); n += 1 + len(coded)/40 {
			if _, err := decode(bytes.NewReader(coded[:n]), c, 1<<20); !errors.Is(err, doc.ErrMalformed) {
				t.Errorf("%s cut to %d of %d bytes: %v, want ErrMalformed", c, n, len(coded), err)
			}
		}
		for _, tail := range []string{"\x00", "garbage", string(coded[:4])} {
			if _, err := decode(bytes.NewReader(append(bytes.Clone(coded), tail...)), c, 1<<20); !errors.Is(err, doc.ErrMalformed) {
				t.Errorf("%s with %q behind its end: %v, want ErrMalformed", c, tail, err)
			}
		}
		if _, err := decode(bytes.NewReader(src), c, 1<<20); !errors.Is(err, doc.ErrMalformed) && !errors.Is(err, ErrTooLarge) {
			t.Errorf("plain text called %s: %v", c, err)
		}
	}
	two := append(encode(t, src, "gzip"), encode(t, src, "gzip")...)
	if _, err := decode(bytes.NewReader(two), "gzip", 1<<20); !errors.Is(err, doc.ErrMalformed) {
		t.Errorf("two gzip members: %v, want ErrMalformed", err)
	}
	inner := encode(t, append(encode(t, src, "gzip"), "tail"...), "br")
	if _, err := decode(bytes.NewReader(inner), "gzip, br", 1<<20); !errors.Is(err, doc.ErrMalformed) {
		t.Errorf("garbage behind the inner coding: %v, want ErrMalformed", err)
	}
}

func TestGzipChecksumIsChecked(t *testing.T) {
	coded := encode(t, text(), "gzip")
	coded[len(coded)-6] ^= 1
	if _, err := decode(bytes.NewReader(coded), "gzip", 1<<20); !errors.Is(err, doc.ErrMalformed) {
		t.Errorf("%v, want ErrMalformed", err)
	}
}

func TestBombsAreCutOff(t *testing.T) {
	bomb := make([]byte, 64<<20)
	for _, c := range all() {
		coded := encode(t, bomb, c)
		got, err := decode(bytes.NewReader(coded), c, 1<<20)
		if !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "1048576 bytes") || len(got) > 1<<20 {
			t.Errorf("%s against the size: %d bytes, %v", c, len(got), err)
		}
		got, err = decode(bytes.NewReader(coded), c, 1<<30)
		if !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "250 times") || len(got) > 32<<20 {
			t.Errorf("%s against the ratio: %d bytes, %v", c, len(got), err)
		}
	}
	stacked := encode(t, bomb, "gzip", "gzip", "br")
	if got, err := decode(bytes.NewReader(stacked), "gzip, gzip, br", 1<<20); !errors.Is(err, ErrTooLarge) || len(got) > 1<<20 {
		t.Errorf("stacked: %d bytes, %v", len(got), err)
	}
	if _, err := decode(bytes.NewReader(encode(t, bomb, "gzip")), "", 100); !errors.Is(err, ErrTooLarge) {
		t.Errorf("identity of more than the limit: %v", err)
	}
}

// A layer in between can be large and decode to nothing: empty blocks of deflate.
func TestLayersInBetweenAreLimited(t *testing.T) {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	for range 300_000 {
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	coded := encode(t, b.Bytes(), "br")
	if _, err := decode(bytes.NewReader(coded), "deflate, br", 1<<20); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%d bytes in between: %v, want ErrTooLarge", b.Len(), err)
	}
}

func TestLimitIsExact(t *testing.T) {
	src := text()
	for _, c := range append(all(), "") {
		coded := src
		if c != "" {
			coded = encode(t, src, c)
		}
		if _, err := decode(bytes.NewReader(coded), c, int64(len(src))); err != nil {
			t.Errorf("%q at the limit: %v", c, err)
		}
		if _, err := decode(bytes.NewReader(coded), c, int64(len(src))-1); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%q over the limit: %v", c, err)
		}
	}
}

func TestLargeZstdWindowIsRefused(t *testing.T) {
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithWindowSize(32<<20))
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 9<<20)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	if _, err := io.Copy(w, io.MultiReader(bytes.NewReader(noise), bytes.NewReader(noise))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := decode(&b, "zstd", 1<<30); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%v, want ErrTooLarge", err)
	}
}

func TestErrorsOfTheBodyComeAsTheyAre(t *testing.T) {
	broken := errors.New("connection reset")
	for _, c := range append(all(), "", "gzip, br") {
		coded := text()
		if c != "" {
			coded = encode(t, coded, strings.Split(c, ", ")...)
		}
		body := io.MultiReader(bytes.NewReader(coded[:len(coded)/2]), iotest.ErrReader(broken))
		if _, err := decode(body, c, 1<<20); !errors.Is(err, broken) || errors.Is(err, doc.ErrMalformed) {
			t.Errorf("%q: %v, want the body's error", c, err)
		}
	}
}

func TestNothingIsReadBeforeTheFirstRead(t *testing.T) {
	body := iotest.ErrReader(errors.New("read too early"))
	for _, c := range append(all(), "") {
		r, err := Decode(body, c, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if _, err := r.Read(make([]byte, 1)); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%q: a closed reader reads: %v", c, err)
		}
	}
}

// FuzzDecode holds that no body gets past its limit, and that what decodes is
// what was encoded.
func FuzzDecode(f *testing.F) {
	for _, c := range all() {
		f.Add(encode(f, []byte("erika@example.org"), c), c)
		f.Add(encode(f, []byte("erika@example.org"), c, "gzip"), c+", gzip")
	}
	f.Fuzz(func(t *testing.T, body []byte, header string) {
		const limit = 4096
		got, err := decode(bytes.NewReader(body), header, limit)
		if len(got) > limit {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		codings, bad := Codings(header)
		if bad != nil && err == nil {
			t.Fatalf("%q decodes: %v", header, bad)
		}
		if bad != nil || len(body) > limit/4 {
			return
		}
		back, err := decode(bytes.NewReader(encode(t, body, codings...)), header, limit)
		if err != nil || !bytes.Equal(back, body) {
			t.Fatalf("%q: %q, %v, want %q", header, back, err, body)
		}
	})
}
