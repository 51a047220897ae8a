package desk

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
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
	// Witnessed and Stamped are what others said of the log last, nil for nothing.
	Witnessed, Stamped *audit.Attestation
	// Attested are the configured kinds of those who do, with whether each failed.
	Attested map[string]bool
	// Refuted says that a witness holds another history of the log.
	Refuted bool
	Sinks   []SinkState
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
	for _, one := range s.Sinks {
		facts = append(facts, one.fact())
	}
	signed := moment(s.Signed)
	if s.Day {
		signed = day(s.Signed)
	}
	c := count(s.Checkpoint)
	facts = append(facts, Fact{
		Name:  page.Text{DE: "Letzter Prüfpunkt", EN: "Last checkpoint"},
		Value: page.Text{DE: "über " + c.DE + " Einträge, " + signed.DE, EN: "over " + c.EN + " entries, " + signed.EN},
	})
	return append(append(facts, attestedFacts(s)...),
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

// attestedFacts say who else vouches for the log, and that nobody does.
func attestedFacts(s State) []Fact {
	facts := []Fact{{
		Name: page.Text{DE: "Zuletzt gegengezeichnet", EN: "Last countersigned"},
		Value: attested(s.Witnessed, page.Text{
			DE: "nie: kein Zeuge ist eingerichtet", EN: "never: no witness is configured",
		}, page.Text{DE: "noch nie", EN: "never yet"}, has(s, "witness")),
	}}
	if s.Stamped != nil || has(s, "rfc3161") {
		facts = append(facts, Fact{
			Name:  page.Text{DE: "Letzter Zeitstempel", EN: "Last time stamp"},
			Value: attested(s.Stamped, page.Text{}, page.Text{DE: "noch keiner", EN: "none yet"}, true),
		})
	}
	var failing []string
	for _, kind := range slices.Sorted(maps.Keys(s.Attested)) {
		if s.Attested[kind] {
			failing = append(failing, kind)
		}
	}
	if list := strings.Join(failing, ", "); list != "" {
		facts = append(facts, Fact{
			Name:  page.Text{DE: "Gelingt gerade nicht", EN: "Fails at present"},
			Value: page.Text{DE: list + " (der Grund steht im Protokoll des Dienstes)", EN: list + " (the process log has the reason)"},
		})
	}
	if s.Refuted {
		facts = append(facts, Fact{
			Name: page.Text{DE: "Ein Zeuge widerspricht", EN: "A witness disagrees"},
			Value: page.Text{
				DE: "Er kennt mehr Einträge dieses Protokolls oder andere. Prüfen Sie es, und heben Sie auf, was da ist.",
				EN: "It knows more entries of this log, or others. Verify it, and keep what is there.",
			},
		})
	}
	return facts
}

func has(s State, kind string) bool {
	_, ok := s.Attested[kind]
	return ok
}

func attested(a *audit.Attestation, none, notYet page.Text, configured bool) page.Text {
	switch {
	case a == nil && !configured:
		return none
	case a == nil:
		return notYet
	}
	at, by := moment(a.Time), strings.Join(a.By, ", ")
	return page.Text{
		DE: "über " + grouped(int64(a.Size), "de") + " Einträge, " + at.DE + ", von " + by,
		EN: "over " + grouped(int64(a.Size), "en") + " entries, " + at.EN + ", by " + by,
	}
}
