package mask

import (
	"cmp"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

// numbers finds secrets by their last digits, however they are grouped and with
// or without a country's prefix: +49 30 1234567, 030/1234567, 0049301234567.
type numbers struct {
	tails  []tail
	filter filter
	// lengths has bit n set where some tail has n digits.
	lengths uint
}

// tail is the last digits of a secret: their number <<32 | their value.
type tail struct {
	key uint64
	of  int32
}

// maxTail is how many last digits are compared. A number of fewer digits counts
// only where no other digits touch it.
const maxTail = 8

func (s *numbers) add(text string, of int32) {
	d := digitsOf(text)
	n := min(len(d), maxTail)
	key := uint64(0)
	for _, c := range []byte(d[len(d)-n:]) {
		key = key*10 + uint64(c-'0')
	}
	s.lengths |= 1 << n
	s.filter.put(hashTail(key))
	s.tails = append(s.tails, tail{uint64(n)<<32 | key, of})
}

func hashTail(value uint64) uint32 { return uint32(value) * 0x9e3779b1 >> 18 }

func (s *numbers) settle() {
	slices.SortFunc(s.tails, func(a, b tail) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.of, b.of)) })
}

// row is a row of digits with separators in between, and the secret in it (-1
// for none). Without digits left it ends with the text.
type row struct {
	start, end int
	of         int32
}

// replaceNumbers puts a placeholder in the place of each row of digits that
// holds a secret.
func (s *Sweep) replaceNumbers(text string, skip []access.Category) (string, bool) {
	if s.numbers.lengths == 0 {
		return text, false
	}
	var b strings.Builder
	from := 0
	for i := 0; i < len(text); {
		r := s.nextNumber(text, i, skip)
		i = r.end
		if r.of < 0 {
			continue
		}
		b.WriteString(text[from:r.start])
		b.WriteString(s.secrets[r.of].with)
		from = r.end
	}
	if from == 0 {
		return text, false
	}
	b.WriteString(text[from:])
	return b.String(), true
}

func isDigit(c byte) bool { return c-'0' < 10 }

// nextNumber takes the next row of digits from i on.
func (s *Sweep) nextNumber(text string, i int, skip []access.Category) row {
	from := i
	for i < len(text) && !isDigit(text[i]) {
		i++
	}
	r := row{start: i, end: len(text), of: -1}
	if i == len(text) || s.numbers.lengths == 0 {
		return r
	}
	var places [maxTail]int
	count, gap, value := 0, 0, uint64(0)
	for j := i; j < len(text) && gap <= 3; j++ {
		c := text[j]
		if !isDigit(c) {
			if strings.IndexByte(" -/().+", c) < 0 {
				break
			}
			gap++
			continue
		}
		gap = 0
		places[count%maxTail] = j
		count++
		value = (value*10 + uint64(c-'0')) % 100_000_000
		r.end = j + 1
		if r.of >= 0 || count < minDigits {
			continue
		}
		of, first := s.endsHere(text, value, count, &places, skip)
		if r.of = of; of >= 0 && first >= 0 {
			return row{start: first, end: r.end, of: of}
		}
	}
	for r.of >= 0 && r.start > from && strings.IndexByte("+(", text[r.start-1]) >= 0 {
		r.start--
	}
	return r
}

// endsHere returns a secret that ends with the digits seen last, and where it
// begins if these are all its digits, else -1: a longer number begins with the
// row, whose first digits are its country and area.
func (s *Sweep) endsHere(text string, value uint64, count int, places *[maxTail]int, skip []access.Category) (int32, int) {
	for n, pow := minDigits, uint64(1_000_000); n <= maxTail; n, pow = n+1, pow*10 {
		if count < n || s.numbers.lengths&(1<<n) == 0 || !s.numbers.filter.has(hashTail(value%pow)) {
			continue
		}
		first := places[(count-n)%maxTail]
		if n == maxTail {
			first = -1
		} else if !alone(text, first, places[(count-1)%maxTail]) {
			continue
		}
		if of := s.byTail(uint64(n)<<32|value%pow, skip); of >= 0 {
			return of, first
		}
	}
	return -1, -1
}

func (s *Sweep) byTail(key uint64, skip []access.Category) int32 {
	tails := s.numbers.tails
	i, _ := slices.BinarySearchFunc(tails, key, func(t tail, k uint64) int { return cmp.Compare(t.key, k) })
	for ; i < len(tails) && tails[i].key == key; i++ {
		if !slices.Contains(skip, s.secrets[tails[i].of].cat) {
			return tails[i].of
		}
	}
	return -1
}

// alone reports whether no digits touch the ones from first to last.
func alone(text string, first, last int) bool {
	return (first == 0 || !isDigit(text[first-1])) && (last+1 == len(text) || !isDigit(text[last+1]))
}
