package detect

// scan is the search of one text.
type scan struct {
	d    *Detector
	s    string // as foldView made it
	hits []Hit
	// free is where the last hit ends.
	free int

	// labels are what stands beside [labelAt, labelEnd).
	labels            beside
	labelAt, labelEnd int
	num               number
	known             [32]known
	// steps counts the bytes that were read beside the walk itself: the test that
	// time is linear reads it.
	steps int
}

// run walks over the words. Each look beyond a word is bounded, so the whole is
// linear.
func (sc *scan) run() {
	for i := 0; i < len(sc.s); {
		c := sc.s[i]
		switch {
		case c == '@':
			i = sc.email(i, i+1)
		case c == '(', c == '[', c == '{', c == '<':
			if n := isAt(sc.s[i+1:]); n > 0 {
				sc.email(i, i+1+n)
			}
			i++
		case isWordByte(c):
			j := i + 1
			digits := isDigit(c)
			for j < len(sc.s) && isWordByte(sc.s[j]) {
				digits = digits || isDigit(sc.s[j])
				j++
			}
			i = sc.candidate(i, j, digits)
		default:
			i++
		}
	}
}

// candidate tests what begins with the word [i, j) and returns where to go on.
func (sc *scan) candidate(i, j int, digits bool) int {
	if i < sc.free {
		return j
	}
	if !digits && !sc.mayBegin(i, j) {
		return j
	}
	if end := sc.opaque(i); end > 0 {
		return end
	}
	from := len(sc.hits)
	switch {
	case sc.address(i, j):
	case isDigit(sc.s[i]):
		sc.digits(i, j)
	default:
		sc.letters(i, j)
	}
	if len(sc.hits) > from {
		sc.free = sc.hits[len(sc.hits)-1].End
		return max(j, sc.free)
	}
	return j
}

// mayBegin reports whether a word without digits can begin something: the
// letters of an IBAN, a tax number or a plate, a BIC, an address.
func (sc *scan) mayBegin(i, j int) bool {
	switch {
	case j < len(sc.s) && sc.s[j] == ':' && j-i <= 4:
		return true
	case j-i == 8 || j-i == 11:
		return isUpper(sc.s[i]) && isUpper(sc.s[i+1]) && isUpper(sc.s[j-1])
	}
	return j-i <= 5 && j+1 < len(sc.s) && (sc.s[j] == ' ' || sc.s[j] == '-' || sc.s[j] == '.' || sc.s[j] == ':')
}

// hit notes a hit.
func (sc *scan) hit(k Kind, start, end int) bool {
	sc.hits = append(sc.hits, Hit{Start: start, End: end, Kind: k})
	return true
}

// before is the byte before i, a space at the beginning.
func (sc *scan) before(i int) byte {
	if i == 0 {
		return ' '
	}
	return sc.s[i-1]
}

// ends reports whether no word goes on at i.
func (sc *scan) ends(i int) bool { return i >= len(sc.s) || !isWordByte(sc.s[i]) }

// opaque returns the end of a UUID at i, 0 for none: its groups look like parts
// of numbers.
func (sc *scan) opaque(i int) int {
	const uuid = 36
	if i+uuid > len(sc.s) || !sc.ends(i+uuid) {
		return 0
	}
	for k := range uuid {
		c := sc.s[i+k]
		switch k {
		case 8, 13, 18, 23:
			if c != '-' {
				return 0
			}
		default:
			if !isHex(c) {
				return 0
			}
		}
	}
	return i + uuid
}

func isHex(c byte) bool { return isDigit(c) || c|0x20-'a' < 6 }

// digits tests what can begin with a digit. The order is that of how much a form
// says.
func (sc *scan) digits(i, j int) {
	if d := sc.dateAt(i); d.end > 0 {
		sc.birthdate(d)
		sc.free = max(sc.free, d.end)
		return
	}
	if sc.pension(i) {
		return
	}
	n := sc.read(i)
	switch {
	case sc.swissNumber(n), sc.card(n), sc.taxID(n), sc.austrianNumber(n), sc.phone(n), sc.oldCard(n):
	case j-i == len("B072RRE2I55"):
		sc.document(i, j)
	}
}

// letters tests what can begin with a letter.
func (sc *scan) letters(i, j int) {
	_ = sc.iban(i) || sc.vat(i) || sc.health(i) || sc.document(i, j) || sc.bic(i, j) || sc.plate(i, j)
}

// number is a row of groups of digits, with what may stand between them.
type number struct {
	digits [24]byte
	// groups are where the groups begin and end in the text, and count is how many
	// digits there are up to each one's end.
	groups [12][2]int
	count  [12]int
	n      int
	// tight says, by group, that it stands behind the one before with one space,
	// hyphen or dot between.
	tight [12]bool
}

func (n *number) start() int { return n.groups[0][0] }

// upTo returns the number of groups that have so many digits together, 0 for
// none. All of them have to be tight.
func (n *number) upTo(digits int) int {
	for k := range n.n {
		if k > 0 && !n.tight[k] {
			return 0
		}
		if n.count[k] >= digits {
			if n.count[k] == digits {
				return k + 1
			}
			return 0
		}
	}
	return 0
}

// end is where the first k groups end.
func (n *number) end(k int) int { return n.groups[k-1][1] }

// read reads a row of groups that begins at i. It ends before what begins a date
// or a time, before another number and where no room is left.
func (sc *scan) read(i int) *number {
	n := &sc.num
	n.n = 0
	begin, total := i, 0
	defer func() { sc.steps += i - begin }()
	for n.n < len(n.groups) {
		from := i
		for i < len(sc.s) && isDigit(sc.s[i]) && total < len(n.digits) {
			n.digits[total] = sc.s[i]
			total++
			i++
		}
		if i < len(sc.s) && (isDigit(sc.s[i]) || isWordByte(sc.s[i]) && n.n > 0) {
			break // a group without an end, or the beginning of a word
		}
		if n.n > 0 && sc.otherNumber(from, i) {
			break
		}
		n.groups[n.n] = [2]int{from, i}
		n.count[n.n] = total
		n.n++
		next := sc.gap(i)
		if next == 0 {
			break
		}
		if n.n < len(n.groups) {
			n.tight[n.n] = next == i+1 && sc.s[i] != '/' && sc.s[i] != '('
		}
		i = next
	}
	return n
}

// gap returns where the next group of a number begins that ends at i, 0 for
// nowhere.
func (sc *scan) gap(i int) int {
	const widest = 4
	for k := i; k < len(sc.s) && k-i <= widest; k++ {
		switch c := sc.s[k]; c {
		case ' ', '-', '/', '.', '(', ')', '\t':
		default:
			if isDigit(c) && k > i {
				return k
			}
			return 0
		}
	}
	return 0
}

// otherNumber reports whether the group [from, to) begins something else than
// more of the same number.
func (sc *scan) otherNumber(from, to int) bool {
	if to < len(sc.s) && sc.s[to] == ':' && to-from <= 2 && to+1 < len(sc.s) && isDigit(sc.s[to+1]) {
		return true // a time of day
	}
	before := sc.before(from)
	return before != '-' && before != '.' && sc.dateAt(from).end > 0
}
