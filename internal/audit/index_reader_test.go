package audit

import (
	"math/rand/v2"
	"reflect"
	"testing"
)

// TestReaderFindsEachEntry reads every entry of a log by its number, in any order.
func TestReaderFindsEachEntry(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 9))
	d, ring := newDisk(), testRing(t)
	l := mustOpen(t, "disk", ring, onDisk(d))
	for range 200 {
		mustAppend(t, l, randomEntry(rnd, l))
	}
	ix := mustIndex(t, d, ring)
	if _, err := ix.Reader(); err == nil {
		t.Error("an index of nothing is read")
	}
	mustUpdate(t, ix, 0)
	r, err := ix.Reader()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var all []Stored
	for s, err := range ix.Search(t.Context(), Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	for _, i := range rnd.Perm(len(all)) {
		if got, err := r.Entry(t.Context(), all[i].Seq); err != nil || !reflect.DeepEqual(*got, all[i]) {
			t.Fatalf("entry %d is %+v, %v, want %+v", all[i].Seq, got, err, all[i])
		}
	}
	if got, err := r.Entry(t.Context(), uint64(len(all))+5); got != nil || err != nil {
		t.Errorf("an entry that isn't there is %+v, %v", got, err)
	}
}
