package gate

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/reveal"
)

// shownSeen is how many records the page lists.
const shownSeen = 8

// showReveal is the employee's page: what is shown to them now, what became of their
// wishes, and where they ask for another field of the named record, or choose one.
func (q *request) showReveal(record string, in revealEntered) {
	r := q.o.revealer
	book, err := r.Book(q.r.Context(), q.who())
	if err != nil {
		visitor{q}.Failed("session_store", err)
		return
	}
	list, ok := q.saw()
	if !ok {
		return
	}
	if len(list) > 0 {
		if _, ok := (visitor{q}).Append(audit.Searched, "reveal: own accesses of the last hour"); !ok {
			return
		}
	}
	now := r.Now()
	left := book.Left(now, &r.rules)
	p := page.Reveal{
		Title: textReveal.onPage(), Text: textRevealLong(r.rules.Lasts, left).onPage(), Wrong: in.wrong, Action: revealPath,
		Ways: []page.Link{
			{Href: ownPrefix + "/why", Text: textWhy.onPage()},
			{Href: "/", Text: page.Text{DE: "Zum CRM", EN: "To the CRM"}},
		},
	}
	add := func(part page.RevealPart) { p.Parts = append(p.Parts, part) }
	for _, part := range []page.RevealPart{q.shownNow(&book, now), q.waiting(&book, now)} {
		if len(part.Items) > 0 {
			add(part)
		}
	}
	if s := recordNamed(list, record); s != nil {
		part, ok := q.fieldsOf(s, in)
		if !ok {
			return
		}
		add(part)
		p.Ways = append([]page.Link{{Href: revealPath, Text: page.Text{DE: "Ein anderer Datensatz", EN: "Another record"}}}, p.Ways...)
	} else {
		if record != "" && p.Wrong == (page.Text{}) {
			p.Wrong = textNotSeen.onPage()
		}
		add(q.records(list, in))
		if len(list) > 0 {
			add(pasteAddress())
		}
	}
	q.writeReveal(p)
}

func (q *request) writeReveal(p page.Reveal) {
	status := http.StatusOK
	if p.Wrong != (page.Text{}) {
		status = http.StatusBadRequest
	}
	body, policy := page.RenderReveal(q.lang(), p)
	visitor{q}.Page(status, body, policy)
}

func fact(de, en string, value page.Text) page.Fact {
	return page.Fact{Name: page.Text{DE: de, EN: en}, Value: value}
}

func same(s string) page.Text { return page.Text{DE: s, EN: s} }

// about says which field a wish is about, and why.
func about(w *reveal.Wish) []page.Fact {
	return []page.Fact{
		fact("Feld", "Field", fieldNamed(w.Field, w.Categories)),
		fact("Grund", "Reason", same(w.Reason+": "+w.Note)),
	}
}

// fieldNamed is a field by the CRM's name, with what kind of data it holds.
func fieldNamed(name string, cats []access.Category) page.Text {
	kinds := dataOf(cats)
	return page.Text{DE: name + " (" + kinds.DE + ")", EN: name + " (" + kinds.EN + ")"}
}

func dataOf(cats []access.Category) page.Text {
	var de, en []string
	for _, c := range cats {
		t := categoryName(c)
		de, en = append(de, t.de), append(en, t.en)
	}
	return page.Text{DE: strings.Join(de, ", "), EN: strings.Join(en, ", ")}
}

func (q *request) shownNow(book *reveal.Book, now time.Time) page.RevealPart {
	part := page.RevealPart{
		Title: page.Text{DE: "Jetzt im Klartext", EN: "In clear right now"},
		Text: page.Text{
			DE: "Laden Sie die Seite im CRM neu, um den Wert zu sehen. Danach ist er wieder verdeckt; was noch auf dem Bildschirm steht, verschwindet mit dem nächsten Laden.",
			EN: "Reload the page in the CRM to see the value. After that it is masked again; what still stands on the screen goes with the next load.",
		},
	}
	for _, w := range book.Showing(q.employee.session.Ref(), now, &q.o.revealer.rules) {
		part.Items = append(part.Items, page.RevealItem{
			Title:   w.Record.String(),
			Facts:   append(about(&w), fact("Bis", "Until", moment(w.Until))),
			Buttons: []page.RevealButton{{Do: "end", ID: w.ID, Text: page.Text{DE: "Jetzt wieder verdecken", EN: "Mask again now"}}},
		})
	}
	return part
}

