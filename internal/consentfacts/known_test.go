package consentfacts_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/consent"
	"github.com/crmgate/crmgate/internal/consentfacts"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
)

const site = "acme"

// ledger answers for whom it has a yes or a no, by address or by entity and record.
type ledger struct {
	says    map[string]access.FactState
	asked   [][]consentfacts.Subject
	changes uint64
	err     error
	wrong   bool
	during  func()
}

func (l *ledger) Changes() uint64 { return l.changes }

func (l *ledger) States(ctx context.Context, of string, subjects []consentfacts.Subject, wanted []consentfacts.Wanted) ([][]access.FactState, error) {
	l.asked = append(l.asked, subjects)
	if l.err != nil || of != site {
		return nil, l.err
	}
	out := make([][]access.FactState, len(subjects))
	for i, s := range subjects {
		for _, w := range wanted {
			out[i] = append(out[i], l.state(s, w))
		}
	}
	if l.wrong {
		out = out[1:]
	}
	if l.during != nil {
		l.during()
	}
	return out, ctx.Err()
}

func (l *ledger) state(s consentfacts.Subject, w consentfacts.Wanted) access.FactState {
	if w.Purpose != "newsletter" || w.Channel != "" && w.Channel != consent.Email {
		return access.FactFalse
	}
	all := access.FactTrue
	for _, e := range s.Emails {
		all = min(all, max(l.says[e], access.FactFalse))
	}
	if len(s.Emails) == 0 {
		all = l.says[s.Entity+"/"+s.Record]
	}
	return all
}

func known(l *ledger, now *time.Time) *consentfacts.Known {
	return consentfacts.New(consentfacts.Config{
		Ledger: l, Site: site, Facts: []string{"own", "consent:newsletter:email", "consent:newsletter", "consent:calls:phone"},
		Now: func() time.Time { return *now },
	})
}

func person(record string, emails ...string) consentfacts.Person {
	return consentfacts.Person{Subject: consentfacts.Subject{Entity: "contact", Record: record, Emails: emails}}
}

func state(t *testing.T, k *consentfacts.Known, p consentfacts.Person) access.FactState {
	t.Helper()
	facts, err := k.Facts(context.Background(), []consentfacts.Person{p})
	if err != nil {
		t.Fatal(err)
	}
	return facts[0]["consent:newsletter:email"]
}

// TestAnswersAreBelievedForSecondsAndAChangeHereCountsAtOnce: what changes elsewhere counts
// after the bound, what changes at this node with the next question.
func TestAnswersAreBelievedForSecondsAndAChangeHereCountsAtOnce(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := &ledger{says: map[string]access.FactState{"a@x.de": access.FactTrue}}
	k := known(l, &now)
	if got := state(t, k, person("1", "a@x.de")); got != access.FactTrue {
		t.Fatalf("the ledger's yes is %d", got)
	}
	l.says["a@x.de"] = access.FactFalse // at another node
	now = now.Add(consentfacts.Staleness - time.Millisecond)
	if got := state(t, k, person("1", "a@x.de")); got != access.FactTrue || len(l.asked) != 1 {
		t.Fatalf("within the bound it is %d, after %d questions", got, len(l.asked))
	}
	now = now.Add(time.Millisecond)
	if got := state(t, k, person("1", "a@x.de")); got != access.FactFalse {
		t.Fatalf("behind the bound it is %d", got)
	}
	l.says["a@x.de"], l.changes = access.FactTrue, 1 // here
	if got := state(t, k, person("1", "a@x.de")); got != access.FactTrue {
		t.Fatalf("after a change here it is %d", got)
	}
	// A clock that was set back makes no answer live longer.
	l.says["a@x.de"] = access.FactFalse
	now = now.Add(-time.Hour)
	if got := state(t, k, person("1", "a@x.de")); got != access.FactFalse {
		t.Fatalf("after the clock was set back it is %d", got)
	}
}

// TestAnAnswerFromBeforeAChangeIsNotRemembered: who withdraws while a question is under way
// isn't shown by its answer any longer than that one document.
func TestAnAnswerFromBeforeAChangeIsNotRemembered(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := &ledger{says: map[string]access.FactState{"a@x.de": access.FactTrue}}
	l.during = func() { l.says["a@x.de"], l.changes, l.during = access.FactFalse, l.changes+1, nil }
	k := known(l, &now)
	state(t, k, person("1", "a@x.de"))
	if got := state(t, k, person("1", "a@x.de")); got != access.FactFalse {
		t.Fatalf("the next answer still is %d", got)
	}
}

