package mask

import (
	"math/bits"
	"math/rand/v2"
)

// index finds by a key the things that were put in under it. It is made for
// being asked in vain: a filter that fits into the processor's cache answers
// almost every such question.
//
// Keys come from the CRM, so the hash is drawn anew for each index: nobody can
// choose values that all fall into one place.
type index struct {
	factor uint64
	// A hash's upper bits are the place in filter and in places.
	filterShift, placeShift uint8
	filter                  []uint64
	// places are 1 + the first thing of each place; next leads on.
	places []int32
	things []thing
}

// thing is what an index holds: the things of a place are linked.
type thing struct {
	key  uint64
	next int32
	// of is the index of the secret.
	of int32
	// form says which form of the secret the key is of.
	form int8
}

// newIndex makes an index for at most n things.
func newIndex(n int) index {
	width := bits.Len(uint(max(n, 32)))
	return index{
		factor:      rand.Uint64() | 1, //nolint:gosec // it spreads keys over a table that lives for one response
		filterShift: uint8(64 - width - 4), placeShift: uint8(64 - width),
		filter: make([]uint64, 1<<(width+4)/64), places: make([]int32, 1<<width), things: make([]thing, 0, n),
	}
}

func (x *index) put(key uint64, of int32, form int8) {
	h := key * x.factor
	bit := h >> x.filterShift
	x.filter[bit/64] |= 1 << (bit % 64)
	place := &x.places[h>>x.placeShift]
	x.things = append(x.things, thing{key: key, next: *place, of: of, form: form})
	*place = int32(len(x.things))
}

// may reports whether the key may be there; false is certain.
func (x *index) may(key uint64) bool {
	bit := key * x.factor >> x.filterShift
	return x.filter[bit/64]&(1<<(bit%64)) != 0
}

// first returns the thing of that key that was put in last, -1 for none.
func (x *index) first(key uint64) int32 {
	return x.from(x.places[key*x.factor>>x.placeShift]-1, key)
}

// after returns the next thing of the same key.
func (x *index) after(i int32) int32 { return x.from(x.things[i].next-1, x.things[i].key) }

func (x *index) from(i int32, key uint64) int32 {
	for i >= 0 && x.things[i].key != key {
		i = x.things[i].next - 1
	}
	return i
}
