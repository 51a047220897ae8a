package audit

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"
)

// tileWidth is how many hashes a whole C2SP tile holds, and entries a bundle.
const tileWidth = 256

// tilePath names tile n of a level, or the bundle n of "entries"; width is that of
// a tile that isn't full, else tileWidth.
func tilePath(level string, n uint64, width int) string {
	name := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		name = fmt.Sprintf("x%03d/%s", n%1000, name)
	}
	if width < tileWidth {
		name += fmt.Sprintf(".p/%d", width)
	}
	return filepath.FromSlash("tile/" + level + "/" + name)
}

// tiles are the hash tiles and entry bundles of a growing tree. Each is handed to
// put as soon as it is full, the rest by end.
type tiles struct {
	put    func(name string, content []byte) error
	levels []tileRow
	bundle []byte
	count  uint64 // of entries
}

type tileRow struct {
	n      uint64
	hashes []tlog.Hash
}

func (t *tiles) add(envelope []byte) error {
	if len(envelope) > maxLeaf {
		return fmt.Errorf("%w: a leaf of %d bytes", ErrTooLarge, len(envelope))
	}
	t.bundle = binary.BigEndian.AppendUint16(t.bundle, uint16(len(envelope)))
	t.bundle = append(t.bundle, envelope...)
	t.count++
	if t.count%tileWidth == 0 {
		if err := t.put(tilePath("entries", t.count/tileWidth-1, tileWidth), t.bundle); err != nil {
			return err
		}
		t.bundle = t.bundle[:0]
	}
	return t.push(0, tlog.RecordHash(envelope))
}

func (t *tiles) push(level int, h tlog.Hash) error {
	if level == len(t.levels) {
		t.levels = append(t.levels, tileRow{})
	}
	row := &t.levels[level]
	row.hashes = append(row.hashes, h)
	if len(row.hashes) < tileWidth {
		return nil
	}
	if err := t.putRow(level, row); err != nil {
		return err
	}
	up := tree{}.grow(row.hashes...).root()
	row.n, row.hashes = row.n+1, row.hashes[:0]
	return t.push(level+1, up)
}

func (t *tiles) putRow(level int, row *tileRow) error {
	content := make([]byte, 0, len(row.hashes)*tlog.HashSize)
	for _, h := range row.hashes {
		content = append(content, h[:]...)
	}
	return t.put(tilePath(fmt.Sprint(level), row.n, len(row.hashes)), content)
}

// end hands over the tiles that aren't full.
func (t *tiles) end() error {
	if n := int(t.count % tileWidth); n > 0 {
		if err := t.put(tilePath("entries", t.count/tileWidth, n), t.bundle); err != nil {
			return err
		}
	}
	for level := range t.levels {
		if row := &t.levels[level]; len(row.hashes) > 0 {
			if err := t.putRow(level, row); err != nil {
				return err
			}
		}
	}
	return nil
}

// bundled splits a bundle into its entries.
func bundled(b []byte) ([][]byte, error) {
	var all [][]byte
	for len(b) > 0 {
		if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) {
			return all, errors.New("the bundle ends inside an entry")
		}
		n := 2 + int(binary.BigEndian.Uint16(b))
		all, b = append(all, b[2:n]), b[n:]
	}
	return all, nil
}

// putInto makes files below dir.
func putInto(dir string) func(name string, content []byte) error {
	return func(name string, content []byte) error {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return fmt.Errorf("writing the export: %w", err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return fmt.Errorf("writing the export: %w", err)
		}
		return nil
	}
}

// sameAs compares files below dir with what they have to be.
func sameAs(dir string) func(name string, content []byte) error {
	return func(name string, content []byte) error {
		found, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("reading the export: %w", err)
		}
		if !bytes.Equal(found, content) {
			return fmt.Errorf("%w: %s does not hold the hashes of the entries below it", ErrTampered, filepath.ToSlash(name))
		}
		return nil
	}
}
