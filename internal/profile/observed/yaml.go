package observed

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// yaml writes a draft.
type yaml struct{ b strings.Builder }

func (y *yaml) line(format string, args ...any) { fmt.Fprintf(&y.b, format+"\n", args...) }

// cut takes back what was written behind a length.
func (y *yaml) cut(length int) {
	text := y.b.String()[:length]
	y.b.Reset()
	y.b.WriteString(text)
}

// note writes a line with a comment behind it.
func (y *yaml) note(comment, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if comment != "" {
		text += " # " + comment
	}
	y.b.WriteString(text + "\n")
}

var plainWord = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// word is a name as YAML takes it for a text.
func word(s string) string {
	reserved := []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
	if plainWord.MatchString(s) && !slices.Contains(reserved, strings.ToLower(s)) {
		return s
	}
	return fmt.Sprintf("%q", s)
}

func wordList(names []string) string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = word(n)
	}
	return "[" + strings.Join(list, ", ") + "]"
}

func (d *draft) head(name string) {
	known := 0
	for _, r := range d.routes {
		known += r.Known
	}
	d.line("# Drafted from %d exchanges on %d addresses. What a field holds was told by its name and", d.c.exchanges, len(d.routes))
	d.line("# by what detection found in its values. Look at every line:")
	d.line("# - a field that stands in a comment is hidden until it has a category here;")
	d.line("# - a route, and a query parameter, that stands in a comment is refused until it is listed;")
	d.line("# - what is public is shown to everybody: see that it is nobody's.")
	if left := d.c.leftOut; left != (LeftOut{}) {
		d.line("# Not everything was kept: exchanges on further addresses %d, on unknown addresses that failed %d,", left.Routes, left.Failed)
		d.line("# fields %d, parameters %d.", left.Fields, left.Queries)
	}
	d.line("profile: %q", name)
	d.line("evidence: documented # `recorded` once recorded exchanges pass `crmgate profile test`, `live VERSION` once it was tried against the CRM")
	d.line("withheld: %q", "This text was withheld because it could contain personal data. (crmgate)")
	d.line("\nentities:")
}
