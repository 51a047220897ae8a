package report

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
)

// RegisterVersion is a version of the register that the log holds.
type RegisterVersion struct {
	Number int       `json:"number"`
	Hash   string    `json:"sha256"`
	Since  time.Time `json:"since"`
	// Entry is the number of the first entry that is left of it, Node its log's.
	Entry uint64 `json:"entry"`

	// pieces are in how many leaves the newest entry of it is, which is at.
	at     uint64
	pieces int
	// kept is when the log was told of it last.
	kept time.Time
}

// Changes are what differs between two versions.
type Changes struct {
	From  int      `json:"from"`
	To    int      `json:"to"`
	Lines []Change `json:"lines"`
}

// Change is a line that was added, removed or changed: Before is nil where it was
// added, After where it was removed.
type Change struct {
	Site   string  `json:"site,omitempty"`
	Field  string  `json:"field"`
	Name   string  `json:"name,omitempty"`
	Before *string `json:"before,omitempty"`
	After  *string `json:"after,omitempty"`
}

var versionText = regexp.MustCompile(`^register version ([1-9][0-9]{0,8}), sha256 ([0-9a-f]{64})(, still in force)?$`)

// maxVersions is how many versions are looked back to.
const maxVersions = 500

// Versions returns the versions that a log holds, the newest first. Keyed is the
// word by which the index finds them.
func Versions(ctx context.Context, s Source, keyed string) ([]RegisterVersion, error) {
	all := []RegisterVersion{}
	for e, err := range s.Newest(ctx, audit.Query{Keyed: keyed, Kind: audit.Control}, 0) {
		if err != nil {
			return nil, fmt.Errorf("reading the versions of the register: %w", err)
		}
		m := versionText.FindStringSubmatch(e.Entry.Detail)
		if e.Entry.Event != audit.Registered || m == nil {
			continue
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			continue
		}
		if len(all) > 0 && all[len(all)-1].Number == n {
			last := &all[len(all)-1]
			last.Since, last.Entry = e.Entry.Time, e.Seq
			continue
		}
		if len(all) == maxVersions {
			break
		}
		all = append(all, RegisterVersion{
			Number: n, Hash: m[2], Since: e.Entry.Time, Entry: e.Seq, at: e.Seq, pieces: max(e.Entry.Pieces, 1), kept: e.Entry.Time,
		})
	}
	return all, nil
}

// Content returns the lines of a version. Those that aren't what its hash says are
// an error.
func Content(ctx context.Context, s Source, v RegisterVersion) ([]Line, error) {
	pieces := make([][]string, v.pieces)
	n := 0
	for e, err := range s.Newest(ctx, audit.Query{}, v.at+uint64(v.pieces)) {
		if err != nil {
			return nil, fmt.Errorf("reading version %d of the register: %w", v.Number, err)
		}
		if e.Seq < v.at || n == v.pieces {
			break
		}
		pieces[e.Seq-v.at] = e.Entry.Lines
		n++
	}
	texts := slices.Concat(pieces...)
	if HashLines(texts) != v.Hash {
		return nil, fmt.Errorf("version %d of the register (entry %d) isn't what its hash says: verify the log", v.Number, v.at)
	}
	var lines []Line
	for _, t := range texts {
		if l, ok := ParseLine(t); ok {
			lines = append(lines, l)
		}
	}
	return lines, nil
}

// Keeping returns the entry that has to be written so that the log holds a register:
// for a version that differs from the newest, and anew in each month for one that
// doesn't, because a month can be destroyed. Nil: nothing has to be.
func Keeping(r *Register, versions []RegisterVersion, now time.Time) *audit.Entry {
	texts := Texts(r.Lines())
	hash, number, still := HashLines(texts), 1, ""
	if len(versions) > 0 {
		newest := versions[0]
		number = newest.Number + 1
		if newest.Hash == hash {
			if newest.kept.UTC().Format("2006-01") == now.UTC().Format("2006-01") {
				return nil
			}
			number, still = newest.Number, ", still in force"
		}
	}
	return &audit.Entry{
		Kind: audit.Control, Event: audit.Registered, Lines: texts,
		Detail: fmt.Sprintf("register version %d, sha256 %s%s", number, hash, still),
	}
}

