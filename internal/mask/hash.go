package mask

import (
	"crypto/md5" //nolint:gosec // it is what others hash with
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

// The hash of an address is the address: whoever has a list of addresses finds
// it. Pages hold such hashes to show a person's picture (Gravatar: MD5 or
// SHA-256 of the address in lower case, in hexadecimal).

// shortestHash is the length of an MD5 in hexadecimal.
const shortestHash = 2 * md5.Size

// hashed reports whether the document can hold a hash: it has that many
// hexadecimal digits in a row.
func (p *pass) hashed() bool {
	if p.hashes == 0 {
		p.hashes = -1
		if hasHash(p.t.Src) {
			p.hashes = 1
		}
	}
	return p.hashes > 0
}

// hasHash looks at so many bytes only that no row of digits is missed: a row that
// is long enough holds one of them, and one byte half that far before or
// behind it.
func hasHash(src []byte) bool {
	const step, half = shortestHash, shortestHash / 2
	for i := step - 1; i < len(src); i += step {
		if !isHex(src[i]) || !isHex(src[i-half]) && (i+half-1 >= len(src) || !isHex(src[i+half-1])) {
			continue
		}
		from, to := i, i+1
		for from > 0 && isHex(src[from-1]) {
			from--
		}
		for to < len(src) && isHex(src[to]) {
			to++
		}
		if to-from >= shortestHash {
			return true
		}
	}
	return false
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// hashesOf are the secrets that stand for an address. Zeros in their place lead
// to nobody's picture.
func hashesOf(address string) []secret {
	address = strings.ToLower(address)
	short, long := md5.Sum([]byte(address)), sha256.Sum256([]byte(address)) //nolint:gosec // as above
	list := make([]secret, 0, 2)
	for _, sum := range [][]byte{short[:], long[:]} {
		text := hex.EncodeToString(sum)
		list = append(list, secret{text: text, cat: access.Email, with: strings.Repeat("0", len(text)), asText: true})
	}
	return list
}
