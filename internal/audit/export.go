package audit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/keys"
)

// The files of an export beside its tiles.
const (
	exportCheckpoint = "checkpoint"
	exportVKey       = "keys/log.vkey"
	exportPEM        = "keys/log.pem"
	exportDictionary = "dictionary/entry1.zdict"
	exportDataKeys   = "keys/data"
	exportEpochs     = "epochs"
	exportAttested   = "checkpoints"
)

// ErrExport says that a directory can't take an export or isn't one.
var ErrExport = errors.New("not the directory of an export")

// Exporting says how a log is exported.
type Exporting struct {
	// Checkpoints is what Options says it is.
	Checkpoints string
	// Keys puts the data keys beside the entries, in clear: who has the export
	// then reads all of it.
	Keys bool
	// Progress is told how many entries are done; it may be nil.
	Progress func(done, total int64)
	// Rows are what Options says they are.
	Rows Rows
}

// ExportReport is what an export holds, or what was found in one.
type ExportReport struct {
	Origin string `json:"origin"`
	Size   uint64 `json:"size"`
	Root   string `json:"root"`
	// Key checks the checkpoint's signature; OwnKey says that it was taken from
	// the export itself, and proves nothing about who signed.
	Key    string `json:"key"`
	OwnKey bool   `json:"own_key,omitempty"`
	// Opened says that the entries were decrypted with the keys in the export.
	Opened bool `json:"opened"`
	// Witnessed and Stamped are what Report says they are.
	Witnessed *Attestation `json:"witnessed,omitempty"`
	Stamped   *Attestation `json:"stamped,omitempty"`
	// Destroyed are the data keys of entries that retention has erased.
	Destroyed []*Destroyed `json:"destroyed,omitempty"`
	// Part says which entries an export of a part holds; Size and Root are those of
	// the whole log all the same. nil where it holds all.
	Part *Excerpt `json:"part,omitempty"`
}

// Export writes the log in dir, up to its last checkpoint, to the new directory
// out as C2SP tlog-tiles, with what it takes to verify it offline and without the
// master key. The log is verified on the way; damage ends it. The checkpoint is
// written last: without one an export isn't whole. That somebody exports is for
// the caller to append before.
func Export(ctx context.Context, dir string, ring *keys.Ring, out string, how Exporting) (ExportReport, error) {
	if err := emptyDir(out); err != nil {
		return ExportReport{}, fmt.Errorf("exporting the log: %w", err)
	}
	return ExportTo(ctx, dir, ring, putInto(out), how)
}

// ExportTo is Export for what isn't a directory: put gets each file, once and
// whole, and what it fails with ends the export.
func ExportTo(
	ctx context.Context, dir string, ring *keys.Ring, put func(name string, content []byte) error, how Exporting,
) (ExportReport, error) {
	e := &exporter{how: how, put: put}
	if err := e.run(ctx, dir, ring); err != nil {
		return e.report, fmt.Errorf("exporting the log: %w", err)
	}
	return e.report, nil
}

type exporter struct {
	how    Exporting
	put    func(name string, content []byte) error
	report ExportReport
	used   map[uint32]bool // data keys
	links  chain
	// attested are the checkpoints that others have signed, too.
	attested []Checkpoint
}

func (e *exporter) run(ctx context.Context, dir string, ring *keys.Ring) error {
	w, key, last, err := e.begin(dir, ring)
	if err != nil {
		return err
	}
	t := &tiles{put: e.put}
	w.visit = func(_ uint32, g *group) error { return e.group(t, g, last.Size) }
	if err := w.whole(ctx); err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if t.count != last.Size {
		return fmt.Errorf("%w: %d entries for a checkpoint over %d", ErrTampered, t.count, last.Size)
	}
	if err := t.end(); err != nil {
		return err
	}
	return e.rest(key, newDataKeys(w.files, ring), last)
}

// begin returns the walk over the log, the key of its checkpoints and the last of them.
func (e *exporter) begin(dir string, ring *keys.Ring) (*walk, *checkpointKey, Checkpoint, error) {
	opts := Options{Checkpoints: e.how.Checkpoints, Rows: e.how.Rows, files: filesOf(dir, e.how.Rows)}
	segments, last, err := e.last(opts.files, opts.shelf(dir, ring))
	if err != nil {
		return nil, nil, Checkpoint{}, err
	}
	key, err := newCheckpointKey(ring, last.Origin)
	if err != nil {
		return nil, nil, Checkpoint{}, err
	}
	e.used = map[uint32]bool{}
	e.report = ExportReport{Origin: last.Origin, Size: last.Size, Root: last.Root.String(), Key: key.vkey}
	w := &walk{files: opts.files, segments: segments, key: newCommitKey(ring), marks: []Checkpoint{last}}
	return w, key, last, nil
}

