package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/crmgate/crmgate/modules/crmgate"
)

// Where SQLite's file header holds what tells our files from others (its file
// format, section 1.3).
const (
	headerMagic  = "SQLite format 3\x00"
	tablesAt     = 40 // 0 before the first table
	versionAt    = 60
	ownerAt      = 68
	headerLength = 100
)

// ExamineStore implements crmgate.StoreExaminer. It reads the file's header and
// not through SQLite, which would make files beside it that the gateway's user
// may not be able to write.
func (s *Store) ExamineStore(_ context.Context, dir string) (string, error) {
	path := s.file(dir)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return "the first start makes " + path, nil
	}
	if err != nil {
		return "", fmt.Errorf("opening session store %s: %w: let the gateway's user write there, or name another path", path, err)
	}
	defer f.Close()
	header := make([]byte, headerLength)
	switch n, err := io.ReadFull(f, header); {
	case n == 0 && errors.Is(err, io.EOF):
		return "the next start fills " + path, nil
	case err != nil || !strings.HasPrefix(string(header), headerMagic):
		return "", fmt.Errorf("session store %s is no SQLite file: name another path", path)
	}
	at := func(offset int) int { return int(binary.BigEndian.Uint32(header[offset:])) }
	ours := at(ownerAt) == applicationID || at(ownerAt) == 0 && at(tablesAt) == 0
	return path + " can be opened", checkVersion(path, at(versionAt), ours)
}

var _ crmgate.StoreExaminer = (*Store)(nil)
