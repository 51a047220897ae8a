package audit

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// VerifyExport checks an export, offline and without the master key: the
// checkpoint's signature, that the entries give its root, that each tile holds the
// hashes below it, and, where data keys are with it, that every entry opens. Of the
// export of a part it checks that each entry is in the log that the checkpoint was signed
// over, and can't know whether all are there that somebody asked for. vkey
// is the log's public key as Verify reports it; "" takes the one in the export,
// which whoever made the export may have made too. by are those who have to have signed
// checkpoints in it. Damage is ErrTampered, and
// names the first entry or file. Progress is told in entries; it may be nil.
func VerifyExport(ctx context.Context, dir, vkey string, by Attesters, progress func(done, total int64)) (ExportReport, error) {
	x := &exportCheck{dir: dir, by: by, progress: progress, bad: -1}
	err := x.run(ctx, vkey)
	if err != nil {
		err = fmt.Errorf("verifying the export: %w", err)
	}
	return x.report, err
}

type exportCheck struct {
	dir      string
	by       Attesters
	progress func(done, total int64)
	report   ExportReport
	entries  tree // over the entries
	tiles    tree // over the hashes of the lowest tiles
	// bad is the first entry whose hash isn't the one in its tile, or -1.
	bad int64
	// keys and codec open the entries, nil without keys.
	keys  *dataKeys
	codec *codec
	links chain
	// verifier checks what the log's key has signed; gone are keys that were
	// destroyed.
	verifier note.Verifier
	gone     map[uint32]*Destroyed
	// marks are the checkpoints that others have signed, which the entries have to agree
	// with, the smallest first.
	marks []Checkpoint
	// visit, if set, is called for each entry that opens.
	visit func(s *Stored) error
}

func (x *exportCheck) run(ctx context.Context, vkey string) error {
	c, err := x.checkpoint(vkey)
	if err != nil {
		return err
	}
	x.report.Origin, x.report.Size, x.report.Root = c.Origin, c.Size, c.Root.String()
	if err := x.loadTombstones(); err != nil {
		return err
	}
	if err := x.loadAttested(c); err != nil {
		return err
	}
	if err := x.loadKeys(c.Origin); err != nil {
		return err
	}
	defer func() {
		if x.codec != nil {
			x.codec.close()
		}
	}()
	part, err := x.isPart()
	if err != nil {
		return err
	}
	if part {
		return x.part(ctx, c)
	}
	return x.whole(ctx, c)
}

// whole checks the export of a whole log.
func (x *exportCheck) whole(ctx context.Context, c Checkpoint) error {
	check := sameAs(x.dir)
	var wrong error // the first tile that is, judged when the entries are known to be right
	above := &tiles{put: func(name string, content []byte) error {
		if wrong == nil && !strings.HasPrefix(filepath.ToSlash(name), "tile/entries/") {
			wrong = check(name, content)
		}
		return nil
	}}
	for n := uint64(0); n*tileWidth < c.Size; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := x.bundle(n, int(min(tileWidth, c.Size-n*tileWidth)), above); err != nil {
			return err
		}
	}
	if err := above.end(); err != nil {
		return err
	}
	return x.judge(c, wrong)
}

func (x *exportCheck) read(name string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(x.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s is missing", ErrTampered, filepath.ToSlash(name))
	}
	if err != nil {
		return nil, fmt.Errorf("reading the export: %w", err)
	}
	return b, nil
}

func (x *exportCheck) checkpoint(vkey string) (Checkpoint, error) {
	msg, err := os.ReadFile(filepath.Join(x.dir, exportCheckpoint))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrExport, err)
	}
	if vkey == "" {
		own, err := x.read(exportVKey)
		if err != nil {
			return Checkpoint{}, err
		}
		vkey, x.report.OwnKey = string(own), true
	}
	vkey = strings.TrimSpace(vkey)
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: the key: %w", ErrExport, err)
	}
	x.report.Key, x.verifier = vkey, v
	c, err := verifiedCheckpoint(v, msg)
	if err == nil && c.Origin != v.Name() {
		err = fmt.Errorf("%w: it is of %s, the key of %s", ErrCheckpoint, c.Origin, v.Name())
	}
	return c, err
}

// bundle checks up to 256 entries against the lowest tile.
func (x *exportCheck) bundle(n uint64, width int, above *tiles) error {
	name := tilePath("entries", n, width)
	raw, err := x.read(name)
	if err != nil {
		return err
	}
	list, err := bundled(raw)
	if err == nil && len(list) != width {
		err = fmt.Errorf("it holds %d entries, not %d", len(list), width)
	}
	if err != nil {
		return fmt.Errorf("%w: entry %d, %s: %w", ErrTampered, n*tileWidth+uint64(min(len(list), width)), filepath.ToSlash(name), err)
	}
	hashes, err := x.read(tilePath("0", n, width))
	if err != nil {
		return err
	}
	if len(hashes) != width*tlog.HashSize {
		return fmt.Errorf("%w: %s holds %d bytes, not %d", ErrTampered, filepath.ToSlash(tilePath("0", n, width)), len(hashes), width*tlog.HashSize)
	}
	leaves, lowest := make([]tlog.Hash, width), make([]tlog.Hash, width)
	for i, envelope := range list {
		seq := x.entries.size + uint64(i)
		leaves[i], lowest[i] = tlog.RecordHash(envelope), tlog.Hash(hashes[i*tlog.HashSize:])
		if leaves[i] != lowest[i] && x.bad < 0 {
			x.bad = int64(seq)
		}
		if err := above.add(envelope); err != nil {
			return err
		}
		e, err := x.open(seq, envelope)
		if err != nil && x.bad < 0 {
			return fmt.Errorf("%w: entry %d: %w", ErrTampered, seq, err)
		}
		if err := x.show(seq, e, leaves[i]); err != nil {
			return err
		}
	}
	if err := x.agree(leaves); err != nil {
		return err
	}
	x.entries, x.tiles = x.entries.grow(leaves...), x.tiles.grow(lowest...)
	if x.progress != nil {
		x.progress(int64(x.entries.size), int64(x.report.Size))
	}
	return nil
}

