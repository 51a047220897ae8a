package gate

import (
	"strconv"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/retain"
)

// readDate reads the value at a node, in any of the forms in which CRMs write dates.
func readDate(t *doc.Tree, node int) retain.Date {
	switch t.Nodes[node].Kind {
	case doc.Null:
		return retain.Date{State: retain.Empty}
	case doc.Bool:
		if t.Text(node) == "false" { // Odoo's word for no value
			return retain.Date{State: retain.Empty}
		}
	case doc.Number, doc.String:
		return retain.ParseDate(t.Text(node))
	case doc.Object:
		return readParts(t, node)
	}
	return retain.Date{}
}

// readParts reads {"__class__": "datetime", "year": 2026, "month": 11, "day": 24, …}.
func readParts(t *doc.Tree, node int) retain.Date {
	class := t.Member(node, "__class__")
	if class < 0 || t.Text(class) != "date" && t.Text(class) != "datetime" {
		return retain.Date{}
	}
	var parts [6]int
	for i, name := range [...]string{"year", "month", "day", "hour", "minute", "second"} {
		n := t.Member(node, name)
		if n < 0 {
			continue
		}
		v, err := strconv.Atoi(t.Text(n))
		if err != nil {
			return retain.Date{}
		}
		parts[i] = v
	}
	return retain.OfParts(t.Text(class) == "datetime", parts[0], parts[1], parts[2], parts[3], parts[4], parts[5])
}
