package detect

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the corpus and the numbers in docs/ anew")

// The corpus is made of templates, invented people and numbers; the same each
// time. Marks stand around what has to be found: ⟦kind|value⟧.
const (
	seed     = 4711
	perSheet = 25 // notes of each template
)

// note is a text, and what has to be found in it.
type note struct {
	text string
	want []Hit
}

func TestCorpusIsTheOneThatItsTemplatesMake(t *testing.T) {
	for _, name := range []string{"tuned", "heldout"} {
		made := strings.Join(generate(t, name), "\n") + "\n"
		path := filepath.Join("testdata", "corpus_"+name+".txt")
		if *update {
			if err := os.WriteFile(path, []byte(made), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if raw, err := os.ReadFile(path); err != nil || string(raw) != made {
			t.Errorf("%s isn't what the templates make (%v): go test ./internal/mask/detect -update", path, err)
		}
	}
}

// corpus reads the notes of a sheet.
func corpus(t testing.TB, name string) []note {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "corpus_"+name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	var notes []note
	for line := range strings.Lines(string(raw)) {
		notes = append(notes, unmark(strings.ReplaceAll(strings.TrimSuffix(line, "\n"), `\n`, "\n")))
	}
	return notes
}

func unmark(line string) note {
	var n note
	for {
		before, rest, ok := strings.Cut(line, "⟦")
		n.text += before
		if !ok {
			return n
		}
		mark, after, _ := strings.Cut(rest, "⟧")
		kind, value, _ := strings.Cut(mark, "|")
		n.want = append(n.want, Hit{
			Start: len(n.text), End: len(n.text) + len(value), Kind: Kind(kind), Category: Kind(kind).Category(),
		})
		n.text += value
		line = after
	}
}

func generate(t *testing.T, name string) []string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	g := &generator{rand.New(rand.NewPCG(seed, uint64(len(name))))}
	var notes []string
	for template := range strings.Lines(string(raw)) {
		if template = strings.TrimSpace(template); template == "" || template[0] == '#' {
			continue
		}
		for range perSheet {
			notes = append(notes, g.fill(template))
		}
	}
	return notes
}

// generator makes values up.
type generator struct{ *rand.Rand }

func (g *generator) fill(template string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(template, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		slot, after, _ := strings.Cut(rest, "}")
		switch {
		case slot[0] == '!':
			b.WriteString(g.decoy(slot[1:]))
		case strings.HasSuffix(slot, "~"):
			kind := strings.TrimSuffix(slot, "~")
			b.WriteString("⟦" + kind + "|" + g.mistype(g.value(Kind(kind))) + "⟧")
		default:
			b.WriteString("⟦" + slot + "|" + g.value(Kind(slot)) + "⟧")
		}
		template = after
	}
}

func (g *generator) pick(of ...string) string { return of[g.IntN(len(of))] }

func (g *generator) digits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = '0' + byte(g.IntN(10))
	}
	return string(b)
}

// form fills a pattern: # is a digit, + one that isn't 0, A a capital.
func (g *generator) form(pattern string) string {
	b := []byte(pattern)
	for i, c := range b {
		switch c {
		case '#':
			b[i] = '0' + byte(g.IntN(10))
		case '+':
			b[i] = '1' + byte(g.IntN(9))
		case 'A':
			b[i] = 'A' + byte(g.IntN(26))
		}
	}
	return string(b)
}

// until fills a pattern until it fits.
func (g *generator) until(pattern string, fits func([]byte) bool) string {
	for {
		if s := g.form(pattern); fits([]byte(s)) {
			return s
		}
	}
}

// mistype changes the last digit.
func (g *generator) mistype(s string) string {
	b := []byte(s)
	for i := len(b) - 1; ; i-- {
		if isDigit(b[i]) {
			b[i] = '0' + (b[i]-'0'+1+byte(g.IntN(8)))%10
			return string(b)
		}
	}
}

// group puts a separator between groups of these lengths.
func group(s, sep string, lengths ...int) string {
	var parts []string
	for i := 0; s != ""; i++ {
		n := min(len(s), lengths[min(i, len(lengths)-1)])
		parts, s = append(parts, s[:n]), s[n:]
	}
	return strings.Join(parts, sep)
}

