// Package mask applies a plan to a located document: every value that the plan
// doesn't show clear is replaced by a placeholder of its own type, in place, and
// what was disclosed is written down. It knows no policy and no CRM.
package mask

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/mask/detect"
)

// Config is what a Masker needs.
type Config struct {
	// PseudonymKey keys the names that stand for values under the treatment
	// `pseudonym`. All nodes that serve one session share it.
	PseudonymKey [32]byte
	// Picture is what stands in a masked picture's place; without one the
	// picture is empty, which browsers show as a fault.
	Picture []byte
}

// Masker masks documents. It is immutable and safe for concurrent use.
type Masker struct {
	key     [32]byte
	picture string // in base64
	// detector finds what a free text holds.
	detector *detect.Detector
}

// New returns a Masker.
func New(c Config) *Masker {
	return &Masker{
		key: c.PseudonymKey, picture: base64.StdEncoding.EncodeToString(c.Picture),
		detector: detect.New(detect.Options{}),
	}
}

// Options are what one document's masking needs beyond the plan.
type Options struct {
	// Scope is what pseudonyms are bound to: one session. Equal values of one
	// category have equal pseudonyms within a scope, and unrelated ones beyond.
	Scope string
	// Echo are the values that the client sent in this request.
	Echo Echo
	// SecondPass masks the masked values wherever else they occur in the
	// document.
	SecondPass bool
	// Seen, where it isn't nil, joins the second pass: values that were masked
	// in earlier units of the same response are searched here, and this unit's
	// are added.
	Seen *Seen
}

// Result is a masked document.
type Result struct {
	// Edits are sorted and don't overlap.
	Edits      []doc.Edit
	Disclosure access.Disclosure
	// Masked counts the values and keys that were replaced or taken out, those
	// of the second pass included, withheld texts not.
	Masked int
	// Changed says that there are edits.
	Changed bool
	// Sweep finds the masked values in what isn't part of the document: header
	// values, file names. It is nil without Options.SecondPass.
	Sweep *Sweep
	// Revealed are the fields, by index in what was located, of which a value is
	// shown that the plan masks.
	Revealed []int

	src []byte
}

// Body appends the masked document to dst.
func (r *Result) Body(dst []byte) ([]byte, error) {
	return doc.Splice(dst, r.src, r.Edits)
}

// ErrUnlocated says that there is no plan, or nothing that says what the
// document holds, or something that doesn't fit the document. Nothing of the
// document may be released then.
var ErrUnlocated = errors.New("the document and what was located in it don't fit")

// Apply masks the document under the plan. The tree isn't changed.
func (m *Masker) Apply(t *doc.Tree, found *access.Found, plan *access.Plan, opts Options) (Result, error) {
	if err := fits(t, found, plan); err != nil {
		return Result{}, err
	}
	p := newPass(m, t, found, plan, &opts)
	defer p.release()
	p.decide()
	p.withhold()
	p.walk()
	p.dropMembers()
	p.maskKeys()
	var sweeps []*Sweep
	if opts.SecondPass {
		sweeps = p.sweep()
	}
	p.endParts(sweeps)
	res := Result{
		Edits: p.edits, Masked: p.masked, Changed: len(p.edits) > 0, Sweep: p.swept, Revealed: p.shownAlone, src: t.Src,
		Disclosure: p.disclosure(),
	}
	if err := ordered(res.Edits); err != nil {
		return Result{}, fmt.Errorf("masking %s: %w", t.Format.Name(), err)
	}
	return res, nil
}

func fits(t *doc.Tree, found *access.Found, plan *access.Plan) error {
	if t == nil || len(t.Nodes) == 0 || found == nil || plan == nil {
		return ErrUnlocated
	}
	for i := range found.Fields {
		f := &found.Fields[i]
		if f.Node < 0 || f.Node >= len(t.Nodes) || f.Record < -1 || f.Record >= len(found.Records) {
			return fmt.Errorf("%w: field %d points outside", ErrUnlocated, i)
		}
	}
	for i := range found.Withheld {
		if n := found.Withheld[i].Node; n < 0 || n >= len(t.Nodes) {
			return fmt.Errorf("%w: withheld node %d points outside", ErrUnlocated, i)
		}
	}
	return nil
}
