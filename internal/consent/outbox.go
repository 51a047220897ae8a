package consent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/sealed"
)

// sent says when an address was written to, and what for.
type sent struct {
	At time.Time `json:"at"`
	Do string    `json:"do"`
}

// backoffs are how long to wait before each further try to send a mail.
func backoffs() []time.Duration {
	return []time.Duration{time.Minute, 5 * time.Minute, 20 * time.Minute, time.Hour, 3 * time.Hour}
}

// mostTries is how often a mail is tried.
func mostTries() int { return len(backoffs()) + 1 }

const (
	// headStart is what the node that took a wish has before others see to it.
	headStart = 15 * time.Second
	// workEvery is how often the outbox is looked at without being woken.
	workEvery = 5 * time.Second
	// expireEvery is how often unconfirmed wishes are looked through.
	expireEvery = 5 * time.Minute
	page        = 100
)

// Work sends what is due and lets expire what nobody confirms, until the context ends.
// Any number of nodes may work on one ledger. What goes wrong is told to report.
func (l *Ledger) Work(ctx context.Context, report func(error)) {
	tick, sweep := time.NewTicker(workEvery), time.NewTicker(expireEvery)
	defer tick.Stop()
	defer sweep.Stop()
	for {
		mine := false
		select {
		case <-ctx.Done():
			return
		case <-l.due:
			mine = true
		case <-tick.C:
		case <-sweep.C:
			if err := l.Expire(ctx); err != nil && ctx.Err() == nil {
				report(err)
			}
		}
		if err := l.sendDue(ctx, mine); err != nil && ctx.Err() == nil {
			report(err)
		}
	}
}

// SendDue sends all mails that are due, or tries to.
func (l *Ledger) SendDue(ctx context.Context) error { return l.sendDue(ctx, true) }

func (l *Ledger) sendDue(ctx context.Context, mine bool) error {
	return l.visit(ctx, l.outbox(), func(it sealed.Item) error {
		d, _, err := read[ticket](map[sealed.Key]sealed.Item{it.Key: it}, it.Key)
		if err != nil {
			return err
		}
		if !d.says.due(l.Now(), mine) {
			return nil
		}
		return l.deliver(ctx, d)
	})
}

// visit hands over each document of a group. An error of one doesn't keep the others
// waiting.
func (l *Ledger) visit(ctx context.Context, group sealed.Key, each func(sealed.Item) error) error {
	var after sealed.Key
	var wrong error
	for {
		items, err := l.Room.List(ctx, group, after, page)
		if err != nil {
			return fmt.Errorf("reading the outbox of the consents: %w", err)
		}
		for _, it := range items {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := each(it); err != nil && !errors.Is(err, sealed.ErrChanged) {
				wrong = err
			}
			after = it.Key
		}
		if len(items) < page {
			return wrong
		}
	}
}

// due reports whether it is time to try. A time that lies further ahead than any wait is
// from a clock that was wrong then.
func (t *ticket) due(now time.Time, mine bool) bool {
	if t.Next.IsZero() {
		age := now.Sub(t.Made)
		return mine || age > headStart || age < -headStart
	}
	wait := t.Next.Sub(now)
	all := backoffs()
	return wait <= 0 || wait > all[len(all)-1]+lease
}

// deliver tries to send one mail. It is claimed first, for as long as a try may last, so
// that of two nodes one sends; and written down before it is sent. A node that dies
// between sending and saving leaves a mail that is sent again, under the same Message-ID:
// that can't be told apart from one that was never sent.
func (l *Ledger) deliver(ctx context.Context, d *doc[ticket]) error {
	t := &d.says
	now := l.Now()
	if t.over(now, l.Within) || t.Attempts >= mostTries() {
		return l.leave(ctx, d)
	}
	b, err := l.begin(ctx, []identifier{t.who()})
	if err != nil {
		return err
	}
	if !t.Listed {
		if !b.persons[0].says.mayGet(t.Do, now, l.PerAddress) {
			return l.drop(ctx, d)
		}
		b.list(t)
	}
	proofs, err := b.own(ctx, t)
	if err != nil {
		return err
	}
	t.Attempts++
	t.Next = now.Add(lease).Round(0)
	if err := b.mailing(ctx, t, proofs, "mailing", ""); err != nil {
		return err
	}
	it, err := d.save(d.item.Until)
	if err != nil {
		return err
	}
	b.also = append(b.also, it)
	if err := b.save(ctx); err != nil {
		return err
	}
	return l.sendClaimed(ctx, d.item.Key, proofs)
}

