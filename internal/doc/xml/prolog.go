package xml

import (
	"strings"

	"github.com/crmgate/crmgate/internal/doc/coding"
)

const bom = "\xef\xbb\xbf"

// prolog takes the byte order mark and the XML declaration, settles the charset
// and looks at every character of the document.
func (b *builder) prolog(charset string) {
	marked := b.is(bom)
	declared := ""
	if b.sees("<?xml") && b.pos+5 < len(b.src) && classes[b.src[b.pos+5]]&space != 0 {
		declared = b.declaration()
	}
	if b.fault != "" {
		return
	}
	after := b.pos
	b.pos = 0
	if !b.charset(marked, charset, declared) {
		return
	}
	b.names.cs = b.cs
	at, ascii := badChar(b.src, b.cs)
	if at >= 0 {
		b.failAt(at, "a byte that is no character of "+b.cs.Name()+" or of XML")
		return
	}
	b.ascii = ascii || !isUTF8(b.cs)
	b.pos = after
}

// charset settles the charset. Readers differ on which one counts, the byte order
// mark's, the Content-Type's or the declaration's: where they aren't the same, the
// document has to be ASCII, which all of them read alike.
func (b *builder) charset(marked bool, named ...string) bool {
	if marked {
		named = append(named, "utf-8")
	}
	settled := ""
	for _, name := range named {
		if name == "" {
			continue
		}
		cs, err := coding.LookupCharset(name)
		if err == nil && settled != "" && settled != cs.Name() {
			cs, err = coding.LookupCharset("us-ascii")
		}
		if err != nil {
			b.fail("a charset that is not served: UTF-8, or one with one byte a character")
			return false
		}
		settled, b.cs = cs.Name(), cs
	}
	if settled == "" {
		b.cs, _ = coding.LookupCharset("") // the one name that can't be wrong
	}
	return true
}

// declaration takes <?xml version="1.0" encoding="…" standalone="…"?> and returns
// the encoding.
func (b *builder) declaration() (encoding string) {
	b.pos += len("<?xml")
	if v, ok := b.pseudo("version"); !ok || v != "1.0" {
		b.fail("another version than XML 1.0")
		return ""
	}
	encoding, _ = b.pseudo("encoding")
	if v, ok := b.pseudo("standalone"); ok && v != "yes" && v != "no" {
		b.fail("an XML declaration that is misspelt")
	}
	b.space()
	if !b.is("?>") {
		b.fail("an XML declaration that is misspelt")
	}
	return encoding
}

// pseudo takes one pseudo-attribute of the declaration where it stands next.
func (b *builder) pseudo(name string) (value string, ok bool) {
	from := b.pos
	if !b.space() || !b.is(name) {
		b.pos = from
		return "", false
	}
	b.space()
	if !b.is("=") {
		b.fail("an XML declaration that is misspelt")
		return "", false
	}
	b.space()
	if b.pos >= len(b.src) || b.src[b.pos] != '"' && b.src[b.pos] != '\'' {
		b.fail("an XML declaration that is misspelt")
		return "", false
	}
	quote := string(b.src[b.pos])
	b.pos++
	start := b.pos
	end := b.until(quote, "an XML declaration that is misspelt")
	value = string(b.src[start:end])
	if strings.Trim(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") != "" || value == "" {
		b.failAt(start, "an XML declaration that is misspelt")
	}
	return value, b.fault == ""
}
