package detect

import "net/netip"

// address tests an IP address that begins at i.
func (sc *scan) address(i, j int) bool {
	if j < len(sc.s) && sc.s[j] == ':' && j-i <= 4 {
		return sc.ipv6(i)
	}
	if j < len(sc.s) && sc.s[j] == '.' && j-i <= 3 && isDigit(sc.s[i]) {
		return sc.ipv4(i)
	}
	return false
}

// ipv4 tests four numbers with dots. Small ones are a version or a chapter
// unless a word says otherwise.
func (sc *scan) ipv4(i int) bool {
	const small = 32
	k, large := i, false
	for part := range 4 {
		if part > 0 {
			if k >= len(sc.s) || sc.s[k] != '.' {
				return false
			}
			k++
		}
		n, end := sc.upTo(k, 4)
		if end == k || end-k > 3 || n > 255 || end-k > 1 && sc.s[k] == '0' {
			return false
		}
		large = large || n >= small
		k = end
	}
	if !sc.ends(k) || k+1 < len(sc.s) && sc.s[k] == '.' && isDigit(sc.s[k+1]) || sc.before(i) == '.' || sc.before(i) == '-' {
		return false
	}
	b := sc.beside(i, k)
	switch {
	case b.says(ofIP):
	case b.other&ofVersion != 0 && b.otherDistance <= 2, !large && !b.suggests(ofIP):
		return false
	}
	return sc.hit(IPAddress, i, k)
}

// ipv6 tests groups of hexadecimal digits with colons.
func (sc *scan) ipv6(i int) bool {
	const longest = 45
	k, colons := i, 0
	for k < len(sc.s) && k-i < longest && (isHex(sc.s[k]) || sc.s[k] == ':' || sc.s[k] == '.') {
		if sc.s[k] == ':' {
			colons++
		}
		k++
	}
	for k > i && (sc.s[k-1] == '.' || sc.s[k-1] == ':' && (k < i+2 || sc.s[k-2] != ':')) {
		k--
	}
	if colons < 2 || !sc.ends(k) {
		return false
	}
	addr, err := netip.ParseAddr(sc.s[i:k])
	if err != nil || !addr.Is6() {
		return false
	}
	const fewest = 6 // a::b is a name in a program
	if k-i < fewest && !sc.beside(i, k).says(ofIP) {
		return false
	}
	return sc.hit(IPAddress, i, k)
}
