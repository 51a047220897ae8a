package audit

import "testing"

func testCodec(t testing.TB) (*codec, *dataKey) {
	t.Helper()
	c, err := newCodec(identity{node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	key, err := newDataKey(7, "2026-09", ClassAccess, make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

// A format that grows by accident is found here.
func TestRequestIsSmall(t *testing.T) {
	c, key := testCodec(t)
	s := newSampler(99)
	var plain, packed, n int
	for range 500 {
		intent, disclosure := s.request(1)
		for _, e := range []*Entry{intent, disclosure} {
			b, err := encodeEntry(e)
			if err != nil {
				t.Fatal(err)
			}
			env, err := c.seal(b, key)
			if err != nil {
				t.Fatal(err)
			}
			plain += len(b)
			packed += len(env) + frameOverhead + 8
		}
		n++
	}
	t.Logf("both entries of a one-record request: JSON %d bytes, frames %d", plain/n, packed/n)
	if packed/n > 520 {
		t.Errorf("both entries of a one-record request take %d bytes, want at most 520", packed/n)
	}
}

func BenchmarkSeal(b *testing.B) {
	c, key := testCodec(b)
	s := newSampler(99)
	intent, _ := s.request(1)
	b.ReportAllocs()
	for b.Loop() {
		plain, err := encodeEntry(intent)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.seal(plain, key); err != nil {
			b.Fatal(err)
		}
	}
}
