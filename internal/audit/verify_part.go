package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"
)

// maxProof is more hashes than a proof in a tree of 2^63 leaves takes.
const maxProof = 128

// maxProofLine is longer than any line of exportProofs.
const maxProofLine = 2*maxLeaf + maxProof*48

// errProof says that a proof isn't written as a part's are.
var errProof = errors.New("it has another form")

// isPart reports whether the export is of a part.
func (x *exportCheck) isPart() (bool, error) {
	_, err := os.Stat(filepath.Join(x.dir, exportProofs))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the export: %w", err)
	}
	// What isn't checked has no place beside what is.
	if _, err := os.Stat(filepath.Join(x.dir, "tile")); !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("%w: it holds %s of a part and the tiles of a whole log", ErrTampered, exportProofs)
	}
	return true, nil
}

// part checks the export of a part: each entry by its proof.
func (x *exportCheck) part(ctx context.Context, c Checkpoint) error {
	if err := x.grown(c); err != nil {
		return err
	}
	f, err := os.Open(filepath.Join(x.dir, exportProofs))
	if err != nil {
		return fmt.Errorf("reading the export: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("reading the export: %w", err)
	}
	x.report.Part = &Excerpt{}
	r := bufio.NewReaderSize(f, maxProofLine)
	for read := int64(0); ; {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			break
		}
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
			return fmt.Errorf("reading the export: %w", err)
		}
		if err := errors.Join(ctx.Err(), x.proven(c, line)); err != nil {
			return err
		}
		if read += int64(len(line)); x.progress != nil {
			x.progress(read, info.Size())
		}
	}
	if x.report.Part.Entries == 0 {
		return fmt.Errorf("%w: %s is empty", ErrTampered, exportProofs)
	}
	return nil
}

// proven checks a line.
func (x *exportCheck) proven(c Checkpoint, line []byte) error {
	part := x.report.Part
	p, err := parseProven(line)
	if err != nil {
		return fmt.Errorf("%w: %s, line %d: %w", ErrTampered, exportProofs, part.Entries+1, err)
	}
	if part.Entries > 0 && p.seq <= part.Last {
		return fmt.Errorf("%w: %s: entry %d stands behind entry %d", ErrTampered, exportProofs, p.seq, part.Last)
	}
	leaf := tlog.RecordHash(p.envelope)
	if p.seq >= c.Size || tlog.CheckRecord(p.proof, int64(c.Size), c.Root, int64(p.seq), leaf) != nil {
		return fmt.Errorf("%w: entry %d isn't proved: its number, bytes or proof aren't those that the checkpoint was signed over", ErrTampered, p.seq)
	}
	e, err := x.open(p.seq, p.envelope)
	if err != nil {
		return fmt.Errorf("%w: entry %d: %w", ErrTampered, p.seq, err)
	}
	if part.Entries == 0 {
		part.First = p.seq
	}
	part.Entries, part.Last = part.Entries+1, p.seq
	return x.show(p.seq, e, leaf)
}

// grown checks that the log only grew since the checkpoints that others have signed.
func (x *exportCheck) grown(c Checkpoint) error {
	for _, m := range x.marks {
		name := growthName(m.Name)
		text, err := x.read(name)
		if err != nil {
			return err
		}
		proof, err := parseGrowth(text)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrTampered, name, err)
		}
		if m.Size == 0 || tlog.CheckTree(proof, int64(c.Size), c.Root, int64(m.Size), m.Root) != nil {
			return fmt.Errorf("%w: %s doesn't prove that the log only grew since %s", ErrTampered, name, m.Name)
		}
	}
	return nil
}

// parseProven reads a line of exportProofs, which is written in one way only.
func parseProven(line []byte) (p proven, err error) {
	words := bytes.Split(bytes.TrimSuffix(line, []byte("\n")), []byte(" "))
	if len(words) < 2 || len(words)-2 > maxProof {
		return p, errProof
	}
	if p.seq, err = strconv.ParseUint(string(words[0]), 10, 63); err != nil {
		return p, errProof
	}
	if p.envelope, err = base64.StdEncoding.AppendDecode(nil, words[1]); err != nil || len(p.envelope) == 0 || len(p.envelope) > maxLeaf {
		return p, errProof
	}
	for _, word := range words[2:] {
		h, err := tlog.ParseHash(string(word))
		if err != nil {
			return p, errProof
		}
		p.proof = append(p.proof, h)
	}
	if !bytes.Equal(p.append(nil), line) {
		return p, errProof
	}
	return p, nil
}

// parseGrowth reads a proof that a log only grew: a hash a line.
func parseGrowth(text []byte) (proof tlog.TreeProof, err error) {
	for line := range bytes.Lines(text) {
		h, err := tlog.ParseHash(string(bytes.TrimSuffix(line, []byte("\n"))))
		if err != nil || len(proof) == maxProof || h.String()+"\n" != string(line) {
			return nil, errProof
		}
		proof = append(proof, h)
	}
	return proof, nil
}
