package consentfacts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/crmgate/crmgate/internal/access"
)

const (
	// Staleness is how long an answer of the ledger's is believed: what is withdrawn at
	// another node counts here so long after at most. A change at this node is known at
	// once (Forget).
	Staleness = 5 * time.Second
	// patience is how long an answer of a CRM's waits for the ledger.
	patience = 3 * time.Second
	// pause is how long the ledger isn't asked after it didn't answer.
	pause = time.Second
	// most bounds how many answers are remembered.
	most = 100_000
)

// Config is what Known needs.
type Config struct {
	Ledger Ledger
	// Site is the ledger's word for whose consents they are.
	Site string
	// Facts are the names of the facts that the site's policy names; those that aren't
	// about consents are left out.
	Facts []string
	// Always says that they are wanted of every answer, whatever its plan names.
	Always bool
	// Now is the clock; nil for the machine's.
	Now func() time.Time
	// Contradicted is told of the records of a document that say themselves what speaks
	// against the ledger; nil for nobody.
	Contradicted func([]Contradiction)
}

// Known knows the facts. It is safe for concurrent use.
type Known struct {
	c      Config
	facts  []fact
	wanted []Wanted
	key    [32]byte

	mu sync.Mutex
	// changes are those at this node that the answers were given after.
	changes uint64
	answers map[[32]byte]remembered
	silent  time.Time // until when the ledger isn't asked
}

type remembered struct {
	states []access.FactState
	until  time.Time
}

// New returns a Known; nil where no fact is about consents.
func New(c Config) *Known {
	facts, wanted := questionsOf(c.Facts)
	if len(facts) == 0 {
		return nil
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	k := &Known{c: c, facts: facts, wanted: wanted, answers: map[[32]byte]remembered{}}
	_, _ = rand.Read(k.key[:]) // never fails: it ends the process instead
	return k
}

// ErrSilent says that the ledger was asked a moment ago, and didn't answer.
var ErrSilent = errors.New("the ledger of consents didn't answer a moment ago")

// Facts returns what is known of some persons. All are asked about in one question. With
// an error nothing is known but what their own fields say.
func (k *Known) Facts(ctx context.Context, persons []Person) ([]access.Facts, error) {
	subjects := make([]Subject, 0, len(persons))
	for i := range persons {
		if !persons[i].nobody() {
			subjects = append(subjects, persons[i].Subject)
		}
	}
	answers, err := k.ask(ctx, subjects)
	out := make([]access.Facts, len(persons))
	alike := map[string]access.Facts{}
	var against []Contradiction
	nothing, at := make([]access.FactState, len(k.wanted)), 0
	for i := range persons {
		states := nothing
		if !persons[i].nobody() {
			states, at = answers[at], at+1
		}
		out[i] = k.settled(&persons[i], states, alike, &against)
	}
	if len(against) > 0 && k.c.Contradicted != nil {
		k.c.Contradicted(against)
	}
	return out, err
}

// settled are a person's facts. Persons of whom the same is known share them.
func (k *Known) settled(p *Person, states []access.FactState, alike map[string]access.Facts, against *[]Contradiction) access.Facts {
	var sum strings.Builder
	facts := make(access.Facts, len(k.facts))
	for i := range k.facts {
		f := &k.facts[i]
		state, by := f.settle(p.Said, states)
		if by != nil {
			*against = append(*against, Contradiction{Entity: access.Entity(p.Entity), Type: p.Type, Record: p.Record, Fact: f.name, By: *by})
		}
		facts[f.name] = state
		sum.WriteByte('0' + byte(state))
	}
	if same, ok := alike[sum.String()]; ok {
		return same
	}
	alike[sum.String()] = facts
	return facts
}

// ask returns what the ledger says of each subject, in one question to it for those that
// it wasn't asked about lately. What isn't known is unknown.
func (k *Known) ask(ctx context.Context, subjects []Subject) ([][]access.FactState, error) {
	out := make([][]access.FactState, len(subjects))
	names := make([][32]byte, len(subjects))
	for i := range subjects {
		names[i] = k.name(&subjects[i])
	}
	now, changes := k.c.Now(), k.c.Ledger.Changes()
	var missing []int
	k.mu.Lock()
	if k.changes != changes {
		k.changes = changes
		clear(k.answers)
	}
	silent := now.Before(k.silent)
	for i := range subjects {
		if a, ok := k.answers[names[i]]; ok && now.Before(a.until) && !now.Before(a.until.Add(-Staleness)) {
			out[i] = a.states
		} else {
			missing = append(missing, i)
		}
	}
	k.mu.Unlock()
	if len(missing) == 0 {
		return out, nil
	}
	nothing := make([]access.FactState, len(k.wanted))
	for _, i := range missing {
		out[i] = nothing
	}
	if silent {
		return out, ErrSilent
	}
	answers, err := k.question(ctx, subjects, missing)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		k.silent = k.c.Now().Add(pause)
		return out, err
	}
	if len(k.answers)+len(missing) > most {
		clear(k.answers)
	}
	for n, i := range missing {
		out[i] = answers[n]
		if k.changes == changes && k.c.Ledger.Changes() == changes {
			k.answers[names[i]] = remembered{answers[n], now.Add(Staleness)}
		}
	}
	return out, nil
}

// question asks the ledger. An answer that doesn't fit the question is none.
func (k *Known) question(ctx context.Context, subjects []Subject, missing []int) ([][]access.FactState, error) {
	asked := make([]Subject, len(missing))
	for n, i := range missing {
		asked[n] = subjects[i]
	}
	// A client that gives up says nothing about the ledger.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	answers, err := k.c.Ledger.States(ctx, k.c.Site, asked, k.wanted)
	if err != nil {
		return nil, fmt.Errorf("asking the ledger of consents: %w", err)
	}
	if len(answers) != len(asked) {
		return nil, errors.New("asking the ledger of consents: the answer is about other people")
	}
	for _, a := range answers {
		if len(a) != len(k.wanted) {
			return nil, errors.New("asking the ledger of consents: the answer lacks some of what was wanted")
		}
	}
	return answers, nil
}

// name is what a subject's answer is remembered by: nothing in memory tells who it is.
func (k *Known) name(s *Subject) [32]byte {
	h := sha256.New()
	h.Write(k.key[:])
	part := func(text string) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(text)))
		h.Write(n[:])
		h.Write([]byte(text))
	}
	part(s.Entity)
	part(s.Record)
	for _, list := range [][]string{s.Emails, s.Phones} {
		part(fmt.Sprint(len(list)))
		for _, v := range list {
			part(v)
		}
	}
	return [32]byte(h.Sum(nil))
}

// Add joins what is known with what was known before.
func Add(before, facts access.Facts) access.Facts {
	if len(before) == 0 {
		return facts
	}
	all := maps.Clone(before)
	maps.Copy(all, facts)
	return all
}
