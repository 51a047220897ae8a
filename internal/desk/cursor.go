package desk

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Cursor is where a further page begins: in each node's log at a number of its own,
// so that what is written meanwhile moves nothing. "" is the end of all logs. It is
// a number where the log is in a directory.
type Cursor string

// maxCursor is the longest cursor in bytes.
const maxCursor = 4000

var cursorText = regexp.MustCompile(`^([1-9][0-9]{0,17}|[A-Za-z0-9.-]{1,63}:(0|x|[1-9][0-9]{0,17})(,[A-Za-z0-9.-]{1,63}:(0|x|[1-9][0-9]{0,17}))*)$`)

func isCursor(s string) bool { return len(s) <= maxCursor && cursorText.MatchString(s) }

// place is where a page begins in one log. Its zero value is the log's end.
type place struct {
	before uint64
	// ended says that nothing is left; absent that the log has begun since.
	ended, absent bool
}

// at returns the place in a node's log.
func (c Cursor) at(node string) place {
	if c == "" {
		return place{}
	}
	for one := range strings.SplitSeq(string(c), ",") {
		name, number, named := strings.Cut(one, ":")
		if !named {
			name, number = "", name
		}
		if name != node {
			continue
		}
		if number == "x" {
			return place{}
		}
		before, err := strconv.ParseUint(number, 10, 63)
		return place{before: before, ended: err != nil || before == 0}
	}
	return place{absent: true}
}

// nodes are those that a cursor names.
func (c Cursor) nodes() (all []string) {
	for one := range strings.SplitSeq(string(c), ",") {
		if name, _, named := strings.Cut(one, ":"); named {
			all = append(all, name)
		}
	}
	return all
}

// cursorOf writes the places of the logs of a page.
func cursorOf(parts []*part) Cursor {
	var all []string
	for _, p := range parts {
		at := p.left()
		switch {
		case at.absent:
			continue
		case p.node == "":
			return Cursor(strconv.FormatUint(at.before, 10))
		case at.ended:
			all = append(all, p.node+":0")
		case at.before == 0:
			all = append(all, p.node+":x")
		default:
			all = append(all, fmt.Sprintf("%s:%d", p.node, at.before))
		}
	}
	return Cursor(strings.Join(all, ","))
}
