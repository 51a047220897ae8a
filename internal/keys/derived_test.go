package keys

import (
	"slices"
	"testing"
	"time"
)

func TestDeriveAllBeginsWithTheKeyInForce(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	one, two := master{id: 1, secret: [secretSize]byte{1}}, master{id: 2, secret: [secretSize]byte{2}, from: now.Add(time.Minute)}
	r := newRing([]master{one, two})
	r.now = func() time.Time { return now }
	before := r.DeriveAll("x")
	if len(before) != 2 || before[0] != r.Derive("x") || before[0] == before[1] {
		t.Fatalf("keys %x", before)
	}
	first, n := r.Generation()
	now = now.Add(time.Minute)
	after := r.DeriveAll("x")
	if second, m := r.Generation(); second == first || m != n {
		t.Errorf("generation %d/%d and then %d/%d", first, n, second, m)
	}
	slices.Reverse(after)
	if !slices.Equal(before, after) {
		t.Errorf("keys %x and then %x", before, after)
	}
	if slices.Contains(r.DeriveAll("y"), before[0]) {
		t.Error("two purposes share a key")
	}
}
