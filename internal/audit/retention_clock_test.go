package audit

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/keys"
)

// Every clock that lies for up to some months, in the middle of a run or over a
// start, and one that is right again within the hour: nothing is destroyed before
// its time, and with the clock right in the end everything is in the end.
func wrongClockNeverDestroysTooEarly(t *testing.T) {
	for seed := range uint64(max(1, 6/sparse)) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { simulate(t, rand.New(rand.NewPCG(seed, 3))) })
	}
}

// simulation is a gateway that runs for years, on a machine with a bad clock.
type simulation struct {
	t    *testing.T
	rnd  *rand.Rand
	ring *keys.Ring
	d    *disk
	c    *turner
	l    *Log
	true time.Time
	off  time.Duration // of the clock
	// made are the true months of the entries that can be read.
	made map[string]time.Time
	n    int
	// spell says that the clock was wrong over a start.
	spell bool
}

const simulated = 3 // months of retention

func simulate(t *testing.T, rnd *rand.Rand) {
	s := &simulation{t: t, rnd: rnd, ring: testRing(t), d: newDisk(), c: newTurner("2026-01-10 09:00"), made: map[string]time.Time{}}
	s.true, _ = s.c.now()
	s.start()
	for range 60 {
		s.pass(time.Duration(1+rnd.IntN(20)) * 24 * time.Hour)
		switch rnd.IntN(8) {
		case 0: // wrong at a start, set right within the hour
			mustClose(t, s.l)
			s.wrong()
			s.start()
			s.pass(time.Duration(1+rnd.IntN(50)) * time.Minute)
			s.right()
		case 1: // wrong for long, in a run
			s.wrong()
			s.pass(time.Duration(1+rnd.IntN(40)) * 24 * time.Hour)
			s.right()
		case 2: // and over a start
			mustClose(t, s.l)
			s.wrong()
			s.spell = true
			s.start()
			s.pass(time.Duration(1+rnd.IntN(60)) * 24 * time.Hour)
			s.right()
		case 3:
			mustClose(t, s.l)
			s.start()
		}
	}
	s.right()
	mustClose(t, s.l) // what the clock did in the run is forgotten
	s.start()
	before := len(s.made)
	for range 6 * (simulated + 10) {
		s.pass(5 * 24 * time.Hour)
	}
	for r, m := range s.made {
		if m.AddDate(0, simulated+10, 0).Before(s.true) {
			t.Errorf("%s of %s is there still on %s", r, m.Format(time.DateOnly), s.true.Format(time.DateOnly))
		}
	}
	if before == len(s.made) && s.n == before {
		t.Error("nothing was destroyed")
	}
	mustClose(t, s.l)
	if _, err := verifyDisk(t, s.d, s.ring); err != nil {
		t.Error(err)
	}
}

func (s *simulation) start() {
	opts := onDisk(s.d)
	opts.now = s.c.now
	s.l = mustOpen(s.t, "disk", s.ring, opts)
}

func (s *simulation) wrong() {
	by := time.Duration(s.rnd.IntN(2000)-500) * 24 * time.Hour
	s.off += by
	s.c.set(by)
}

func (s *simulation) right() {
	s.c.set(-s.off)
	s.off = 0
}

// pass lets time pass, writes, and has the retention run.
func (s *simulation) pass(d time.Duration) {
	s.c.run(d)
	s.true = s.true.Add(d)
	s.n++
	id := fmt.Sprint(s.n)
	mustAppend(s.t, s.l, &Entry{Kind: Intent, Request: id})
	s.made[id] = s.true
	gone, err := s.l.Retain(s.t.Context(), Retaining{Retention: Retention{Access: simulated, Gateway: simulated}, By: "the gateway"})
	if err != nil {
		s.t.Fatal(err)
	}
	if len(gone) == 0 {
		return
	}
	left := map[string]bool{}
	for e, err := range read(s.t.Context(), s.d, s.ring) {
		if err != nil {
			s.t.Fatal(err)
		}
		left[e.Entry.Request] = true
	}
	for id, m := range s.made {
		if left[id] {
			continue
		}
		delete(s.made, id)
		months := simulated
		if s.spell {
			months-- // up to the end of the month that the clock was wrong in
		}
		if until := time.Date(m.Year(), m.Month(), 1, 0, 0, 0, 0, time.UTC).AddDate(0, months+1, 0); s.true.Before(until) {
			s.t.Errorf("entry %s of %s was destroyed on %s, with the clock at %s", id, m.Format(time.DateOnly), s.true.Format(time.DateOnly), s.true.Add(s.off).Format(time.DateOnly))
		}
	}
}
