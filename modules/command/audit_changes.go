package command

import (
	"fmt"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

// saidChanges are what a disclosure says of changes: `update contact/1001 changed: email,
// phone`. Of a field that the profile doesn't list by name stands its hash.
func saidChanges(all []access.Change, first string) []string {
	var parts []string
	for i := range all {
		c := &all[i]
		records := c.Type
		if records == "" {
			records = string(c.Entity)
		}
		if len(c.IDs) > 0 {
			ids := c.IDs
			if _, id, ok := strings.Cut(first, "/"); ok {
				ids = foremost(ids, id)
			}
			records += "/" + listed(ids)
		}
		parts = append(parts, fmt.Sprintf("%s %s %s", c.Action, records, c.Outcome)+saidFields(c))
	}
	return parts
}

func saidFields(c *access.Change) string {
	var fields []string
	for n := range c.Fields {
		f := &c.Fields[n]
		name := f.Name
		if name == "" {
			name = "?" + f.Key
		}
		if f.Before != "" || f.After != "" {
			name += " (" + hashOr(f.Before) + " > " + hashOr(f.After) + ")"
		}
		fields = append(fields, name)
	}
	if c.More > 0 {
		fields = append(fields, fmt.Sprintf("%d more", c.More))
	}
	if c.Same > 0 {
		fields = append(fields, fmt.Sprintf("%d unchanged", c.Same))
	}
	switch {
	case len(fields) > 0:
		return ": " + strings.Join(fields, ", ")
	case c.Unread:
		return ": fields not read"
	}
	return ""
}

// hashOr is a hash as it stands in a change, and `?` for one that isn't known.
func hashOr(hash string) string {
	if hash == "" {
		return "?"
	}
	return hash
}
