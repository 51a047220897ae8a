package mask

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

// numbers finds secrets by their last digits, however they are grouped and with
// or without a country's prefix: +49 30 1234567, 030/1234567, 0049301234567.
type numbers struct {
	tails index // by tailKey
	// lengths has bit n set where some tail has n digits.
	lengths uint
}

// maxTail is how many last digits are compared. A number of fewer digits counts
// only where no other digits touch it.
const maxTail = 8

// maxGap is how many separators may stand between two digits of a number.
const maxGap = 3

// indexNumbers indexes the secrets that are searched by their digits.
func (s *Sweep) indexNumbers() {
	s.numbers = numbers{}
	n := 0
	for i := range s.secrets {
		if s.secrets[i].asDigits && !s.secrets[i].open {
			n++
		}
	}
	if n == 0 {
		return
	}
	s.numbers.tails = newIndex(n)
	for i := range s.secrets {
		if secret := &s.secrets[i]; secret.asDigits && !secret.open {
			s.addNumber(secret, int32(i))
		}
	}
}

// addNumber leaves out what another secret of the category stands for already.
func (s *Sweep) addNumber(secret *secret, of int32) {
	n, value := tailOf(secret.text)
	key, tails := tailKey(n, value), &s.numbers.tails
	for i := tails.first(key); i >= 0; i = tails.after(i) {
		if s.secrets[tails.things[i].of].cat == secret.cat {
			return
		}
	}
	s.numbers.lengths |= 1 << n
	tails.put(key, of, formPlain)
}

// tailOf returns the last digits of a text: how many, and their value.
func tailOf(text string) (n int, value uint64) {
	pow := uint64(1)
	for i := len(text) - 1; i >= 0 && n < maxTail; i-- {
		if isDigit(text[i]) {
			value += uint64(text[i]-'0') * pow
			pow *= 10
			n++
		}
	}
	return n, value
}

func tailKey(n int, value uint64) uint64 { return uint64(n)<<32 | value }

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
	for j := i; j < len(text) && gap <= maxGap; j++ {
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
		if count < n || s.numbers.lengths&(1<<n) == 0 || !s.numbers.tails.may(tailKey(n, value%pow)) {
			continue
		}
		first := places[(count-n)%maxTail]
		if n == maxTail {
			first = -1
		} else if !alone(text, first, places[(count-1)%maxTail]) {
			continue
		}
		if of := s.byTail(tailKey(n, value%pow), skip); of >= 0 {
			return of, first
		}
	}
	return -1, -1
}

func (s *Sweep) byTail(key uint64, skip []access.Category) int32 {
	found := int32(-1)
	tails := &s.numbers.tails
	for i := tails.first(key); i >= 0; i = tails.after(i) {
		if of := tails.things[i].of; !slices.Contains(skip, s.secrets[of].cat) {
			found = of // what was put in first comes last, and decides
		}
	}
	return found
}

// alone reports whether no digits touch the ones from first to last.
func alone(text string, first, last int) bool {
	return (first == 0 || !isDigit(text[first-1])) && (last+1 == len(text) || !isDigit(text[last+1]))
}