func (g *generator) value(k Kind) string {
	switch k {
	case Email:
		return g.email()
	case Phone:
		return g.phone()
	case IBAN:
		return g.iban()
	case BIC:
		return g.pick("COBADEFFXXX", "DEUTDEFF", "BYLADEM1001", "GIBAATWWXXX", "UBSWCHZH80A", "GENODEF1S10", "SOLADEST600", "BNPAFRPP", "INGDDEFFXXX")
	case Card:
		return g.card()
	case Birthdate:
		return g.birthdate()
	case Plate:
		return g.pick(g.form("B-AA ###"), g.form("M AA +###"), g.form("HH-A +##"), g.form("KA-AA ##H"), g.form("S AA +##E"), g.form("MIL-A ##"), g.form("W-#####A"), g.form("ZH ######"), g.form("GU ###AA"))
	case IPAddress:
		return g.pick(fmt.Sprintf("%d.%d.%d.%d", 80+g.IntN(120), g.IntN(256), g.IntN(256), g.IntN(256)), g.form("192.168.1+.+"), "2001:db8:85a3::8a2e:370:7334", "fe80::1ff:fe23:4567:890a")
	}
	return g.id(k)
}

func (g *generator) id(k Kind) string {
	switch k {
	case TaxID:
		id := g.until("+##########", func(b []byte) bool { return mod1110(b) && taxIDRepeats(b) })
		return g.pick(id, id, group(id, " ", 2, 3))
	case VATID:
		return g.pick("DE"+g.until("+########", mod1110), "DE "+g.until("+########", mod1110), "ATU"+g.until("########", austrianVAT), "CHE-"+group(g.until("1########", swissVAT), ".", 3))
	case Pension:
		day := g.pick("01", "12", "17", "28") + g.pick("01", "05", "09", "12")
		id := g.until(g.pick("12", "65", "53", "20")+day+"##A###", pensionCheck)
		return g.pick(id, id[:2]+" "+id[2:8]+" "+id[8:9]+" "+id[9:])
	case Health:
		return g.until("A#########", healthCheck)
	case IDCard:
		id := g.pick("L", "T", "C", "F") + g.form("##") + g.pick("X", "T", "K") + g.form("##") + g.pick("T", "P", "9") + g.form("##")
		return g.pick(id, g.until(id+"#", icao))
	case Passport:
		return g.pick("C", "F", "G", "H") + g.form("##") + g.pick("X", "T", "K", "4") + g.form("#####")
	case Licence:
		return g.form("A###") + g.pick("RRE", "XKL", "4T2") + g.form("#A##")
	case SocialAT:
		birth := g.pick("01", "17", "28") + g.pick("01", "06", "12") + g.form("##")
		id := g.until("+###"+birth, austrianCheck)
		return g.pick(id, id[:4]+" "+id[4:])
	case SocialCH:
		id := g.until("756##########", ean)
		return g.pick(id, group(id, ".", 3, 4, 4, 2))
	}
	panic("no value for " + k)
}

func (g *generator) email() string {
	first, last := strings.ToLower(g.first()), strings.ToLower(g.last())
	domain := g.pick("web.de", "gmx.net", "beispiel.de", "t-online.de", "mueller-gmbh.example", "mail.firma.example", "posteo.de", "gmail.com", "bluewin.ch", "oeh.example.at")
	switch g.IntN(8) {
	case 0:
		return first + g.digits(2) + "@" + domain
	case 1:
		return first[:1] + "." + last + "+crm@" + domain
	case 2:
		return strings.ToUpper(first[:1]) + first[1:] + "." + last + "@" + strings.ToUpper(domain[:1]) + domain[1:]
	case 3:
		return last + "_" + first[:1] + "@" + domain
	case 4:
		return first + g.pick("(at)", " [at] ", " (at) ") + domain
	}
	return first + "." + last + "@" + domain
}

func (g *generator) phone() string {
	switch g.IntN(12) {
	case 0:
		return "0" + g.pick("30", "40", "89", "221", "711", "351") + g.pick(" ", "/", "-", " / ") + g.form("+######")
	case 1:
		return "+49 " + g.pick("30", "40", "89", "221") + " " + g.form("+#### ##") + g.digits(1)
	case 2:
		return "+49 (0)" + g.pick("30", "69", "89") + " / " + g.form("+####-###")
	case 3:
		return "(0" + g.pick("30", "40", "911") + ") " + g.form("+## ## ##")
	case 4:
		return "0049" + g.pick("151", "170", "176") + g.form("+#######")
	case 5:
		return g.pick("0151", "0160", "0171", "0176") + g.pick("", " ", "-", "/") + g.form("+#######")
	case 6:
		return "+49" + g.pick("15", "17") + g.pick("1", "0") + g.form("+#######")
	case 7:
		return "0" + g.pick("30", "40", "89") + g.form("+######")
	case 8:
		return g.pick("0664 ", "0676 ", "+43 664 ", "+43 1 ", "0043 1 ") + g.form("+######")
	case 9:
		return g.pick("079 ", "+41 79 ", "044 ", "+41 (0)44 ") + g.form("+## ## ##")
	case 10:
		return g.pick("+44 20 7946 0", "+1 212-555-0", "+33 1 99 00 1") + g.form("###")
	}
	return g.pick("0171", "0152") + " " + g.form("+## ## ##")
}

