// Package policy says what an employee's roles may do: it loads Casbin policies
// strictly, compiles them into plans and decides accesses. It is the only
// importer of Casbin.
//
// The rules, of which docs/decisions/0003-policy-language.md is the long form:
// roles inherit, and an heir has what it inherits beside its own. Within one
// role the most specific line decides: the entity is compared first (itself,
// group, `*`), then the category in the same way; of equal lines the least
// revealing. Between an employee's roles, inherited ones included, the most
// revealing. A deny beats all. Without an allow line for entity and action the
// access is refused; with one, categories without a line are hidden.
package policy

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/crmgate/crmgate/internal/access"
)

// File is a policy file: its name for messages, and its content.
type File struct {
	Name  string
	Bytes []byte
}

// Vocabulary is what a policy may speak of beside the house's own words.
type Vocabulary struct {
	// Entities are the entities of the profile. Required: a line about an
	// entity that nobody knows would never decide anything.
	Entities []access.Entity
}

// maxFacts is how many facts the lines of one action may name: a plan holds a
// verdict for each of the 3^k combinations of their states.
const maxFacts = 5

// Snapshot is a loaded policy. It doesn't change: a reload makes a new one, and
// the caller swaps them. Safe for concurrent use.
type Snapshot struct {
	version string
	// numbers gives each role that the policy knows a number of its own.
	numbers  map[string]uint32
	rules    map[string][]*rule
	entities []access.Entity
	groups   map[string]*graph

	// mu guards judge and the building of new plans, so that a plan is compiled
	// once however many requests wait for it.
	mu    sync.Mutex
	judge *judge
	plans atomic.Pointer[shelf]
}

// Load reads policy files against a Casbin model. Every line is checked; the
// error joins one error per fault, each with file, line, cell and remedy. The
// order of files and lines has no meaning.
func Load(files []File, model []byte, vocab Vocabulary) (*Snapshot, error) {
	if len(vocab.Entities) == 0 {
		return nil, errors.New("loading policy: the profile names no entity, so that no line can be checked; give a profile")
	}
	parsed, err := parse(files, vocab)
	if err != nil {
		return nil, err
	}
	judge, err := newJudge(model, parsed.links)
	if err == nil {
		err = judge.try(parsed.rules[0])
	}
	if err != nil {
		return nil, fmt.Errorf("loading policy model: %w", err)
	}
	s := &Snapshot{
		version:  version(files, model),
		numbers:  make(map[string]uint32),
		rules:    make(map[string][]*rule),
		entities: slices.Compact(slices.Sorted(slices.Values(vocab.Entities))),
		groups:   parsed.graphs,
		judge:    judge,
	}
	for i, role := range parsed.roles() {
		s.numbers[role] = uint32(i)
	}
	for _, r := range parsed.rules {
		s.rules[r.role()] = append(s.rules[r.role()], r)
	}
	s.plans.Store(&shelf{})
	return s, nil
}

// Version names the snapshot: a short hash of the model, the files and their
// names. It changes whenever any of them does.
func (s *Snapshot) Version() string { return s.version }

func version(files []File, model []byte) string {
	h := sha256.New()
	part := func(b []byte) {
		// The length in front keeps two parts from passing for others.
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b))))
		h.Write(b)
	}
	part(model)
	for _, f := range files {
		part([]byte(f.Name))
		part(f.Bytes)
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}
