package consent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/sealed"
	"github.com/crmgate/crmgate/internal/sealed/storetest"
)

const (
	site    = "crm.example.de"
	canary  = "canary.person@example.org"
	another = "another@example.org"
)

// house is a ledger with what stands around it: a store, a log, a mail server and a
// clock that can be told.
type house struct {
	t      *testing.T
	l      *Ledger
	store  *storetest.Memory
	faulty *faultyStore
	log    *notes
	box    *mailbox
	mu     sync.Mutex
	now    time.Time
}

// faultyStore counts questions, and ends the house before a save when told to.
type faultyStore struct {
	*storetest.Memory
	mu    sync.Mutex
	loads int
	fail  func(docs []sealed.Doc) error
}

func (f *faultyStore) LoadDocs(ctx context.Context, kind string, keys []sealed.Key) ([]sealed.Doc, error) {
	f.mu.Lock()
	f.loads++
	f.mu.Unlock()
	return f.Memory.LoadDocs(ctx, kind, keys)
}

func (f *faultyStore) SaveDocs(ctx context.Context, docs []sealed.Doc) error {
	f.mu.Lock()
	fail := f.fail
	f.mu.Unlock()
	if fail != nil {
		if err := fail(docs); err != nil {
			return err
		}
	}
	return f.Memory.SaveDocs(ctx, docs)
}

// notes is a log that remembers.
type notes struct {
	mu   sync.Mutex
	all  []audit.Entry
	fail bool
}

var errLog = errors.New("the log is full")

func (n *notes) Append(_ context.Context, e *audit.Entry) (audit.Receipt, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fail {
		return audit.Receipt{}, errLog
	}
	if !e.Event.Valid() {
		return audit.Receipt{}, fmt.Errorf("the event %q isn't in the list", e.Event)
	}
	n.all = append(n.all, *e)
	return audit.Receipt{Node: "one", Seq: uint64(len(n.all) - 1)}, nil
}

func (n *notes) Keyed(category, value string) string {
	return category + ":" + hashOf([]byte(value))[:16]
}

func (n *notes) count(e audit.Event) (many int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range n.all {
		if n.all[i].Event == e {
			many++
		}
	}
	return many
}

// mailbox is a mail server that keeps what it gets.
type mailbox struct {
	mu   sync.Mutex
	got  []Mail
	fail error
	when func(*Mail)
}

func (b *mailbox) Send(_ context.Context, m *Mail) error {
	if b.when != nil {
		b.when(m)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return b.fail
	}
	b.got = append(b.got, *m)
	return nil
}

func purposes() []Purpose {
	return []Purpose{
		{Name: "newsletter", Title: map[string]string{"de": "Rundbrief", "en": "Newsletter"}, Texts: []Text{
			{Channel: Email, Version: "2026-11", Language: "de", Text: "Ja, ich möchte den Rundbrief per E-Mail."},
			{Channel: Email, Version: "2026-11", Language: "en", Text: "Yes, I want the newsletter by e-mail."},
			{Channel: Phone, Version: "2026-11", Language: "de", Text: "Ja, Sie dürfen mich anrufen."},
		}},
		{Name: "survey", Lasts: 365 * 24 * time.Hour, Texts: []Text{
			{Channel: Email, Version: "1", Language: "de", Text: "Ja, fragen Sie mich."},
		}},
	}
}

func newHouse(t *testing.T) *house {
	t.Helper()
	ring, err := keys.Open(t.TempDir() + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, store: new(storetest.Memory), log: new(notes), box: new(mailbox), now: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)}
	h.faulty = &faultyStore{Memory: h.store}
	h.l = h.node(ring)
	return h
}

// node is a ledger of another node in the same house.
func (h *house) node(ring sealed.Ring) *Ledger {
	h.t.Helper()
	room, err := sealed.New(Kind, h.faulty, ring)
	if err != nil {
		h.t.Fatal(err)
	}
	l, err := Open(h.t.Context(), Config{
		Site: site, Controller: "Muster GmbH, Musterweg 1, 12345 Berlin", Notice: Notice{"https://example.de/privacy", "2026-10"},
		Base: "https://" + site, From: "Muster GmbH <news@example.de>", Purposes: purposes(),
		Within: 72 * time.Hour, Keep: 3 * 365 * 24 * time.Hour, PerAddress: 3, Room: room, Log: h.log, Sender: h.box, Now: h.clock,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return l
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// asks posts the newsletter's form, and has the mail sent.
func (h *house) asks(email string) {
	h.t.Helper()
	err := h.l.Ask(h.t.Context(), Ask{Email: email, Language: "de", Texts: []Shown{{"newsletter", Email, "2026-11"}}, Form: "https://www.example.de/rundbrief"})
	if err != nil {
		h.t.Fatal(err)
	}
	h.send()
}

func (h *house) send() {
	h.t.Helper()
	if err := h.l.SendDue(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// link is the token in the last mail.
func (h *house) link() string {
	h.t.Helper()
	if len(h.box.got) == 0 {
		h.t.Fatal("no mail was sent")
	}
	m := h.box.got[len(h.box.got)-1]
	return strings.TrimPrefix(m.Unsubscribe, h.l.Base+EndPath)
}

func (h *house) answers(token string, to State) *Link {
	h.t.Helper()
	k, err := h.l.Answer(h.t.Context(), token, to, Wanted{})
	if err != nil {
		h.t.Fatal(err)
	}
	return k
}

// state is what the ledger says of a subject.
func (h *house) state(s Subject, wanted string) access.FactState {
	h.t.Helper()
	w, ok := ParseWanted(wanted)
	if !ok {
		h.t.Fatalf("%q names nothing", wanted)
	}
	got, err := h.l.States(h.t.Context(), site, []Subject{s}, []Wanted{w})
	if err != nil {
		h.t.Fatal(err)
	}
	return got[0][0]
}

// is checks what the ledger says of a subject.
func (h *house) is(s Subject, wanted string, want access.FactState) {
	h.t.Helper()
	if got := h.state(s, wanted); got != want {
		h.t.Errorf("the state of %s is %d, want %d", wanted, got, want)
	}
}

func (h *house) change(s Subject, wanted string, to State, source string, at time.Time) {
	h.t.Helper()
	w, _ := ParseWanted(wanted)
	if err := h.l.Change(h.t.Context(), site, s, w, to, source, at); err != nil {
		h.t.Fatal(err)
	}
}

func mailOf(address string) Subject { return Subject{Emails: []string{address}} }
