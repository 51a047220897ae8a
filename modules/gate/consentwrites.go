package gate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/consent"
	"github.com/crmgate/crmgate/internal/consentfacts"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/restore"
)

// consentLedger is what the gate needs of the ledger of consents.
type consentLedger interface {
	consentfacts.Ledger
	Change(ctx context.Context, site string, s consent.Subject, w consent.Wanted, to consent.State, source string, at time.Time) error
}

// saidWrite is what a save says of somebody's consents that wasn't said before.
type saidWrite struct {
	said profile.SaidField
	who  consent.Subject
	typ  string
}

// saidWrites are all that a request's saves say; failed that a remote call's answer is an
// error, whatever its status.
type saidWrites struct {
	all    []saidWrite
	failed bool
}

// readConsents notes what the request's saves say of consents, before they are forwarded:
// what is stored tells what is new, and whose addresses they are about.
func (q *request) readConsents() {
	if q.o.consents == nil || q.o.masked != nil {
		return
	}
	for _, w := range q.x.Writes() {
		said := w.Said()
		if len(said) == 0 {
			continue
		}
		var stored restore.Stored
		if w.CanStore() && w.Mode != profile.WriteCreate && w.Mode != profile.WriteCopy {
			stored, _ = q.storedFor(w, w.ConsentFields(said), "the gateway's own read, to tell which consents a save changes")
		}
		q.changing.consents.all = append(q.changing.consents.all, saidBy(w, said, stored)...)
	}
}

// saidBy is what is new in each of a write's records.
func saidBy(w *profile.Write, said []profile.SaidField, stored restore.Stored) []saidWrite {
	ids := w.IDs
	if len(ids) == 0 {
		ids = []string{""} // a new one
	}
	var all []saidWrite
	for _, id := range ids {
		who := consent.Subject{Entity: string(w.Entity), Record: id}
		who.Emails, who.Phones = w.SentAddresses()
		who.Emails, who.Phones = slices.DeleteFunc(who.Emails, mask.IsPlaceholder), slices.DeleteFunc(who.Phones, mask.IsPlaceholder)
		node, known := stored.Records[id]
		if known {
			emails, phones := w.Addresses(stored.Tree, node)
			who.Emails, who.Phones = append(who.Emails, emails...), append(who.Phones, phones...)
		}
		for i := range said {
			s := said[i]
			if known && slices.ContainsFunc(w.SaidBy(stored.Tree, node, field(w, s.Field)), s.Same) || !known && s.State == access.FactUnknown {
				continue
			}
			one := saidWrite{said: s, who: who, typ: w.Type}
			if masked := slices.ContainsFunc(slices.Concat(s.Emails, s.Phones), mask.IsPlaceholder); len(s.Emails)+len(s.Phones) > 0 && !masked {
				// Beside an address it is about that, whoever's it is.
				one.who = consent.Subject{Emails: s.Emails, Phones: s.Phones}
			}
			all = append(all, one)
		}
	}
	return all
}

// field is the field of a write in which something is said: a part's is the one around it.
func field(w *profile.Write, name string) string {
	for i := range w.Fields {
		if f := w.Fields[i].Name; strings.HasPrefix(name, f+".") {
			return f
		}
	}
	return name
}

// savedConsents writes down what a save that the CRM took says of consents, and changes
// the ledger where the site's rules say so. It comes before the answer is released. Where
// it fails, the CRM's own field still stands against a consent in each of its answers.
func (l *release) savedConsents(d *access.Disclosure) {
	q := l.q
	if len(q.changing.consents.all) == 0 || l.resp.status >= http.StatusBadRequest || q.changing.consents.failed {
		return
	}
	for i := range q.changing.consents.all {
		q.changing.consents.all[i].created(d)
		q.savedConsent(&q.changing.consents.all[i])
	}
}

// savedConsents is that of each part of a batch; of an answer that can't be judged, each
// part can have been taken.
func (l *batchRelease) savedConsents(judged []partAnswer, err error) {
	if err != nil {
		for _, p := range l.q.parts {
			(&release{q: p, resp: l.resp}).savedConsents(&access.Disclosure{})
		}
		return
	}
	for i := range judged {
		if rel := judged[i].rel; rel != nil {
			rel.savedConsents(&judged[i].found)
		}
	}
}

// created gives a new record the id that the answer tells.
func (s *saidWrite) created(d *access.Disclosure) {
	if s.who.Record != "" || s.who.Entity == "" {
		return
	}
	var ids []string
	for _, r := range d.Records {
		if string(r.Entity) == s.who.Entity && !slices.Contains(ids, r.ID) {
			ids = append(ids, r.ID)
		}
	}
	if len(ids) == 1 {
		s.who.Record = ids[0]
	}
}

