package audit

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/crmgate/crmgate/internal/stamp"
	"github.com/crmgate/crmgate/internal/witness"
)

// The files of a day's last checkpoint that others have signed: witnesses, and a time
// stamping authority. They stand among the log's own, and are read as those are.
const (
	witnessedSuffix = ".witnessed" + checkpointSuffix
	stampedSuffix   = ".stamped" + checkpointSuffix
)

var (
	// ErrForged says that a signature isn't the one of whom it names.
	ErrForged = fmt.Errorf("%w: a signature is forged", ErrTampered)
	// ErrUnattested says that nobody has signed who was asked for.
	ErrUnattested = errors.New("no checkpoint is signed by whom it was asked for")
)

// Attestation is what others have said of a checkpoint.
type Attestation struct {
	// Size is how many entries the checkpoint is over.
	Size uint64 `json:"size"`
	// Time is when it was said: by the last of them, as they say themselves.
	Time time.Time `json:"time"`
	// By are the names in the signatures, the checked ones where keys were given.
	By []string `json:"by"`
	// Checked says that the signatures were checked.
	Checked bool `json:"checked"`
	// File is where it stands.
	File string `json:"file,omitempty"`
}

// Attesters are those whose signatures on checkpoints are checked. The zero value checks
// none.
type Attesters struct {
	// Witnesses are public keys; each has to have countersigned a checkpoint.
	Witnesses []string
	// Authorities issue the certificates of time stamps; where they are set there has
	// to be a stamp.
	Authorities *x509.CertPool
}

// asking is what Options.Elsewhere is.
type asking = func(ctx context.Context, origin string) map[string][]byte

// attested is what was said last; nobody has said anything while it holds nil.
type attested = atomic.Pointer[Attestation]

// plain is the checkpoint with the log's own signature and nobody else's.
func (c Checkpoint) plain() []byte {
	lines := strings.SplitAfter(string(c.Note), "\n")
	return []byte(strings.Join(lines[:min(5, len(lines))], ""))
}

// Text is what everybody signs: the note's three lines.
func (c Checkpoint) Text() string {
	text, _, _ := strings.Cut(string(c.Note), "\n\n")
	return text + "\n"
}

// Signature is the log's own, in base64 as in the note.
func (c Checkpoint) Signature() string {
	fields := strings.Fields(string(c.plain()[len(c.Text()):]))
	return fields[len(fields)-1]
}

// attested reports whether a checkpoint is kept for what others have signed.
func (c Checkpoint) attested() bool { return AttestedFile(c.Name) }

// AttestedFile reports whether a file beside the checkpoints is one that is kept for what
// others have signed.
func AttestedFile(name string) bool {
	return strings.HasSuffix(name, witnessedSuffix) || strings.HasSuffix(name, stampedSuffix)
}

// KeepWitnessed keeps a checkpoint of this log with the lines of those who countersigned
// it, in place of the day's last one. KeepStamped does the same with a time stamp's token.
func (l *Log) KeepWitnessed(c Checkpoint, lines ...[]byte) error {
	c.Note = slices.Concat(append([][]byte{c.plain()}, lines...)...)
	return l.attest(c, witnessedSuffix, &l.witnessed)
}

// KeepStamped keeps a checkpoint of this log with the token of a time stamp, in place of
// the day's last one. by names the authority.
func (l *Log) KeepStamped(c Checkpoint, by string, token []byte) error {
	c.Note = append(c.plain(), stamp.Line(by, token)...)
	return l.attest(c, stampedSuffix, &l.stamped)
}

func (l *Log) attest(c Checkpoint, suffix string, into *attested) error {
	l.attesting.Lock()
	defer l.attesting.Unlock()
	if _, err := l.notary.key.verifiedBy(c.Note); err != nil {
		return err
	}
	if len(c.Note) > maxCheckpoint {
		return fmt.Errorf("keeping a checkpoint with %d bytes of signatures: %w", len(c.Note), ErrTooLarge)
	}
	c.Name = time.Now().UTC().Format(time.DateOnly) + suffix
	if err := l.notary.shelf.keep(c); err != nil {
		return err
	}
	a, err := attestationOf(c)
	if err == nil {
		into.Store(a)
	}
	return err
}

// Witnessed is the last checkpoint that witnesses countersigned, nil where there is none;
// Stamped the last one with a time stamp.
func (l *Log) Witnessed() *Attestation { return l.witnessed.Load() }

// Stamped is the last checkpoint with a time stamp, or nil.
func (l *Log) Stamped() *Attestation { return l.stamped.Load() }

// remember finds what others have said in earlier runs.
func (l *Log) remember(all []Checkpoint) {
	for _, c := range all {
		if c.Origin != l.id.origin() || !c.attested() {
			continue
		}
		if a, err := attestationOf(c); err == nil {
			if strings.HasSuffix(c.Name, stampedSuffix) {
				l.stamped.Store(a)
			} else {
				l.witnessed.Store(a)
			}
		}
	}
}

