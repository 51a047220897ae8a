package gate

import (
	"sync"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/profile/observed"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// drift says once of everything that the CRM has and the profile doesn't: after an
// upgrade of the CRM somebody has to look. Nothing is learned from it: an unknown
// route stays refused, an unknown field masked.
type drift struct {
	names *observed.Collector // tells names from values

	mu     sync.RWMutex
	routes map[string]bool
	fields map[fieldName]*[inRecords]string
}

type fieldName struct {
	entity access.Entity
	name   string
}

const (
	// maxDrift is how many of each are told apart. A CRM that has more has another
	// problem than a missing line.
	maxDrift = 1000
	// inRecords is in how many records a name stands before it is said: a value in
	// the place of a name stands in one.
	inRecords = 3
)

func newDrift() *drift {
	return &drift{names: observed.New(), routes: map[string]bool{}, fields: map[fieldName]*[inRecords]string{}}
}

// unknownRoute tells of an address that the profile doesn't know, and returns it
// without the ids in it. It is for the audit log alone: a step of an address can be
// a person's name.
func (q *request) unknownRoute() string {
	d := q.h.drift
	address := q.c.Method + " " + d.names.Template(q.c.Path)
	d.mu.Lock()
	known := d.routes[address] || len(d.routes) >= maxDrift
	if !known {
		d.routes[address] = true
	}
	d.mu.Unlock()
	if !known {
		q.h.metrics.Drifted(crmgate.DriftRoute)
		q.h.logger.Warn("a route that the profile doesn't know: it is refused until the profile describes it; the request's entry in the audit log names it",
			zap.String("profile", q.h.profile.Name), zap.String("request", q.id))
	}
	return address
}

// unknownFields tells of fields that the profile doesn't list for their entity.
func (q *request) unknownFields(found *profile.Located) {
	for i := range found.Fields {
		f := &found.Fields[i]
		if f.Record < 0 || len(f.Categories) != 1 || f.Categories[0] != access.Unclassified || q.h.profile.Describes(f.Entity, f.Name) {
			continue
		}
		if !q.h.drift.enough(fieldName{f.Entity, f.Name}, found.Records[f.Record].ID) {
			continue
		}
		name, ok := q.h.drift.names.Name(f.Name)
		if !ok {
			continue // a key that holds a value
		}
		q.h.metrics.Drifted(crmgate.DriftField)
		q.h.logger.Warn("a field that the profile doesn't list: it is treated as unknown until the profile says what it holds",
			zap.String("profile", q.h.profile.Name), zap.String("entity", string(f.Entity)), zap.String("field", name), zap.String("request", q.id))
	}
}

// enough reports whether a field is now, and wasn't before, seen in so many records
// that it is a field.
func (d *drift) enough(f fieldName, record string) bool {
	d.mu.RLock()
	in, full := d.fields[f], len(d.fields) >= maxDrift
	told := in != nil && in[inRecords-1] != "" || in == nil && full
	d.mu.RUnlock()
	if told || record == "" {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if in = d.fields[f]; in == nil {
		in = new([inRecords]string)
		d.fields[f] = in
	}
	for i := range in {
		if in[i] == record {
			return false
		}
		if in[i] == "" {
			in[i] = record
			return i == inRecords-1
		}
	}
	return false
}
