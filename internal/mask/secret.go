package mask

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// secret is a value that was masked and is searched in the rest of the document.
type secret struct {
	text string
	cat  access.Category
	// with is what stands in the value's place, HiddenText where that is no text.
	with string
	// asText and asDigits say how it is searched.
	asText, asDigits bool
	// open says that the document shows the value elsewhere, by the plan: it is
	// no secret.
	open bool
}

// Bounds of what is searched: shorter values occur everywhere by accident.
const (
	minChars  = 4
	minDigits = 6
	// maxNeedle bounds what is compared of a long text. Where that much of it
	// occurs, the string that holds it is replaced as a whole.
	maxNeedle = 96
)

// secret keeps a masked value for the second pass.
func (p *pass) secret(text string, c access.Category, v doc.Value) {
	text = strings.TrimSpace(text)
	asText, asDigits, ok := searchable(c, text)
	if !ok {
		return
	}
	with := HiddenText
	if v.Kind == doc.String && v.Text != "" && v.Text != text {
		with = v.Text
	}
	p.secrets = append(p.secrets, secret{text: text, cat: c, with: with, asText: asText, asDigits: asDigits})
	if unusual(text) {
		// As itself it is found in base64, written plainly in all other notations.
		if plain := strings.TrimSpace(plainly(text)); plain != text {
			if asText, asDigits, ok := searchable(c, plain); ok {
				p.secrets = append(p.secrets, secret{text: plain, cat: c, with: with, asText: asText, asDigits: asDigits})
			}
		}
	}
	if c == access.Email && p.hashed() {
		p.secrets = append(p.secrets, hashesOf(text)...)
	}
}

// keep keeps what the log and the second pass need of a container that is
// dropped as a whole.
func (p *pass) keep(node int, f *access.FoundField, d decision) {
	person := p.unnamed(f)
	for i := node; i < int(p.t.Nodes[node].Next); i++ {
		if k := p.t.Nodes[i].Kind; k == doc.String || k == doc.Number {
			text := p.t.Text(i)
			if person {
				p.identify(f, text)
			}
			if p.opts.SecondPass {
				p.secret(text, d.cat, doc.Value{})
			}
		}
		if f.Keys && i > node && p.opts.SecondPass {
			p.secret(p.t.Key(i), d.cat, doc.Value{})
		}
	}
}

// searchable says how a value is searched: as a text, by its digits, or not at
// all. Of what no profile classified, only what looks like an e-mail address
// is: the rest are words like "open" and numbers like 1000001 that mean nothing.
func searchable(c access.Category, text string) (asText, asDigits, ok bool) {
	if c == access.Public || c == access.Unclassified && !strings.Contains(text, "@") {
		return false, false, false
	}
	numbered := c == access.Phone || c == access.Bank || c == access.TaxID || c == access.Identity
	letters, digits := count(text, numbered)
	if letters > 0 {
		long := len(text) >= utf8.UTFMax*minChars || utf8.RuneCountInString(text) >= minChars
		asText = long && (c != access.Name || letters >= minChars)
	}
	asDigits = digits >= minDigits && (numbered || letters == 0)
	return asText, asDigits, asText || asDigits
}

// count counts letters and digits, at most as many as searchable looks for. With
// letters, digits count in numbers alone.
func count(text string, numbered bool) (letters, digits int) {
	for _, r := range text {
		switch {
		case '0' <= r && r <= '9':
			digits++
		case 'a' <= r|0x20 && r|0x20 <= 'z', r >= utf8.RuneSelf && unicode.IsLetter(r):
			letters++
		}
		if letters >= minChars && (!numbered || digits >= minDigits) {
			break
		}
	}
	return letters, digits
}
