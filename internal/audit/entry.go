package audit

import (
	"errors"
	"fmt"
	"time"

	"github.com/crmgate/crmgate/internal/access"
)

// Kind says which of the three kinds an entry is.
type Kind string

// The kinds. An intent is written before a request is forwarded, a disclosure
// before its answer is released; a control entry tells of the gateway itself.
const (
	Intent     Kind = "intent"
	Disclosure Kind = "disclosure"
	Control    Kind = "control"
)

// Event is what a control entry tells of.
type Event string

// The closed list of events.
const (
	Start        Event = "start"
	UncleanStart Event = "unclean_start"
	Stop         Event = "stop"
	PolicyChange Event = "policy_change"
	KeyChange    Event = "key_change"
	ClockStep    Event = "clock_step"
	Searched     Event = "search"
	Exported     Event = "export"
	RetentionRun Event = "retention_run"
	SignIn       Event = "sign_in"
	Refused      Event = "refused"
	StepUp       Event = "step_up"
	SignOut      Event = "sign_out"
	Revoked      Event = "revoked"
	Revealed     Event = "reveal"
	Consent      Event = "consent"
	// RefreshFailed is a session whose tokens the provider didn't renew: Error
	// says why, and Detail whether it goes on.
	RefreshFailed Event = "refresh_failed"
	// Enrolled, FactorRemoved, FactorReset and Invited tell of the gateway's own
	// second factor: an employee who enrols or removes one, an administrator who
	// takes it away or lets somebody enrol. Detail says which.
	Enrolled      Event = "enrolled"
	FactorRemoved Event = "factor_removed"
	FactorReset   Event = "factor_reset"
	Invited       Event = "factor_invited"
	// Adopted is a log whose checkpoints were lost, and that was taken as it was.
	Adopted Event = "adopted"
	// NodeCheckpoint is a checkpoint of another node's log, in the root log. Detail
	// is the signed note.
	NodeCheckpoint Event = "node_checkpoint"
	// HoldSet and HoldReleased tell of a legal hold: months that aren't destroyed.
	HoldSet      Event = "hold"
	HoldReleased Event = "hold_released"
	// HoldsConfirmed is somebody who answers for the holds after a restoration.
	HoldsConfirmed Event = "holds_confirmed"
	// BackedUp is a backup that begins; Restored the first entry of a log that was
	// restored from one.
	BackedUp Event = "backup"
	Restored Event = "restored"
	// Registered is a version of the register of processing that is in force: what
	// the configuration says, in Lines.
	Registered Event = "register"
	// SinkChange is a sink that was added or removed, or for which entries were
	// destroyed before it had taken them.
	SinkChange Event = "sink"
	// RulesKnown is an employee who acknowledged the company's rules. Detail is the
	// version, and the language in which it was read.
	RulesKnown Event = "rules_known"
	// Overdue are records of the CRM that were found to be kept for too long, or are so no
	// longer; Erasure is what was said and done about deleting one.
	Overdue Event = "overdue"
	Erasure Event = "erasure"
	// ConsentAsked, ConsentMailed, ConsentGiven, ConsentRefused, ConsentWithdrawn and
	// ConsentExpired are steps of a person's consent, not an employee's. Detail names
	// the proof and holds the hash of its step.
	ConsentAsked     Event = "consent_asked"
	ConsentMailed    Event = "consent_mailed"
	ConsentGiven     Event = "consent_given"
	ConsentRefused   Event = "consent_refused"
	ConsentWithdrawn Event = "consent_withdrawn"
	ConsentExpired   Event = "consent_expired"
)

// Valid reports whether e is in the closed list.
func (e Event) Valid() bool {
	switch e {
	case Start, UncleanStart, Stop, PolicyChange, KeyChange, ClockStep, Searched, Exported,
		RetentionRun, SignIn, Refused, StepUp, SignOut, Revoked, Revealed, Consent, RefreshFailed,
		Enrolled, FactorRemoved, FactorReset, Invited, Adopted, HoldSet, HoldReleased, HoldsConfirmed,
		BackedUp, Restored, NodeCheckpoint, Registered, SinkChange,
		RulesKnown,
		Overdue, Erasure,
		ConsentAsked, ConsentMailed, ConsentGiven, ConsentRefused, ConsentWithdrawn, ConsentExpired:
		return true
	}
	return e.alarms()
}