// attestationOf reads who has signed a checkpoint, without checking it.
func attestationOf(c Checkpoint) (*Attestation, error) {
	a := &Attestation{Size: c.Size, File: c.Name}
	for _, sig := range foreign(c) {
		at, err := witness.Time(sig)
		if token, ok := stamp.Token(sig); ok {
			at, err = stamp.Time(token, []byte(c.Text()))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: the signature of %s: %w", c.Name, sig.Name, err)
		}
		a.By = append(a.By, sig.Name)
		if at.After(a.Time) {
			a.Time = at
		}
	}
	return a, nil
}

// foreign are a checkpoint's signatures behind the log's own.
func foreign(c Checkpoint) []note.Signature {
	_, err := note.Open(c.Note, note.VerifierList())
	unknown, ok := errors.AsType[*note.UnverifiedNoteError](err)
	if !ok {
		return nil
	}
	all := unknown.Note.UnverifiedSigs
	return all[min(1, len(all)):]
}

// tokens are the time stamps in a checkpoint.
func tokens(c Checkpoint) [][]byte {
	var all [][]byte
	for _, sig := range foreign(c) {
		if token, ok := stamp.Token(sig); ok {
			all = append(all, token)
		}
	}
	return all
}

// judge checks what others have signed: each signature of those who are given, in every
// checkpoint, and that each of them has signed one. The checkpoints' own signatures are
// checked, and the smallest comes first.
func (a Attesters) judge(all []Checkpoint) (witnessed, stamped *Attestation, err error) {
	keys, err := a.keys()
	if err != nil {
		return nil, nil, err
	}
	signed := map[string]bool{}
	for _, c := range all {
		if !c.attested() {
			continue
		}
		found, err := attestationOf(c)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", ErrTampered, err)
		}
		if strings.HasSuffix(c.Name, stampedSuffix) {
			if err := a.checkStamp(c, found); err != nil {
				return nil, nil, err
			}
			stamped = found
			continue
		}
		if err := checkWitnesses(c, keys, found, signed); err != nil {
			return nil, nil, err
		}
		if !found.Checked || witnessed == nil || len(found.By) > 0 {
			witnessed = found
		}
	}
	return witnessed, stamped, a.missing(keys, signed, stamped)
}

func (a Attesters) keys() ([]note.Verifier, error) {
	var keys []note.Verifier
	for _, vkey := range a.Witnesses {
		v, err := witness.ParseKey(vkey)
		if err != nil {
			return nil, err
		}
		keys = append(keys, v)
	}
	return keys, nil
}

// checkWitnesses checks the cosignatures of those whose keys are given.
func checkWitnesses(c Checkpoint, keys []note.Verifier, found *Attestation, signed map[string]bool) error {
	if len(keys) == 0 {
		return nil
	}
	found.Checked, found.By = true, nil
	n, err := note.Open(c.Note, note.VerifierList(keys...))
	if wrong, ok := errors.AsType[*note.InvalidSignatureError](err); ok {
		return fmt.Errorf("%w: that of the witness %s in %s", ErrForged, wrong.Name, c.Name)
	}
	if _, ok := errors.AsType[*note.UnverifiedNoteError](err); ok {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrTampered, c.Name, err)
	}
	for _, sig := range n.Sigs {
		found.By = append(found.By, sig.Name)
		signed[sig.Name] = true
	}
	return nil
}

// checkStamp checks a time stamp over the checkpoint's text.
func (a Attesters) checkStamp(c Checkpoint, found *Attestation) error {
	if a.Authorities == nil {
		return nil
	}
	for _, token := range tokens(c) {
		at, err := stamp.Verify(token, []byte(c.Text()), a.Authorities)
		if err != nil {
			return fmt.Errorf("%w: the time stamp in %s: %w", ErrForged, c.Name, err)
		}
		found.Checked, found.Time = true, at
	}
	return nil
}

func (a Attesters) missing(keys []note.Verifier, signed map[string]bool, stamped *Attestation) error {
	for _, k := range keys {
		if !signed[k.Name()] {
			return fmt.Errorf("%w: the witness %s", ErrUnattested, k.Name())
		}
	}
	if a.Authorities != nil && (stamped == nil || !stamped.Checked) {
		return fmt.Errorf("%w: a time stamping authority", ErrUnattested)
	}
	return nil
}

// maxBehind is how many entries before the last checkpoint the start looks back for one that
// others hold: how far behind they are must not decide how long a start takes.
const maxBehind = 1 << 18

// elsewhere are checkpoints of the log that others hold, over more entries than the last one
// here or not many fewer. What isn't signed with the log's own key is passed over:
// nobody else can keep a log from starting.
func (s shelf) elsewhere(ctx context.Context, ask asking, last Checkpoint) []Checkpoint {
	if ask == nil {
		return nil
	}
	var found []Checkpoint
	for where, msg := range ask(ctx, last.Origin) {
		c, err := openCheckpoint(s.ring, msg)
		if err != nil || c.Origin != last.Origin || c.Size+maxBehind < last.Size || c.Size == 0 {
			continue
		}
		c.Name, c.held = "the checkpoint", where
		found = append(found, c)
	}
	slices.SortStableFunc(found, bySize)
	return found
}
