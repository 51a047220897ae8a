package audit

import (
	"slices"

	"github.com/crmgate/crmgate/internal/access"
)

// changeHash is how much of a hash stands in a change: two values of one field in one
// month share 80 bits by chance less often than anybody will ever look.
const changeHash = 16

// changed hashes parts under the month's key: with it gone, a hash tells nothing, and of
// two months no two are alike.
func changed(key [32]byte, parts ...string) string { return keyed(key, parts...)[:changeHash] }

// byValue are the categories by whose values people are found: what is equal has one
// hash, in whichever record it stands. Of all others, hashes are bound to their record.
// Few values are possible there: who knows one person's religion or date of birth would
// see in whose record the same stands.
func byValue(c access.Category) bool {
	switch c {
	case access.Name, access.Email, access.Phone, access.Address, access.Bank, access.TaxID, access.Identity, access.Online:
		return true
	}
	return false
}

// hashed returns the changes with keyed hashes in the place of names and values. Those
// of the entry aren't changed.
func hashed(key [32]byte, all []access.Change) []access.Change {
	if all == nil {
		return nil
	}
	out := slices.Clone(all)
	for i := range out {
		c := &out[i]
		c.Fields = slices.Clone(c.Fields)
		for n := range c.Fields {
			f := &c.Fields[n]
			if f.Word != "" {
				f.Name, f.Key = "", nameKey(key, f.Word)
			}
			if c.Outcome != access.Unchanged { // what was only tried is nobody's
				f.Before, f.After = valueHash(key, c, f, f.Was), valueHash(key, c, f, f.Is)
			}
			f.Word, f.Was, f.Is = "", nil, nil
		}
	}
	return out
}

func nameKey(key [32]byte, word string) string { return changed(key, "name", foldName(word)) }

// valueHash is the hash of a value in a field: "" where there is none to be known.
func valueHash(key [32]byte, c *access.Change, f *access.ChangedField, value *string) string {
	if value == nil || slices.Contains(f.Categories, access.Credential) {
		return ""
	}
	var category access.Category
	if len(f.Categories) > 0 {
		category = f.Categories[0]
	}
	plain := normalise(category, *value)
	if *value == "" {
		return access.EmptyValue
	}
	if plain == "" {
		plain = *value // a telephone number without digits is one value of many
	}
	if len(f.Categories) > 0 && !slices.ContainsFunc(f.Categories, func(c access.Category) bool { return !byValue(c) }) {
		return changed(key, "value", string(c.Entity), f.Name+f.Key, plain)
	}
	if len(c.IDs) > 1 {
		return "" // of several records together, there is none to bind it to
	}
	record := ""
	if len(c.IDs) == 1 {
		record = c.IDs[0]
	}
	return changed(key, "value of record", string(c.Entity), f.Name+f.Key, c.Type, record, plain)
}

// changes reports whether the entry tells of a change of a field, and, with a value, of
// one from or to it.
func (e *Entry) changes(field string, value *string) bool {
	for i := range e.Changes {
		c := &e.Changes[i]
		for n := range c.Fields {
			f := &c.Fields[n]
			if !e.IsField(f, field) {
				continue
			}
			if value == nil {
				return true
			}
			h := valueHash(e.changeKey, c, f, value)
			if h != "" && (h == f.Before || h == f.After) {
				return true
			}
		}
	}
	return false
}

// IsField reports whether a field of one of the entry's changes has a name: that of the
// profile, or a client's own word, which an entry alone can tell that was read in a log.
func (e *Entry) IsField(f *access.ChangedField, name string) bool {
	if f.Name != "" {
		return foldName(f.Name) == foldName(name)
	}
	return f.Key == nameKey(e.changeKey, name)
}
