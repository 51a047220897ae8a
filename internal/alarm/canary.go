package alarm

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

// How a canary was seen.
const (
	HowAlone      = "alone"       // asked for by its id, and no other with it
	HowShownAlone = "shown_alone" // the only record of its kind in an answer
	HowAmong      = "among"
	HowChanged    = "changed_among"
	HowExported   = "exported"
	// HowOpened is a warning page that somebody opened.
	HowOpened = "opened"
)

// Canaries are records that nobody has a reason to open: invented people among the
// real ones. A nil one has none.
type Canaries struct {
	records map[access.Entity]map[string]canary
}

type canary struct{ stop bool }

// Add adds a record. Its id is taken in any case of its letters: CRMs differ in
// whether case counts, and nobody has two records that differ in it alone.
func (c *Canaries) Add(e access.Entity, id string, stop bool) {
	if c.records == nil {
		c.records = map[access.Entity]map[string]canary{}
	}
	if c.records[e] == nil {
		c.records[e] = map[string]canary{}
	}
	key := strings.ToLower(id)
	c.records[e][key] = canary{stop: stop || c.records[e][key].stop}
}

func (c *Canaries) is(e access.Entity, id string) bool {
	_, ok := c.records[e][strings.ToLower(id)]
	return ok
}

// Sighting is what a request or an answer has to do with canaries. The zero value is
// nothing.
type Sighting struct {
	How     string
	Level   Level
	Records []access.Record
	// Stop says that it is to be stopped.
	Stop bool
}

// maxNamed is how many records one alarm names.
const maxNamed = 50

// add joins a further sighting: the graver one says how.
func (s *Sighting) add(how string, l Level, stop bool, records []access.Record) {
	if s.How == "" || !s.Level.AtLeast(l) {
		s.How, s.Level = how, l
	}
	s.Stop = s.Stop || stop
	for _, r := range records {
		if len(s.Records) < maxNamed && !slices.Contains(s.Records, r) {
			s.Records = append(s.Records, r)
		}
	}
}

// Asked says which canaries a request names by their ids.
func (c *Canaries) Asked(accesses []access.Access) Sighting {
	var s Sighting
	if c == nil {
		return s
	}
	for i := range accesses {
		a := &accesses[i]
		var hits []access.Record
		others, stop := false, false
		for _, id := range a.IDs {
			if !c.is(a.Entity, id) {
				others = true
				continue
			}
			hits = append(hits, access.Record{Entity: a.Entity, Type: a.Type, ID: id})
			stop = stop || c.records[a.Entity][strings.ToLower(id)].stop
		}
		if len(hits) == 0 {
			continue
		}
		if !others {
			s.add(HowAlone, High, stop, hits)
			continue
		}
		how, level := among(a.Action)
		s.add(how, level, false, hits)
	}
	return s
}

// among grades a canary among other records. A list holds one by chance; what takes
// records along, or changes many, does so by intent.
func among(a access.Action) (string, Level) {
	switch a {
	case access.Export:
		return HowExported, Medium
	case access.Update, access.Delete, access.Contact:
		return HowChanged, Medium
	}
	return HowAmong, Low
}

// Shown says which canaries an answer shows. whole says that it is all of the answer,
// so that one record in it is the only one.
func (c *Canaries) Shown(d *access.Disclosure, accesses []access.Access, whole bool) Sighting {
	var s Sighting
	if c == nil || d == nil {
		return s
	}
	seen := map[access.Entity][]access.Record{}
	others := map[access.Entity]bool{}
	for _, r := range d.Records {
		if !c.is(r.Entity, r.ID) {
			others[r.Entity] = true
		} else if !slices.Contains(seen[r.Entity], r.Record) {
			seen[r.Entity] = append(seen[r.Entity], r.Record)
		}
	}
	exports := slices.ContainsFunc(accesses, func(a access.Access) bool { return a.Action == access.Export })
	for e, hits := range seen {
		switch {
		case exports:
			s.add(HowExported, Medium, false, hits)
		case whole && !others[e] && d.Rows == 0 && one(hits):
			s.add(HowShownAlone, High, c.records[e][strings.ToLower(hits[0].ID)].stop, hits)
		default:
			s.add(HowAmong, Low, false, hits)
		}
	}
	return s
}

// one reports whether all are one record, under whatever word of the CRM's.
func one(all []access.Record) bool {
	return !slices.ContainsFunc(all, func(r access.Record) bool { return !strings.EqualFold(r.ID, all[0].ID) })
}

// Beyond leaves of a sighting what an earlier one of the same request hasn't told:
// nothing where it names the same records, and weighs no more.
func (s Sighting) Beyond(told Sighting) bool {
	if s.How == "" {
		return false
	}
	return !told.Level.AtLeast(s.Level) || told.How == "" ||
		slices.ContainsFunc(s.Records, func(r access.Record) bool { return !told.names(r) })
}

func (s Sighting) names(r access.Record) bool {
	return slices.ContainsFunc(s.Records, func(o access.Record) bool { return o.Entity == r.Entity && strings.EqualFold(o.ID, r.ID) })
}
