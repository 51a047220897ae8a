package audit

import (
	"slices"
	"time"
)

// Retention says for how many whole months entries are kept, by class; 0 is for
// good. An entry of a month with a retention of 12 is destroyed when the twelfth
// month after it has ended.
type Retention struct {
	Access   int `json:"access,omitempty"`
	Employee int `json:"employee,omitempty"`
	Gateway  int `json:"gateway,omitempty"`
}

// of returns the months of a class. A key that is for all of them is kept for as
// long as one of them has to be.
func (r Retention) of(c Class) int {
	switch c {
	case ClassAccess:
		return r.Access
	case ClassEmployee:
		return r.Employee
	case ClassGateway:
		return r.Gateway
	}
	if r.Access == 0 || r.Employee == 0 || r.Gateway == 0 {
		return 0
	}
	return max(r.Access, r.Employee, r.Gateway)
}

// MonthKey names a data key by what it is for.
type MonthKey struct {
	Key   uint32 `json:"key"`
	Month string `json:"month"`
	// Class is empty where the key is for all of them.
	Class Class `json:"class,omitempty"`
}

// Keeping is what an entry about retention says.
type Keeping struct {
	// Keys are destroyed as soon as the entry is durable.
	Keys []MonthKey `json:"keys,omitempty"`
	// Hold is a hold that begins, Releases the seq of the entry of one that ends.
	Hold     *Hold  `json:"hold,omitempty"`
	Releases uint64 `json:"releases,omitempty"`
	// Of is the node whose log that entry stands in, "" for the log's own.
	Of string `json:"of,omitempty"`
	// Confirms is the entry of the restoration after which the holds are confirmed.
	Confirms uint64 `json:"confirms,omitempty"`
	// Joint is what a restored log goes on from.
	Joint *Joint `json:"joint,omitempty"`
}

// Kept says until when a month is kept, or that it was destroyed.
type Kept struct {
	MonthKey
	// Node is the one whose log it is a month of, where there are several.
	Node string `json:"node,omitempty"`
	// Until is the first day on which it may be destroyed, zero for never.
	Until time.Time `json:"until,omitzero"`
	// Due says that Until has come, Lacking how many months the log still has to
	// have been written for before that is believed.
	Due     bool `json:"due,omitempty"`
	Lacking int  `json:"lacking,omitempty"`
	// Held are the seqs of the holds that keep it, HeldBy the same with the node
	// where it is another's.
	Held   []uint64 `json:"held,omitempty"`
	HeldBy []string `json:"held_by,omitempty"`
	// Destroyed says when it was destroyed, nil if it wasn't.
	Destroyed *Destroyed `json:"destroyed,omitempty"`
}

// plan judges each key at a time. The keys are those of the whole log, those that
// were destroyed among them, in the order in which they were made.
//
// A month is due by the clock when it lies far enough back. It has to be so by the
// log, too: months that it was written in have to have passed since. The clock
// alone can be wrong by years, and the name of a month with it.
func (r Retention) plan(keys []MonthKey, now time.Time) []Kept { return r.planWith(keys, nil, now) }

// planWith judges the keys of a log that isn't written any more: months count as
// passed where one that is written was, too.
func (r Retention) planWith(keys, written []MonthKey, now time.Time) []Kept {
	this := now.UTC().Format(monthFormat)
	believed := inOrder(keys, this)
	seen := map[string]bool{this: true}
	for _, i := range believed {
		seen[keys[i].Month] = true
	}
	for _, i := range inOrder(written, this) {
		seen[written[i].Month] = true
	}
	all := make([]Kept, len(keys))
	// Backwards: a key whose month can't be right goes with the next one that can.
	var month time.Time
	for i, k := range slices.Backward(keys) {
		all[i].MonthKey = k
		if slices.Contains(believed, i) {
			month, _ = time.Parse(monthFormat, k.Month) // the zero time: never
		}
		months := r.of(k.Class)
		if months == 0 || month.IsZero() {
			continue
		}
		all[i].Until = month.AddDate(0, months+1, 0)
		all[i].Due = !now.Before(all[i].Until)
		all[i].Lacking = max(0, months-passed(seen, month, now))
	}
	return all
}

// inOrder returns the indices of the keys whose months can be right: most of them
// that follow each other in time. The others were made while the clock was wrong.
func inOrder(keys []MonthKey, this string) []int {
	best := make([][]int, len(keys)) // the longest that ends with each
	var longest []int
	for i, k := range keys {
		if k.Month > this {
			continue
		}
		for j := range i {
			if len(best[j]) > len(best[i]) && keys[j].Month <= k.Month {
				best[i] = best[j]
			}
		}
		best[i] = append(slices.Clone(best[i]), i)
		if len(best[i]) >= len(longest) {
			longest = best[i]
		}
	}
	return longest
}

// passed counts the whole months that have passed for certain from the end of a
// month to now. Within a row of months the first and the last were perhaps seen for
// a moment only, before and after a jump of the clock.
func passed(seen map[string]bool, month, now time.Time) int {
	whole, row := 0, 0
	first := time.Date(now.UTC().Year(), now.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
	for m := month; !m.After(first); m = m.AddDate(0, 1, 0) {
		if !seen[m.Format(monthFormat)] {
			row = 0
		} else if row++; row > 2 {
			whole++
		}
	}
	return whole
}
