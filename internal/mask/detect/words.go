package detect

import "strings"

// label is what the words beside a number say of it.
type label uint32

// The labels.
const (
	ofPhone label = 1 << iota
	// ofCall is said of calling somebody: a number with a leading zero is one then.
	ofCall
	ofIBAN
	ofBIC
	ofCard
	ofTaxID
	ofVATID
	ofPension
	ofHealth
	ofIDCard
	ofPassport
	ofLicence
	ofSocialAT
	ofSocialCH
	ofBirth
	ofPlate
	ofIP
	// ofThing is said of numbers that belong to no person: orders, products.
	ofThing
	// ofEvent is said of dates that nobody was born on.
	ofEvent
	// ofVersion is said of versions and chapters, which look like addresses.
	ofVersion
)

// social are the numbers that are called a social insurance number.
const social = ofPension | ofSocialAT | ofSocialCH

// lexicon knows words, and parts of words: German makes new ones every day.
type lexicon struct {
	whole map[string]label
	// begins are beginnings of words by their first letter, ends their ends by the
	// last one, and within what may stand anywhere.
	begins, ends [26][]stem
	within       []stem
}

type stem struct {
	text  string
	label label
}

// shortest is the length of the shortest word that is looked into.
const shortest = 9

// newLexicon reads the words below. They are German and English, in lower case
// and without umlauts; word* is how one begins, *word how one ends, *word* a part of one.
func newLexicon() lexicon {
	l := lexicon{whole: map[string]label{}}
	for of, words := range map[label]string{
		ofPhone: "tel telnr telefon telefonnummer* telefonnr* *telefon *telefonnummer* fon phone phonenumber* *phone telephone " +
			"mobil mobile mobilnummer* mobilnr* mobiltelefon* handy handynummer* handynr* *handy *handynummer* cell cellphone* " +
			"fax faxnummer* faxnr* telefax* rufnummer* *rufnummer* rufnr* durchwahl* dw whatsapp* festnetz* *festnetz " +
			"hotline* nebenstelle* landline",
		ofCall: "telefonisch* telefonat* telefonier* anruf* angerufen ruf rufen ruft ruckruf* rueckruf* zuruckruf* zurueckruf* " +
			"ruckmeldung rueckmeldung erreichbar erreichen call callback calls called ring sms kontakt simst",
		ofIBAN: "iban* *iban konto kontonr kontonummer* kto bankverbindung* bankkonto account bankdaten",
		ofBIC:  "bic swift* bankleitzahl iban* *iban bankverbindung*",
		ofCard: "kreditkarte* *kreditkarte* karte karten kartennr kartennummer* visa mastercard amex maestro girocard " +
			"creditcard* card cards cc debitkarte* eccard",
		ofTaxID: "steuerid* steuer steueridentifikation* steueridnr* idnr idnummer identifikationsnummer tin tax taxid* " +
			"steuerliche steuerlich steuernr",
		ofVATID: "ust ustid* ustidnr* umsatzsteuer* uid uidnummer mwst mwstnr vat vatid* *umsatzsteuerid*",
		social: "sozialversicherung* svnr svnummer vsnr sv socialsecurity social versicherungsnummer* versicherungsnr " +
			"*sozialversicherung*",
		ofPension:  "rentenversicherung* rvnr rvnummer rentenversicherungsnr *rentenversicherung* rentennummer",
		ofHealth:   "krankenversicherung* krankenversicherten* krankenkasse* kvnr kvnummer kv egk gesundheitskarte* versichertennummer* versichertennr health *krankenversicherung*",
		ofIDCard:   "personalausweis* perso ausweis ausweisnr ausweisnummer* identitycard idcard *personalausweis* identity persoausweis",
		ofPassport: "reisepass* pass passnr passnummer* passport* *reisepass* passnumber",
		ofLicence:  "fuhrerschein* fuehrerschein* fahrerlaubnis* *fuhrerschein* *fuehrerschein* fsnr driving driver drivers licence license",
		ofSocialAT: "ecard",
		ofSocialCH: "ahv ahvn* ahvnr* ahvnummer* avs",
		ofBirth:    "geb geboren* geborene* geburt geburts* gebdat gebdatum gebtag geburtsdatum* geburtstag* birth* born dob bday jahrgang",
		ofPlate:    "kennzeichen* *kennzeichen* kfz* nummernschild* autonummer* plate* registration pkw lkw wagen firmenwagen dienstwagen mietwagen fahrzeug* auto car vehicle",
		ofIP:       "ip ips ipv4 ipv6 ipadresse* ipaddress* host* server* login* client remote gateway firewall adresse address proxy dns subnet vpn",
		ofThing: "auftrag* bestell* order* rechnung* invoice* artikel* art item ticket* vorgang* kunden kundennr kundennummer* customer* " +
			"sendung* paket* tracking* shipment* serien* seriennummer* serial* sn sku ean gtin isbn asin chargen* lot " +
			"lieferschein* vertrag* vertragsnummer* contract* aktenzeichen az fall case projekt* project* nummernkreis " +
			"angebot* offer* quote* position* pos material* teile* teilenummer* part zahler* zaehler* meter* belegnr beleg* " +
			"referenz* reference* ref mandatsreferenz* mandat* buchung* booking* inventar* tankkarte* lizenz lizenzschlussel* key hash " +
			"commit build revision uuid modell* model typ type gerat* geraet* device imei barcode* transaktion* transaction* " +
			"trx job batch log timestamp zeitstempel epoch session request hrb hra registernummer* glaubiger* glaeubiger* " +
			"mitglied* schadennummer* schaden police* policen* token pin",
		ofEvent: "termin* meeting* liefer* lieferung* liefertermin* rechnung* vom seit bis frist* gultig* gueltig* ausgestellt* " +
			"vertrag* kundigung* kuendigung* bestell* angebot* ab date datum faellig* fallig* until since due wiedervorlage* " +
			"treffen gesprach* gespraech* telefonat* invoice* order* delivery* deadline* stand erstellt* created* updated* " +
			"zahlung* payment* besuch* messe* schulung* wartung* valid* expires eintritt* grundung* gegrundet* founded",
		ofVersion: "version* ver v release* build firmware* kapitel kap abschnitt chapter section sec rev revision update* paragraph ziffer* " +
			"software* treiber* schema browser firefox chrome safari edge windows android ios macos linux kernel php java python " +
			"apache nginx mysql postgresql agent",
	} {
		for word := range strings.FieldsSeq(words) {
			l.add(word, of)
		}
	}
	return l
}

