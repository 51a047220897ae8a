package doc

// Member is a member to add to an object: Raw bytes of the value in the
// document's own format, or its text where Raw is nil, and in a Parted format.
type Member struct {
	Key  string
	Raw  []byte
	Text string
}

// RemoveMembers returns the edits that take members out of an object with their
// separators. nodes are the members' values in document order.
func RemoveMembers(t *Tree, object int, nodes []int) []Edit {
	if len(nodes) == 0 {
		return nil
	}
	if f, parted := t.Format.(Parted); parted {
		edits := make([]Edit, 0, len(nodes))
		for _, n := range nodes {
			start, end := f.MemberSpan(t, n)
			edits = append(edits, Edit{Start: start, End: end})
		}
		return edits
	}
	out := map[int]bool{}
	for _, n := range nodes {
		out[n] = true
	}
	var members []int
	last := -1 // the last member that stays, as an index into members
	for c := range t.Children(object) {
		if !out[c] {
			last = len(members)
		}
		members = append(members, c)
	}
	var edits []Edit
	for i, m := range members {
		if out[m] && i < last {
			edits = append(edits, Edit{Start: t.Nodes[m].KeyStart, End: t.Nodes[members[i+1]].KeyStart})
		}
	}
	if tail := len(members) - 1; last < tail {
		start := t.Nodes[members[last+1]].KeyStart
		if last >= 0 {
			start = t.Nodes[members[last]].End
		}
		edits = append(edits, Edit{Start: start, End: t.Nodes[members[tail]].End})
	}
	return edits
}

// AppendMembers returns the edit that adds members at the end of an object. Of
// the object's own members one has to stay: the separators are those of an
// object that isn't emptied by other edits.
func AppendMembers(t *Tree, object int, add []Member) []Edit {
	if len(add) == 0 {
		return nil
	}
	if f, parted := t.Format.(Parted); parted {
		var e Edit
		for _, m := range add {
			e.With, e.Start = f.AppendMember(e.With, t, m.Key, m.Text)
		}
		e.End = e.Start
		return []Edit{e}
	}
	if f, growing := t.Format.(Growing); growing {
		return []Edit{f.Grow(t, object, add)}
	}
	json := t.Format.Name() == "json"
	at := t.Nodes[object].End
	if json {
		at-- // before the closing brace
	}
	some := t.First(object) >= 0
	var with []byte
	for _, m := range add {
		if some {
			with = append(with, sep(json)...)
		}
		some = true
		with = t.Format.EncodeKey(with, t, object, m.Key)
		if json {
			with = append(with, ':')
		} else {
			with = append(with, '=')
		}
		if m.Raw != nil {
			with = append(with, m.Raw...)
		} else {
			with = t.Format.Encode(with, t, object, Value{Kind: String, Text: m.Text})
		}
	}
	return []Edit{{Start: at, End: at, With: with}}
}

func sep(json bool) string {
	if json {
		return ","
	}
	return "&"
}
