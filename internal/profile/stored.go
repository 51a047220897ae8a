package profile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// StoredRequest is the gateway's own read before a save.
type StoredRequest struct {
	Method, Path, MediaType string
	Body                    []byte
}

// CanStore reports whether the profile says how the stored values are read.
func (w *Write) CanStore() bool {
	s := w.x.op.write.stored
	return (s.Call != "" || s.Get != "") && len(w.IDs) > 0
}

// Stored builds the read of the stored values of the given fields.
func (w *Write) Stored(fields []string) (StoredRequest, error) {
	x, s := w.x, w.x.op.write.stored
	if s.Get != "" {
		return StoredRequest{Method: "GET", Path: expandVars(s.Get, x.vars)}, nil
	}
	var ids bytes.Buffer
	for i, id := range w.IDs {
		if i > 0 {
			ids.WriteByte(',')
		}
		raw, err := json.Marshal(json.Number(id))
		if err != nil {
			return StoredRequest{}, fmt.Errorf("reading stored values: an id is no number: %w", err)
		}
		ids.Write(raw)
	}
	names, err := json.Marshal(append([]string{"id"}, fields...))
	if err != nil {
		return StoredRequest{}, fmt.Errorf("reading stored values: %w", err)
	}
	context := "{}"
	if x.ctx >= 0 {
		context = string(x.tree.Raw(x.ctx))
	}
	method := strings.ReplaceAll(s.Call, "{type}", w.Type)
	body := fmt.Sprintf(`{"id":0,"method":%q,"params":[[%s],%s,%s]}`, method, ids.String(), names, context)
	return StoredRequest{Method: x.req.Method, Path: x.req.Path, MediaType: x.req.MediaType, Body: []byte(body)}, nil
}

func expandVars(s string, vars map[string]string) string {
	for name, v := range vars {
		s = strings.ReplaceAll(s, "{"+name+"}", v)
	}
	return s
}

// ReadStored finds the stored values in the answer to the gateway's own read:
// record id → the record's object.
func (w *Write) ReadStored(t *doc.Tree) (map[string]int, error) {
	p := w.x.op.write.storedAt
	if w.x.tr != nil {
		p = append(append(path{}, w.x.tr.result...), step{kind: stepElements})
	}
	out := map[string]int{}
	p.each(t, doc.Root, func(n int) {
		id := t.Member(n, w.ent.id)
		if id >= 0 {
			out[t.Text(id)] = n
		} else if len(w.IDs) == 1 {
			out[w.IDs[0]] = n
		}
	})
	for _, id := range w.IDs {
		if _, ok := out[id]; !ok {
			return nil, fmt.Errorf("reading stored values: the CRM did not return record %s/%s", w.Type, id)
		}
	}
	return out, nil
}

// StoredField returns a field's value in a stored record and its leaves.
func (w *Write) StoredField(t *doc.Tree, record int, name string) (node int, leaves []Leaf, cats []access.Category) {
	node = t.Member(record, name)
	if node < 0 {
		return -1, nil, nil
	}
	f := w.ent.field(name)
	if f == nil {
		f = w.ent.unknown
	}
	return node, w.x.p.leaves(t, node), w.x.pickCategories(t, record, node, f)
}

// FieldNames lists the entity's literal field names that can hold one of the
// categories for which keep answers true: what a full write must not empty.
func (w *Write) FieldNames(keep func(access.Category) bool) []string {
	var names []string
	for name, f := range w.ent.exact {
		for _, c := range f.categories {
			if keep(c) {
				names = append(names, name)
				break
			}
		}
	}
	return names
}
