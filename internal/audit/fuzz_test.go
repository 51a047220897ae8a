package audit

import (
	"bytes"
	"errors"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// memory is a file for reading alone.
type memory struct{ *bytes.Reader }

func (m memory) size() (int64, error)             { return m.Size(), nil }
func (memory) WriteAt([]byte, int64) (int, error) { panic("written") }
func (memory) datasync() error                    { panic("synced") }
func (memory) sync() error                        { panic("synced") }
func (memory) Close() error                       { return nil }
func readerOf(b []byte) (*groupReader, error)     { return newGroupReader(memory{bytes.NewReader(b)}) }

func sampleGroup(h *header, seqs ...uint64) []byte {
	var b []byte
	if h != nil {
		b = appendHeader(b, *h)
	}
	for _, s := range seqs {
		b = appendFrame(b, frameEntry, []byte{0, 0, 0, 0, 0, 0, 0, byte(s)}, bytes.Repeat([]byte{7}, 50))
	}
	return appendCommit(b, commit{size: uint64(len(seqs))})
}

// Strictness: a group that is read is exactly what the writer would write for
// it, so no byte of it is free. Whatever the bytes, reading ends.
func FuzzSegment(f *testing.F) {
	h := &header{identity: identity{node: "n1"}, number: 2, before: tree{size: 5, edge: make([]tlog.Hash, 2)}, previousEnd: 77}
	good := append(sampleGroup(h, 0, 1), sampleGroup(nil, 2)...)
	f.Add(good)
	f.Add(good[:len(good)-3])
	f.Add(append(good, make([]byte, 1000)...))
	f.Add(make([]byte, 64))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := readerOf(b)
		if err != nil {
			t.Fatal(err)
		}
		var again []byte
		for {
			g, err := r.next()
			if _, ok := errors.AsType[*badFrame](err); ok {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			again = rewriteGroup(again, &g)
			if g.end != int64(len(again)) {
				t.Fatalf("the group ends at %d, rewritten at %d", g.end, len(again))
			}
		}
		if !bytes.HasPrefix(b, again) {
			t.Errorf("read %x, would be written as %x", b[:len(again)], again)
		}
		if tail, err := r.tail(); err != nil || tail.end > int64(len(b)) || tail.end < r.off {
			t.Errorf("tail = %+v, %v", tail, err)
		}
	})
}

func rewriteGroup(dst []byte, g *group) []byte {
	if g.header != nil {
		dst = appendHeader(dst, *g.header)
	}
	for _, e := range g.entries {
		var seq [8]byte
		for i := range seq {
			seq[i] = byte(e.seq >> (56 - 8*i))
		}
		dst = appendFrame(dst, frameEntry, seq[:], e.envelope)
	}
	return appendCommit(dst, g.commit)
}

// Nothing but what was sealed opens.
func FuzzEnvelope(f *testing.F) {
	c, key := testCodec(f)
	k := &dataKeys{files: newDisk(), byID: map[uint32]*dataKey{7: key}}
	good, err := c.seal([]byte(`{"kind":"control","event":"start","time":"2026-09-01T08:00:00Z"}`), key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:20])
	f.Add([]byte("AG1\x01\x00\x00\x00\x07"))
	f.Fuzz(func(t *testing.T, b []byte) {
		// Each fuzzing process seals under a nonce of its own.
		if e, err := c.open(b, k); err == nil && (e.Event != Start || len(b) != len(good)) {
			t.Errorf("%x opens as %+v", b, e)
		}
	})
}

// What was sealed by anyone who holds the key is read without a panic, and
// written again as it was read.
func FuzzEntry(f *testing.F) {
	s := newSampler(1)
	for _, e := range s.entries(5) {
		b, err := encodeEntry(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"disclosure":{"records":[{"type":"a","ids":["1"],"treated":{"email":"no"}}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decodeEntry(b)
		if err != nil {
			return
		}
		once, err := encodeEntry(e)
		if err != nil {
			return // a time that RFC 3339 doesn't hold
		}
		again, err := decodeEntry(once)
		if err != nil {
			t.Fatalf("%s is not read again: %v", once, err)
		}
		twice, err := encodeEntry(again)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%s becomes %s, %v", once, twice, err)
		}
	})
}

func FuzzDataKeyFile(f *testing.F) {
	d, ring := newDisk(), testRing(f)
	k := newDataKeys(d, ring)
	if err := d.mkdir(keyDir); err != nil {
		f.Fatal(err)
	}
	if _, err := k.make(1, "2026-09", ClassAccess); err != nil {
		f.Fatal(err)
	}
	good := bytes.Clone(d.names[keyName(1)].live)
	f.Add(good)
	f.Add(bytes.ReplaceAll(good, []byte("2026-09"), []byte("2026-10")))
	f.Add([]byte("crmgate-data-key-1 00000001 2026-09 00\n"))
	f.Add(bytes.ReplaceAll(good, []byte("access"), []byte("gateway")))
	f.Fuzz(func(t *testing.T, b []byte) {
		d.names[keyName(1)].live = b
		if _, err := k.load(1); err == nil && !bytes.Equal(b, good) {
			t.Errorf("%q is taken for a key", b)
		}
	})
}