func (l *lexicon) add(word string, of label) {
	text := strings.Trim(word, "*")
	one := stem{text, of}
	switch begins, ends := strings.HasSuffix(word, "*"), strings.HasPrefix(word, "*"); {
	case begins && ends:
		l.within = append(l.within, one)
	case begins:
		l.begins[text[0]-'a'] = append(l.begins[text[0]-'a'], one)
	case ends:
		last := text[len(text)-1] - 'a'
		l.ends[last] = append(l.ends[last], one)
	default:
		l.whole[text] |= of
	}
}

// of returns what a word says; the word is folded.
func (l *lexicon) of(word []byte) label {
	if len(word) < 2 {
		return 0
	}
	text := string(word)
	said := l.whole[text]
	if first := word[0] - 'a'; first < 26 {
		for _, s := range l.begins[first] {
			said |= s.where(strings.HasPrefix(text, s.text))
		}
	}
	if last := word[len(word)-1] - 'a'; last < 26 {
		for _, s := range l.ends[last] {
			said |= s.where(strings.HasSuffix(text, s.text))
		}
	}
	if len(word) >= shortest {
		for _, s := range l.within {
			said |= s.where(strings.Contains(text, s.text))
		}
	}
	return said
}

// where is the stem's label where it stands.
func (s *stem) where(it bool) label {
	if it {
		return s.label
	}
	return 0
}

// foldWord appends a word as the lexicon has it, "" for one that it can't have.
func foldWord(dst []byte, word string) []byte {
	for i := 0; i < len(word); i++ {
		c := word[i]
		switch {
		case len(dst) == cap(dst):
			return dst[:0]
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case c == 0xc3 && i+1 < len(word):
			i++
			c = umlaut(word[i])
		}
		dst = append(dst, c)
	}
	return dst
}

// umlaut returns the letter below the dots, by the second byte of ä, ö, ü, ß and
// their capitals.
func umlaut(second byte) byte {
	switch second {
	case 0xa4, 0x84:
		return 'a'
	case 0xb6, 0x96:
		return 'o'
	case 0xbc, 0x9c:
		return 'u'
	case 0x9f:
		return 's'
	}
	return second
}

