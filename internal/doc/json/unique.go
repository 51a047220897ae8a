package json

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"slices"
)

// fewMembers is the largest object whose names are compared with each other
// where a cheap filter finds two alike: a constant bound, whatever the names.
const fewMembers = 64

// unique fails where two members of the object have the same name.
func (p *parser) unique(at int32, members int, escaped bool) {
	switch {
	case members < 2:
	case members <= fewMembers && !escaped:
		p.uniqueFew(at)
	default:
		p.uniqueMany(at, members)
	}
}

func (p *parser) name(node int32) []byte {
	n := &p.nodes[node]
	return p.src[n.KeyStart+1 : n.KeyEnd-1]
}

func (p *parser) uniqueFew(at int32) {
	var seen [16]uint64
	end := int32(len(p.nodes))
	for c := at + 1; c < end; c = p.nodes[c].Next {
		name := p.name(c)
		h := sketch(name)
		word, bit := &seen[h>>6&15], uint64(1)<<(h&63)
		if *word&bit == 0 {
			*word |= bit
			continue
		}
		for d := at + 1; d < c; d = p.nodes[d].Next {
			if bytes.Equal(p.name(d), name) {
				p.twice(c)
				return
			}
		}
	}
}

// sketch is a number that equal names share.
func sketch(b []byte) uint64 {
	n := len(b)
	h := uint64(n)
	switch {
	case n >= wordBytes:
		h ^= binary.LittleEndian.Uint64(b) ^ turned(binary.LittleEndian.Uint64(b[n-wordBytes:]))
	case n >= 4:
		h ^= uint64(binary.LittleEndian.Uint32(b)) ^ uint64(binary.LittleEndian.Uint32(b[n-4:]))<<32
	case n > 0:
		h ^= uint64(b[0])<<8 ^ uint64(b[n/2])<<16 ^ uint64(b[n-1])<<24
	}
	return h * 0x9e3779b97f4a7c15 >> 54
}

func turned(w uint64) uint64 { return w<<21 | w>>43 }

// hashed is a member's node and the seeded hash of its decoded name.
type hashed struct {
	hash uint64
	node int32
}

func (p *parser) uniqueMany(at int32, members int) {
	seed := maphash.MakeSeed()
	all := make([]hashed, 0, members)
	var scratch []byte
	for c := at + 1; c < int32(len(p.nodes)); c = p.nodes[c].Next {
		scratch = p.decoded(scratch[:0], c)
		all = append(all, hashed{maphash.Bytes(seed, scratch), c})
	}
	slices.SortFunc(all, func(a, b hashed) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.node, b.node))
	})
	var other []byte
	for i := 1; i < len(all); i++ {
		if all[i].hash != all[i-1].hash {
			continue
		}
		scratch = p.decoded(scratch[:0], all[i-1].node)
		other = p.decoded(other[:0], all[i].node)
		if bytes.Equal(scratch, other) {
			p.twice(all[i].node)
			return
		}
	}
}

func (p *parser) decoded(dst []byte, node int32) []byte {
	if p.nodes[node].Flags&KeyEscaped == 0 {
		return append(dst, p.name(node)...)
	}
	return unescape(dst, p.name(node))
}

func (p *parser) twice(node int32) {
	p.pos = int(p.nodes[node].KeyStart)
	p.fail("member name occurs twice")
}
