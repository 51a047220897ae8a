package page

// Table has two columns: what something is called, and what it means.
type Table struct {
	Title Text
	Head  [2]Text
	Lines []Line
}

// Line is a line of a table.
type Line struct {
	// Name is in words, Codes are shown as what they are on a screen.
	Name  Text
	Codes []string
	Text  Text
}

// shownTable and shownLine are a table in one language.
type shownTable struct {
	Title, First, Second string
	Lines                []shownLine
}

type shownLine struct {
	Name, Text string
	Codes      []string
}

func tables(lang string, all []Table) []shownTable {
	out := make([]shownTable, len(all))
	for i, t := range all {
		out[i] = shownTable{Title: t.Title.In(lang), First: t.Head[0].In(lang), Second: t.Head[1].In(lang)}
		for _, l := range t.Lines {
			out[i].Lines = append(out[i].Lines, shownLine{l.Name.In(lang), l.Text.In(lang), l.Codes})
		}
	}
	return out
}
