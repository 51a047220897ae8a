package session

import "strings"

// AgentLabel names browser and system of a User-Agent header in words of a
// closed list, such as "Firefox, Windows": enough for a person to know their own
// sessions apart, and nothing that a client could write onto a page. It is ""
// where neither is known.
func AgentLabel(userAgent string) string {
	// The order matters: most browsers name those that they want to pass for.
	browser := firstNamed(userAgent, [][2]string{
		{"Edg", "Edge"},
		{"OPR/", "Opera"},
		{"Firefox/", "Firefox"},
		{"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"},
		{"Chrome/", "Chrome"},
		{"Safari/", "Safari"},
		{"curl/", "curl"},
	})
	system := firstNamed(userAgent, [][2]string{
		{"Windows", "Windows"},
		{"Android", "Android"},
		{"iPhone", "iOS"},
		{"iPad", "iPadOS"},
		{"CrOS", "ChromeOS"},
		{"Mac OS X", "macOS"},
		{"Linux", "Linux"},
	})
	switch {
	case browser == "":
		return system
	case system == "":
		return browser
	default:
		return browser + ", " + system
	}
}

func firstNamed(s string, names [][2]string) string {
	for _, n := range names {
		if strings.Contains(s, n[0]) {
			return n[1]
		}
	}
	return ""
}