// mayGet reports whether an address may get one more mail today.
func (p *person) mayGet(do string, now time.Time, most int) bool {
	n := 0
	for _, m := range p.Mails {
		if age := now.Sub(m.At); m.Do == do && age < 24*time.Hour && age > -24*time.Hour {
			n++
		}
	}
	return n < most
}

// list makes a ticket's wishes known to their person.
func (b *batch) list(t *ticket) {
	t.Listed, b.dirty = true, true
	says := &b.persons[0].says
	recent := says.Mails[:0]
	for _, m := range says.Mails {
		if b.now.Sub(m.At) < 24*time.Hour {
			recent = append(recent, m)
		}
	}
	says.Mails = append(recent, sent{b.now.Round(0), t.Do})
	for _, p := range t.Proofs {
		b.proofs[p.ID] = &doc[Proof]{item: sealed.Item{Key: b.l.proofKey(p.ID)}, says: *p}
		b.ends[p.ID] = b.l.ends(p, t.Made)
		ref := proofRef{ID: p.ID, Purpose: p.Purpose, Channel: p.Channel, Until: b.ends[p.ID]}
		says.declare(p.Purpose, p.Channel, line{State: Asked, At: t.Made, Proof: p.ID, Source: "form"})
		says.note(ref, b.now)
		t.Lines = append(t.Lines, ref)
	}
	t.Proofs = nil
}

// own reads a ticket's proofs.
func (b *batch) own(ctx context.Context, t *ticket) ([]*Proof, error) {
	ids := make([]string, len(t.Lines))
	for i, r := range t.Lines {
		ids[i] = r.ID
	}
	if err := b.load(ctx, ids...); err != nil {
		return nil, err
	}
	var all []*Proof
	for _, id := range ids {
		if d := b.proofs[id]; d != nil {
			all = append(all, &d.says)
		}
	}
	return all, nil
}

// mailing adds to all proofs what becomes of their mail. A mail without a proof, which
// asks nothing, is an entry alone.
func (b *batch) mailing(ctx context.Context, t *ticket, proofs []*Proof, what, wrong string) error {
	m := &Mailing{MessageID: b.l.messageID(t), Attempt: t.Attempts, Error: wrong}
	if len(proofs) == 0 {
		return b.l.enterMail(ctx, t, what+": a link to see and withdraw", m)
	}
	if what == "mailing" {
		var err error
		if m.Copy, err = b.l.copyOf(t, proofs); err != nil {
			return err
		}
	}
	for _, p := range proofs {
		if err := b.l.next(ctx, p, Said{What: what, Mailing: m}, []identifier{t.who()}); err != nil {
			return err
		}
		if _, ok := b.ends[p.ID]; !ok {
			b.ends[p.ID] = b.proofs[p.ID].item.Until
		}
	}
	return nil
}

func (l *Ledger) enterMail(ctx context.Context, t *ticket, what string, m *Mailing) error {
	_, err := l.Log.Append(ctx, &audit.Entry{
		Kind: audit.Control, Event: audit.ConsentMailed, Gate: l.Site, Error: m.Error,
		Detail: fmt.Sprintf("%s, mail %s, attempt %d", what, m.MessageID, m.Attempt),
		Keyed:  []string{l.Log.Keyed(byEmail, t.Email)},
	})
	if err != nil {
		return fmt.Errorf("writing the audit log: %w", err)
	}
	return nil
}