// TestALedgerThatDoesNotAnswerKnowsNobody: everything is unknown, and it isn't asked again
// for a moment.
func TestALedgerThatDoesNotAnswerKnowsNobody(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := &ledger{says: map[string]access.FactState{"a@x.de": access.FactTrue}, err: errors.New("no disk")}
	k := known(l, &now)
	for range 3 {
		facts, err := k.Facts(context.Background(), []consentfacts.Person{person("1", "a@x.de")})
		if err == nil || facts[0]["consent:newsletter:email"] != access.FactUnknown {
			t.Fatalf("%v, %v", facts, err)
		}
	}
	if len(l.asked) != 1 {
		t.Errorf("it was asked %d times", len(l.asked))
	}
	l.err, now = nil, now.Add(2*time.Second)
	l.wrong = true
	if facts, err := k.Facts(context.Background(), []consentfacts.Person{person("1", "a@x.de")}); err == nil || facts[0]["consent:newsletter:email"] != access.FactUnknown {
		t.Errorf("an answer about other people: %v, %v", facts, err)
	}
	l.wrong, now = false, now.Add(2*time.Second)
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // a client that gives up says nothing about the ledger
	if facts, err := k.Facts(ctx, []consentfacts.Person{person("1", "a@x.de")}); err != nil || facts[0]["consent:newsletter:email"] != access.FactTrue {
		t.Errorf("behind it: %v, %v", facts, err)
	}
}

// TestWhatARecordSaysOfItselfGoesBeforeTheLedger, and only for the channel that it names.
func TestWhatARecordSaysOfItselfGoesBeforeTheLedger(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := &ledger{says: map[string]access.FactState{"a@x.de": access.FactTrue}}
	var told []consentfacts.Contradiction
	k := consentfacts.New(consentfacts.Config{
		Ledger: l, Site: site, Facts: []string{"consent:newsletter:email", "consent:newsletter", "consent:calls:phone"},
		Now: func() time.Time { return now }, Contradicted: func(c []consentfacts.Contradiction) { told = append(told, c...) },
	})
	for _, c := range []struct {
		said       access.Said
		email, any access.FactState
		told       int
	}{
		{access.Said{}, access.FactTrue, access.FactTrue, 0},
		{access.Said{Field: "optOut", Channel: "email", State: access.FactFalse}, access.FactFalse, access.FactFalse, 2},
		{access.Said{Field: "doNotCall", Channel: "phone", State: access.FactFalse}, access.FactTrue, access.FactTrue, 0},
		{access.Said{Field: "optOut", State: access.FactFalse}, access.FactFalse, access.FactFalse, 2},
		{access.Said{Field: "survey", Purpose: "survey", State: access.FactFalse}, access.FactTrue, access.FactTrue, 0},
		{access.Said{Field: "box", Purpose: "newsletter", Channel: "email", State: access.FactTrue}, access.FactTrue, access.FactTrue, 0},
	} {
		told = nil
		p := person("1", "a@x.de")
		p.Said = []access.Said{c.said}
		facts, err := k.Facts(context.Background(), []consentfacts.Person{p})
		if err != nil || facts[0]["consent:newsletter:email"] != c.email || facts[0]["consent:newsletter"] != c.any || len(told) != c.told {
			t.Errorf("%+v: %v, %v; told %v", c.said, facts[0], err, told)
		}
	}
	// An opt-in is no consent.
	p := person("2", "b@x.de")
	p.Said = []access.Said{{Field: "box", Purpose: "newsletter", Channel: "email", State: access.FactTrue}}
	if got := state(t, k, p); got == access.FactTrue {
		t.Error("a box in the CRM made a consent")
	}
}