func (g *generator) iban() string {
	country, bban := "DE", g.digits(18)
	switch g.IntN(8) {
	case 0:
		country, bban = "AT", g.digits(16)
	case 1:
		country, bban = "CH", g.digits(17)
	case 2:
		country, bban = "NL", "INGB"+g.digits(10)
	case 3:
		country, bban = "FR", g.digits(23)
	}
	for check := 2; ; check++ {
		id := fmt.Sprintf("%s%02d%s", country, check, bban)
		if mod97([]byte(id)) {
			return g.pick(id, group(id, " ", 4), group(id, " ", 4))
		}
	}
}

func (g *generator) card() string {
	switch g.IntN(4) {
	case 0:
		return group(g.until("37#############", luhn), " ", 4, 6, 5)
	case 1:
		return g.until("4###############", luhn)
	case 2:
		return group(g.until("53##############", luhn), "-", 4)
	}
	return group(g.until("4###############", luhn), " ", 4)
}

func (g *generator) birthdate() string {
	d, m, y := 1+g.IntN(28), 1+g.IntN(12), 1935+g.IntN(70)
	month := []string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"}[m-1]
	return g.pick(fmt.Sprintf("%02d.%02d.%d", d, m, y), fmt.Sprintf("%d.%d.%d", d, m, y), fmt.Sprintf("%d-%02d-%02d", y, m, d),
		fmt.Sprintf("%d. %s %d", d, month, y), fmt.Sprintf("%02d.%02d.%02d", d, m, y%100), fmt.Sprintf("%02d/%02d/%d", d, m, y))
}

func (g *generator) first() string {
	return g.pick("Erika", "Max", "Lena", "Jonas", "Svetlana", "Mehmet", "Aylin", "Karl", "Ingrid", "Uwe", "Chiara", "Piotr")
}

func (g *generator) last() string {
	return g.pick("Mustermann", "Schmidt", "Weber", "Yilmaz", "Kowalski", "Rossi", "Huber", "Brunner", "Krause", "Vogel", "Lindner")
}

// decoy makes what must not be found. A kind's name stands for its form with a
// wrong check digit.
func (g *generator) decoy(slot string) string {
	switch slot {
	case "name":
		return g.first() + " " + g.last()
	case "company":
		return g.pick("Nordlicht GmbH", "Huber & Söhne KG", "Alpina AG", "Vogel Maschinenbau", "REISEBUERO Weber")
	case "date":
		d, m, y := 1+g.IntN(28), 1+g.IntN(12), 2019+g.IntN(9)
		return g.pick(fmt.Sprintf("%02d.%02d.%d", d, m, y), fmt.Sprintf("%d.%d.%d", d, m, y), fmt.Sprintf("%d-%02d-%02d", y, m, d), fmt.Sprintf("%02d.%02d.", d, m))
	case "time":
		return fmt.Sprintf("%02d%s%02d", 7+g.IntN(12), g.pick(":", "."), g.IntN(60))
	case "amount":
		return g.pick(g.form("+##,##"), g.form("+.###,##"), g.form("+#.###,00"), g.form("+####"))
	case "order":
		return g.pick(g.form("+#####"), g.form("AB-2026-#####"), g.form("0########"), g.form("+#########"), g.form("4500######"), g.form("A-+####"))
	case "invoice":
		return g.pick(g.form("2026-####"), g.form("RE-2026/####"), g.form("+#######"), g.form("2026######"))
	case "tracking":
		return g.pick(g.form("00340434############"), g.form("1Z999AA1##########"), g.form("JJD0########"))
	case "article":
		return g.form("+##")
	case "ean":
		return g.until("40###########", ean)
	case "version":
		return fmt.Sprintf("%d.%d.%d.%d", g.IntN(20), g.IntN(10), g.IntN(20), g.IntN(120))
	case "timestamp":
		return g.pick(g.form("17########"), g.form("17###########"), "2026-03-14T"+fmt.Sprintf("%02d:%02d:%02dZ", g.IntN(24), g.IntN(60), g.IntN(60)))
	case "uuid":
		return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", g.Uint32(), g.IntN(1<<16), g.IntN(1<<12), g.IntN(1<<12), g.Uint64()>>16)
	case "serial":
		return g.pick(g.form("SN########"), g.form("A#######"), g.form("+#########"), g.form("0######"))
	case "house":
		return g.form("+#")
	case "plz":
		return g.form("1####")
	}
	return g.mistype(g.value(Kind(slot)))
}
