package observed

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/doc"
)

// The forms of texts and numbers that are counted.
const (
	shapeEmpty    = "empty"
	shapeDate     = "date"
	shapeTime     = "datetime"
	shapeUUID     = "uuid"
	shapeInteger  = "integer"
	shapeLong     = "long integer" // as long as a phone number or an account's
	shapeDecimal  = "decimal"
	shapeBoolean  = "boolean"
	shapeID       = "id" // letters and digits as machines make them
	shapeURL      = "address"
	shapeWord     = "word"
	shapeLine     = "line"
	shapeText     = "text"
	shapeMarkup   = "markup"
	shapeDocument = "document" // JSON in a text
)

func shapes() []string {
	return []string{
		shapeEmpty, shapeDate, shapeTime, shapeUUID, shapeInteger, shapeLong, shapeDecimal, shapeBoolean, shapeID,
		shapeURL, shapeWord, shapeLine, shapeText, shapeMarkup, shapeDocument,
	}
}

var (
	dateForm     = regexp.MustCompile(`^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{4})$`)
	timeForm     = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)? ?(?:Z|[+-][0-9]{2}:?[0-9]{2})?$`)
	uuidForm     = regexp.MustCompile(`^(?i:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})$`)
	integerForm  = regexp.MustCompile(`^-?[0-9]{1,20}$`)
	decimalForm  = regexp.MustCompile(`^-?[0-9]{1,20}[.,][0-9]{1,20}$`)
	addressForm  = regexp.MustCompile(`^(?:https?://|/)\S+$`)
	markupForm   = regexp.MustCompile(`<[a-zA-Z!/]`)
	documentForm = regexp.MustCompile(`^\s*[\[{][\s\S]*[\]}]\s*$`)
)

// The lengths, in characters, up to which a text is a word or a line, and the
// digits from which a number could be somebody's.
const (
	wordLength = 40
	lineLength = 120
	longDigits = 9
)

// shapeOf is the form of a scalar's text.
func shapeOf(kind doc.Kind, text string) string {
	switch kind {
	case doc.Bool:
		return shapeBoolean
	case doc.Number, doc.String:
	default:
		return ""
	}
	plain := strings.TrimSpace(text)
	switch lower := strings.ToLower(plain); {
	case plain == "":
		return shapeEmpty
	case integerForm.MatchString(plain) && len(strings.TrimPrefix(plain, "-")) >= longDigits:
		return shapeLong
	case integerForm.MatchString(plain):
		return shapeInteger
	case kind == doc.Number, decimalForm.MatchString(plain):
		return shapeDecimal
	case dateForm.MatchString(plain):
		return shapeDate
	case timeForm.MatchString(plain):
		return shapeTime
	case uuidForm.MatchString(plain):
		return shapeUUID
	case lower == "true" || lower == "false" || lower == "yes" || lower == "no" || lower == "ja" || lower == "nein":
		return shapeBoolean
	case addressForm.MatchString(plain):
		return shapeURL
	case documentForm.MatchString(plain):
		return shapeDocument
	case markupForm.MatchString(plain):
		return shapeMarkup
	case !strings.ContainsAny(plain, " \t\n@") && len(plain) <= wordLength && plainName.MatchString(plain) && !idLike(plain):
		return shapeWord
	case !strings.ContainsAny(plain, " \t\n@") && len(plain) <= wordLength && idLike(plain):
		return shapeID
	case utf8.RuneCountInString(plain) <= lineLength && !strings.ContainsAny(plain, "\n\r"):
		return shapeLine
	}
	return shapeText
}
