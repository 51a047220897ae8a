package oidc

import (
	"net/url"
	"slices"
	"strings"
)

// returnLimit is the longest return URL that is kept: providers cut longer
// states off.
const returnLimit = 1500

// ReturnTo returns where a person may be sent after signing in or out: raw
// itself if it is a path (with query) on this host, else "/".
//
// Everything a browser reads otherwise than a URL parser does is refused:
// `//evil`, `/\evil`, `https:evil`, control characters that browsers drop, dot
// segments, encoded slashes. So are the gateway's own ways in and out, which
// would sign out, or sign in again without end.
func ReturnTo(raw string) string {
	if !returnable(raw) {
		return "/"
	}
	return raw
}

func returnable(raw string) bool {
	if raw == "" || len(raw) > returnLimit || raw[0] != '/' {
		return false
	}
	for i := range len(raw) {
		if c := raw[i]; c <= ' ' || c >= 0x7f || c == '\\' || c == '#' {
			return false
		}
	}
	u, err := url.ParseRequestURI(raw)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return false
	}
	return plainPath(u) && !ownWay(u.Path)
}

// plainPath reports whether escaped and decoded path have the same segments, and
// none that a browser or server would fold away.
func plainPath(u *url.URL) bool {
	for _, c := range []byte(u.Path) {
		if c < ' ' || c == 0x7f || c == '\\' {
			return false
		}
	}
	if strings.Count(u.EscapedPath(), "/") != strings.Count(u.Path, "/") || strings.Contains(u.Path, "//") {
		return false
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// ownWay reports whether a path is one of the gateway's ways in and out, in any
// case: a page that is none may be returned to.
func ownWay(path string) bool {
	rest, ok := strings.CutPrefix(strings.ToLower(path), "/.crmgate/")
	if !ok {
		return false
	}
	word, _, _ := strings.Cut(rest, "/")
	return slices.Contains([]string{
		"callback", "login", "logout", "sign-in", "sign-out", "signin", "signout", "signed-out",
		"step-up", "backchannel-logout", "frontchannel-logout",
	}, word)
}
