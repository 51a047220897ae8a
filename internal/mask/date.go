package mask

import "strings"

// date is a date in one of the layouts that CRMs write, with what is behind it.
type date struct {
	y      string
	layout byte // '-' 1971-02-15, '.' 15.02.1971, '/' 02/15/1971
	time   string
}

// parseDate takes a text that is a date, or a date and a time of day.
func parseDate(text string) (date, bool) {
	if len(text) < 10 || len(text) > 40 {
		return date{}, false
	}
	d := date{}
	switch {
	case shaped(text[:10], "dddd-dd-dd"):
		d.y, d.layout = text[:4], '-'
	case shaped(text[:10], "dd.dd.dddd"):
		d.y, d.layout = text[6:10], '.'
	case shaped(text[:10], "dd/dd/dddd"):
		d.y, d.layout = text[6:10], '/'
	default:
		return date{}, false
	}
	rest := text[10:]
	switch {
	case rest == "":
		return d, true
	case len(rest) < 6 || rest[0] != 'T' && rest[0] != ' ' || !shaped(rest[1:6], "dd:dd"):
		return date{}, false
	}
	if strings.Trim(rest[6:], ":.,+-0123456789Z") != "" {
		return date{}, false
	}
	d.time = rest[:1] + "00:00"
	if len(rest) > 8 && rest[6] == ':' {
		d.time += ":00"
	}
	if strings.HasSuffix(rest, "Z") {
		d.time += "Z"
	}
	return d, true
}

// year writes the first of January of that year in the date's own layout.
func (d date) year(y string) string {
	if d.layout == '-' && d.time == "" && y == HiddenDate[:4] {
		return HiddenDate
	}
	switch d.layout {
	case '.':
		return "01.01." + y + d.time
	case '/':
		return "01/01/" + y + d.time
	}
	return y + "-01-01" + d.time
}

// shaped compares a text with a pattern in which d is a digit.
func shaped(text, pattern string) bool {
	if len(text) != len(pattern) {
		return false
	}
	for i := range len(text) {
		if pattern[i] == 'd' && (text[i] < '0' || text[i] > '9') || pattern[i] != 'd' && text[i] != pattern[i] {
			return false
		}
	}
	return true
}