// TestFiveHundredRecordsAreOneQuestion, and the same list again none.
func TestFiveHundredRecordsAreOneQuestion(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := &ledger{says: map[string]access.FactState{}}
	k := known(l, &now)
	var list []string
	found := func() (*doc.Tree, *access.Found) {
		tree, err := json.Parse([]byte("["+strings.Join(list, ",")+"]"), doc.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		f := &access.Found{}
		for c := range tree.Children(doc.Root) {
			id := tree.Text(tree.Member(c, "id"))
			f.Records = append(f.Records, access.FoundRecord{Record: access.Record{Entity: "contact", Type: "contact", ID: id}, Facts: access.Facts{"own": access.FactTrue}})
			f.Fields = append(f.Fields, access.FoundField{Node: tree.Member(c, "email"), Record: len(f.Records) - 1, Entity: "contact", Categories: []access.Category{access.Email}})
		}
		return tree, f
	}
	for i := range 500 {
		mail := fmt.Sprintf("p%d@x.de", i)
		list = append(list, fmt.Sprintf(`{"id":%d,"email":%q}`, i, mail))
		if i%2 == 0 {
			l.says[mail] = access.FactTrue
		}
	}
	plan := &access.Plan{FactNames: []string{"consent:newsletter:email"}}
	for range 2 {
		tree, f := found()
		if err := k.Learn(context.Background(), tree, f, plan); err != nil {
			t.Fatal(err)
		}
		for i := range f.Records {
			if yes := f.Records[i].Facts["consent:newsletter:email"] == access.FactTrue; yes != (i%2 == 0) || f.Records[i].Facts["own"] != access.FactTrue {
				t.Fatalf("record %d: %v", i, f.Records[i].Facts)
			}
		}
	}
	if len(l.asked) != 1 || len(l.asked[0]) != 500 {
		t.Errorf("%d questions", len(l.asked))
	}
	tree, f := found()
	if err := k.Learn(context.Background(), tree, f, &access.Plan{FactNames: []string{"own"}}); err != nil || len(f.Records[0].Facts) != 1 {
		t.Error("a plan that names no consent was asked for")
	}
}

// TestWhatNamesNoRecordGoesByItsOwnAddress: the row of an export without an id, and of
// several addresses in one place all.
func TestWhatNamesNoRecordGoesByItsOwnAddress(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := &ledger{says: map[string]access.FactState{"a@x.de": access.FactTrue, "c@x.de": access.FactTrue, "contact/7": access.FactTrue}}
	k := known(l, &now)
	tree, err := json.Parse([]byte(`[["Ann","a@x.de"],["Bob","b@x.de"],["Both","A. <a@x.de>; b@x.de"],["None",""],["Fake","a@x.de.evil"],["Seven","c@x.de"],["Out","a@x.de","no"]]`), doc.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	f := &access.Found{Rows: 5, Records: []access.FoundRecord{{Record: access.Record{Entity: "contact", Type: "contact", ID: "7"}}}}
	row := 0
	for r := range tree.Children(doc.Root) {
		of := -1
		if row++; row == 6 {
			of = 0
		}
		f.Fields = append(f.Fields,
			access.FoundField{Node: tree.Element(r, 0), Record: of, Entity: "contact", Categories: []access.Category{access.Name}},
			access.FoundField{Node: tree.Element(r, 1), Record: of, Entity: "contact", Categories: []access.Category{access.Email}})
	}
	box := access.Said{Field: "box", Channel: "email", State: access.FactFalse}
	f.Said = []access.SaidAt{{Said: box, Node: tree.Element(tree.Element(doc.Root, row-1), 2), Entity: "contact"}}
	if err := k.Learn(context.Background(), tree, f, &access.Plan{FactNames: []string{"consent:newsletter:email"}}); err != nil {
		t.Fatal(err)
	}
	want := []access.FactState{access.FactTrue, access.FactFalse, access.FactFalse, access.FactUnknown, access.FactFalse, access.FactTrue, access.FactFalse}
	for i := range f.Fields {
		got := access.FactUnknown
		if rec := f.Fields[i].Record; rec >= 0 {
			got = f.Records[rec].Facts["consent:newsletter:email"]
		}
		if got != want[i/2] {
			t.Errorf("row %d, column %d: %d, want %d", i/2, i%2, got, want[i/2])
		}
	}
}

// TestNoFactIsAboutConsents: a site whose policy names none asks nobody.
// TestAnAddressBehindAnotherCounts: what a text shows is judged whole, with the copies of a
// mail that a link would write.
func TestAnAddressBehindAnotherCounts(t *testing.T) {
	t.Parallel()
	l := &ledger{says: map[string]access.FactState{"ada@example.org": access.FactTrue}}
	now := time.Now()
	for text, want := range map[string]access.FactState{
		"mailto:ada@example.org":                         access.FactTrue,
		"mailto:ada@example.org?subject=News":            access.FactTrue,
		"mailto:%61da@example.org":                       access.FactTrue,
		"ada@example.org?":                               access.FactTrue,
		"mailto:ada@example.org?cc=zoe@example.org":      access.FactFalse,
		"mailto:ada@example.org?cc=zoe%40example.org":    access.FactFalse,
		"mailto:ada@example.org?a=b&bcc=zoe@example.org": access.FactFalse,
		"ada@example.org? zoe@example.org":               access.FactFalse,
	} {
		tree, err := json.Parse([]byte(`{"id":"1","mail":"`+text+`"}`), doc.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		found := &access.Found{
			Records: []access.FoundRecord{{Record: access.Record{Entity: "contact", Type: "Contact", ID: "1"}}},
			Fields:  []access.FoundField{{Record: 0, Entity: "contact", Name: "mail", Node: tree.Member(doc.Root, "mail"), Categories: []access.Category{access.Email}}},
		}
		if err := known(l, &now).Learn(context.Background(), tree, found, &access.Plan{FactNames: []string{"consent:newsletter:email"}}); err != nil {
			t.Fatal(err)
		}
		if got := found.Records[0].Facts["consent:newsletter:email"]; got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestNoFactIsAboutConsents(t *testing.T) {
	if k := consentfacts.New(consentfacts.Config{Facts: []string{"own", "reason"}}); k != nil {
		t.Error("there is something to know")
	}
	var k *consentfacts.Known
	if err := k.Learn(context.Background(), nil, &access.Found{}, nil); err != nil {
		t.Error(err)
	}
	if got := consentfacts.Names([]string{"own", "consent:a", "consent:a:email", "consent:a"}); !slices.Equal(got, []string{"consent:a", "consent:a:email"}) {
		t.Error(got)
	}
}