func (q *request) savedConsent(s *saidWrite) {
	c := q.o.consents
	to, does := q.h.ConsentFields.does(s.said.State)
	e := q.entry(audit.Control)
	e.Event = audit.ConsentField
	e.Accesses = []access.Access{{Route: q.x.Route, Call: q.x.Call, Action: access.Update, Entity: access.Entity(s.who.Entity), Type: s.typ}}
	if s.who.Record != "" {
		e.Accesses[0].IDs = []string{s.who.Record}
	}
	for _, v := range s.who.Emails {
		e.Keyed = append(e.Keyed, q.o.log.Keyed(string(access.Email), v))
	}
	for _, v := range s.who.Phones {
		e.Keyed = append(e.Keyed, q.o.log.Keyed(string(access.Phone), v))
	}
	e.Detail = fmt.Sprintf("field %s: %s", s.said.Field, saidWord(&s.said.Said))
	if does {
		err := c.change(q.r.Context(), s, to)
		if err != nil {
			e.Error = "ledger"
			q.h.logger.Error("changing the ledger of consents as the CRM was", zap.String("request", q.id), zap.Error(err))
		} else {
			e.Detail += "; the ledger: " + string(to)
		}
	}
	q.append(e)
}

// change changes the ledger: for the addresses that the channel uses, and the record. An
// address that nobody can read doesn't keep the record from withdrawing.
func (c *consents) change(ctx context.Context, s *saidWrite, to consent.State) error {
	w, who := consent.Wanted{Purpose: s.said.Purpose, Channel: s.said.Channel}, s.who
	switch w.Channel {
	case consent.Email:
		who.Phones = nil
	case consent.Phone, consent.Messenger:
		who.Emails = nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), changeTimeout)
	defer cancel()
	err := c.ledger.Change(ctx, c.site, who, w, to, "crm:"+s.said.Field, time.Now())
	if errors.Is(err, consent.ErrChange) && who.Record != "" && to == consent.Withdrawn {
		who.Emails, who.Phones = nil, nil
		err = c.ledger.Change(ctx, c.site, who, w, to, "crm:"+s.said.Field, time.Now())
	}
	return err
}

const changeTimeout = 5 * time.Second

// saidWord says in the log what a field says.
func saidWord(s *access.Said) string {
	word := map[access.FactState]string{access.FactFalse: "withdrawn", access.FactTrue: "granted", access.FactUnknown: "no objection any more"}[s.State]
	purpose, channel := "every purpose", "every channel"
	if s.Purpose != "" {
		purpose = s.Purpose
	}
	if s.Channel != "" {
		channel = s.Channel
	}
	return word + " (" + purpose + ", " + channel + ")"
}

// contradicted writes down, once a day for each record and fact, that records say
// themselves that they have opted out of what the ledger holds a consent for.
func (c *consents) contradicted(all []consentfacts.Contradiction) {
	var entries []*audit.Entry
	for i := range all {
		one := &all[i]
		if !c.tell(one.Type+"/"+one.Record+" "+one.Fact, time.Now()) {
			continue
		}
		detail := fmt.Sprintf("the ledger holds %s, the CRM's field %s says %s: it counts as withdrawn", one.Fact, one.By.Field, saidWord(&one.By))
		at := slices.IndexFunc(entries, func(e *audit.Entry) bool { return e.Detail == detail && e.Accesses[0].Type == one.Type })
		if at < 0 {
			at, entries = len(entries), append(entries, &audit.Entry{
				Kind: audit.Control, Event: audit.ConsentContradicted, Profile: c.h.profile.Name, Detail: detail,
				Accesses: []access.Access{{Action: access.Read, Entity: one.Entity, Type: one.Type}},
			})
		}
		entries[at].Accesses[0].IDs = append(entries[at].Accesses[0].IDs, one.Record)
	}
	for _, e := range entries {
		if _, err := c.log.Append(context.Background(), e); err != nil {
			c.h.logger.Error("writing the audit log", zap.Error(err))
		}
	}
}

// tell reports whether something hasn't been told within a day.
func (c *consents) tell(what string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Before(c.told[what]) {
		return false
	}
	if len(c.told) >= maxTold {
		clear(c.told)
	}
	c.told[what] = now.Add(toldFor)
	return true
}

const (
	toldFor = 24 * time.Hour
	maxTold = 10_000
)
