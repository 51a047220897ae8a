package desk

import (
	"net/url"
	"strconv"
	"time"

	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/retain"
)

// The addresses of the work list.
const (
	OverduePath       = Path + "/overdue"
	OverdueRecordPath = OverduePath + "/record"
	OverdueProofPath  = OverduePath + "/proof"
	OverdueDoPath     = OverduePath + "/do"
)

// OverdueRow is a record of the list, by its name there.
type OverdueRow struct {
	Name string
	*retain.Item
}

// Path leads to the record's page, or to the proof of its deletion.
func (r OverdueRow) Path() string {
	at := OverdueRecordPath
	if r.Stage == retain.Deleted {
		at = OverdueProofPath
	}
	return at + "?" + url.Values{"name": {r.Name}}.Encode()
}

// OverdueRule is a rule of the site.
type OverdueRule struct{ Entity, Rule string }

// OverdueView is the body of the work list.
type OverdueView struct {
	Rules []OverdueRule
	// Observes is the last day on which nothing is masked, "" where it is.
	Observes string
	Rows     []OverdueRow
	Proofs   []OverdueRow
	// Total is how many there are, or at least.
	Total int
	More  bool
	// Number is the page's, from 1; Next says that there is one more.
	Number int
	Next   bool
}

// PagePath leads to a page of the list.
func (v OverdueView) PagePath(step int) string {
	return OverduePath + "?page=" + strconv.Itoa(v.Number+step)
}

// OverdueRecordView is the body of the page of one record.
type OverdueRecordView struct {
	OverdueRow
	// MayAsk is for the officers, MayConfirm for the second person; Mine says that the
	// visitor has asked.
	MayAsk, MayConfirm, Mine bool
	// CanDelete and CanRead are what the profile says how to do.
	CanDelete, CanRead bool
	// Lasts is until when a wish can be answered.
	Lasts time.Time
	// Said is what has just been done.
	Said page.Text
	// Remains is what the CRM will keep, "" for nothing.
	Remains string
}

// ErasureView is the body of the proof of a deletion.
type ErasureView struct {
	OverdueRow
	Site, Profile string
	Print         bool
}