// Compare returns what leads from older lines to newer ones.
func Compare(older, newer []Line) []Change {
	type key struct{ site, field, name string }
	before, after := map[key]string{}, map[key]string{}
	var keys []key
	put := func(into map[key]string, lines []Line) {
		for _, l := range lines {
			k := key{l.Site, l.Field, l.Name}
			into[k] = l.Value
			keys = append(keys, k)
		}
	}
	put(before, older)
	put(after, newer)
	slices.SortFunc(keys, func(a, b key) int {
		return strings.Compare(a.site+"\t"+a.field+"\t"+a.name, b.site+"\t"+b.field+"\t"+b.name)
	})
	all := []Change{}
	for _, k := range slices.Compact(keys) {
		was, had := before[k]
		is, has := after[k]
		if had && has && was == is {
			continue
		}
		c := Change{Site: k.site, Field: k.field, Name: k.name}
		if had {
			c.Before = &was
		}
		if has {
			c.After = &is
		}
		all = append(all, c)
	}
	return all
}

// NamesIn are the roles that versions of a register name.
func NamesIn(lines []Line) Names {
	all := Names{}
	for _, l := range lines {
		switch l.Field {
		case "role":
			all[l.Name] = true
		case "desk":
			if l.Name == "purpose_lasts" || l.Name == "own_accesses" {
				continue
			}
			for role := range strings.SplitSeq(l.Value, ", ") {
				all[role] = true
			}
		}
	}
	return all
}

// MakeRegister makes the report of a register in force, and compares the versions
// that the query names: the newest with the one before it.
func MakeRegister(ctx context.Context, s Source, keyed string, live *Register, q Query, entry string) (*Report, error) {
	state, err := s.State(ctx)
	if err != nil {
		return nil, err
	}
	state.Destroyed = slices.DeleteFunc(state.Destroyed, func(d Destroyed) bool { return d.Kind == audit.ClassAccess || d.Kind == audit.ClassEmployee })
	r := &Report{
		Kind: RegisterKind, Version: Version, Made: time.Now().UTC().Truncate(time.Second), Entry: entry,
		Logs: []Log{state}, Gaps: live.RegisterGaps(time.Now()), Register: live,
	}
	if live.Versions, err = Versions(ctx, s, keyed); err != nil {
		return nil, err
	}
	lines := live.Lines()
	live.Hash = HashLines(Texts(lines))
	if len(live.Versions) > 0 && live.Versions[0].Hash == live.Hash {
		live.Number, live.Since = live.Versions[0].Number, given(live.Versions[0].Since)
	} else {
		r.gap("version_not_kept_yet")
	}
	live.Missing = len(r.Gaps)
	return r, live.compare(ctx, s, q)
}

// compare compares two versions that the log holds.
func (r *Register) compare(ctx context.Context, s Source, q Query) error {
	of, against := find(r.Versions, q.Of, 0), find(r.Versions, q.Against, 1)
	if of == nil || against == nil {
		return nil
	}
	if against.Number > of.Number {
		of, against = against, of
	}
	newer, err := Content(ctx, s, *of)
	if err != nil {
		return err
	}
	older, err := Content(ctx, s, *against)
	if err != nil {
		return err
	}
	r.Changes = &Changes{From: against.Number, To: of.Number, Lines: Compare(older, newer)}
	return nil
}

// find finds a version by its number, or by its place where none is asked for.
func find(all []RegisterVersion, number, place int) *RegisterVersion {
	for i := range all {
		if number == all[i].Number || number == 0 && i == place {
			return &all[i]
		}
	}
	return nil
}
