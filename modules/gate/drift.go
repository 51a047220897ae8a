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
	fields map[fieldName]bool
}

type fieldName struct {
	entity access.Entity
	name   string
}

// maxDrift is how many of each are told apart. A CRM that has more has another
// problem than a missing line.
const maxDrift = 1000

func newDrift() *drift {
	return &drift{names: observed.New(), routes: map[string]bool{}, fields: map[fieldName]bool{}}
}

// unknownRoute tells of an address that the profile doesn't know, without the ids
// in it.
func (q *request) unknownRoute() {
	d := q.h.drift
	address := q.c.Method + " " + d.names.Template(q.c.Path)
	if !first(d, d.routes, address) {
		return
	}
	q.h.metrics.Drifted(crmgate.DriftRoute)
	q.h.logger.Warn("a route that the profile doesn't know: it is refused until the profile describes it",
		zap.String("profile", q.h.profile.Name), zap.String("route", address), zap.String("request", q.id))
}

// unknownFields tells of fields that the profile doesn't list for their entity.
func (q *request) unknownFields(found *profile.Located) {
	d := q.h.drift
	for i := range found.Fields {
		f := &found.Fields[i]
		if f.Record < 0 || len(f.Categories) != 1 || f.Categories[0] != access.Unclassified || q.h.profile.Describes(f.Entity, f.Name) {
			continue
		}
		if !first(d, d.fields, fieldName{f.Entity, f.Name}) {
			continue
		}
		name, ok := d.names.Name(f.Name)
		if !ok {
			continue // a key that holds a value
		}
		q.h.metrics.Drifted(crmgate.DriftField)
		q.h.logger.Warn("a field that the profile doesn't list: it is treated as unknown until the profile says what it holds",
			zap.String("profile", q.h.profile.Name), zap.String("entity", string(f.Entity)), zap.String("field", name), zap.String("request", q.id))
	}
}

// first reports whether something is seen for the first time.
func first[K comparable](d *drift, seen map[K]bool, what K) bool {
	d.mu.RLock()
	known := seen[what] || len(seen) >= maxDrift
	d.mu.RUnlock()
	if known {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if seen[what] || len(seen) >= maxDrift {
		return false
	}
	seen[what] = true
	return true
}
