package alarm

import (
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
)

func lures() *Canaries {
	c := new(Canaries)
	c.Add("contact", "1001", false)
	c.Add("contact", "AbC", true)
	return c
}

func TestCanaryThatIsAskedForIsGraded(t *testing.T) {
	ask := func(a access.Action, e access.Entity, ids ...string) []access.Access {
		return []access.Access{{Action: a, Entity: e, Type: string(e), IDs: ids}}
	}
	for name, c := range map[string]struct {
		accesses []access.Access
		how      string
		level    Level
		stop     bool
	}{
		"another":              {ask(access.Read, "contact", "1002"), "", "", false},
		"another entity":       {ask(access.Read, "account", "1001"), "", "", false},
		"no id":                {ask(access.Search, "contact"), "", "", false},
		"by itself":            {ask(access.Read, "contact", "1001"), HowAlone, High, false},
		"twice":                {ask(access.Read, "contact", "1001", "1001"), HowAlone, High, false},
		"in another case":      {ask(access.Read, "contact", "aBC"), HowAlone, High, true},
		"among others":         {ask(access.Read, "contact", "1", "1001"), HowAmong, Low, false},
		"never stops a list":   {ask(access.Read, "contact", "1", "abc"), HowAmong, Low, false},
		"deleted with others":  {ask(access.Delete, "contact", "1", "1001"), HowChanged, Medium, false},
		"exported with others": {ask(access.Export, "contact", "1", "1001"), HowExported, Medium, false},
		"the graver counts": {
			append(ask(access.Read, "contact", "1", "1001"), ask(access.Update, "contact", "1001")...), HowAlone, High, false,
		},
	} {
		got := lures().Asked(c.accesses)
		if got.How != c.how || got.Level != c.level || got.Stop != c.stop || (c.how != "") != (len(got.Records) == 1) && name != "twice" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if (*Canaries)(nil).Asked(ask(access.Read, "contact", "1001")).How != "" {
		t.Error("no canaries, and an alarm")
	}
}

func TestCanaryThatIsShownIsGraded(t *testing.T) {
	show := func(rows int, ids ...string) *access.Disclosure {
		d := &access.Disclosure{Rows: rows}
		for _, id := range ids {
			d.Records = append(d.Records, access.DisclosedRecord{Record: access.Record{Entity: "contact", Type: "contacts", ID: id}})
		}
		return d
	}
	search := []access.Access{{Action: access.Search, Entity: "contact"}}
	export := []access.Access{{Action: access.Export, Entity: "contact"}}
	for name, c := range map[string]struct {
		d        *access.Disclosure
		accesses []access.Access
		whole    bool
		how      string
		level    Level
		stop     bool
	}{
		"none":                {show(0, "1"), search, true, "", "", false},
		"only result":         {show(0, "1001"), search, true, HowShownAlone, High, false},
		"only result, stops":  {show(0, "abc"), search, true, HowShownAlone, High, true},
		"one of several":      {show(0, "1", "1001"), search, true, HowAmong, Low, false},
		"beside unnamed rows": {show(3, "1001"), search, true, HowAmong, Low, false},
		"part of a stream":    {show(0, "abc"), search, false, HowAmong, Low, false},
		"exported":            {show(0, "1", "1001"), export, true, HowExported, Medium, false},
	} {
		got := lures().Shown(c.d, c.accesses, c.whole)
		if got.How != c.how || got.Level != c.level || got.Stop != c.stop {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// A request that asks for a canary and is answered with it raises one alarm.
func TestOneRequestRaisesOneAlarm(t *testing.T) {
	asked := lures().Asked([]access.Access{{Action: access.Read, Entity: "contact", Type: "contacts", IDs: []string{"1001"}}})
	if !asked.Beyond(Sighting{}) {
		t.Error("the first sighting is not told")
	}
	shown := Sighting{How: HowShownAlone, Level: High, Records: []access.Record{{Entity: "contact", Type: "contact", ID: "1001"}}}
	if shown.Beyond(asked) {
		t.Error("it is told twice")
	}
	shown.Records[0].ID = "abc"
	if !shown.Beyond(asked) {
		t.Error("another canary is not told")
	}
	if low := (Sighting{How: HowAmong, Level: Low, Records: asked.Records}); low.Beyond(asked) || !asked.Beyond(low) {
		t.Error("the graver one counts")
	}
}

func TestQuietTellsOnceAndCounts(t *testing.T) {
	q, now := &Quiet{For: time.Hour}, time.Now()
	if tell, n := q.Tell("a", now); !tell || n != 0 {
		t.Error("the first is told")
	}
	for i := range 7 {
		if tell, _ := q.Tell("a", now.Add(time.Duration(i)*time.Minute)); tell {
			t.Error("told again")
		}
	}
	if tell, _ := q.Tell("b", now); !tell {
		t.Error("another cause is hushed")
	}
	if tell, n := q.Tell("a", now.Add(time.Hour)); !tell || n != 7 {
		t.Errorf("after the hour: %t, %d", tell, n)
	}
	if tell, _ := q.Tell("a", now.Add(-48*time.Hour)); !tell {
		t.Error("a clock that went back hushes")
	}
	q.Untold("b")
	if tell, _ := q.Tell("b", now); !tell {
		t.Error("what wasn't told is hushed")
	}
	for i := range 3 * maxQuiet {
		q.Tell(string(rune(i))+"x", now)
	}
	if len(q.all) > maxQuiet {
		t.Errorf("%d causes are held", len(q.all))
	}
}
