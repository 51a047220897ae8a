package mask

import (
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// The placeholders' fixed parts.
const (
	// HiddenText stands for a text of which nothing is shown. Its width says
	// nothing of the text's.
	HiddenText = "••••••"
	// HiddenEmail stands for an e-mail address: programs that insist on one
	// take it, and no mail can be sent to it (RFC 2606).
	HiddenEmail = "hidden@" + maskedDomain
	// HiddenDate stands for an ISO 8601 date.
	HiddenDate = "1900-01-01"

	maskedDomain = "masked.invalid"
	// hiddenLocal is the hidden part of an e-mail address's local part. A
	// browser's <input type=email> takes ASCII only.
	hiddenLocal = "******"
	bulletRun   = "•••"
)

// IsPlaceholder reports whether a text can only come from a mask: it holds a
// run of bullets or the masked domain. Placeholders that look like values
// (initials, pseudonyms, dates) are known by comparing with Value alone.
func IsPlaceholder(text string) bool {
	return strings.Contains(text, bulletRun) || strings.Contains(strings.ToLower(text), maskedDomain)
}

// Value returns what stands in a value's place, or drop where nothing does. It
// is a function of its arguments and the pseudonym key alone, so that a value
// which comes back in a write can be compared with the mask of the stored one.
//
// Null and texts of nothing but space stay as they are under every treatment but
// drop: that a value is absent is disclosed, and programs tell a missing value
// from a masked one. A bool becomes null, a number null or what its shape says.
// Where a treatment can't hide enough of a value, the value is hidden.
func (m *Masker) Value(c access.Category, s access.Shape, k doc.Kind, text string,
	tr access.Treatment, scope string,
) (v doc.Value, drop bool) {
	return value(c, s, k, text, tr, &names{key: m.key, scope: scope, picture: m.picture})
}

func value(c access.Category, s access.Shape, k doc.Kind, text string, tr access.Treatment, n *names) (v doc.Value, drop bool) {
	switch {
	case tr == access.Drop || tr > access.Clear:
		return doc.Value{Kind: doc.Null}, true
	case tr == access.Clear, k == doc.String && strings.TrimSpace(text) == "":
		return doc.Value{Kind: k, Text: text}, false
	case k == doc.Number, s == access.ShapeYear, s == access.ShapeMonth, s == access.ShapeDay,
		s == access.ShapeNumber, s == access.ShapeDecimal:
		return number(s, k, text, tr), false
	case k != doc.String:
		return doc.Value{Kind: doc.Null}, false
	case s == access.ShapePicture:
		return doc.Value{Kind: doc.String, Text: n.picture}, false
	case s == access.ShapeBase64:
		return doc.Value{Kind: doc.String}, false
	}
	return doc.Value{Kind: doc.String, Text: maskedText(c, s, text, tr, n)}, false
}

// maskedText masks a text that isn't empty.
func maskedText(c access.Category, s access.Shape, text string, tr access.Treatment, n *names) string {
	if d, ok := parseDate(text); ok {
		// Elsewhere it may be a number that only looks like a date.
		known := c == access.Birthdate || s == access.ShapeDate
		if known && (tr == access.Partial || tr == access.Generalise) {
			return d.year(d.y)
		}
		return d.year("1900")
	}
	if s == access.ShapeDate {
		return HiddenDate
	}
	shown := ""
	switch tr {
	case access.Pseudonym:
		shown = n.name(c, text)
	case access.Partial:
		shown = partial(c, text, n)
	case access.Generalise:
		shown = generalise(c, text, n)
	}
	switch {
	case shown != "":
		return shown
	case c == access.Email:
		return HiddenEmail
	}
	return HiddenText
}

// number masks a number, or a part of a date that is one.
func number(s access.Shape, k doc.Kind, text string, tr access.Treatment) doc.Value {
	if k != doc.String && k != doc.Number {
		return doc.Value{Kind: doc.Null}
	}
	coarse := tr == access.Generalise || tr == access.Partial
	switch s {
	case access.ShapeYear:
		if coarse && len(text) == 4 && digitsOf(text) == text {
			return doc.Value{Kind: k, Text: text}
		}
		return doc.Value{Kind: k, Text: "1900"}
	case access.ShapeMonth, access.ShapeDay:
		return doc.Value{Kind: k, Text: "1"}
	case access.ShapeNumber, access.ShapeDecimal:
		if tr == access.Generalise {
			return doc.Value{Kind: k, Text: oneDigit(text)}
		}
		return doc.Value{Kind: k, Text: "0"}
	}
	return doc.Value{Kind: doc.Null}
}

// oneDigit cuts a decimal number of at least two integer digits down to its
// first one: 54321.5 becomes 50000. Anything else becomes 0.
func oneDigit(text string) string {
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	whole, fraction, _ := strings.Cut(text, ".")
	if len(whole) < 2 || whole[0] == '0' || digitsOf(whole) != whole || digitsOf(fraction) != fraction {
		return "0"
	}
	return sign + whole[:1] + strings.Repeat("0", len(whole)-1)
}