// Entry is one line of the log. It holds names of fields and categories, never
// values; what identifies a person is keyed or a pseudonym, but for the names of
// a sign_in. Its JSON is what an auditor reads, and what is sealed.
type Entry struct {
	// Time is when the entry was made, UTC. Append sets it when it is zero.
	Time time.Time `json:"time"`
	Kind Kind      `json:"kind"`
	// Event is set for control entries, and for them only.
	Event Event `json:"event,omitempty"`
	// Request is the id (UUIDv7) that a request's entries share.
	Request string `json:"request,omitempty"`
	// Intent is the seq of the intent that a disclosure belongs to.
	Intent uint64 `json:"intent,omitempty"`

	// Employee is the pseudonym that Log.Employee gives.
	Employee string `json:"employee,omitempty"`
	// Names are the employee's names. Only a sign_in may hold them: it is where
	// an auditor resolves a pseudonym.
	Names *Names   `json:"names,omitempty"`
	Roles []string `json:"roles,omitempty"`
	// Session is a keyed hash of the session's id.
	Session string `json:"session,omitempty"`
	// Factor is what proved the second factor: amr, acr, auth_time. Of an API
	// client it is `machine` and its name: nothing proved one.
	Factor string `json:"factor,omitempty"`

	// CRMUser is a keyed hash (Log.Keyed) of the CRM's own user, where the CRM's
	// session tells it.
	CRMUser string `json:"crm_user,omitempty"`

	// Gate is the site, Profile the profile's name.
	Gate     string `json:"gate,omitempty"`
	Profile  string `json:"profile,omitempty"`
	SourceIP string `json:"ip,omitempty"`
	Method   string `json:"method,omitempty"`

	Accesses []access.Access `json:"accesses,omitempty"`
	Decision *Decision       `json:"decision,omitempty"`

	// Status is the HTTP status that was answered.
	Status     int                `json:"status,omitempty"`
	Disclosure *access.Disclosure `json:"disclosure,omitempty"`
	// Keyed are hashes of identifying values (Log.Keyed). Append adds those of
	// Disclosure.Identifying.
	Keyed []string `json:"keyed,omitempty"`
	// BodySHA256 is the released body's hash in hexadecimal, Bytes its length.
	BodySHA256 string `json:"body_sha256,omitempty"`
	Bytes      int64  `json:"bytes,omitempty"`
	// Error is a closed word for what went wrong.
	Error string `json:"error,omitempty"`
	// Part numbers the disclosures of one streamed response from 1; Parts is
	// their number and is known (set) only in the last. Both are 0 for a
	// response that was held.
	Part  int `json:"part,omitempty"`
	Parts int `json:"parts,omitempty"`
	// Piece and Pieces are set by Append where an entry was too large for one
	// leaf. The pieces of an entry follow each other in one group.
	Piece      int   `json:"piece,omitempty"`
	Pieces     int   `json:"pieces,omitempty"`
	DurationMS int64 `json:"duration_ms,omitempty"`

	// Observed is set where the site only observes: nothing was masked or refused.
	Observed *Observed `json:"observed,omitempty"`

	// Detail is what a control entry has to say: a policy version, a search; and
	// what a save entered that is flagged or forbidden, by field and kind.
	Detail string `json:"detail,omitempty"`
	// Unfinished names the intents that have no disclosure at a stop or an
	// unclean start, Unnamed counts further ones, and Dropped the bytes of the
	// torn tail.
	Unfinished []Unfinished `json:"unfinished,omitempty"`
	Unnamed    int          `json:"unnamed,omitempty"`
	Dropped    int64        `json:"dropped,omitempty"`
	// Lines are those of a register, each of a site, a field, what it is about and its
	// value, with tabs between them.
	Lines []string `json:"lines,omitempty"`
	// Changes are what a disclosure tells of a request that writes: what became of it, and
	// of which fields. Append hashes what is in them.
	Changes []access.Change `json:"changes,omitempty"`
	// changeKey makes the hashes in Changes, in entries that were read.
	changeKey [32]byte
	// Keeping is what a retention_run destroys next, or what is held.
	Keeping *Keeping `json:"keeping,omitempty"`
	// Alarm is what an alarm, or an alarm_seen, is about.
	Alarm *Alarm `json:"alarm,omitempty"`
}

