package transfer

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

// countries are the codes of ISO 3166-1 alpha-2 with their names: code, English, German.
//
//go:embed countries.csv
var countries string

// Area is how far a country belongs to those in which the GDPR holds.
type Area string

// The areas.
const (
	EU    Area = "eu"
	EEA   Area = "eea"
	Third Area = "third"
)

// inEU are the member states, with those of their territories that have a code of
// their own and in which the Union's law holds (Art. 355 (1) TFEU; Åland by protocol 2
// of the Act of Accession of 1994). Others, such as Greenland, New Caledonia and
// Svalbard, aren't.
const inEU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK AX GF GP MF MQ RE YT"

// inEEA are the other members of the European Economic Area.
const inEEA = "IS LI NO"

// names returns a country's names; false for a code that ISO 3166 doesn't have.
func names(code string) (en, de string, ok bool) {
	if len(code) != 2 {
		return "", "", false
	}
	for line := range strings.Lines(countries) {
		if rest, found := strings.CutPrefix(line, code+","); found {
			en, de, ok = strings.Cut(strings.TrimSpace(rest), ",")
			return en, de, ok
		}
	}
	return "", "", false
}

// Name is a country's name in the language de or en (any other is en); the code itself
// where there is none.
func Name(code, lang string) string {
	en, de, ok := names(code)
	switch {
	case !ok:
		return code
	case lang == "de":
		return de
	}
	return en
}

// AreaOf returns a country's area.
func AreaOf(code string) Area {
	switch {
	case slices.Contains(strings.Fields(inEU), code):
		return EU
	case slices.Contains(strings.Fields(inEEA), code):
		return EEA
	}
	return Third
}

// mistaken are codes that people write, and what they mean.
func mistaken(code string) string {
	switch code {
	case "UK":
		return "the United Kingdom is GB"
	case "EL":
		return "Greece is GR"
	case "EU", "EEA", "EWR", "EUROPE":
		return "name the countries one by one: location DE IE"
	case "USA":
		return "the United States are US"
	}
	return "write two letters: DE, IE, US"
}

// Country returns the code in the form in which it is kept: two capitals. One that ISO
// 3166 doesn't have is an error that says what to write.
func Country(text string) (string, error) {
	code := strings.ToUpper(text)
	if _, _, ok := names(code); !ok {
		return "", fmt.Errorf("%q is no country of ISO 3166: %s", text, mistaken(code))
	}
	return code, nil
}
