package soql

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

type kind uint8

const (
	tokenEnd kind = iota
	tokenName
	tokenText
	tokenNumber
	tokenDate
	tokenSign // one of the signs of signs, as it stands
)

type token struct {
	kind kind
	text string // a name, a number or a sign
	at   int
}

var (
	dateForm   = regexp.MustCompile(`^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2}))?|[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z)`)
	numberForm = regexp.MustCompile(`^[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?`)
)

// signs are the signs of the language, the longer ones first.
func signs() []string {
	return []string{"!=", "<>", "<=", ">=", "<", ">", "=", "(", ")", ",", ".", ":"}
}

// parser reads the tokens of a query.
type parser struct {
	language string
	s        string
	tokens   []token
	i        int
	q        *Query
	depth    int
}

// maxDepth is how deep conditions and queries may stand in each other, and maxTokens
// how long a query may be.
const (
	maxDepth  = 40
	maxTokens = 20_000
)

// newParser divides a text into tokens from a place on.
func newParser(language, s string, from int) (*parser, error) {
	p := &parser{language: language, s: s, q: &Query{Rows: map[string]*Level{}}}
	if !utf8.ValidString(s) {
		return nil, p.fail(0, "the text is no UTF-8")
	}
	for i := from; i < len(s); {
		if strings.IndexByte(" \t\r\n", s[i]) >= 0 {
			i++
			continue
		}
		t, end, err := p.token(i)
		if err != nil {
			return nil, err
		}
		if p.tokens = append(p.tokens, t); len(p.tokens) > maxTokens {
			return nil, p.fail(i, "it is too long")
		}
		i = end
	}
	p.tokens = append(p.tokens, token{tokenEnd, "", len(s)})
	return p, nil
}

// token reads the token at a place. Comments are none, and neither are texts in
// double quotes: where the service saw one, its reading would be another.
func (p *parser) token(i int) (token, int, error) {
	s, rest := p.s, p.s[i:]
	switch c := s[i]; {
	case letter(c):
		end := i
		for end < len(s) && nameByte(s[end]) {
			end++
		}
		if end-i > maxName {
			return token{}, 0, p.fail(i, "a name is too long")
		}
		return token{tokenName, s[i:end], i}, end, nil
	case c == '\'':
		end, err := p.text(i)
		return token{tokenText, "", i}, end, err
	case c >= '0' && c <= '9', c == '+', c == '-':
		if date := dateForm.FindString(rest); date != "" {
			return p.literal(tokenDate, i, date)
		}
		if number := numberForm.FindString(rest); number != "" {
			return p.literal(tokenNumber, i, number)
		}
	}
	if c := s[i]; p.isFlat() && (c == '*' || c == ';') {
		return token{tokenSign, s[i : i+1], i}, i + 1, nil
	}
	at := slices.IndexFunc(signs(), func(sign string) bool { return strings.HasPrefix(rest, sign) })
	if at < 0 {
		return token{}, 0, p.fail(i, "a sign stands here that belongs to nothing (comments, double quotes and variables are not served)")
	}
	sign := signs()[at]
	return token{tokenSign, sign, i}, i + len(sign), nil
}

// literal is a number or a date, behind which a word has to end.
func (p *parser) literal(k kind, i int, text string) (token, int, error) {
	end := i + len(text)
	if end < len(p.s) && (nameByte(p.s[end]) || p.s[end] == '.' || k == tokenDate && strings.IndexByte(":+-", p.s[end]) >= 0) {
		return token{}, 0, p.fail(i, "a number or a date has a form that is not known")
	}
	return token{k, text, i}, end, nil
}

func (p *parser) isFlat() bool { return p.language == coql || p.language == vtql }

// text finds the end of a text in single quotes.
func (p *parser) text(start int) (int, error) {
	if p.isFlat() {
		return p.plainText(start)
	}
	return p.quoted(start)
}

// quoted finds the end of a text in single quotes. Of escapes only those are taken
// that the language has, and of `\u0027` and its like none: a reader that decodes
// them first would end the text there.
func (p *parser) quoted(start int) (int, error) {
	for i := start + 1; i < len(p.s); i++ {
		switch c := p.s[i]; {
		case c == '\'':
			return i + 1, nil
		case c < ' ' && c != '\t' && c != '\r' && c != '\n', c == 0x7f:
			return 0, p.fail(i, "a text holds a control character")
		case c == '\\':
			n, ok := escape(p.s[i+1:])
			if !ok {
				return 0, p.fail(i, "a text holds a backslash before something that can't be escaped")
			}
			i += n
		}
	}
	return 0, p.fail(start, "a text isn't closed")
}

// escape is the length of what a backslash escapes.
func escape(s string) (int, bool) {
	if s == "" {
		return 0, false
	}
	if strings.IndexByte(`nNrRtTbBfF"'\_%`, s[0]) >= 0 {
		return 1, true
	}
	const digits = 4
	if s[0] != 'u' || len(s) < 1+digits || strings.Trim(s[1:1+digits], "0123456789abcdefABCDEF") != "" {
		return 0, false
	}
	code := strings.ToLower(s[1 : 1+digits])
	if code < "0020" || slices.Contains([]string{"0022", "0027", "005c", "007f"}, code) {
		return 0, false
	}
	return 1 + digits, true
}

// fail is the error at a byte of the text.
func (p *parser) fail(at int, text string) error {
	return &SyntaxError{Language: p.language, Position: 1 + utf8.RuneCountInString(p.s[:min(at, len(p.s))]), Text: text}
}

// wrong is the error at the next token.
func (p *parser) wrong(text string) error { return p.fail(p.peek().at, text) }

func (p *parser) peek() token { return p.tokens[p.i] }

// after is the token behind the next.
func (p *parser) after() token { return p.tokens[min(p.i+1, len(p.tokens)-1)] }

func (p *parser) next() token {
	t := p.tokens[p.i]
	if t.kind != tokenEnd {
		p.i++
	}
	return t
}

func (p *parser) end() error {
	if p.peek().kind != tokenEnd {
		return p.wrong("it goes on where it should end, or has a clause that is not served or stands at another place")
	}
	return nil
}

// is reports whether a token is the word, in any case.
func (t token) is(word string) bool { return t.kind == tokenName && strings.EqualFold(t.text, word) }

func (t token) isSign(sign string) bool { return t.kind == tokenSign && t.text == sign }

// sign takes a sign if it stands next.
func (p *parser) sign(sign string) bool {
	if !p.peek().isSign(sign) {
		return false
	}
	p.i++
	return true
}

// words takes words if all of them stand next.
func (p *parser) words(words ...string) bool {
	for i, w := range words {
		if p.i+i >= len(p.tokens) || !p.tokens[p.i+i].is(w) {
			return false
		}
	}
	p.i += len(words)
	return true
}

// word takes one of several words; "" for none of them.
func (p *parser) word(words ...string) string {
	for _, w := range words {
		if p.words(w) {
			return w
		}
	}
	return ""
}

func (p *parser) expect(sign, text string) error {
	if !p.sign(sign) {
		return p.wrong(text)
	}
	return nil
}

// deeper counts how deep conditions and queries stand in each other.
func (p *parser) deeper() error {
	if p.depth++; p.depth > maxDepth {
		return p.wrong("it is nested too deeply")
	}
	return nil
}
