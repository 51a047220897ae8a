package command

import (
	"errors"
	"fmt"
	"io"
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

// maxSought is the longest value that is sought, in bytes: of longer ones, changes hold the
// hash of a digest.
const maxSought = 512

// askValue reads the value that a change is sought by: in the arguments it would stand in
// the shell's history and in every list of processes.
func (s *search) askValue() error {
	if !s.byValue {
		return nil
	}
	if s.changed == "" {
		return errors.New("--value-stdin needs the field that it stood in: --changed email")
	}
	raw, err := io.ReadAll(io.LimitReader(s.cmd.InOrStdin(), maxSought+1))
	if err != nil {
		return fmt.Errorf("reading the value: %w", err)
	}
	value := strings.TrimSpace(string(raw))
	if value == "" || len(raw) > maxSought {
		return fmt.Errorf("--value-stdin: the standard input holds no value, or more than %d bytes", maxSought)
	}
	s.query.Value = &value
	return nil
}