// last returns the log's segments and its last checkpoint.
func (e *exporter) last(fsys files, kept shelf) ([]uint32, Checkpoint, error) {
	segments, err := listSegments(fsys)
	if err != nil {
		return nil, Checkpoint{}, err
	}
	all, err := kept.load()
	if err != nil {
		return nil, Checkpoint{}, err
	}
	if len(segments) == 0 {
		return nil, Checkpoint{}, errors.New("there is no log here")
	}
	if e.links, err = chainOf(fsys, segments); err != nil {
		return nil, Checkpoint{}, err
	}
	if len(e.links) == 0 {
		return nil, Checkpoint{}, errors.New("the log's first segment is damaged; verify it")
	}
	if all, err = kept.of(e.links[len(e.links)-1].identity, all); err != nil {
		return nil, Checkpoint{}, err
	}
	last := all[len(all)-1]
	for _, c := range all {
		if c.attested() {
			e.attested = append(e.attested, c)
		}
	}
	return segments, last, nil
}

func (e *exporter) group(t *tiles, g *group, size uint64) error {
	for _, f := range g.entries {
		if f.seq >= size {
			return errEnough
		}
		id, err := keyID(f.envelope)
		if err != nil {
			return err
		}
		e.used[id] = true
		if err := t.add(f.envelope); err != nil {
			return err
		}
	}
	if e.how.Progress != nil {
		e.how.Progress(int64(t.count), int64(size))
	}
	return nil
}

// rest writes what is beside the tiles.
func (e *exporter) rest(key *checkpointKey, data *dataKeys, last Checkpoint) error {
	pem, err := key.pem()
	if err != nil {
		return err
	}
	files := []struct {
		name    string
		content []byte
	}{{exportVKey, []byte(key.vkey + "\n")}, {exportPEM, pem}, {exportDictionary, dictionary1}}
	for _, f := range files {
		if err := e.put(f.name, f.content); err != nil {
			return err
		}
	}
	if len(e.links) > 1 {
		if err := e.put(exportEpochs, e.links.text()); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(e.used)) {
		if err := e.dataKey(data, key, id); err != nil {
			return err
		}
	}
	e.report.Opened = e.how.Keys
	if err := e.attestations(); err != nil {
		return err
	}
	return e.put(exportCheckpoint, last.plain())
}

// attestations writes the checkpoints that others have signed, as they are, and beside a
// time stamp its token, as openssl reads it.
func (e *exporter) attestations() (err error) {
	for _, c := range e.attested {
		if err := e.put(exportAttested+"/"+c.Name, c.Note); err != nil {
			return err
		}
		for _, token := range tokens(c) {
			if err := e.put(exportAttested+"/"+strings.TrimSuffix(c.Name, checkpointSuffix)+tokenSuffix, token); err != nil {
				return err
			}
		}
	}
	e.report.Witnessed, e.report.Stamped, err = Attesters{}.judge(e.attested)
	return err
}

// tokenSuffix is that of a time stamp's token, in DER.
const tokenSuffix = ".tst"

// dataKey writes a data key where they were asked for, and in any case that one was
// destroyed.
func (e *exporter) dataKey(data *dataKeys, key *checkpointKey, id uint32) error {
	d, err := data.tombstone(id)
	if err != nil {
		return err
	}
	if d != nil {
		// One that a log has signed before it was restored is signed anew: an
		// export is checked with one key.
		d.Origin = e.report.Origin
		if err := d.sign(key); err != nil {
			return err
		}
		e.report.Destroyed = append(e.report.Destroyed, d)
		return e.put(fmt.Sprintf("%s/%08d%s", exportDataKeys, id, goneSuffix), d.note)
	}
	if !e.how.Keys {
		return nil
	}
	k, err := data.get(id)
	if err != nil {
		return err
	}
	return e.put(fmt.Sprintf("%s/%08d%s", exportDataKeys, id, keySuffix), fmt.Appendf(nil, "%08d %s %x\n", id, k.month, k.secret))
}

func emptyDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the directory of the export: %w", err)
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("making the directory of the export: %w", err)
	}
	if len(names) > 0 {
		return fmt.Errorf("%w: %s isn't empty (it has %s); name a new one", ErrExport, dir, filepath.Base(names[0].Name()))
	}
	return nil
}
