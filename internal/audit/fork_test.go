package audit

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// Crash after crash on one disk: no size is ever signed with two roots, and every
// checkpoint that was ever signed is a prefix of the log that is there at the end.
func noForkIsEverSigned(t *testing.T) {
	ring, d := testRing(t), newDisk()
	rnd := rand.New(rand.NewPCG(1, 2))
	for round := range 40 {
		d.cutAt = 1 + rnd.IntN(150)
		workload(t, d, ring, 10)
		d.cut()
		d = d.reboot([]loss{loseAll, loseSome, loseNothing}[round%3], uint64(round))
		if len(d.lied) > 0 {
			t.Fatalf("round %d: two roots were signed for one size: %v", round, d.lied)
		}
	}
	mustClose(t, mustOpen(t, "disk", ring, onDisk(d)))
	var grown tree
	roots := map[string]tlog.Hash{}
	for _, p := range places(t, d) {
		grown = grown.grow(tlog.RecordHash(p.envelope))
		roots[fmt.Sprint(grown.size)] = grown.root()
	}
	origin, checked := "", 0
	editCheckpoint(d, func(b []byte) []byte {
		c, err := openCheckpoint(ring, b)
		if err != nil {
			t.Fatal(err)
		}
		origin = c.Origin
		return b
	})
	for size, root := range roots {
		was, ok := d.signed[origin+" with "+size+" entries"]
		if ok && was != root.String() {
			t.Errorf("the checkpoint over %s entries isn't a prefix of the log", size)
		}
		if ok {
			checked++
		}
	}
	if checked < 20 {
		t.Errorf("only %d checkpoints were signed", checked)
	}
}
