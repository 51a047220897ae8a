package command

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
)

// check looks at all that a variant answered and logged. It runs after the
// process has ended.
func (v *benchVariant) check(ctx context.Context, plan *benchPlan) error {
	for _, a := range v.answers.bodies {
		if !v.route.masked {
			if !bytes.Equal(a.raw, a.to.raw) {
				return fmt.Errorf("an answer of %s isn't what the CRM sent", a.to.name)
			}
			continue
		}
		if err := checkMasked(a.to, a.raw); err != nil {
			return fmt.Errorf("an answer of %s: %w", a.to.name, err)
		}
	}
	switch {
	case v.route.masked && v.answers.unnamed > 0:
		return fmt.Errorf("%d answers name no entry", v.answers.unnamed)
	case !v.route.masked && len(v.answers.logged) > 0:
		return fmt.Errorf("%d answers name an entry, though they are not masked", len(v.answers.logged))
	case !v.route.gated:
		return nil
	}
	return v.checkLog(ctx, plan)
}

// checkMasked compares a masked answer with what it was made from.
func checkMasked(b *benchBody, raw []byte) error {
	contacts, err := b.read(raw)
	if err != nil {
		return err
	}
	if len(contacts) != len(b.contacts) {
		return fmt.Errorf("it has %d records, the CRM sent %d", len(contacts), len(b.contacts))
	}
	if !bytes.Equal(b.raw[:bytes.IndexByte(b.raw, '"')], raw[:bytes.IndexByte(raw, '"')]) {
		return errors.New("it begins otherwise than what the CRM sent")
	}
	if err := b.findClear(raw); err != nil {
		return err
	}
	for i := range b.contacts {
		if err := checkContact(i, b.contacts[i], contacts[i]); err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
	}
	return nil
}

// beginning is what a secret is looked up by: all are longer.
type beginning [8]byte

// findClear looks for the secrets of all records, in one go over the answer: it may
// have ten thousands of them.
func (b *benchBody) findClear(raw []byte) error {
	type secret struct {
		text      string
		record, n int
	}
	secrets := map[beginning][]secret{}
	for i := range b.contacts {
		for n, text := range b.contacts[i].secrets() {
			text = strings.ToLower(text)
			key := beginning([]byte(text)[:len(beginning{})])
			secrets[key] = append(secrets[key], secret{text, i, n})
		}
	}
	text := bytes.ToLower(raw)
	for at := range len(text) - len(beginning{}) {
		for _, s := range secrets[beginning(text[at:])] {
			if bytes.HasPrefix(text[at:], []byte(s.text)) {
				return fmt.Errorf("value %d of record %d stands in it in clear", s.n, s.record)
			}
		}
	}
	return nil
}

// checkContact compares the i-th masked record with what it was made from.
func checkContact(i int, was, is benchContact) error {
	for n, masked := range is.secrets() {
		if masked == "" || masked == was.secrets()[n] {
			return fmt.Errorf("value %d is not masked", n)
		}
	}
	shown := strings.HasPrefix(is.Notes, benchBefore(i)) && strings.HasSuffix(is.Notes, benchAfter)
	hidden := is.Notes != "" && !strings.Contains(is.Notes, benchAfter[2:])
	if was.own() && !shown || !was.own() && !hidden {
		return errors.New("its free text is not treated as the policy says")
	}
	is.Name, is.Email, is.Phone, is.IBAN, is.BirthDate, is.Notes = was.Name, was.Email, was.Phone, was.IBAN, was.BirthDate, was.Notes
	if was != is {
		return errors.New("its public fields were changed")
	}
	return nil
}

// benchEntries are the entries of a log that belong to requests.
type benchEntries struct {
	plan        *benchPlan
	intents     map[uint64]string // its request, by seq
	disclosures map[uint64]*benchDisclosure
}

