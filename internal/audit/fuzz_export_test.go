package audit

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
)

// A checkpoint that opens is exactly one that this key has signed, whatever is
// done to its bytes.
func FuzzCheckpoint(f *testing.F) {
	ring := testRing(f)
	origin := identity{node: "n1"}.origin()
	key, err := newCheckpointKey(ring, origin)
	if err != nil {
		f.Fatal(err)
	}
	good, err := key.sign(origin, head{size: 7})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good.Note)
	f.Add(bytes.Replace(good.Note, []byte("\n7\n"), []byte("\n07\n"), 1))
	f.Add([]byte("crmgate/n1/\n\n\n— x\n"))
	text, _, _ := bytes.Cut(good.Note, []byte("\n\n"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		c, err := openCheckpoint(ring, msg)
		if err != nil {
			return
		}
		again, err := key.sign(c.Origin, head{size: c.Size, root: c.Root})
		if err != nil {
			t.Fatal(err)
		}
		was, _, _ := bytes.Cut(again.Note, []byte("\n\n"))
		if !bytes.Equal(was, text) {
			t.Errorf("a checkpoint that was never signed opens: %q", msg)
		}
	})
}

// A bundle splits into entries that make the same bundle again, or is an error.
func FuzzBundle(f *testing.F) {
	f.Add([]byte{0, 1, 'a', 0, 2, 'b', 'c'})
	f.Add([]byte{0, 9, 'a'})
	f.Add([]byte{0})
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := bundled(b)
		var again []byte
		for _, e := range list {
			again = slices.Concat(again, binary.BigEndian.AppendUint16(nil, uint16(len(e))), e)
		}
		if err == nil && !bytes.Equal(again, b) || !bytes.HasPrefix(b, again) {
			t.Errorf("%x splits into %x", b, again)
		}
	})
}
