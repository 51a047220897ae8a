package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Hold keeps months from being destroyed until it is released.
type Hold struct {
	// From and To are the first and the last month, "2026-01". Without a To the
	// months to come are held, too.
	From string `json:"from"`
	To   string `json:"to,omitempty"`
	// Class is empty for all of them.
	Class  Class  `json:"class,omitempty"`
	Reason string `json:"reason"`
}

// Standing is a hold that wasn't released yet.
type Standing struct {
	Hold
	// Node is the one whose log it stands in, "" for the log's own.
	Node string `json:"node,omitempty"`
	// Entry is the seq of its entry, by which it is released.
	Entry uint64    `json:"entry"`
	Since time.Time `json:"since"`
	By    string    `json:"by"`
	// key is the data key of its entry: it isn't destroyed either.
	key uint32
}

// ErrHold says that a hold can't be made or released as it was asked for.
var ErrHold = errors.New("not a hold")

const maxReason = 200

// Check reports what is wrong with a hold.
func (h *Hold) Check() error {
	for _, m := range []string{h.From, h.To} {
		if _, err := time.Parse(monthFormat, m); err != nil && (m != "" || h.From == "") {
			return fmt.Errorf("%w: %q is no month: write 2026-01", ErrHold, m)
		}
	}
	switch {
	case h.To != "" && h.To < h.From:
		return fmt.Errorf("%w: %s is before %s", ErrHold, h.To, h.From)
	case h.Class != "" && !h.Class.Valid():
		return fmt.Errorf("%w: kind %q: there are access, employee and gateway", ErrHold, h.Class)
	}
	return checkReason(h.Reason)
}

func checkReason(reason string) error {
	odd := strings.ContainsFunc(reason, func(r rune) bool { return !unicode.IsPrint(r) })
	if strings.TrimSpace(reason) == "" || len(reason) > maxReason || odd {
		return fmt.Errorf("%w: it takes a reason of one line, up to %d bytes: the file number of the case", ErrHold, maxReason)
	}
	return nil
}

// Place is the hold's entry: its seq, with the node before it where it is another's.
func (s *Standing) Place() string {
	if s.Node == "" {
		return strconv.FormatUint(s.Entry, 10)
	}
	return s.Node + "/" + strconv.FormatUint(s.Entry, 10)
}

func (h *Hold) String() string {
	to, class := "on", "all kinds"
	if h.To != "" {
		to = "to " + h.To
	}
	if h.Class != "" {
		class = string(h.Class)
	}
	return fmt.Sprintf("%s %s, %s: %s", h.From, to, class, h.Reason)
}

// keeps reports whether the hold covers a key of any of these months. here says that
// the hold stands in the log of the key.
func (s *Standing) keeps(k MonthKey, months []string, here bool) bool {
	if here && k.Key == s.key {
		return true
	}
	if s.Class != "" && k.Class != "" && s.Class != k.Class {
		return false
	}
	return slices.ContainsFunc(months, func(m string) bool { return m >= s.From && (s.To == "" || m <= s.To) })
}

// months are those that the entries under key i may be of: the one that it bears,
// and, where that is out of order because the clock was wrong, those around it.
func months(keys []MonthKey, i int) []string {
	all := []string{keys[i].Month}
	before := ""
	for _, k := range keys[:i] {
		before = max(before, k.Month)
	}
	if before > keys[i].Month {
		all = append(all, before)
	}
	for _, k := range keys[i+1:] {
		if k.Month < keys[i].Month {
			return append(all, k.Month)
		}
	}
	return all
}

// Hold writes a hold down. From then on it stands.
func (l *Log) Hold(ctx context.Context, h Hold, by string) (Receipt, error) {
	if err := h.Check(); err != nil {
		return Receipt{}, err
	}
	l.keeper.mu.Lock()
	defer l.keeper.mu.Unlock()
	alone, err := l.keeper.fellows.alone(ctx)
	if err != nil {
		return Receipt{}, err
	}
	defer alone.Close()
	rec, err := l.Append(ctx, &Entry{
		Kind: Control, Event: HoldSet, Detail: fmt.Sprintf("by %s: %s", by, &h), Keeping: &Keeping{Hold: &h},
	})
	l.keeper.holds = nil // the log says which stand, also after an error
	return rec, err
}

// Release ends the hold of that entry, of this node's log ("") or another's.
func (l *Log) Release(ctx context.Context, node string, entry uint64, reason, by string) (Receipt, error) {
	if err := checkReason(reason); err != nil {
		return Receipt{}, err
	}
	l.keeper.mu.Lock()
	defer l.keeper.mu.Unlock()
	if err := l.loadHolds(ctx); err != nil {
		return Receipt{}, err
	}
	if l.keeper.fellows != nil && node == l.keeper.fellows.own {
		node = ""
	}
	all := l.keeper.standing()
	i := slices.IndexFunc(all, func(s Standing) bool { return s.Node == node && s.Entry == entry })
	if i < 0 {
		return Receipt{}, fmt.Errorf("%w: entry %d is none that stands; crmgate audit retention lists them", ErrHold, entry)
	}
	of := ""
	if node != "" {
		of = " of node " + node
	}
	rec, err := l.Append(ctx, &Entry{
		Kind: Control, Event: HoldReleased, Keeping: &Keeping{Releases: entry, Of: node},
		Detail: fmt.Sprintf("by %s: entry %d%s, %s; released: %s", by, entry, of, &all[i].Hold, reason),
	})
	l.keeper.holds = nil // the log says which stand, also after an error
	return rec, err
}

// Holds returns the holds that stand, the oldest first.
func (l *Log) Holds(ctx context.Context) ([]Standing, error) {
	l.keeper.mu.Lock()
	defer l.keeper.mu.Unlock()
	if err := l.loadHolds(ctx); err != nil {
		return nil, err
	}
	return l.keeper.standing(), nil
}

// loadHolds reads from the log which holds stand: a list beside it could be lost.
// Only entries of the gateway's class are opened; the log is walked from its
// beginning, once. Those of other nodes are read anew each time, from where the last
// reading ended.
func (l *Log) loadHolds(ctx context.Context) error {
	if l.keeper.holds == nil {
		found := keeper{holds: map[uint64]*Standing{}}
		o := &opener{keys: l.keys, only: ClassGateway}
		defer o.close()
		o.visit = func(s *Stored, _ uint32) error {
			found.follow(s, o.last)
			return nil
		}
		if err := walkAll(ctx, l.files, o); err != nil {
			return fmt.Errorf("reading which holds stand: %w", err)
		}
		l.keeper.holds, l.keeper.releases, l.keeper.unconfirmed = found.holds, found.releases, found.unconfirmed
	}
	if l.keeper.fellows == nil {
		return nil
	}
	return l.keeper.loadOthers(ctx, l.keys)
}

// saidBy is whoever had an entry written.
func saidBy(detail string) string {
	by, _, _ := strings.Cut(strings.TrimPrefix(detail, "by "), ":")
	return by
}

func (k *keeper) standing() []Standing {
	all := slices.Clone(k.others)
	for _, h := range k.holds {
		all = append(all, *h)
	}
	slices.SortFunc(all, func(a, b Standing) int {
		return cmp.Or(strings.Compare(a.Node, b.Node), cmp.Compare(a.Entry, b.Entry))
	})
	return all
}
