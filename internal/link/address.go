// Package link says which web addresses in texts are not what they look like. It reads
// an address as browsers do, so that the host it judges is the one that would be asked.
package link

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Address is a web address as browsers read it.
type Address struct {
	// Host is the name that is asked for, in lower-case ASCII (`xn--…`), without a
	// port and without a dot at its end; of an IP address its usual form.
	Host string
	// IP says that Host is an IP address, in whatever form it was written.
	IP bool
	// User says that something stands before an @.
	User bool
	// Unreadable says that the host has letters of which no name can be made.
	Unreadable bool
}

// maxAddress is the longest address that is read, in bytes; of a longer one the host
// is read all the same, which stands in front.
const maxAddress = 8 << 10

// Read reads an address of http or https, also one that takes over the page's scheme
// (`//host/path`). Any other, and one that leads nowhere, is none.
func Read(raw string) (Address, bool) {
	rest, ok := scheme(clean(raw))
	if !ok {
		return Address{}, false
	}
	if i := strings.IndexAny(rest, `/\?#`); i >= 0 {
		rest = rest[:i]
	}
	var a Address
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		a.User, rest = i > 0, rest[i+1:]
	}
	if strings.HasPrefix(rest, "[") {
		return a.six(rest)
	}
	if i := strings.LastIndexByte(rest, ':'); i >= 0 {
		rest = rest[:i]
	}
	return a.name(rest)
}

// clean takes out what browsers take out before they read an address.
func clean(raw string) string {
	if len(raw) > maxAddress {
		raw = raw[:maxAddress]
	}
	raw = strings.TrimFunc(raw, func(r rune) bool { return r <= ' ' })
	if strings.ContainsAny(raw, "\t\r\n") {
		raw = strings.NewReplacer("\t", "", "\r", "", "\n", "").Replace(raw)
	}
	return raw
}

// scheme takes the scheme and the slashes behind it away. Browsers take backslashes
// for slashes, and any number of either.
func scheme(s string) (rest string, ok bool) {
	slash := func(c byte) bool { return c == '/' || c == '\\' }
	switch {
	case len(s) >= 2 && slash(s[0]) && slash(s[1]):
		rest = s
	case len(s) > 5 && strings.EqualFold(s[:5], "http:"):
		rest = s[5:]
	case len(s) > 6 && strings.EqualFold(s[:6], "https:"):
		rest = s[6:]
	default:
		return "", false
	}
	return strings.TrimLeft(rest, `/\`), true
}

func (a Address) six(rest string) (Address, bool) {
	text, _, ok := strings.Cut(rest[1:], "]")
	ip, err := netip.ParseAddr(text)
	if !ok || err != nil || !ip.Is6() || ip.Zone() != "" {
		return a, false
	}
	a.Host, a.IP = ip.Unmap().String(), true
	return a, true
}

func (a Address) name(host string) (Address, bool) {
	if strings.Contains(host, "%") {
		plain, err := url.PathUnescape(host)
		if err != nil || !utf8.ValidString(plain) {
			return a, false // browsers go nowhere
		}
		host = plain
	}
	name, ok := ascii(host)
	if !ok {
		a.Host, a.Unreadable = printable(host), true
		return a, a.Host != ""
	}
	name = strings.TrimSuffix(name, ".")
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return !isHostRune(r) }) {
		return a, false
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	if last == "" {
		return a, false
	}
	if _, numeric := number(last); numeric {
		ip, ok := four(name)
		a.Host, a.IP = ip, true
		return a, ok
	}
	a.Host = name
	return a, true
}

// ascii is a host as it is asked for. It reports false where letters are in it that no
// name can have; what is ASCII already is left as it is.
func ascii(host string) (string, bool) {
	plain := true
	for i := range len(host) {
		plain = plain && host[i] < utf8.RuneSelf
	}
	lower := strings.ToLower(host)
	if plain && !strings.Contains(lower, "xn--") {
		return lower, true
	}
	name, err := idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.BidiRule()).ToASCII(host)
	return strings.ToLower(name), err == nil
}

// printable is what can be shown of a host that isn't one.
func printable(host string) string {
	const most = 253
	var b strings.Builder
	for _, r := range host {
		if b.Len() >= most {
			break
		}
		if r == '.' || r == '-' || r < utf8.RuneSelf && isHostRune(r) {
			b.WriteRune(r)
		} else {
			b.WriteByte('?')
		}
	}
	return b.String()
}

func isHostRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.'
}

// four reads an IPv4 address in any of the forms that browsers take: 1 to 4 numbers,
// decimal, octal (0…) or hexadecimal (0x…), of which the last fills what is left.
func four(name string) (string, bool) {
	parts := strings.Split(name, ".")
	if len(parts) > 4 {
		return "", false
	}
	var ip uint64
	for i, p := range parts {
		n, ok := number(p)
		if !ok {
			return "", false
		}
		if i < len(parts)-1 {
			if n > 255 {
				return "", false
			}
			ip |= n << (8 * (3 - i))
			continue
		}
		if n >= 1<<(8*(5-len(parts))) {
			return "", false
		}
		ip |= n
	}
	return netip.AddrFrom4([4]byte{byte(ip >> 24), byte(ip >> 16), byte(ip >> 8), byte(ip)}).String(), true
}

// number reads one of them. It reports true for what is meant as a number, even where
// it is too large for one: that leads nowhere.
func number(s string) (n uint64, ok bool) {
	base := 10
	switch {
	case strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X"):
		s, base = s[2:], 16
	case len(s) > 1 && s[0] == '0':
		s, base = s[1:], 8
	}
	if s == "" {
		return 0, base == 16
	}
	if n, err := strconv.ParseUint(s, base, 33); err == nil && s[0] != '+' {
		return n, true
	}
	digits := !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	return 1 << 33, digits
}
