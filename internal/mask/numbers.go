package mask

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

// numbers finds secrets by their last digits, however they are grouped and with
// or without a country's prefix: +49 30 1234567, 030/1234567, 0049301234567.
type numbers struct {
	// byTail maps length<<32|value of the last digits to the secrets that end so.
	byTail map[uint64][]needle
	// lengths has bit n set where some tail has n digits.
	lengths uint
}

// maxTail is how many last digits are compared. A number of fewer digits counts
// only where no other digits touch it.
const maxTail = 8

func (s *numbers) add(v *secret) {
	d := digitsOf(v.text)
	n := min(len(d), maxTail)
	if s.byTail == nil {
		s.byTail = map[uint64][]needle{}
	}
	key := tailKey(d[len(d)-n:])
	for _, old := range s.byTail[key] {
		if old.cat == v.cat {
			return
		}
	}
	s.lengths |= 1 << n
	s.byTail[key] = append(s.byTail[key], needle{cat: v.cat, with: v.with})
}

func tailKey(digits string) uint64 {
	v := uint64(0)
	for i := range len(digits) {
		v = v*10 + uint64(digits[i]-'0')
	}
	return uint64(len(digits))<<32 | v
}

// run is a row of digits with separators in between.
type run struct {
	start, end int
	with       *needle
}

// replace puts a placeholder in the place of each row of digits that holds a
// secret.
func (s *numbers) replace(text string, skip []access.Category) (string, bool) {
	var b strings.Builder
	from := 0
	for i := 0; i < len(text); {
		r := s.next(text, i, skip)
		if r.end < 0 {
			break
		}
		i = r.end
		if r.with == nil {
			continue
		}
		b.WriteString(text[from:r.start])
		b.WriteString(r.with.with)
		from = r.end
	}
	if from == 0 {
		return text, false
	}
	b.WriteString(text[from:])
	return b.String(), true
}

func (s *numbers) first(text string, skip []access.Category) *needle {
	for i := 0; i < len(text); {
		r := s.next(text, i, skip)
		if r.end < 0 || r.with != nil {
			return r.with
		}
		i = r.end
	}
	return nil
}

// next takes the next row of digits from i on. Its end is -1 where there is none.
func (s *numbers) next(text string, i int, skip []access.Category) run {
	at := strings.IndexAny(text[i:], "0123456789")
	if at < 0 {
		return run{end: -1}
	}
	r := run{start: i + at}
	var places [maxTail]int
	count, gap := 0, 0
	tail := uint64(0)
	for j := r.start; j < len(text) && gap <= 3; j++ {
		c := text[j]
		if c < '0' || c > '9' {
			if strings.IndexByte(" -/().+", c) < 0 {
				break
			}
			gap++
			continue
		}
		gap = 0
		places[count%maxTail] = j
		count++
		tail = (tail*10 + uint64(c-'0')) % 100_000_000
		r.end = j + 1
		if r.with != nil {
			continue
		}
		n, first := s.ends(text, tail, count, &places, skip)
		if r.with = n; n != nil && first >= 0 {
			return run{start: first, end: r.end, with: n}
		}
	}
	for r.with != nil && r.start > i && strings.IndexByte("+(", text[r.start-1]) >= 0 {
		r.start--
	}
	return r
}

// ends returns a secret that ends with the digits seen last, and where it
// begins if these are all its digits, else -1: a longer number begins with the
// row, whose first digits are its country and area.
func (s *numbers) ends(text string, tail uint64, count int, places *[maxTail]int, skip []access.Category) (*needle, int) {
	for n, pow := minDigits, uint64(1_000_000); n <= maxTail; n, pow = n+1, pow*10 {
		if count < n || s.lengths&(1<<n) == 0 {
			continue
		}
		first := places[(count-n)%maxTail]
		hits := s.byTail[uint64(n)<<32|tail%pow]
		if len(hits) == 0 || n < maxTail && !alone(text, first, places[(count-1)%maxTail]) {
			continue
		}
		if n == maxTail {
			first = -1
		}
		for i := range hits {
			if !slices.Contains(skip, hits[i].cat) {
				return &hits[i], first
			}
		}
	}
	return nil, -1
}

// alone reports whether no digits touch the ones from first to last.
func alone(text string, first, last int) bool {
	digit := func(i int) bool { return i >= 0 && i < len(text) && '0' <= text[i] && text[i] <= '9' }
	return !digit(first-1) && !digit(last+1)
}