// benchDisclosure is all that the log says of an answer, in however many entries.
type benchDisclosure struct {
	request, sum string
	status       int
	bytes        int64
	// seen says how often each record was disclosed, wrong counts those that were
	// treated otherwise than the policy says.
	seen  map[string]int
	wrong int
}

// read reads the log of a data directory.
func (es *benchEntries) read(ctx context.Context, dir string) error {
	ring, err := keys.Open(filepath.Join(dir, "keys"))
	if err != nil {
		return fmt.Errorf("opening the log's keys: %w", err)
	}
	for s, err := range audit.Read(ctx, filepath.Join(dir, "log"), ring) {
		if err != nil {
			return err
		}
		switch s.Entry.Kind {
		case audit.Intent:
			es.intents[s.Seq] = s.Entry.Request
		case audit.Disclosure:
			es.add(&s.Entry)
		}
	}
	return nil
}

// add takes in one entry of a disclosure, of which a large answer has several.
func (es *benchEntries) add(e *audit.Entry) {
	d := es.disclosures[e.Intent]
	if d == nil {
		d = &benchDisclosure{request: e.Request, seen: map[string]int{}}
		es.disclosures[e.Intent] = d
	}
	d.bytes += e.Bytes
	if e.Status != 0 {
		d.status = e.Status
	}
	if e.BodySHA256 != "" {
		d.sum = e.BodySHA256
	}
	if e.Disclosure == nil {
		return
	}
	for i := range e.Disclosure.Records {
		r := &e.Disclosure.Records[i]
		if c := es.plan.byID[r.ID]; c == nil || r.Entity != "contact" || !maps.Equal(r.Treated, c.treated()) {
			d.wrong++
		}
		d.seen[r.ID]++
	}
}

// checkLog looks for all entries of each answer.
func (v *benchVariant) checkLog(ctx context.Context, plan *benchPlan) error {
	es := benchEntries{plan: plan, intents: map[uint64]string{}, disclosures: map[uint64]*benchDisclosure{}}
	if err := es.read(ctx, v.data()); err != nil {
		return err
	}
	if len(es.intents) != len(v.answers.logged) || len(es.disclosures) != len(v.answers.logged) {
		return fmt.Errorf("the log has %d intents and %d disclosures for %d answers", len(es.intents), len(es.disclosures), len(v.answers.logged))
	}
	sums := make([]string, len(v.answers.bodies))
	for i := range sums {
		if !v.answers.bodies[i].to.streams() {
			sum := sha256.Sum256(v.answers.bodies[i].raw)
			sums[i] = hex.EncodeToString(sum[:])
		}
	}
	for _, l := range v.answers.logged {
		request, ok := es.intents[l.seq]
		d := es.disclosures[l.seq]
		switch a := &v.answers.bodies[l.body]; {
		case !ok || d == nil || d.request != request:
			return fmt.Errorf("entry %d and its disclosure are not in the log", l.seq)
		case d.sum != sums[l.body] || d.bytes != int64(len(a.raw)*a.to.times) || d.status != 200:
			return fmt.Errorf("the disclosure of entry %d tells of another answer", l.seq)
		default:
			if err := checkDisclosure(a.to, d); err != nil {
				return fmt.Errorf("the disclosure of entry %d: %w", l.seq, err)
			}
		}
	}
	return nil
}

// checkDisclosure compares the records of a disclosure with those of the body.
func checkDisclosure(b *benchBody, d *benchDisclosure) error {
	if d.wrong > 0 {
		return fmt.Errorf("%d records are none of the answer's, or were treated otherwise", d.wrong)
	}
	if len(d.seen) != len(b.contacts) {
		return fmt.Errorf("it names %d records, the answer has %d", len(d.seen), len(b.contacts))
	}
	for i := range b.contacts {
		if n := d.seen[b.contacts[i].ID]; n != b.times {
			return fmt.Errorf("it names record %d %d times, the answer has it %d times", i, n, b.times)
		}
	}
	return nil
}
