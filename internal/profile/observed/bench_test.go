package observed_test

import (
	stdjson "encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/crmgate/crmgate/internal/profile/observed"
)

// BenchmarkAdd notes a list of fifty records of eleven members.
func BenchmarkAdd(b *testing.B) {
	v := &invented{Rand: rand.New(rand.NewPCG(1, 7))}
	var items []any
	for range 50 {
		items = append(items, v.record(v.id()))
	}
	src, err := stdjson.Marshal(map[string]any{"items": items})
	if err != nil {
		b.Fatal(err)
	}
	e := get(b, "/api/people", string(src))
	c := observed.New()
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		c.Add(e)
	}
}
