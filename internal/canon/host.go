package canon

import (
	"net/netip"
	"strconv"
	"strings"
)

// maxHost is the longest name in DNS.
const maxHost = 253

// canonicalHost returns the authority in lower case, without trailing dot and
// without the scheme's default port.
func canonicalHost(host string, https bool) (string, Reason) {
	name, port, reason := splitPort(strings.ToLower(host))
	if reason != "" {
		return "", reason
	}
	if strings.HasPrefix(name, "[") {
		name = canonicalIPv6(name)
	} else {
		name = strings.TrimSuffix(name, ".")
	}
	if name == "" || name[0] != '[' && !validName(name) {
		return "", HostInvalid
	}
	if port == "" || port == "443" && https || port == "80" && !https {
		return name, ""
	}
	return name + ":" + port, ""
}

// splitPort takes the port off. A port is 1 to 65535 without leading zeros.
func splitPort(host string) (name, port string, reason Reason) {
	i := strings.LastIndexByte(host, ':')
	if i < 0 || strings.HasSuffix(host, "]") {
		return host, "", ""
	}
	name, port = host[:i], host[i+1:]
	if port == "" {
		return name, "", ""
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
		return "", "", HostInvalid
	}
	return name, port, ""
}

// canonicalIPv6 returns a bracketed address in its shortest form, "" if it is none.
func canonicalIPv6(name string) string {
	inner, ok := strings.CutSuffix(name[1:], "]")
	addr, err := netip.ParseAddr(inner)
	if !ok || err != nil || !addr.Is6() || addr.Zone() != "" {
		return ""
	}
	return "[" + addr.String() + "]"
}

func validName(name string) bool {
	if len(name) > maxHost {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for i := range len(label) {
			if c := label[i]; !isAlnum(c) && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}
