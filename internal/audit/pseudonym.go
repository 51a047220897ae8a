package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/keys"
)

// names turns people and values into keyed hashes: 128 bits of HMAC-SHA256. The
// keys derive from the master key alone, so all nodes give the same.
type names struct {
	employee, value [32]byte
}

func newNames(ring *keys.Ring) names {
	return names{employee: ring.Derive("audit employee"), value: ring.Derive("audit value")}
}

// Employee returns the pseudonym under which the log knows an employee, from the
// issuer and subject of the ID token. It stays the same when names change.
func (l *Log) Employee(issuer, subject string) string {
	return "e-" + keyed(l.names.employee, issuer, subject)
}

// Keyed returns the keyed hash by which the log finds an identifying value of a
// category again, as "category:hash". Spellings of one value give one hash: case
// and surrounding or repeated space don't count, nor does anything but digits in
// a phone number, or letters and digits in an IBAN, tax or official id.
func (l *Log) Keyed(category, value string) string { return l.names.keyed(category, value) }

func (n names) keyed(category, value string) string {
	return category + ":" + keyed(n.value, category, normalise(access.Category(category), value))
}

// withIdentifying adds the hashes of a disclosure's identifying values.
func (n names) withIdentifying(known []string, d *access.Disclosure) []string {
	if d == nil || len(d.Identifying) == 0 {
		return known
	}
	all := slices.Clone(known)
	for _, id := range d.Identifying {
		if normalise(id.Category, id.Value) == "" {
			continue // an empty cell names nobody
		}
		all = append(all, n.keyed(string(id.Category), id.Value))
	}
	// Sorted: the order of the rows is gone with the values.
	slices.Sort(all)
	return slices.Compact(all)
}

// keyed hashes parts so that no two lists of parts give the same bytes.
func keyed(key [32]byte, parts ...string) string {
	mac := hmac.New(sha256.New, key[:])
	var n [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		mac.Write(n[:])
		mac.Write([]byte(p))
	}
	enc := base32.StdEncoding.WithPadding(base32.NoPadding)
	return strings.ToLower(enc.EncodeToString(mac.Sum(nil)[:16]))
}

func normalise(c access.Category, value string) string {
	v := strings.ToLower(norm.NFC.String(value))
	switch c {
	case access.Phone:
		return normalisePhone(v)
	case access.Bank, access.TaxID, access.Identity:
		return keep(v, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
	}
	// Fields splits at every Unicode space, so a no-break space is one too.
	return norm.NFC.String(strings.Join(strings.Fields(v), " "))
}

// normalisePhone makes +49 (0)170 12, 0049 170-12 and 4917012 one.
func normalisePhone(v string) string {
	v = strings.ReplaceAll(v, "(0)", "")
	return strings.TrimPrefix(keep(v, unicode.IsDigit), "00")
}

func keep(v string, ok func(rune) bool) string {
	return strings.Map(func(r rune) rune {
		if ok(r) {
			return r
		}
		return -1
	}, v)
}

func randomNode(random []byte) string {
	return "n" + base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(random)
}
