package transfer

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Basis is what a transfer to a third country rests on, where no decision on that
// country is enough.
type Basis string

// The closed list of bases.
const (
	// DPF is a recipient in the United States who has certified under the Data Privacy
	// Framework (Art. 45).
	DPF Basis = "dpf"
	// SCC are the standard contractual clauses of (EU) 2021/914 (Art. 46 (2) c).
	SCC Basis = "scc"
	// BCR are binding corporate rules (Art. 47).
	BCR Basis = "bcr"
	// Derogation is one of the cases of Art. 49 (1).
	Derogation Basis = "derogation"
)

// Bases lists every basis.
func Bases() []Basis { return []Basis{DPF, SCC, BCR, Derogation} }

// Transfer is what a transfer rests on, with what proves it.
type Transfer struct {
	// Basis is dpf, scc, bcr or derogation. Required.
	Basis Basis `json:"basis"`
	// Recipient is who has certified, as the list of the Data Privacy Framework names
	// them. Required with dpf.
	Recipient string `json:"recipient,omitempty"`
	// Module is that of the clauses, 1 to 4. Required with scc.
	Module int `json:"module,omitempty"`
	// Date is the day on which the clauses were agreed (2026-03-01). Required with scc.
	Date string `json:"date,omitempty"`
	// Case is the letter of Art. 49 (1), a to g. Required with derogation.
	Case string `json:"case,omitempty"`
	// Reference says where it is to be found: a contract, a file number, the day on
	// which a list was looked at. Required.
	Reference string `json:"reference"`
}

// clausesSince is when the clauses of (EU) 2021/914 came into force; contracts with older
// ones ended on 27 December 2022.
const clausesSince = "2021-06-27"

// maxText is how long a text may be, in characters.
const maxText = 500

// Parse reads what stands behind the word transfer.
func Parse(args []string) (Transfer, error) {
	if len(args) == 0 {
		return Transfer{}, errors.New(usage)
	}
	t := Transfer{Basis: Basis(args[0])}
	args = args[1:]
	first := func() string {
		if len(args) == 0 {
			return ""
		}
		s := args[0]
		args = args[1:]
		return s
	}
	switch t.Basis {
	case DPF:
		t.Recipient = first()
	case SCC:
		module := first()
		n, err := strconv.Atoi(module)
		if err != nil {
			return t, fmt.Errorf("transfer scc: %q is no module: write 1, 2, 3 or 4; 2 is for a processor: transfer scc 2 2026-03-01 <reference>", module)
		}
		t.Module, t.Date = n, first()
	case Derogation:
		t.Case = first()
	}
	t.Reference = strings.Join(args, " ")
	return t, t.Check()
}

const usage = "transfer takes a basis and where it is to be found: dpf <recipient> <reference>, scc <module> <date> <reference>, bcr <reference> or derogation <a-g> <reference>"

// Check refuses what is no basis, and says what to write.
func (t *Transfer) Check() error {
	if !slices.Contains(Bases(), t.Basis) {
		if t.Basis == "adequacy" {
			return errors.New("transfer adequacy: a country with an adequacy decision needs no line; for any other name what the transfer rests on: dpf, scc, bcr or derogation")
		}
		return fmt.Errorf("transfer: there is no basis %q: %s", t.Basis, usage)
	}
	if t.Basis != DPF && t.Recipient != "" || t.Basis != SCC && (t.Module != 0 || t.Date != "") || t.Basis != Derogation && t.Case != "" {
		return fmt.Errorf("transfer %s says what belongs to another basis: %s", t.Basis, usage)
	}
	switch t.Basis {
	case DPF:
		if !Plain(t.Recipient) {
			return errors.New("transfer dpf names who has certified, as the list at dataprivacyframework.gov does, and when it was looked at: transfer dpf \"Example, Inc.\" \"on the list on 2026-11-02\"")
		}
	case SCC:
		if err := t.clauses(); err != nil {
			return err
		}
	case Derogation:
		if len(t.Case) != 1 || t.Case < "a" || t.Case > "g" {
			return fmt.Errorf("transfer derogation: %q is no case of Art. 49 (1) GDPR: write its letter, a to g", t.Case)
		}
	}
	if !Plain(t.Reference) {
		return fmt.Errorf("transfer %s needs a reference of up to %d characters: where the contract, the approval or the reason is to be found", t.Basis, maxText)
	}
	return nil
}

func (t *Transfer) clauses() error {
	if t.Module < 1 || t.Module > 4 {
		return fmt.Errorf("transfer scc: there is no module %d: write 1, 2, 3 or 4; 2 is for a processor", t.Module)
	}
	if _, err := time.Parse(time.DateOnly, t.Date); err != nil {
		return fmt.Errorf("transfer scc: %q is no day: write when the clauses were agreed, as in transfer scc 2 2026-03-01 <reference>", t.Date)
	}
	if t.Date < clausesSince {
		return fmt.Errorf("transfer scc: clauses of %s are older than those of Decision (EU) 2021/914, and have been void since 27 December 2022: agree on the new ones", t.Date)
	}
	return nil
}

// Plain reports whether a text is there, of one line, and not too long.
func Plain(s string) bool {
	if strings.TrimSpace(s) == "" || !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxText {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff
	})
}

// serves reports whether the basis can be one for a country.
func (t *Transfer) serves(code string) bool { return t.Basis != DPF || code == "US" }

// String is the transfer as a line of the register says it.
func (t *Transfer) String() string {
	switch t.Basis {
	case DPF:
		return "dpf " + t.Recipient + ": " + t.Reference
	case SCC:
		return fmt.Sprintf("scc module %d of %s: %s", t.Module, t.Date, t.Reference)
	case Derogation:
		return "derogation 49 (1) " + t.Case + ": " + t.Reference
	}
	return string(t.Basis) + ": " + t.Reference
}
