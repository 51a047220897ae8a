package gate

import (
	"net/http"
	"strings"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/page"
)

// why explains placeholders to the employee who sees them: what each kind means,
// and how their roles see each kind of data. It is made of the policy and the
// profile alone. No record is read for it, so that nothing here needs an entry.
func (q *request) why() {
	if !q.login() {
		return
	}
	p := page.Page{
		Status: http.StatusOK, Title: textWhy.onPage(), Text: textWhyLong.onPage(),
		Tables: []page.Table{placeholders()},
		Link:   &page.Link{Href: "/", Text: page.Text{DE: "Zum CRM", EN: "To the CRM"}},
	}
	for _, e := range q.h.profile.Entities() {
		t, err := q.seen(e)
		if err != nil {
			q.h.logger.Error("deciding", zap.String("request", q.id), zap.Error(err))
			q.answer(plain{status: http.StatusInternalServerError, reason: "undecided", text: textFault})
			return
		}
		if len(t.Lines) > 0 {
			p.Tables = append(p.Tables, t)
		}
	}
	p.Ways = q.revealWays()
	q.showPage(p)
}

// placeholders says what stands in a value's place, and what that means.
func placeholders() page.Table {
	row := func(t access.Treatment, codes ...string) page.Line {
		return page.Line{Codes: codes, Text: treatmentMeans(t).onPage()}
	}
	return page.Table{
		Title: page.Text{DE: "Was Platzhalter bedeuten", EN: "What placeholders mean"},
		Head:  [2]page.Text{{DE: "Auf dem Bildschirm", EN: "On the screen"}, {DE: "Bedeutung", EN: "Meaning"}},
		Lines: []page.Line{
			row(access.Hidden, mask.HiddenText, mask.HiddenEmail, mask.HiddenDate, "01.01.1900", "0"),
			row(access.Partial, "A. B.", "a******@masked.invalid", "0"+mask.HiddenText+"78"),
			row(access.Generalise, "10•••", "1959-01-01", "50000", "DE"+mask.HiddenText),
			row(access.Pseudonym, "P-ZLK7UTQM", "p-cy59dqhx@masked.invalid"),
			{Name: page.Text{DE: "leer, oder fehlt ganz", EN: "empty, or missing"}, Text: treatmentMeans(access.Drop).onPage()},
			{Name: page.Text{DE: "ein Satz statt eines Texts", EN: "a sentence instead of a text"}, Text: page.Text{
				DE: "Zurückgehalten: Der Text (eine Fehlermeldung, ein Bericht) könnte Daten enthalten, die Sie nicht sehen.",
				EN: "Withheld: the text (an error, a report) could contain data that you don't see.",
			}},
		},
	}
}

func treatmentMeans(t access.Treatment) text {
	switch t {
	case access.Hidden:
		return text{
			"Verdeckt: Ein Wert ist da, Ihre Rolle sieht ihn nicht. Wie lang er ist, ist nicht zu erkennen.",
			"Hidden: there is a value, and your role doesn't see it. Its length doesn't show.",
		}
	case access.Pseudonym:
		return text{
			"Pseudonym: Gleiche Werte haben gleiche Namen, bis Sie sich abmelden. Danach haben sie andere.",
			"Pseudonym: equal values have equal names until you sign out. After that they have others.",
		}
	case access.Generalise:
		return text{
			"Vergröbert: das Jahr eines Datums, die Region einer Postleitzahl, das Land einer Nummer, die Größenordnung eines Betrags.",
			"Made coarser: the year of a date, the region of a postal code, the country of a number, the size of an amount.",
		}
	case access.Partial:
		return text{
			"Zum Teil: so viel, dass man etwas wiedererkennt, und nicht genug, um es zu wissen.",
			"In part: enough to recognise something, not enough to know it.",
		}
	case access.Clear:
		return text{"Im Klartext.", "In clear."}
	}
	return text{
		"Weggelassen, oder im CRM leer.",
		"Left out, or empty in the CRM.",
	}
}

