package crm

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// store holds the records of all entities. Records that go in or out are copies.
type store struct {
	mu   sync.RWMutex
	now  func() time.Time
	rows map[string]map[int]Record
	next map[string]int
}

// problem is a request that the CRM refuses. Like those of real CRMs its text
// quotes values, also of other records.
type problem struct {
	status int
	field  string
	text   string
}

func refused(field, format string, a ...any) *problem {
	return &problem{status: 422, field: field, text: fmt.Sprintf(format, a...)}
}

func (s *store) all(sc *schema) []Record {
	s.mu.RLock()
	defer s.mu.RUnlock()
	records := make([]Record, 0, len(s.rows[sc.name]))
	for _, r := range s.rows[sc.name] {
		records = append(records, r.clone())
	}
	slices.SortFunc(records, func(a, b Record) int { return a.id() - b.id() })
	return records
}

func (s *store) get(entity string, id int) (Record, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, ok := s.rows[entity][id]
	return r.clone(), ok
}

// write checks a record and stores it. change gets the record as it stands (or
// an empty one, for id 0) and runs under the lock.
func (s *store) write(sc *schema, id int, change func(Record) *problem) (Record, *problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := sc.empty()
	if id != 0 {
		old, ok := s.rows[sc.name][id]
		if !ok {
			return nil, &problem{status: 404, text: fmt.Sprintf("%s %d not found", sc.name, id)}
		}
		r = old.clone()
	}
	if p := change(r); p != nil {
		return r, p
	}
	if p := s.check(sc, r); p != nil {
		return r, p
	}
	now := s.now().UTC().Format(time.RFC3339)
	if id == 0 {
		s.next[sc.name]++
		id = s.next[sc.name]
		r["created_at"] = now
	}
	r["id"], r["updated_at"] = id, now
	s.rows[sc.name][id] = r
	return r.clone(), nil
}

// remove deletes a record. Leads of a removed contact stay, without it.
func (s *store) remove(entity string, id int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.rows[entity][id]; !ok {
		return false
	}
	delete(s.rows[entity], id)
	if entity == "contact" {
		for _, l := range s.rows["lead"] {
			if l.ref() == id {
				l["contact_id"] = nil
			}
		}
	}
	return true
}

// check judges a whole record. The caller holds the lock.
func (s *store) check(sc *schema, r Record) *problem {
	if strings.TrimSpace(r.text(sc.required)) == "" {
		f, _ := sc.field(sc.required)
		return refused(sc.required, "%s must not be empty", f.en)
	}
	for _, f := range sc.fields {
		if p := checkField(f, r); p != nil {
			return p
		}
		if f.kind == kindRef && r.ref() != 0 && s.rows["contact"][r.ref()] == nil {
			return refused(f.name, "Contact %d does not exist", r.ref())
		}
	}
	if sc.name == "contact" {
		return s.checkUnique(r)
	}
	return nil
}

func (s *store) checkUnique(r Record) *problem {
	if r.text("email") == "" {
		return nil
	}
	for _, other := range s.rows["contact"] {
		if other.id() != r.id() && strings.EqualFold(other.text("email"), r.text("email")) {
			return refused("email", "E-Mail '%s' is already used by %s (contact %d)", r.text("email"), other.name(), other.id())
		}
	}
	return nil
}

func checkField(f field, r Record) *problem {
	v := r.text(f.name)
	if n, ok := r[f.name].(float64); ok && n < 0 {
		return refused(f.name, "%s %v must not be negative", f.en, n)
	}
	if v == "" && f.kind != kindChoice {
		return nil
	}
	good := true
	switch f.kind {
	case kindEmail:
		local, domain, ok := strings.Cut(v, "@")
		good = ok && local != "" && strings.Contains(domain, ".") && !strings.ContainsAny(v, " \t\r\n<>")
	case kindPhone:
		good = strings.Trim(v, "+0123456789 ()/-") == "" && len(dialled(v)) >= 6
	case kindDate:
		_, err := time.Parse(time.DateOnly, v)
		good = err == nil
	case kindIBAN:
		good = validIBAN(v)
	case kindTaxID:
		good = validTaxID(v)
	case kindChoice:
		good = slices.Contains(f.choices, v)
	}
	if !good {
		return refused(f.name, "%s '%s' of %s is not valid", f.en, v, r.name())
	}
	return nil
}
