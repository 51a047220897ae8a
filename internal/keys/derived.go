package keys

// DeriveAll returns a key for a purpose under each master key of the ring: first
// that of the one in force, then the others, older and coming ones alike. It is
// for what is made under one key and has to be recognised under all of them, on
// nodes that see a new key in force a moment earlier or later.
func (r *Ring) DeriveAll(purpose string) [][32]byte {
	now := r.current()
	all := [][32]byte{derive(now.secret, "derive:"+purpose)}
	for _, k := range *r.keys.Load() {
		if k.id != now.id {
			all = append(all, derive(k.secret, "derive:"+purpose))
		}
	}
	return all
}

// Generation is another one whenever DeriveAll's answers are: the id of the key in
// force, and how many there are.
func (r *Ring) Generation() (inForce byte, keys int) {
	return r.current().id, len(*r.keys.Load())
}
