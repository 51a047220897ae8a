package link

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// Reason is why an address isn't what it looks like.
type Reason string

// The reasons.
const (
	// Credentials is a name before an @, which looks like the host and isn't.
	Credentials Reason = "credentials"
	// IP is an address of numbers, in whatever form.
	IP Reason = "ip"
	// MixedScript is a word with letters of scripts that no language mixes.
	MixedScript Reason = "mixed_script"
	// Disguised is a word of foreign letters all of which look like Latin ones, or one
	// with a sign in it that looks like a slash or a dot.
	Disguised Reason = "disguised"
	// Lookalike is a name that looks like a protected one, or is a slip away from it.
	Lookalike Reason = "lookalike"
	// ExtraWord is a protected name within another's.
	ExtraWord Reason = "extra_word"
	// Unreadable is a host that programs read in different ways, or not at all.
	Unreadable Reason = "unreadable"
)

// Verdict is an address that isn't what it looks like.
type Verdict struct {
	Reason Reason
	// Host is the one that would be asked, in ASCII; Shown is how it is shown, where
	// that differs.
	Host, Shown string
	// Like is the protected domain that it resembles, if it is that.
	Like string
}

// Judge knows which domains are protected. It is safe for concurrent use.
type Judge struct {
	protected []domain
	known     []string // hosts, with all below them
}

// domain is a protected one.
type domain struct {
	name string // example.de
	// dotted is the name between dots, as it stands in another's.
	dotted string
	word   string // example: what people remember
	tld    string // de
	skel   string
	// own says that it is the company's: no other ending is right either, and a slip
	// counts in shorter words, too.
	own bool
}

// ErrDomain says that a domain can't be protected.
var ErrDomain = errors.New("not a domain")

// New makes a judge: own are the company's domains, like are others that are to be
// protected beside those everybody knows, known are hosts that are never suspected,
// with all below them.
func New(own, like, known []string) (*Judge, error) {
	j := &Judge{}
	for _, list := range []struct {
		names []string
		own   bool
	}{{own, true}, {like, false}, {wellKnown(), false}} {
		for _, name := range list.names {
			d, err := parse(name)
			if err != nil {
				return nil, err
			}
			d.own = list.own
			j.protected = append(j.protected, d)
			j.known = append(j.known, d.name)
		}
	}
	for _, name := range known {
		if ip, err := netip.ParseAddr(name); err == nil {
			j.known = append(j.known, ip.Unmap().String())
			continue
		}
		a, ok := Read("https://" + name)
		if !ok || a.Unreadable || a.IP || a.User || strings.ContainsAny(name, "/:@?#") {
			return nil, fmt.Errorf("%w: %q: write a host, with all below it, or an IP address", ErrDomain, name)
		}
		j.known = append(j.known, a.Host)
	}
	return j, nil
}

func parse(name string) (domain, error) {
	a, ok := Read("https://" + name)
	if !ok || a.Unreadable || a.IP || a.User || strings.ContainsAny(name, "/:@?#*") {
		return domain{}, fmt.Errorf("%w: %q: write one as in example.de", ErrDomain, name)
	}
	registered, err := publicsuffix.EffectiveTLDPlusOne(a.Host)
	if err != nil || registered != a.Host {
		return domain{}, fmt.Errorf("%w: %q: write the domain that is registered, as in example.de: all below it goes along", ErrDomain, name)
	}
	word, tld, _ := strings.Cut(a.Host, ".")
	word = unicodeOf(word)
	return domain{name: a.Host, dotted: "." + a.Host + ".", word: word, tld: tld, skel: skeleton(word)}, nil
}

// unicodeOf is a label as it is shown.
func unicodeOf(label string) string {
	if !strings.HasPrefix(label, "xn--") {
		return label
	}
	if s, err := idna.Punycode.ToUnicode(label); err == nil {
		return s
	}
	return label
}

// Address judges one address.
func (j *Judge) Address(raw string) (Verdict, bool) {
	a, ok := Read(raw)
	if !ok {
		return Verdict{}, false
	}
	v := Verdict{Host: a.Host}
	if a.Unreadable {
		v.Reason = Unreadable
		return v, true
	}
	if j.isKnown(a.Host) {
		return v, false
	}
	if !a.IP {
		v.Reason, v.Like = j.host(a.Host)
		v.Shown = shown(a.Host)
	}
	switch {
	case v.Reason != "":
	case a.User:
		v.Reason = Credentials
	case a.IP:
		v.Reason = IP
	}
	return v, v.Reason != ""
}

// Text judges the addresses in a text, no more than are left, and counts down. A host is
// named once.
func (j *Judge) Text(text string, left *int, visit func(Verdict)) {
	var seen []string
	in(text, left, func(raw string) {
		if v, bad := j.Address(raw); bad && !slices.Contains(seen, v.Host) {
			seen = append(seen, v.Host)
			visit(v)
		}
	})
}

