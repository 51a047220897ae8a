package audit

import (
	"os"
	"regexp"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// Changing the dictionary makes every log written with it unreadable.
func TestDictionaryIsPinned(t *testing.T) {
	const want = "49cfe77da95f173250a124a9307494d4014fe7755941e5d6c9fff6603637dd30"
	if got := digest(dictionary1); got != want {
		t.Errorf("sha256 of entry1.zdict = %s, want %s", got, want)
	}
}

const dictionaryID = 1

// makeDictionary is how entry1.zdict was made: of invented entries, the most
// frequent kinds last, where references to them are shortest.
func makeDictionary(t *testing.T) []byte {
	t.Helper()
	encode := func(e *Entry) []byte {
		b, err := encodeEntry(e)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	s := newSampler(1)
	var history []byte
	for range 4 {
		history = append(history, encode(s.control())...)
	}
	for _, n := range []int{5, 2, 0, 1, 2, 1, 1, 1, 1, 2, 1, 1, 1, 1} {
		a, b := s.request(n)
		history = append(history, encode(a)...)
		history = append(history, encode(b)...)
	}
	// What differs from entry to entry is dead weight.
	history = regexp.MustCompile(`[0-9a-f]{16,}|[0-9a-f-]{36}|[a-z2-7]{26}`).ReplaceAll(history, nil)
	var samples [][]byte
	for _, e := range newSampler(2).entries(400) {
		samples = append(samples, encode(e))
	}
	d, err := zstd.BuildDict(zstd.BuildDictOptions{
		ID: dictionaryID, Contents: samples, History: history, Offsets: [3]int{1, 4, 8},
		Level: zstd.SpeedFastest, CompatV155: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// UPDATE=1 writes it, for use before the first release only.
func TestDictionaryIsMadeOfSamples(t *testing.T) {
	d := makeDictionary(t)
	if os.Getenv("UPDATE") == "1" {
		if err := os.WriteFile("entry1.zdict", d, 0o644); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d bytes, sha256 %s", len(d), digest(d))
		return
	}
	if len(d) > 16<<10 {
		t.Errorf("the dictionary takes %d bytes", len(d))
	}
}