// seen says how the employee's roles see the records of an entity when they
// read them.
func (q *request) seen(e access.Entity) (page.Table, error) {
	t := page.Table{
		Title: page.Text{DE: "Was Sie sehen: " + string(e), EN: "What you see: " + string(e)},
		Head:  [2]page.Text{{DE: "Art der Daten", EN: "Kind of data"}, {DE: "Für Ihre Rolle", EN: "For your role"}},
	}
	d, err := q.h.policy.Decide(q.employee.roles(), []access.Access{{Action: access.Read, Entity: e, Type: string(e)}})
	if err != nil {
		return t, err
	}
	for _, c := range q.h.profile.Categories(e) {
		if c == access.Public {
			continue
		}
		shown := text{"gar nicht: Ihre Rolle liest diese Datensätze nicht", "not at all: your role doesn't read these records"}
		if !d.Refused {
			shown = treated(d.Plan, e, c)
		}
		t.Lines = append(t.Lines, page.Line{Name: categoryName(c).onPage(), Text: shown.onPage()})
	}
	return t, nil
}

// treated names the treatment of a category, and the conditions under which it
// is another one.
func treated(plan *access.Plan, e access.Entity, c access.Category) text {
	without := access.Facts{}
	for _, name := range plan.FactNames {
		without[name] = access.FactFalse
	}
	usual := plan.Verdict(e, c, without).Treatment
	t := treatmentName(usual)
	var de, en []string
	for _, name := range plan.FactNames {
		without[name] = access.FactTrue
		if tr := plan.Verdict(e, c, without).Treatment; tr != usual {
			de, en = append(de, name+" "+treatmentName(tr).de), append(en, name+" "+treatmentName(tr).en)
		}
		without[name] = access.FactFalse
	}
	if len(de) > 0 {
		t = text{t.de + " (bei " + strings.Join(de, ", bei ") + ")", t.en + " (with " + strings.Join(en, ", with ") + ")"}
	}
	return t
}

func treatmentName(t access.Treatment) text {
	switch t {
	case access.Hidden:
		return text{"verdeckt", "hidden"}
	case access.Pseudonym:
		return text{"als Pseudonym", "as a pseudonym"}
	case access.Generalise:
		return text{"vergröbert", "made coarser"}
	case access.Partial:
		return text{"zum Teil", "in part"}
	case access.Clear:
		return text{"im Klartext", "in clear"}
	}
	return text{"weggelassen", "left out"}
}

// categoryName is a category in words.
func categoryName(c access.Category) text {
	switch c {
	case access.Name:
		return text{"Namen", "names"}
	case access.Email:
		return text{"E-Mail-Adressen", "e-mail addresses"}
	case access.Phone:
		return text{"Telefonnummern", "phone numbers"}
	case access.Address:
		return text{"Anschriften", "addresses"}
	case access.Birthdate:
		return text{"Geburtsdaten", "dates of birth"}
	case access.Bank:
		return text{"Bankverbindungen und Beträge", "bank details and amounts"}
	case access.TaxID:
		return text{"Steuernummern", "tax numbers"}
	case access.Identity:
		return text{"Ausweis- und Versicherungsnummern", "numbers of identity documents and insurances"}
	case access.Special:
		return text{"besondere Kategorien (Gesundheit, Religion und andere)", "special categories (health, religion and others)"}
	case access.Credential:
		return text{"Kennwörter und Schlüssel", "passwords and keys"}
	case access.FreeText:
		return text{"freie Texte", "free texts"}
	case access.Online:
		return text{"Online-Kennungen", "online identifiers"}
	}
	return text{"was das Profil nicht kennt", "what the profile doesn't know"}
}

var (
	textWhy     = text{"Warum ist etwas verdeckt?", "Why is something masked?"}
	textWhyLong = text{
		"Das Gateway zeigt von personenbezogenen Daten, was Ihre Rolle braucht. Im CRM ist nichts verändert: Verdeckte Felder behalten " +
			"ihren Wert, auch wenn Sie einen Datensatz speichern. Brauchen Sie mehr, bitten Sie Ihre Administration um eine andere Rolle.",
		"The gateway shows of personal data what your role needs. Nothing is changed in the CRM: masked fields keep their values " +
			"even when you save a record. If you need more, ask your administrator for another role.",
	}
)
