package command

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
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
	case len(v.answers.bodies) < len(plan.bodies):
		return errors.New("a body was never answered")
	case v.route.masked && v.answers.unnamed > 0:
		return fmt.Errorf("%d answers name no entry", v.answers.unnamed)
	case !v.route.masked && len(v.answers.logged) > 0:
		return fmt.Errorf("%d answers name an entry, though they are not masked", len(v.answers.logged))
	case !v.route.gated:
		return nil
	}
	return v.checkLog(ctx)
}

// checkMasked compares a masked answer with what it was made from.
func checkMasked(b *benchBody, raw []byte) error {
	var list benchList
	if err := json.Unmarshal(raw, &list); err != nil {
		return fmt.Errorf("reading it: %w", err)
	}
	if len(list.Items) != len(b.contacts) || list.Total != len(b.contacts) {
		return fmt.Errorf("it has %d records, the CRM sent %d", len(list.Items), len(b.contacts))
	}
	text := strings.ToLower(string(raw))
	for i := range b.contacts {
		for n, secret := range b.contacts[i].secrets() {
			if strings.Contains(text, strings.ToLower(secret)) {
				return fmt.Errorf("value %d of record %d stands in it in clear", n, i)
			}
		}
		if err := checkContact(i, b.contacts[i], list.Items[i]); err != nil {
			return fmt.Errorf("record %d: %w", i, err)
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
	intents     map[uint64]string // its request, by seq
	disclosures map[uint64]*audit.Entry
}

func readEntries(ctx context.Context, dir string) (benchEntries, error) {
	es := benchEntries{intents: map[uint64]string{}, disclosures: map[uint64]*audit.Entry{}}
	ring, err := keys.Open(filepath.Join(dir, "keys"))
	if err != nil {
		return es, fmt.Errorf("opening the log's keys: %w", err)
	}
	for s, err := range audit.Read(ctx, filepath.Join(dir, "log"), ring) {
		if err != nil {
			return es, err
		}
		switch s.Entry.Kind {
		case audit.Intent:
			es.intents[s.Seq] = s.Entry.Request
		case audit.Disclosure:
			es.disclosures[s.Entry.Intent] = &s.Entry
		}
	}
	return es, nil
}

// checkLog looks for both entries of each answer.
func (v *benchVariant) checkLog(ctx context.Context) error {
	es, err := readEntries(ctx, v.data())
	if err != nil {
		return err
	}
	if len(es.intents) != len(v.answers.logged) || len(es.disclosures) != len(v.answers.logged) {
		return fmt.Errorf("the log has %d intents and %d disclosures for %d answers", len(es.intents), len(es.disclosures), len(v.answers.logged))
	}
	sums := make([]string, len(v.answers.bodies))
	for i := range sums {
		sum := sha256.Sum256(v.answers.bodies[i].raw)
		sums[i] = hex.EncodeToString(sum[:])
	}
	for _, l := range v.answers.logged {
		request, ok := es.intents[l.seq]
		d := es.disclosures[l.seq]
		switch a := &v.answers.bodies[l.body]; {
		case !ok || d == nil || d.Request != request:
			return fmt.Errorf("entry %d and its disclosure are not in the log", l.seq)
		case d.BodySHA256 != sums[l.body] || d.Bytes != int64(len(a.raw)) || d.Status != 200:
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
func checkDisclosure(b *benchBody, e *audit.Entry) error {
	if e.Disclosure == nil || len(e.Disclosure.Records) != len(b.contacts) {
		return errors.New("it names another number of records")
	}
	want := make(map[string]*benchContact, len(b.contacts))
	for i := range b.contacts {
		want[b.contacts[i].ID] = &b.contacts[i]
	}
	for i := range e.Disclosure.Records {
		r := &e.Disclosure.Records[i]
		c := want[r.ID]
		if c == nil || r.Entity != "contact" {
			return fmt.Errorf("record %d is none of the answer's, or is named twice", i)
		}
		if !maps.Equal(r.Treated, c.treated()) {
			return fmt.Errorf("record %d was treated otherwise", i)
		}
		delete(want, r.ID)
	}
	return nil
}