func (q *request) waiting(book *reveal.Book, now time.Time) page.RevealPart {
	part := page.RevealPart{Title: page.Text{DE: "Ihre Bitten", EN: "Your wishes"}}
	for i := range slices.Backward(book.Wishes) {
		w := &book.Wishes[i]
		item := page.RevealItem{Title: w.Record.String(), Facts: append(about(w), fact("Gefragt", "Asked", moment(w.At)))}
		back := page.RevealButton{Do: "end", ID: w.ID, Text: page.Text{DE: "Zurücknehmen", EN: "Take back"}}
		switch {
		case w.Waits(now):
			item.Mark = page.Text{DE: "wartet auf eine zweite Person", EN: "waits for a second person"}
			item.Facts = append(item.Facts, fact("Verfällt", "Expires", moment(w.At.Add(reveal.WishLasts))))
			item.Buttons = []page.RevealButton{back}
		case w.MayBegin(now):
			item.Mark = page.Text{DE: "erlaubt", EN: "allowed"}
			item.Facts = append(item.Facts, fact("Verfällt", "Expires", moment(w.Decided.Add(reveal.WishLasts))))
			item.Buttons = []page.RevealButton{{Do: "begin", ID: w.ID, Main: true, Text: page.Text{DE: "Jetzt anzeigen", EN: "Show now"}}, back}
		case w.State == reveal.Refused:
			item.Mark = page.Text{DE: "abgelehnt", EN: "refused"}
		default:
			continue
		}
		part.Items = append(part.Items, item)
	}
	return part
}

// records lists those to choose from.
func (q *request) records(list []seen, in revealEntered) page.RevealPart {
	part := page.RevealPart{
		Title: page.Text{DE: "Welcher Datensatz?", EN: "Which record?"},
		Text: page.Text{
			DE: "Was Sie in der letzten Stunde verdeckt gesehen haben: zuerst, was Sie geöffnet haben.",
			EN: "What you have seen masked within the last hour: what you opened comes first.",
		},
	}
	if in.pasted {
		list = in.found
	}
	may, err := q.h.mayReveal(q.employee.roles())
	if err != nil {
		return page.RevealPart{}
	}
	for i := range list {
		s := &list[i]
		if len(part.Items) == shownSeen {
			break
		}
		var cats []access.Category
		for _, f := range q.askable(may, s) {
			for _, c := range f.cats {
				if !slices.Contains(cats, c) {
					cats = append(cats, c)
				}
			}
		}
		if len(cats) > 0 {
			part.Items = append(part.Items, page.RevealItem{
				Title: s.String(), Link: revealPath + "?record=" + url.QueryEscape(s.String()),
				Note: seenNote(cats, s.at),
			})
		}
	}
	if len(part.Items) == 0 {
		part.Text = page.Text{
			DE: "In der letzten Stunde haben Sie nichts verdeckt gesehen, was Sie sich anzeigen lassen können. Öffnen Sie den Datensatz im CRM, und kommen Sie zurück.",
			EN: "Within the last hour you have seen nothing masked that you can have shown. Open the record in the CRM, and come back.",
		}
	}
	return part
}

// seenNote says what of a record can be shown, and when it was seen.
func seenNote(cats []access.Category, at time.Time) page.Text {
	data, clock := dataOf(cats), at.Local().Format("15:04")
	return page.Text{DE: data.DE + " · gesehen um " + clock, EN: data.EN + " · seen at " + clock}
}

