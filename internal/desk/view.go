package desk

import (
	"strconv"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/page"
)

// The addresses of the desk.
const (
	Path          = "/.crmgate/desk"
	CSVPath       = Path + "/search.csv"
	EventsPath    = Path + "/search.jsonl"
	RecordPath    = Path + "/record"
	EmployeesPath = Path + "/employees"
	EmployeePath  = Path + "/employee"
	AskPath       = Path + "/ask"
	DecidePath    = Path + "/decide"
	NamePath      = Path + "/name"
	VolumePath    = Path + "/volume"
	LogPath       = Path + "/log"
	VerifyPath    = Path + "/verify"
	ExportPath    = Path + "/export"
	EntryPath     = Path + "/entry"
	MinePath      = "/.crmgate/mine"

	ReportsPath  = Path + "/reports"
	AccessPath   = Path + "/report/access"
	BreachPath   = Path + "/report/breach"
	RegisterPath = Path + "/report/register"
)

// SearchView is the body of the search, of a record's history and of one's own
// accesses.
type SearchView struct {
	Query Query
	Found *Found
	// Path is where further pages are.
	Path string
	// MayExport offers the search as CSV.
	MayExport bool
	// Nodes are those to choose from; none where there is one log.
	Nodes []string
	// Names says that the pseudonym in each row is shown: not among one's own.
	Names bool
	// Refused says that the log wasn't searched: the page says why.
	Refused bool
}

// EmployeesView is the body of the page on which somebody asks to see what an
// employee did.
type EmployeesView struct {
	// Employee is filled into the form.
	Employee string
	// MayAsk is for auditors, MayResolve for those who may also give a name.
	MayAsk, MayResolve bool
	// Consent says that it takes a second person, for as long as Lasts.
	Consent bool
	Lasts   time.Duration
	// Mine are the visitor's asks, ToDecide those of others.
	Mine, ToDecide []Ask
	MayDecide      bool
	Now            time.Time
}

// EmployeeView is the body of an employee's accesses.
type EmployeeView struct {
	SearchView
	Ask Ask
	// Names are the employee's, once somebody has resolved the pseudonym.
	Resolved   *audit.Names
	Looked     bool // for names, found or not
	MayResolve bool
}

// VolumeView is the body of the charts.
type VolumeView struct {
	// Counting says that the numbers aren't there yet.
	Counting bool
	Chart    Chart
	Days     []*Day
	Unusual  []Unusual
	// Categories are those of all days together, the most shown first.
	Categories []CategoryBar
	Still      bool
	// Nodes are those to choose from, Node the chosen one; Unread are those that
	// aren't counted.
	Nodes  []string
	Node   string
	Unread []Unread
}

// LogView is the body of the state of the logs.
type LogView struct {
	Logs      []LogFacts
	Verify    VerifyView
	MayExport bool
	Still     bool
	// Nodes are those to choose from, the log over all of them too; none where there
	// is one log.
	Nodes []string
}

// LogFacts are the state of one log.
type LogFacts struct {
	// Node is "" where there is one log; Own is this gateway's.
	Node  string
	Own   bool
	Facts []Fact
	// Unread says that nothing is known of it.
	Unread bool
}

// Fact is a line of a list.
type Fact struct {
	Name  page.Text
	Value page.Text
	// Code shows the value as what it is.
	Code bool
}

// VerifyView is the last verification, or the one that runs.
type VerifyView struct {
	Running bool
	// Node is the log that is read, the Nth of Of; Done and Total are its bytes.
	Node        string
	Nth, Of     int
	Done, Total int64
	Started     time.Time
	Ended       time.Time
	Verified    []Verified
	// Failed says that it couldn't be carried through.
	Failed bool
}

// Verified is what was found in one log.
type Verified struct {
	// Node is "" where there is one log.
	Node   string
	Report *audit.Report
	// Failed says that it couldn't be read to its end. Missing is how many entries a
	// log had at least that isn't there any more.
	Failed  bool
	Missing uint64
}

// Percent is how far it has come.
func (v VerifyView) Percent() int {
	if v.Total <= 0 {
		return 0
	}
	return int(100 * v.Done / v.Total)
}

// Long writes a duration in hours or days.
func (v EmployeesView) Long() page.Text {
	h := int(v.Lasts / time.Hour)
	switch {
	case v.Lasts == time.Minute:
		return page.Text{DE: "eine Minute", EN: "a minute"}
	case v.Lasts%time.Hour != 0: // in minutes, as below
	case h >= 48 && h%24 == 0:
		d := strconv.Itoa(h / 24)
		return page.Text{DE: d + " Tage", EN: d + " days"}
	case h == 1:
		return page.Text{DE: "eine Stunde", EN: "an hour"}
	case h > 1:
		s := strconv.Itoa(h)
		return page.Text{DE: s + " Stunden", EN: s + " hours"}
	}
	m := strconv.Itoa(int(v.Lasts / time.Minute))
	return page.Text{DE: m + " Minuten", EN: m + " minutes"}
}

// EntryView is the body of one entry.
type EntryView struct {
	// Node is the one whose log it stands in, "" where there is one log.
	Node  string
	Seq   uint64
	Entry *audit.Entry
	JSON  string
	Leaf  string
}
