package gate

import (
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/keys"
)

func TestProofsAreBoundedInRate(t *testing.T) {
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	ring, err := keys.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := newProver(ring)
	p.now = func() time.Time { return now }
	given := 0
	for range 100 {
		if p.may() {
			given++
		}
	}
	now = now.Add(time.Second)
	for range 100 {
		if p.may() {
			given++
		}
	}
	if given != proofBurst+proofRate {
		t.Errorf("%d answers in a second", given)
	}
}