func pasteAddress() page.RevealPart {
	return page.RevealPart{
		Title: page.Text{DE: "Nicht dabei?", EN: "Not among them?"},
		Form: &page.RevealForm{
			Do:     "find",
			Button: page.Text{DE: "Datensatz finden", EN: "Find the record"},
			Fields: []page.RevealField{{
				Name: "address", Most: maxAddress, Label: page.Text{DE: "Adresse der Seite im CRM", EN: "Address of the page in the CRM"},
				Hint: page.Text{
					DE: "Öffnen Sie den Datensatz im CRM, und fügen Sie die Adresse aus der Adresszeile des Browsers hier ein.",
					EN: "Open the record in the CRM, and paste the address from the browser's address bar here.",
				},
			}},
		},
	}
}

// fieldsOf asks for one of a record's fields. It has answered when ok is false.
func (q *request) fieldsOf(s *seen, in revealEntered) (part page.RevealPart, ok bool) {
	may, err := q.h.mayReveal(q.employee.roles())
	if err != nil {
		visitor{q}.Failed("undecided", err)
		return part, false
	}
	rules := &q.o.revealer.rules
	field := page.RevealField{Name: "field", Label: page.Text{DE: "Welches Feld?", EN: "Which field?"}}
	for _, f := range q.askable(may, s) {
		text := dataOf(f.cats)
		if rules.Needs(f.cats) {
			text.DE += " – mit Zustimmung einer zweiten Person"
			text.EN += " – with a second person's consent"
		}
		field.Options = append(field.Options, page.RevealOption{Value: f.name, Code: f.name, Text: text, Chosen: f.name == in.field})
	}
	if len(field.Options) == 0 {
		return page.RevealPart{Title: same(s.String()), Text: textNothingMasked.onPage()}, true
	}
	reason := page.RevealField{Name: "reason", Label: page.Text{DE: "Wozu brauchen Sie den Wert?", EN: "What do you need the value for?"}}
	for _, one := range rules.Reasons {
		reason.Options = append(reason.Options, page.RevealOption{Value: one, Text: same(one), Chosen: one == in.reason})
	}
	return page.RevealPart{
		Title: page.Text{DE: "Ein Feld von " + s.String(), EN: "A field of " + s.String()},
		Form: &page.RevealForm{
			Do: "ask", Main: true, Hidden: [][2]string{{"record", s.String()}},
			Button: page.Text{DE: "Anzeigen lassen", EN: "Have it shown"},
			Fields: []page.RevealField{field, reason, {
				Name: "note", Most: reveal.MaxNote, Value: in.note, Label: page.Text{DE: "Anlass", EN: "Occasion"},
				Hint: page.Text{
					DE: "Ein Vorgang, ein Anruf: 5 bis 300 Zeichen. Das steht im Protokoll; schreiben Sie keine personenbezogenen Daten hinein.",
					EN: "A case, a call: 5 to 300 characters. It stands in the log; don't write personal data into it.",
				},
			}},
		},
	}, true
}

// showWishes is the page of those who decide.
func (q *request) showWishes(wrong page.Text) {
	r := q.o.revealer
	all, err := r.Pending(q.r.Context(), q.site())
	if err != nil {
		visitor{q}.Failed("session_store", err)
		return
	}
	p := page.Reveal{
		Title: textWishes.onPage(), Text: textWishesLong.onPage(), Wrong: wrong, Action: revealWishesPath,
		Ways: []page.Link{{Href: ownPrefix, Text: page.Text{DE: "Zur Übersicht", EN: "To the overview"}}},
	}
	part := page.RevealPart{Title: page.Text{DE: "Offene Bitten", EN: "Open wishes"}}
	slices.SortStableFunc(all, func(a, b reveal.Pending) int { return a.At.Compare(b.At) })
	me := visitor{q}.Employee()
	for i := range all {
		w := &all[i]
		if w.Book.Employee == me || !r.rules.MayDecide(q.employee.roles(), w.Categories) {
			continue
		}
		part.Items = append(part.Items, page.RevealItem{
			Title: w.Record.String(),
			Facts: append([]page.Fact{fact("Wer", "Who", same(w.Book.Name))}, append(about(&w.Wish),
				fact("Gefragt", "Asked", moment(w.At)), fact("Verfällt", "Expires", moment(w.At.Add(reveal.WishLasts))))...),
			Buttons: []page.RevealButton{
				{Do: "allow", ID: w.ID, Main: true, Text: page.Text{DE: "Erlauben", EN: "Allow"}},
				{Do: "refuse", ID: w.ID, Text: page.Text{DE: "Ablehnen", EN: "Refuse"}},
			},
		})
	}
	if len(part.Items) == 0 {
		part.Text = page.Text{DE: "Es gibt keine, über die Sie entscheiden.", EN: "There are none for you to decide on."}
	} else if _, ok := (visitor{q}).Append(audit.Searched, "reveal: wishes to see a field"); !ok {
		return
	}
	p.Parts = []page.RevealPart{part}
	q.writeReveal(p)
}