// Names are an employee's names at the identity provider.
type Names struct {
	User  string `json:"user,omitempty"`
	Email string `json:"email,omitempty"`
	Name  string `json:"name,omitempty"`
}

// Decision is what the policy said.
type Decision struct {
	Refused bool `json:"refused,omitempty"`
	// Reason is the closed word of a refusal, Line the policy line that decided,
	// Policy the version of the policy.
	Reason string `json:"reason,omitempty"`
	Line   string `json:"line,omitempty"`
	Policy string `json:"policy,omitempty"`
	// Observe says that the refusal was recorded, not enforced.
	Observe bool `json:"observe,omitempty"`
}

// Observed is what a site that only observes would have done. A request that it
// would have refused says so in its intent's Decision.
type Observed struct {
	// Until is the last day of it.
	Until string `json:"until"`
	// Masked counts, by category, the records of the answer of which it would
	// not have been shown in clear; Withheld counts texts.
	Masked   map[access.Category]int `json:"masked,omitempty"`
	Withheld int                     `json:"withheld,omitempty"`
	// Refused is the closed word for why the answer would have been withheld.
	Refused string `json:"refused,omitempty"`
}

// Unfinished is an intent without a disclosure.
type Unfinished struct {
	Seq     uint64 `json:"seq"`
	Request string `json:"request"`
}

// ErrEntry says that an entry breaks the rules of its kind. Nothing was written.
var ErrEntry = errors.New("entry is not valid")

func (e *Entry) validate() error {
	switch e.Kind {
	case Intent, Disclosure:
		if !validRequest(e.Request) {
			return fmt.Errorf("%w: a %s needs a request id of 1 to %d letters, digits, dots and hyphens", ErrEntry, e.Kind, maxRequest)
		}
		if e.Event != "" {
			return fmt.Errorf("%w: a %s with an event", ErrEntry, e.Kind)
		}
	case Control:
		if !e.Event.Valid() {
			return fmt.Errorf("%w: unknown event %q", ErrEntry, e.Event)
		}
	default:
		return fmt.Errorf("%w: unknown kind %q", ErrEntry, e.Kind)
	}
	if e.Names != nil && e.Event != SignIn {
		return fmt.Errorf("%w: names outside a sign_in", ErrEntry)
	}
	if e.Lines != nil && e.Event != Registered {
		return fmt.Errorf("%w: lines outside a register", ErrEntry)
	}
	if e.Kind != Disclosure && e.Changes != nil {
		return fmt.Errorf("%w: changes outside a disclosure", ErrEntry)
	}
	if e.Kind != Disclosure && (e.Disclosure != nil || e.Intent != 0) {
		return fmt.Errorf("%w: a %s with a disclosure", ErrEntry, e.Kind)
	}
	if e.Piece != 0 || e.Pieces != 0 {
		return fmt.Errorf("%w: pieces are numbered by the log", ErrEntry)
	}
	return e.validateAlarm()
}

// opens reports whether a disclosure has to follow: an intent that was refused
// stands for itself.
func (e *Entry) opens() bool {
	refused := e.Decision != nil && e.Decision.Refused && !e.Decision.Observe
	return e.Kind == Intent && !refused && e.Piece <= 1
}

// closes reports whether the intent that the entry names is answered with it.
func (e *Entry) closes() bool {
	return e.Kind == Disclosure && e.Part == e.Parts && e.Piece == e.Pieces
}

const maxRequest = 64

func validRequest(id string) bool {
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '.' {
			return false
		}
	}
	return id != "" && len(id) <= maxRequest
}
