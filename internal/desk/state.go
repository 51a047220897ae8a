package desk

import (
	"time"

	"github.com/crmgate/crmgate/internal/page"
)

// State is what can be said of the log.
type State struct {
	Node, Root          string
	Entries, Checkpoint uint64
	Signed              time.Time
	// Day says that of Signed the day alone is known.
	Day bool
	// Lag is how many entries the index is behind. Bytes are those of the log's files,
	// -1 where it is in a database; Free is -1 where nobody knows.
	Lag         uint64
	Segments    int
	Bytes, Free int64
	// Unconfirmed says that nothing is destroyed until somebody has confirmed the holds.
	Unconfirmed bool
}

// StateFacts are the lines of the page.
func StateFacts(s State) []Fact {
	both := func(t string) page.Text { return page.Text{DE: t, EN: t} }
	count := func(n uint64) page.Text {
		return page.Text{DE: grouped(int64(n), "de"), EN: grouped(int64(n), "en")}
	}
	bytes := func(n int64) page.Text { return page.Text{DE: size(n, "de"), EN: size(n, "en")} }
	segments := page.Text{DE: " in " + grouped(int64(s.Segments), "de") + " Dateien", EN: " in " + grouped(int64(s.Segments), "en") + " files"}
	disk := page.Text{DE: bytes(s.Bytes).DE + segments.DE, EN: bytes(s.Bytes).EN + segments.EN}
	facts := []Fact{
		{Name: page.Text{DE: "Knoten", EN: "Node"}, Value: both(s.Node), Code: true},
		{Name: page.Text{DE: "Einträge", EN: "Entries"}, Value: count(s.Entries)},
	}
	if s.Unconfirmed {
		facts = append(facts, Fact{
			Name: page.Text{DE: "Aufbewahrung", EN: "Retention"},
			Value: page.Text{
				DE: "Das Protokoll wurde aus einer Sicherung wiederhergestellt. Nichts wird vernichtet, bis jemand bestätigt hat, dass alle Sperren bestehen (crmgate audit confirm).",
				EN: "The log was restored from a backup. Nothing is destroyed until somebody has confirmed that all holds stand (crmgate audit confirm).",
			},
		})
	}
	if s.Bytes >= 0 {
		facts = append(facts, Fact{Name: page.Text{DE: "Auf der Platte", EN: "On the disk"}, Value: disk})
	}
	if s.Free >= 0 {
		facts = append(facts, Fact{Name: page.Text{DE: "Noch frei", EN: "Still free"}, Value: bytes(s.Free)})
	}
	signed := moment(s.Signed)
	if s.Day {
		signed = day(s.Signed)
	}
	c := count(s.Checkpoint)
	return append(facts,
		Fact{
			Name:  page.Text{DE: "Letzter Prüfpunkt", EN: "Last checkpoint"},
			Value: page.Text{DE: "über " + c.DE + " Einträge, " + signed.DE, EN: "over " + c.EN + " entries, " + signed.EN},
		},
		Fact{Name: page.Text{DE: "Rückstand des Index", EN: "Index lag"}, Value: lag(count(s.Lag), s.Lag)},
		Fact{Name: page.Text{DE: "Wurzel des Baums", EN: "Root of the tree"}, Value: both(s.Root), Code: true},
	)
}

func lag(n page.Text, entries uint64) page.Text {
	switch entries {
	case 0:
		return page.Text{DE: "keiner", EN: "none"}
	case 1:
		return page.Text{DE: "1 Eintrag", EN: "1 entry"}
	}
	return page.Text{DE: n.DE + " Einträge", EN: n.EN + " entries"}
}