// Bounds of what is read beside a number.
const (
	nearUnits  = 3 // what names a number stands this close
	maxUnits   = 9
	maxBefore  = 96 // bytes
	unitsAfter = 3
	maxAfter   = 40 // bytes
)

// beside is what the words beside a place say.
type beside struct {
	// nearest is what the nearest word before it says that says anything of a
	// number, and distance how many words away it is.
	nearest  label
	distance int
	// other is what the nearest word says that speaks of a date or a version.
	other         label
	otherDistance int
	// around is what any word near it says.
	around label
}

// notNumbers are labels of dates and versions.
const notNumbers = ofEvent | ofVersion

// says reports whether the word that names a number is one of these.
func (b *beside) says(of label) bool { return b.nearest&of != 0 && b.distance <= nearUnits }

// suggests reports whether some word near a number is one of these, and none
// nearer says otherwise.
func (b *beside) suggests(of label) bool { return b.around&of != 0 && !b.thing(of) }

// thing reports whether a number is said to be of no person.
func (b *beside) thing(of label) bool { return b.nearest&ofThing != 0 && b.nearest&of == 0 }

// add takes in what a word says that is so many words before the place.
func (b *beside) add(unit label, distance int) {
	if said := unit &^ notNumbers; said != 0 && b.nearest == 0 {
		b.nearest, b.distance = said, distance
	}
	if said := unit & notNumbers; said != 0 && b.other == 0 {
		b.other, b.otherDistance = said, distance
	}
	b.around |= unit
}

// beside reads the words before start, and those behind end. Words joined by a
// hyphen or a slash are one: "Steuer-ID", "Tel./Fax".
func (sc *scan) beside(start, end int) *beside {
	b := &sc.labels
	if sc.labelAt == start && sc.labelEnd == end {
		return b
	}
	sc.labelAt, sc.labelEnd, sc.labels = start, end, beside{}
	units, unit := 0, label(0)
	for i := start; i > 0 && start-i < maxBefore; {
		from, to := sc.wordBefore(i, start-maxBefore)
		if from == to {
			break
		}
		if units == 0 || !joins(sc.s[to:i]) {
			b.add(unit, units)
			unit = 0
			if units++; units > maxUnits {
				break
			}
		}
		unit |= sc.word(from, to)
		i = from
	}
	b.add(unit, units)
	b.around |= sc.after(end)
	return b
}

// wordBefore returns the last word before i, cut at a limit; an empty one for
// none.
func (sc *scan) wordBefore(i, limit int) (from, to int) {
	limit = max(limit, 0)
	for i > limit && !isWordByte(sc.s[i-1]) {
		i--
	}
	to = i
	for i > limit && isWordByte(sc.s[i-1]) {
		i--
	}
	return i, to
}

// joins reports whether what stands between two words makes them one.
func joins(between string) bool {
	return between == "-" || between == "/" || between == "./" || between == ".-"
}

// after reads the words behind a number, unless they name the next one.
func (sc *scan) after(end int) label {
	said := label(0)
	limit := min(len(sc.s), end+maxAfter)
	i := end
	for range unitsAfter {
		for i < limit && !isWordByte(sc.s[i]) {
			if sc.s[i] == '\n' || sc.s[i] == ';' {
				return said
			}
			i++
		}
		from := i
		for i < limit && isWordByte(sc.s[i]) {
			i++
		}
		unit := sc.word(from, i)
		rest := strings.TrimLeft(sc.s[i:limit], ". ")
		if unit != 0 && rest != "" && (rest[0] == ':' || rest[0] == '=' || isDigit(rest[0]) || rest[0] == '+') {
			return said
		}
		said |= unit
	}
	return said
}

// known is what a word says that was looked up.
type known struct {
	from, to int
	label    label
}

// word returns what the word at [from, to) says. Candidates beside each other
// ask for the same words.
func (sc *scan) word(from, to int) label {
	k := &sc.known[from%len(sc.known)]
	if k.from == from && k.to == to {
		return k.label
	}
	var space [40]byte
	sc.steps += to - from
	*k = known{from: from, to: to}
	if from < to && to-from <= len(space) && !isDigit(sc.s[from]) {
		k.label = sc.d.words.of(foldWord(space[:0:40], sc.s[from:to]))
	}
	return k.label
}
