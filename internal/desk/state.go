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
	// Lag is how many entries the index is behind. Bytes are those of the log's files,
	// -1 where it is in a database; Free is -1 where nobody knows.
	Lag         uint64
	Segments    int
	Bytes, Free int64
	Sinks       []SinkState
}

// SinkState is how a sink does.
type SinkState struct {
	Name, Kind string
	// Known says that it has begun; Lag is how many entries it is behind, Lost how
	// many were destroyed before it had them.
	Known     bool
	Lag, Lost uint64
	// Failing is since when it fails, zero where it doesn't; Reason is the closed
	// word for why.
	Failing time.Time
	Reason  string
}

// fact is a sink's line.
func (s SinkState) fact() Fact {
	f := Fact{Name: page.Text{DE: "Weitergabe " + s.Name + " (" + s.Kind + ")", EN: "Sink " + s.Name + " (" + s.Kind + ")"}}
	if !s.Known {
		f.Value = page.Text{DE: "beginnt", EN: "begins"}
		return f
	}
	f.Value = page.Text{DE: "aktuell", EN: "up to date"}
	if s.Lag > 0 {
		n := lag(page.Text{DE: grouped(int64(s.Lag), "de"), EN: grouped(int64(s.Lag), "en")}, s.Lag)
		f.Value = page.Text{DE: n.DE + " im Rückstand", EN: n.EN + " behind"}
	}
	if !s.Failing.IsZero() {
		at := moment(s.Failing)
		f.Value.DE += ", scheitert seit " + at.DE + " (" + s.Reason + ")"
		f.Value.EN += ", failing since " + at.EN + " (" + s.Reason + ")"
	}
	if s.Lost > 0 {
		f.Value.DE += "; vorher vernichtet: " + grouped(int64(s.Lost), "de")
		f.Value.EN += "; destroyed before: " + grouped(int64(s.Lost), "en")
	}
	return f
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
	if s.Bytes >= 0 {
		facts = append(facts, Fact{Name: page.Text{DE: "Auf der Platte", EN: "On the disk"}, Value: disk})
	}
	if s.Free >= 0 {
		facts = append(facts, Fact{Name: page.Text{DE: "Noch frei", EN: "Still free"}, Value: bytes(s.Free)})
	}
	for _, one := range s.Sinks {
		facts = append(facts, one.fact())
	}
	signed := moment(s.Signed)
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
