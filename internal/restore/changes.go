package restore

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/profile"
)

// How much is told of a request: fields of a record, records one by one, and records
// named at all. What is beyond is counted or told together; the intent names it.
const (
	changedFields = 200
	changedApart  = 50
	changedIDs    = 400
	changedAll    = 500
	changedSum    = 4000 // fields of all records
	// longID is the longest id that is told again, and idBytes how much of them a change
	// holds: it has to fit into a leaf of the log.
	longID, idBytes = 1 << 10, 8 << 10
	// plainValue is the longest value that is hashed as it is read. Of longer ones, and of
	// values with parts, it is their digest.
	plainValue = 512
)

// Before is what is known of a write before it is forwarded.
type Before struct {
	Stored Stored
	// Kept are the nodes of fields in which only a mask came back.
	Kept []int
}

// Changes tells what requests would change: of each record the fields, with what was
// stored, where the gateway has read it, and what is written. before may lack writes.
func Changes(x *profile.Exchange, before map[*profile.Write]Before) []access.Change {
	if x == nil {
		return nil
	}
	var all []access.Change
	told := map[string]bool{}
	of := func(a access.Action, typ, id string) string { return string(a) + " " + typ + "/" + id }
	for _, w := range x.Writes() {
		if w.Mode == profile.WriteEcho {
			continue
		}
		c := &change{x: x, w: w, before: before[w]}
		c.read()
		told[of(w.Action(), w.Type, "")] = true
		for _, id := range w.IDs {
			told[of(w.Action(), w.Type, id)] = true
		}
		all = append(all, c.list()...)
	}
	for i := range x.Accesses {
		a := &x.Accesses[i]
		if !Changing(a.Action) {
			continue
		}
		one, ids := access.Change{Entity: a.Entity, Type: a.Type, Action: a.Action, Unread: a.Action != access.Delete}, a.IDs
		if a.Action == access.Create {
			ids = nil // of what it is a copy; the answer names what is new
		}
		rest := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return told[of(a.Action, a.Type, id)] })
		if len(rest) > 0 || len(ids) == 0 && !told[of(a.Action, a.Type, "")] {
			all = append(all, together(one, rest)...)
		}
	}
	return bounded(all)
}

// Changing reports whether an action changes records.
func Changing(a access.Action) bool {
	return a == access.Create || a == access.Update || a == access.Delete
}

// bounded leaves out changes beyond what an entry should hold: the last one that stays
// says how many fields are missing with them.
func bounded(all []access.Change) []access.Change {
	sum := 0
	for i := range all {
		c := &all[i]
		if keep := max(0, changedSum-sum); len(c.Fields) > keep {
			c.More += len(c.Fields) - keep
			c.Fields = c.Fields[:keep]
		}
		sum += len(c.Fields)
	}
	if len(all) <= changedAll {
		return all
	}
	for _, c := range all[changedAll:] {
		all[changedAll-1].More += max(1, len(c.Fields)+c.More)
	}
	return all[:changedAll]
}

type change struct {
	x      *profile.Exchange
	w      *profile.Write
	before Before
	values []written
	same   int
}

// written is a member of a write with what it writes.
type written struct {
	profile.Member
	is string
}

// read takes what the write holds, but for fields in which only a mask came back.
func (c *change) read() {
	kept, at := map[int]bool{}, map[string]int{}
	for _, n := range c.before.Kept {
		kept[n] = true
	}
	create := c.w.Action() == access.Create
	for _, m := range c.w.Members() {
		is := c.value(c.x.Body(), m.Node)
		i, again := at[m.Word]
		switch {
		case kept[m.Owner]:
			c.same++
		case again: // a form may send a name twice: which one counts, its CRM knows
			sum := sha256.Sum256([]byte(c.values[i].is + "\x00" + is))
			c.values[i].is = "sha256:" + hex.EncodeToString(sum[:])
		case create && is == "": // a form sends every field that it has
		default:
			at[m.Word] = len(c.values)
			c.values = append(c.values, written{m, is})
		}
	}
}

// list is a change for each record, or one for all of them where nothing tells them
// apart.
func (c *change) list() []access.Change {
	base := access.Change{Entity: c.w.Entity, Type: c.w.Type, Action: c.w.Action()}
	switch ids := c.w.IDs; {
	case base.Action == access.Create || len(ids) == 0:
		return []access.Change{c.of(base, "")}
	case len(ids) <= changedApart:
		var all []access.Change
		for _, id := range ids {
			all = append(all, together(c.of(base, id), []string{id})...)
		}
		return all
	default:
		return together(c.of(base, ""), ids)
	}
}

// together tells of many records what is the same for all, in pieces that a leaf of the
// log holds.
func together(one access.Change, ids []string) []access.Change {
	if len(ids) == 0 {
		return []access.Change{one}
	}
	var all []access.Change
	var part []string
	size := 0
	for i, id := range ids {
		if len(id) <= longID {
			part, size = append(part, id), size+len(id)
		}
		if last := i == len(ids)-1; len(part) > 0 && (last || len(part) == changedIDs || size > idBytes) {
			next := one
			next.IDs = part
			all, part, size = append(all, next), nil, 0
		}
	}
	return all
}

// of adds the fields of one record.
func (c *change) of(to access.Change, id string) access.Change {
	record, stored := -1, c.before.Stored.Tree
	if n, ok := c.before.Stored.Records[id]; ok && stored != nil && id != "" {
		record = n
	}
	to.Same = c.same
	for i := range c.values {
		m := &c.values[i]
		f := access.ChangedField{Name: m.Name, Categories: m.Categories, Is: &m.is}
		if m.Name == "" {
			f.Word = m.Word
		}
		if record >= 0 {
			if n := c.w.StoredMember(stored, record, &m.Member); n >= 0 {
				was := c.value(stored, n)
				f.Was = &was
			}
		}
		switch {
		case f.Was != nil && *f.Was == m.is:
			to.Same++
		case len(to.Fields) == changedFields:
			to.More++
		default:
			to.Fields = append(to.Fields, f)
		}
	}
	return to
}

// value is what stands at a node, in one spelling for all formats: "" for nothing.
func (c *change) value(t *doc.Tree, node int) string {
	switch t.Nodes[node].Kind {
	case doc.Object, doc.Array:
		if t.First(node) < 0 {
			return ""
		}
		sum := sha256.New()
		c.digest(sum, t, node)
		return "sha256:" + hex.EncodeToString(sum.Sum(nil))
	case doc.Null:
		return ""
	}
	if c.w.IsEmpty(t, node) {
		return ""
	}
	text := strings.TrimSpace(t.Text(node))
	if len(text) > plainValue {
		sum := sha256.Sum256([]byte(text))
		return "sha256:" + hex.EncodeToString(sum[:])
	}
	return text
}

// digest writes a value with parts: an object's by their names, a list's in their order.
func (c *change) digest(to io.Writer, t *doc.Tree, node int) {
	say := func(s string) { _, _ = io.WriteString(to, s) } // a hash takes everything
	switch t.Nodes[node].Kind {
	case doc.Object, doc.Array:
		parts := slices.Collect(t.Children(node))
		if t.Nodes[node].Kind == doc.Object {
			slices.SortStableFunc(parts, func(a, b int) int { return strings.Compare(t.Key(a), t.Key(b)) })
		}
		say("(")
		for _, n := range parts {
			say(hex.EncodeToString([]byte(t.Key(n))) + ":")
			c.digest(to, t, n)
			say(",")
		}
		say(")")
	default:
		say(hex.EncodeToString([]byte(c.value(t, node))))
	}
}