var (
	textReveal     = text{"Ein verdecktes Feld anzeigen lassen", "Have a masked field shown"}
	textWishes     = text{"Bitten, ein verdecktes Feld zu sehen", "Wishes to see a masked field"}
	textWishesLong = text{
		"Sie sehen, wer welches Feld wozu sehen möchte, nicht den Wert. Was Sie entscheiden, steht im Protokoll.",
		"You see who would like to see which field and why, not the value. What you decide stands in the log.",
	}
	textNoReveal = text{
		"Ihre Rolle lässt sich dieses Feld nicht anzeigen und entscheidet auch nicht darüber.",
		"Your role has no right to have this field shown, nor to decide on it.",
	}
	textNothingMasked = text{
		"Von diesem Datensatz gibt es nichts, was Sie sich anzeigen lassen können.",
		"Of this record there is nothing that you can have shown.",
	}
	textNotSeen = text{
		"Diesen Datensatz haben Sie in der letzten Stunde nicht verdeckt gesehen. Öffnen Sie ihn zuerst im CRM.",
		"You haven't seen this record masked within the last hour. Open it in the CRM first.",
	}
	textWrongReveal = text{
		"Es fehlt etwas: ein Grund aus der Liste, und ein Anlass von 5 bis 300 Zeichen.",
		"Something is missing: a reason of the list, and an occasion of 5 to 300 characters.",
	}
	textRevealThere = text{
		"Dieses Feld ist schon zu sehen, oder Sie haben schon darum gebeten.",
		"This field is shown already, or you have asked for it already.",
	}
	textRevealGone = text{
		"Diese Bitte gibt es nicht mehr, oder jemand hat schon darüber entschieden.",
		"There is no such wish any more, or somebody has decided on it already.",
	}
	textNotOneself = text{
		"Darüber entscheidet jemand anderes, nicht wer bittet.",
		"Somebody else decides on that, not the one who asks.",
	}
)

func textRevealQuota(n int) text {
	return text{
		fmt.Sprintf("In 24 Stunden können Sie %d-mal um ein Feld bitten. So oft haben Sie es getan. Brauchen Sie mehr, bitten Sie Ihre Administration um eine andere Rolle.", n),
		fmt.Sprintf("You can ask for a field %d times within 24 hours, and you have. If you need more, ask your administrator for another role.", n),
	}
}

func textRevealLong(lasts time.Duration, left int) text {
	m := int(lasts.Round(time.Minute) / time.Minute)
	t := text{
		fmt.Sprintf("Brauchen Sie einen verdeckten Wert für Ihre Arbeit, zeigt ihn das CRM für %d Minuten. Wer, was, warum und wann steht im Protokoll. ", m),
		fmt.Sprintf("If your work needs a masked value, the CRM shows it for %d minutes. Who, what, why and when stands in the log. ", m),
	}
	switch left {
	case 0:
		return text{t.de + "Für diese 24 Stunden ist das aufgebraucht.", t.en + "That is used up for these 24 hours."}
	case 1:
		return text{t.de + "Das geht in diesen 24 Stunden noch einmal.", t.en + "You can do so once more within these 24 hours."}
	}
	return text{
		t.de + fmt.Sprintf("Das geht in diesen 24 Stunden noch %d-mal.", left),
		t.en + fmt.Sprintf("You can do so %d more times within these 24 hours.", left),
	}
}
