package audit

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
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

// A line of a part is read in one way only, and whatever it holds, checking its proof
// ends without a panic.
func FuzzProven(f *testing.F) {
	p := proven{seq: 3, envelope: []byte("AG1"), proof: tlog.RecordProof{{1}, {2}}}
	f.Add(p.append(nil), int64(4))
	f.Add([]byte("03 QUcx\n"), int64(9))
	f.Add([]byte("3 QUcx"), int64(1))
	f.Fuzz(func(t *testing.T, line []byte, size int64) {
		p, err := parseProven(line)
		if err != nil {
			return
		}
		if again := p.append(nil); !bytes.Equal(again, line) {
			t.Errorf("%q is read as %q", line, again)
		}
		if tlog.CheckRecord(p.proof, size, tlog.Hash{}, int64(p.seq), tlog.RecordHash(p.envelope)) == nil {
			t.Errorf("%q is proved for the empty root", line)
		}
	})
}

// A proof of growth is read in one way only.
func FuzzGrowth(f *testing.F) {
	f.Add([]byte(tlog.Hash{1}.String()+"\n"), int64(2), int64(1))
	f.Add([]byte("AAAA\n"), int64(0), int64(0))
	f.Fuzz(func(t *testing.T, text []byte, size, old int64) {
		proof, err := parseGrowth(text)
		if err != nil {
			return
		}
		var again []byte
		for _, h := range proof {
			again = append(again, h.String()+"\n"...)
		}
		if !bytes.Equal(again, text) {
			t.Errorf("%q is read as %q", text, again)
		}
		if old < size && tlog.CheckTree(proof, size, tlog.Hash{1}, old, tlog.Hash{2}) == nil {
			t.Errorf("%q proves anything", text)
		}
	})
}
