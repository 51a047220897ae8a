package audit

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// The tiles are those of golang.org/x/mod/sumdb/tlog, up to the third level.
func TestTilesAreThoseOfAPlainTree(t *testing.T) {
	for _, n := range []int64{0, 1, 255, 256, 257, 65_536, 66_100} {
		got := map[string][]byte{}
		ts := &tiles{put: func(name string, b []byte) error { got[filepath.ToSlash(name)] = slices.Clone(b); return nil }}
		var hashes []tlog.Hash
		reader := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
			out := make([]tlog.Hash, len(at))
			for i, a := range at {
				out[i] = hashes[a]
			}
			return out, nil
		})
		for i := range n {
			leaf := binary.BigEndian.AppendUint64(nil, uint64(i))
			more, err := tlog.StoredHashes(i, leaf, reader)
			if err != nil {
				t.Fatal(err)
			}
			hashes = append(hashes, more...)
			if err := ts.add(leaf); err != nil {
				t.Fatal(err)
			}
		}
		if err := ts.end(); err != nil {
			t.Fatal(err)
		}
		seen := 0
		for _, tile := range tlog.NewTiles(8, 0, n) {
			want, err := tlog.ReadTileData(tile, reader)
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.ToSlash(tilePath(fmt.Sprint(tile.L), uint64(tile.N), tile.W))
			if !bytes.Equal(got[name], want) {
				t.Errorf("%d entries: %s has %d bytes, want %d", n, name, len(got[name]), len(want))
			}
			seen++
		}
		if bundles := int(n+255) / 256; len(got) != seen+bundles {
			t.Errorf("%d entries: %d files, want %d tiles and %d bundles", n, len(got), seen, bundles)
		}
	}
	for n, want := range map[uint64]string{0: "tile/3/000", 67: "tile/3/067", 1_234_067: "tile/3/x001/x234/067"} {
		if got := filepath.ToSlash(tilePath("3", n, 256)); got != want {
			t.Errorf("tile %d is %s, want %s", n, got, want)
		}
	}
	if got := filepath.ToSlash(tilePath("entries", 1000, 7)); got != "tile/entries/x001/000.p/7" {
		t.Errorf("partial bundle is %s", got)
	}
}
