package html

import (
	"bytes"

	"github.com/crmgate/crmgate/internal/doc"
)

// attribute is where one stands in the start tag, relative to the document.
type attribute struct {
	keyStart, keyEnd, start, end int
	flags                        uint8
}

// scanAttrs finds the attributes of a start tag. The tokenizer gives no offsets
// for them; checkAttrs holds the result against what the tokenizer saw.
func (b *builder) scanAttrs(raw []byte, i int) error {
	b.attrs, b.broken = b.attrs[:0], false
	end := len(raw) - 1
	for {
		for i < end && (isSpace(raw[i]) || raw[i] == '/') {
			i++
		}
		if i >= end {
			return nil
		}
		a := attribute{keyStart: b.at + i}
		for i < end && !isSpace(raw[i]) && raw[i] != '/' && raw[i] != '=' {
			switch c := raw[i]; {
			case c == '"' || c == '\'':
				b.broken = true
			case c < 0x20 || c == '<' || c == '>' || c == '`' || c == 0x7f:
				return refuse(b.at+i, "an attribute name with a character that none has")
			}
			i++
		}
		a.keyEnd = b.at + i
		if a.keyEnd == a.keyStart {
			return refuse(b.at+i, "an attribute without a name")
		}
		next, err := b.scanValue(raw, i, &a)
		if err != nil {
			return err
		}
		i = next
		b.attrs = append(b.attrs, a)
	}
}

// scanValue finds the value of an attribute whose name ends at i.
func (b *builder) scanValue(raw []byte, i int, a *attribute) (int, error) {
	end := len(raw) - 1
	j := skipSpace(raw, i, end)
	if j >= end || raw[j] != '=' {
		a.start, a.end, a.flags = a.keyEnd, a.keyEnd, FlagAttr|FlagBare
		return i, nil
	}
	j = skipSpace(raw, j+1, end)
	if j < end && (raw[j] == '"' || raw[j] == '\'') {
		a.flags = FlagAttr | FlagDouble
		if raw[j] == '\'' {
			a.flags = FlagAttr | FlagSingle
		}
		n := bytes.IndexByte(raw[j+1:end], raw[j])
		if n < 0 {
			return 0, refuse(b.at+j, "an attribute value without its closing quote")
		}
		a.start, a.end = b.at+j+1, b.at+j+1+n
		return j + n + 2, nil
	}
	a.flags, a.start = FlagAttr, b.at+j
	for ; j < end && !isSpace(raw[j]); j++ {
		switch raw[j] {
		case '"', '\'', '<', '>', '`':
			return 0, refuse(b.at+j, "an unquoted attribute value with a quote or an angle bracket in it")
		}
	}
	a.end = b.at + j
	return j, nil
}

func skipSpace(raw []byte, i, end int) int {
	for i < end && isSpace(raw[i]) {
		i++
	}
	return i
}

// mostRepeated is how many attributes of a tag may be given before.
const mostRepeated = 32

// checkAttrs refuses a start tag unless the tokenizer saw the same attributes
// with the same values: whoever reads a tag in another way than we do would see
// a value that we took for something else. Of attributes with one name the first
// counts, in HTML's standard as in every reader of it; the tokenizer leaves the
// others out. They stay values that are masked like the first.
func (b *builder) checkAttrs() error {
	_, more := b.z.TagName()
	var key, val []byte
	pending, repeated := false, 0
	for i, a := range b.attrs {
		if !pending && more {
			key, val, more = b.z.TagAttr()
			pending = true
		}
		name := lowered(b.src[a.keyStart:a.keyEnd])
		if !pending || !bytes.Equal(key, name) {
			if repeated++; repeated > mostRepeated || !b.givenBefore(i, name) {
				return refuse(a.keyStart, "an attribute that is read in two ways, or is given too often")
			}
			continue
		}
		pending = false
		if !bytes.Equal(val, attrBytes(b.src[a.start:a.end])) {
			return refuse(a.keyStart, "an attribute whose value is read in two ways")
		}
	}
	if pending || more {
		return refuse(b.at, "an attribute that is read in two ways")
	}
	return nil
}

// givenBefore reports whether one of the tag's first n attributes has the lower-case
// name.
func (b *builder) givenBefore(n int, name []byte) bool {
	for i := range b.attrs[:n] {
		if equalFold(b.src[b.attrs[i].keyStart:b.attrs[i].keyEnd], string(name)) {
			return true
		}
	}
	return false
}

func (b *builder) addAttrs() error {
	for _, a := range b.attrs {
		err := b.add(doc.Node{
			Kind: doc.String, Flags: a.flags, Start: int32(a.start), End: int32(a.end),
			KeyStart: int32(a.keyStart), KeyEnd: int32(a.keyEnd),
		})
		if err != nil {
			return err
		}
	}
	return nil
}
