package keys

import (
	"maps"
	"slices"
)

// DeriveAll returns Derive's key for a purpose under each master key of the
// ring, the current one's first: for what is made under the current key and has
// to be recognised under older ones for a while.
func (r *Ring) DeriveAll(purpose string) [][32]byte {
	all := [][32]byte{r.Derive(purpose)}
	for _, id := range slices.Sorted(maps.Keys(r.secrets)) {
		if id != r.current {
			all = append(all, derive(r.secrets[id], "derive:"+purpose))
		}
	}
	return all
}