func (j *Judge) isKnown(host string) bool {
	return slices.ContainsFunc(j.known, func(k string) bool {
		return host == k || strings.HasSuffix(host, k) && host[len(host)-len(k)-1] == '.'
	})
}

// shown is a host in the letters in which programs show it, "" where those are the
// same.
func shown(host string) string {
	labels := strings.Split(host, ".")
	for i := range labels {
		labels[i] = unicodeOf(labels[i])
	}
	if s := strings.Join(labels, "."); s != host {
		return s
	}
	return ""
}

// host judges a name.
func (j *Judge) host(host string) (Reason, string) {
	registered, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		registered = host // one word, or a public suffix
	}
	word, tld, _ := strings.Cut(registered, ".")
	word = unicodeOf(word)
	if like, ok := j.resembles(word, tld); ok {
		return Lookalike, like
	}
	if like, ok := j.within(host, word); ok {
		return ExtraWord, like
	}
	labels := strings.Split(host, ".")
	for i, l := range labels {
		if !strings.HasPrefix(l, "xn--") {
			continue
		}
		l = unicodeOf(l)
		if strings.ContainsAny(l, marks) {
			return Disguised, ""
		}
		if mixes(scripts(l)) {
			return MixedScript, ""
		}
		if i < len(labels)-1 && disguised(l) && !sameScript(l, unicodeOf(labels[len(labels)-1])) {
			return Disguised, ""
		}
	}
	return "", ""
}

// sameScript reports whether an ending is of the word's own script: .рф behind Cyrillic
// letters.
func sameScript(word, ending string) bool {
	a, b := scripts(word), scripts(ending)
	delete(a, "Latin")
	for s := range a {
		if !b[s] {
			return false
		}
	}
	return true
}

// resembles reports whether a registered word looks like a protected one, or is a slip
// away from it.
func (j *Judge) resembles(word, tld string) (like string, ok bool) {
	skel := skeleton(word)
	for i := range j.protected {
		if d := &j.protected[i]; word == d.word {
			if d.own && !j.endsAs(word, tld) {
				return d.name, true
			}
			return "", false // another ending of a name that everybody knows is its own
		}
	}
	for i := range j.protected {
		d := &j.protected[i]
		if skel == d.skel || d.slips(word) {
			return d.name, true
		}
	}
	return "", false
}

// endsAs reports whether the company has that domain.
func (j *Judge) endsAs(word, tld string) bool {
	return slices.ContainsFunc(j.protected, func(d domain) bool { return d.word == word && d.tld == tld })
}

// slips reports whether a word is one slip of a finger away. In short words that is
// another word, as a rule.
func (d *domain) slips(word string) bool {
	const short, shortOwn, most = 6, 5, 4 // a letter has up to 4 bytes
	n := len(d.word)
	if n < shortOwn || !d.own && n < short || len(word) > n+most || len(word)+most < n {
		return false
	}
	return near(word, d.word, d.own)
}

// within reports whether a protected name stands within a name that isn't its own.
func (j *Judge) within(host, word string) (like string, ok bool) {
	labels := strings.Split(host, ".")
	dotted := "." + host
	for i := range labels {
		labels[i] = unicodeOf(labels[i])
	}
	labels = slices.DeleteFunc(labels, func(l string) bool { return !strings.Contains(l, "-") })
	for i := range j.protected {
		d := &j.protected[i]
		if strings.Contains(dotted, d.dotted) {
			return d.name, true
		}
		if slices.ContainsFunc(labels, d.beside) {
			return d.name, true
		}
		if len(d.word) >= 4 && d.glued(word) {
			return d.name, true
		}
	}
	return "", false
}

// beside reports whether the words of a label, as hyphens part them, are the protected
// one and a lure or its ending.
func (d *domain) beside(label string) bool {
	if len(d.word) < 3 || !strings.Contains(label, d.word) {
		return false
	}
	rest, ok := strings.CutPrefix(label+"-", d.word+"-")
	if !ok {
		if rest, ok = strings.CutSuffix("-"+label, "-"+d.word); !ok {
			before, behind, cut := strings.Cut("-"+label+"-", "-"+d.word+"-")
			if !cut {
				return false
			}
			rest = before + "-" + behind
		}
	}
	for w := range strings.SplitSeq(rest, "-") {
		if w == "" {
			continue
		}
		if slices.Contains(lures(), w) || w == d.tld || w == "com" || w == "de" {
			return true
		}
	}
	return false
}

// glued reports whether a word is the protected one with a lure or its ending at one
// side.
func (d *domain) glued(word string) bool {
	if rest, ok := strings.CutPrefix(word, d.word); ok && rest != "" {
		return rest == d.tld || len(rest) > 2 && slices.Contains(lures(), rest)
	}
	if rest, ok := strings.CutSuffix(word, d.word); ok && rest != "" {
		return len(rest) > 2 && slices.Contains(lures(), rest)
	}
	return false
}