// show hands an entry that opens to who reads the export.
func (x *exportCheck) show(seq uint64, e *Entry, leaf tlog.Hash) error {
	if e == nil || x.visit == nil {
		return nil
	}
	return x.visit(&Stored{Seq: seq, Entry: *e, LeafHash: leaf, Node: x.codec.id.node})
}

// judge says what is wrong: the entries where the tiles give the signed root, the
// tiles where the entries do.
func (x *exportCheck) judge(c Checkpoint, above error) error {
	entries, hashes := x.entries.root() == c.Root, x.tiles.root() == c.Root
	switch {
	case x.bad >= 0 && hashes:
		return fmt.Errorf("%w: entry %d isn't the one that the checkpoint was signed over", ErrTampered, x.bad)
	case x.bad >= 0 && entries:
		return fmt.Errorf("%w: the tile over entry %d holds another hash than the signed one", ErrTampered, x.bad)
	case x.bad >= 0:
		return fmt.Errorf("%w: entry %d and its tile differ, and neither gives the signed root", ErrTampered, x.bad)
	case !entries:
		return fmt.Errorf("%w: entries and tiles agree, but the checkpoint was signed over others", ErrTampered)
	}
	return above
}

// loadTombstones takes what the log's key has signed of keys that were destroyed.
func (x *exportCheck) loadTombstones() error {
	names, err := filepath.Glob(filepath.Join(x.dir, exportDataKeys, "*"+goneSuffix))
	if err != nil {
		return err
	}
	x.gone = map[uint32]*Destroyed{}
	for _, name := range names {
		msg, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("reading the export: %w", err)
		}
		d, err := openTombstone(x.verifier, msg)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrTampered, name, err)
		}
		x.gone[d.Key] = d
		x.report.Destroyed = append(x.report.Destroyed, d)
	}
	return nil
}

// loadKeys takes the data keys in the export, if there are any.
func (x *exportCheck) loadKeys(origin string) error {
	names, err := filepath.Glob(filepath.Join(x.dir, exportDataKeys, "*"+keySuffix))
	if err != nil || len(names) == 0 {
		return err
	}
	dictionary, err := x.read(exportDictionary)
	if err != nil {
		return err
	}
	if !bytes.Equal(dictionary, dictionary1) {
		return fmt.Errorf("%w: %s is another dictionary than this program's", ErrTampered, exportDictionary)
	}
	if err := x.loadEpochs(origin); err != nil {
		return err
	}
	x.keys = &dataKeys{byID: map[uint32]*dataKey{}}
	for _, name := range names {
		k, err := readExportedKey(name)
		if err != nil {
			return err
		}
		x.keys.byID[k.id] = k
	}
	x.report.Opened = true
	x.codec, err = newCodec(x.links[0].identity)
	return err
}

// loadEpochs takes the names that the log had before it was restored: its entries
// are bound to them.
func (x *exportCheck) loadEpochs(origin string) error {
	text, err := os.ReadFile(filepath.Join(x.dir, exportEpochs))
	if errors.Is(err, fs.ErrNotExist) {
		text, err = []byte("0 "+origin+"\n"), nil
	}
	if err != nil {
		return fmt.Errorf("reading the export: %w", err)
	}
	if x.links, err = parseChain(text); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrTampered, exportEpochs, err)
	}
	return nil
}

// codecFor takes the codec of an entry.
func (x *exportCheck) codecFor(seq uint64) error {
	id := x.links.at(seq)
	if id == x.codec.id {
		return nil
	}
	c, err := newCodec(id)
	if err != nil {
		return err
	}
	x.codec.close()
	x.codec = c
	return nil
}

func readExportedKey(name string) (*dataKey, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the export: %w", err)
	}
	var id uint32
	var month, secret string
	if _, err := fmt.Sscanf(string(text), "%d %s %s\n", &id, &month, &secret); err != nil {
		return nil, fmt.Errorf("%w: %s has another form: %w", ErrTampered, name, err)
	}
	raw, err := hex.DecodeString(secret)
	if err != nil {
		return nil, fmt.Errorf("%w: %s has another form", ErrTampered, name)
	}
	return newDataKey(id, month, "", raw)
}

// open returns the entry in an envelope; nil where no key is there for it, or its
// key was destroyed.
func (x *exportCheck) open(seq uint64, envelope []byte) (*Entry, error) {
	if x.codec == nil && len(x.gone) == 0 {
		return nil, nil
	}
	id, err := keyID(envelope)
	if err != nil {
		return nil, err
	}
	if d, ok := x.gone[id]; ok {
		d.Entries++
		return nil, nil
	}
	if x.codec == nil {
		return nil, nil
	}
	if x.keys.byID[id] == nil {
		return nil, fmt.Errorf("%w: data key %d is not in the export", ErrKey, id)
	}
	if err := x.codecFor(seq); err != nil {
		return nil, err
	}
	return x.codec.open(envelope, x.keys)
}
