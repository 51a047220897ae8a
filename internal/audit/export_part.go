package audit

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/crmgate/crmgate/internal/keys"
)

const (
	// exportProofs holds a line for each entry of a part; an export of the whole log
	// has none.
	exportProofs = "entries.proofs"
	// growthSuffix is that of the proof that the log only grew since a checkpoint that
	// others have signed.
	growthSuffix = ".growth"

	// A part is made in memory: its proofs are known when the log has been read.
	maxPart      = 100_000
	maxPartBytes = 128 << 20 // of envelopes
)

// ErrPart says that a part of the log can't be exported as one.
var ErrPart = errors.New("not a part that can be exported with proofs")

// Excerpt are the entries of an export that doesn't hold all of them.
type Excerpt struct {
	Entries uint64 `json:"entries"`
	First   uint64 `json:"first"`
	Last    uint64 `json:"last"`
	// Later counts those that were asked for and came after the checkpoint. They
	// aren't in the export.
	Later int `json:"later,omitempty"`
}

// proven is an entry with the RFC 6962 proof that it is in a log.
type proven struct {
	seq      uint64
	envelope []byte
	proof    tlog.RecordProof
}

// ExportPart writes the entries with these numbers to the new directory out, as they are
// in the log, each with the proof that it is in the tree that the last checkpoint was
// signed over. What is beside them is as Export says. It proves nothing of entries that
// aren't in it.
func ExportPart(ctx context.Context, dir string, ring *keys.Ring, out string, seqs []uint64, how Exporting) (ExportReport, error) {
	e := &exporter{how: how, put: putInto(out)}
	err := e.part(ctx, dir, ring, seqs, func() error { return emptyDir(out) })
	if err != nil {
		err = fmt.Errorf("exporting a part of the log: %w", err)
	}
	return e.report, err
}

func (e *exporter) part(ctx context.Context, dir string, ring *keys.Ring, seqs []uint64, ready func() error) error {
	w, key, last, err := e.begin(dir, ring)
	if err != nil {
		return err
	}
	seqs, err = e.choose(seqs, last.Size)
	if err != nil {
		return err
	}
	if err := ready(); err != nil {
		return err
	}
	g := &gatherer{wanted: wish{}, upto: last.Size}
	g.begin(tree{})
	list := make([]proven, len(seqs))
	for i, seq := range seqs {
		list[i].seq = seq
	}
	if err := e.proofs(list, g.wanted, last.Size); err != nil {
		return err
	}
	if _, err := e.growth(g.wanted, last.Size); err != nil {
		return err
	}
	if err := e.gather(ctx, w, g, list); err != nil {
		return err
	}
	if err := e.proofs(list, g, last.Size); err != nil {
		return err
	}
	var text []byte
	for _, p := range list {
		text = p.append(text)
	}
	if err := e.put(exportProofs, text); err != nil {
		return err
	}
	files, err := e.growth(g, last.Size)
	if err != nil {
		return err
	}
	for i, c := range e.attested {
		if err := e.put(growthName(exportAttested+"/"+c.Name), files[i]); err != nil {
			return err
		}
	}
	return e.rest(key, newDataKeys(w.files, ring), last)
}

// choose puts the numbers in order and leaves those out that no checkpoint is over.
func (e *exporter) choose(seqs []uint64, size uint64) ([]uint64, error) {
	seqs = slices.Compact(slices.Sorted(slices.Values(seqs)))
	within, _ := slices.BinarySearch(seqs, size)
	later := len(seqs) - within
	if seqs = seqs[:within]; within == 0 {
		return nil, fmt.Errorf("%w: %d entries were asked for, and none of them is under the last checkpoint; a running gateway signs one every second",
			ErrPart, later)
	}
	if within > maxPart {
		return nil, fmt.Errorf("%w: it has %d entries, and may have %d; take a shorter time, or export the whole log", ErrPart, within, maxPart)
	}
	e.report.Part = &Excerpt{Entries: uint64(within), First: seqs[0], Last: seqs[within-1], Later: later}
	return seqs, nil
}

// gather reads the log for the entries and for the hashes that their proofs take.
func (e *exporter) gather(ctx context.Context, w *walk, g *gatherer, list []proven) error {
	bytes := 0
	w.visit = func(_ uint32, read *group) error {
		for _, f := range read.entries {
			if f.seq >= g.upto {
				return errEnough
			}
			g.add(tlog.RecordHash(f.envelope))
			if len(list) == 0 || list[0].seq != f.seq {
				continue
			}
			if err := e.take(&list[0], f.envelope, &bytes); err != nil {
				return err
			}
			list = list[1:]
		}
		if e.how.Progress != nil {
			e.how.Progress(int64(g.tree.size), int64(g.upto))
		}
		return nil
	}
	if err := w.whole(ctx); err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if g.tree.size != g.upto || len(list) > 0 {
		return fmt.Errorf("%w: %d entries for a checkpoint over %d", ErrTampered, g.tree.size, g.upto)
	}
	return nil
}

// take keeps the envelope of an entry, and which data key it takes.
func (e *exporter) take(p *proven, envelope []byte, bytes *int) error {
	id, err := keyID(envelope)
	if err != nil {
		return err
	}
	e.used[id], p.envelope = true, slices.Clone(envelope)
	if *bytes += len(envelope); *bytes > maxPartBytes {
		return fmt.Errorf("%w: its entries take more than %d MiB; take a shorter time, or export the whole log", ErrPart, maxPartBytes>>20)
	}
	return nil
}

// proofs makes the proof of each entry.
func (e *exporter) proofs(list []proven, from tlog.HashReader, size uint64) (err error) {
	for i := range list {
		if list[i].proof, err = tlog.ProveRecord(int64(size), int64(list[i].seq), from); err != nil {
			return fmt.Errorf("proving entry %d: %w", list[i].seq, err)
		}
	}
	return nil
}

// growth makes, for each checkpoint that others have signed, the proof that the log only
// grew since.
func (e *exporter) growth(from tlog.HashReader, size uint64) (files [][]byte, err error) {
	for _, c := range e.attested {
		proof, err := tlog.ProveTree(int64(size), int64(c.Size), from)
		if err != nil {
			return nil, fmt.Errorf("proving that the log grew since %s: %w", c.Name, err)
		}
		var text []byte
		for _, h := range proof {
			text = append(base64.StdEncoding.AppendEncode(text, h[:]), '\n')
		}
		files = append(files, text)
	}
	return files, nil
}

func growthName(checkpoint string) string {
	return strings.TrimSuffix(checkpoint, checkpointSuffix) + growthSuffix
}

// append adds the entry's line: number, envelope, and the hashes of the proof, from the
// leaf to the root.
func (p *proven) append(text []byte) []byte {
	text = append(strconv.AppendUint(text, p.seq, 10), ' ')
	text = base64.StdEncoding.AppendEncode(text, p.envelope)
	for _, h := range p.proof {
		text = base64.StdEncoding.AppendEncode(append(text, ' '), h[:])
	}
	return append(text, '\n')
}
