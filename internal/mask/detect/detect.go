// Package detect finds personal data in free text: contact data, account and
// card numbers, official numbers, dates of birth. It reads the text once to find
// what could be something and tests only that.
//
// A number with a strong form (an IBAN, an e-mail address) stands by itself.
// One whose check digit is right by chance every tenth time needs a word beside
// it that says what it is. Such a word right before it is better evidence than
// the check digit: a mistyped number is found by it, too. Names, addresses and
// what a text says about a person are not found: no form tells them.
package detect

import (
	"slices"

	"github.com/crmgate/crmgate/internal/access"
)

// Kind is what a hit is.
type Kind string

// The kinds.
const (
	Email     Kind = "email"
	Phone     Kind = "phone"
	IBAN      Kind = "iban"
	BIC       Kind = "bic"
	Card      Kind = "card"      // credit and debit cards
	TaxID     Kind = "steuer_id" // German Steuer-Identifikationsnummer
	VATID     Kind = "ust_id"    // German, Austrian and Swiss, others with a word
	Pension   Kind = "rvnr"      // German Rentenversicherungsnummer
	Health    Kind = "kvnr"      // German Krankenversichertennummer
	IDCard    Kind = "ausweis"   // German Personalausweis
	Passport  Kind = "pass"      // passports of nine characters, the German among them
	Licence   Kind = "fahrerlaubnis"
	SocialAT  Kind = "svnr_at" // Austrian Sozialversicherungsnummer
	SocialCH  Kind = "ahv_ch"  // Swiss AHV number
	Birthdate Kind = "birthdate"
	Plate     Kind = "kennzeichen" // licence plates of Germany, Austria and Switzerland
	IPAddress Kind = "ip"
)

// Kinds lists every kind in a fixed order.
func Kinds() []Kind {
	return []Kind{
		Email, Phone, IBAN, BIC, Card, TaxID, VATID, Pension, Health, IDCard, Passport, Licence,
		SocialAT, SocialCH, Birthdate, Plate, IPAddress,
	}
}

// Category returns the category that a kind belongs to.
func (k Kind) Category() access.Category {
	switch k {
	case Email:
		return access.Email
	case Phone:
		return access.Phone
	case IBAN, BIC, Card:
		return access.Bank
	case TaxID, VATID:
		return access.TaxID
	case Birthdate:
		return access.Birthdate
	case IPAddress:
		return access.Online
	}
	return access.Identity
}

// Hit is a place in a text.
type Hit struct {
	// Start and End are offsets in bytes, on boundaries of characters.
	Start, End int
	Category   access.Category
	Kind       Kind
}

// Options choose what is looked for. The zero value looks for everything.
type Options struct {
	// Kinds are the kinds to look for; none means all.
	Kinds []Kind
}

// Detector finds personal data. It is immutable and safe for concurrent use.
type Detector struct {
	wanted [32]bool // by place in Kinds
	words  lexicon
}

// New returns a Detector.
func New(o Options) *Detector {
	d := &Detector{words: newLexicon()}
	for i, k := range Kinds() {
		d.wanted[i] = len(o.Kinds) == 0 || slices.Contains(o.Kinds, k)
	}
	return d
}

// Find returns the hits in a text, sorted and without overlaps. Its time grows
// linearly with the text.
func (d *Detector) Find(text string) []Hit {
	if !worthwhile(text) {
		return nil
	}
	v := foldView(text)
	sc := scan{d: d, s: v.s, labelAt: -1}
	sc.run()
	hits := sc.hits[:0]
	for _, h := range sc.hits {
		if !d.wants(h.Kind) {
			continue
		}
		h.Start, h.End = v.places(h.Start, h.End)
		h.Category = h.Kind.Category()
		hits = append(hits, h)
	}
	return hits
}

func (d *Detector) wants(k Kind) bool { return d.wanted[slices.Index(Kinds(), k)] }