// sendClaimed sends a mail, and keeps what became of it.
func (l *Ledger) sendClaimed(ctx context.Context, key sealed.Key, proofs []*Proof) error {
	items, err := l.Room.Load(ctx, key)
	if err != nil {
		return fmt.Errorf("reading the outbox of the consents: %w", err)
	}
	d, ok, err := read[ticket](items, key)
	if err != nil || !ok {
		return err
	}
	failed := l.send(ctx, &d.says, proofs)
	if ctx.Err() != nil && failed != nil {
		return failed // the gateway stops; its successor tries again when the claim is over
	}
	// What became of the mail is kept whatever became of the request for it.
	ctx = context.WithoutCancel(ctx)
	for range attempts {
		if err = l.sentOne(ctx, key, failed); !errors.Is(err, sealed.ErrChanged) {
			break
		}
	}
	return errors.Join(failed, err)
}

func (l *Ledger) sentOne(ctx context.Context, key sealed.Key, failed error) error {
	items, err := l.Room.Load(ctx, key)
	if err != nil {
		return fmt.Errorf("reading the outbox of the consents: %w", err)
	}
	d, ok, err := read[ticket](items, key)
	if err != nil || !ok {
		return err
	}
	t := &d.says
	b, err := l.begin(ctx, []identifier{t.who()})
	if err != nil {
		return err
	}
	proofs, err := b.own(ctx, t)
	if err != nil {
		return err
	}
	what, wrong := "mailed", ""
	switch {
	case failed == nil:
		t.Sent, t.Next, d.item.Group = l.Now().Round(0), time.Time{}, l.after(t)
	case errors.Is(failed, ErrUndeliverable):
		what, wrong = "mail_failed", "refused"
		t.Attempts, d.item.Group = mostTries(), l.after(t)
	default:
		what, wrong = "mail_failed", "unreachable"
		if t.Attempts < mostTries() {
			t.Next = l.Now().Add(backoffs()[t.Attempts-1]).Round(0)
		} else {
			d.item.Group = l.after(t)
		}
	}
	if err := b.mailing(ctx, t, proofs, what, wrong); err != nil {
		return err
	}
	it, err := d.save(d.item.Until)
	if err != nil {
		return err
	}
	b.also = append(b.also, it)
	return b.save(ctx)
}

// after is the group that a ticket is in once no mail of it is to be sent: those that
// may expire.
func (l *Ledger) after(t *ticket) sealed.Key {
	if t.Do == doConfirm && t.Done == "" {
		return l.waiting()
	}
	return sealed.Key{}
}

// leave takes a ticket out of the outbox that is tried no more.
func (l *Ledger) leave(ctx context.Context, d *doc[ticket]) error {
	if d.item.Group = l.after(&d.says); !d.says.Listed {
		return l.drop(ctx, d)
	}
	it, err := d.save(d.item.Until)
	if err != nil {
		return err
	}
	return l.Room.Save(ctx, it)
}

// drop forgets a wish for which no mail is sent.
func (l *Ledger) drop(ctx context.Context, d *doc[ticket]) error {
	m := &Mailing{MessageID: l.messageID(&d.says), Attempt: d.says.Attempts, Error: "limit"}
	if err := l.enterMail(ctx, &d.says, "not sent: this address was written to often enough", m); err != nil {
		return err
	}
	it := d.item
	it.Plain = nil
	return l.Room.Save(ctx, it)
}

// Expire lets the wishes expire that nobody has confirmed in time.
func (l *Ledger) Expire(ctx context.Context) error {
	return l.visit(ctx, l.waiting(), func(it sealed.Item) error {
		d, _, err := read[ticket](map[sealed.Key]sealed.Item{it.Key: it}, it.Key)
		if err != nil {
			return err
		}
		t := &d.says
		if !t.over(l.Now(), l.Within) {
			return nil
		}
		b, err := l.begin(ctx, []identifier{t.who()})
		if err != nil {
			return err
		}
		proofs, err := b.own(ctx, t)
		if err != nil {
			return err
		}
		for _, p := range proofs {
			if p.State != Asked {
				continue
			}
			if err := b.step(ctx, p, Said{What: string(Expired)}, Expired, b.ids); err != nil {
				return err
			}
			b.stand(p, b.ids, nil, Expired, "form", t.Made)
		}
		d.item.Group = sealed.Key{}
		item, err := d.save(d.item.Until)
		if err != nil {
			return err
		}
		b.also = append(b.also, item)
		return b.save(ctx)
	})
}
