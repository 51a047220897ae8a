package audit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/crmgate/crmgate/internal/keys"
)

// ErrIndex says that the index isn't one of this log. It is derived: make it anew.
var ErrIndex = errors.New("the index is not that of this log; run: crmgate audit reindex")

// Index finds the entries of a log without reading all of it. It is derived from
// the log, never ahead of it, and may be deleted at any time.
//
//	<dir>/lock         held by the process that writes, for a moment
//	<dir>/position     how far it has come
//	<dir>/NNNNNNNN.db  SQLite, one for each data key of the log, which is one a month
//
// What is searched for stands in it as 64 bits of an HMAC under a key that derives
// from the month's data key: with that destroyed, the file tells nothing. Finds are
// opened and compared, so two values with one hash aren't mixed up. The driver
// "sqlite" of database/sql has to be registered. It is safe for concurrent use.
type Index struct {
	dir   string
	files files // of the index
	log   files
	keys  *dataKeys

	mu     sync.Mutex // held while the index grows
	dbs    sync.Mutex // guards months
	months map[uint32]*sql.DB
	// forgotten are destroyed keys of which nothing is left, as Refresh has seen.
	forgotten map[uint32]bool
}

// OpenIndex makes an index in dir of the log in logDir. It reads nothing yet:
// Update does.
func OpenIndex(dir, logDir string, ring *keys.Ring) *Index {
	return openIndex(dir, osFiles{logDir}, ring)
}

// OpenRowsIndex does the same of a log in a database.
func OpenRowsIndex(dir string, rows Rows, ring *keys.Ring) *Index {
	return openIndex(dir, newRowFiles(rows), ring)
}

func openIndex(dir string, log files, ring *keys.Ring) *Index {
	return &Index{dir: dir, files: osFiles{dir}, log: log, keys: newDataKeys(log, ring), months: map[uint32]*sql.DB{}, forgotten: map[uint32]bool{}}
}

// Close lets go of the files.
func (ix *Index) Close() error {
	ix.dbs.Lock()
	defer ix.dbs.Unlock()
	var err error
	for id, db := range ix.months {
		err = errors.Join(err, db.Close())
		delete(ix.months, id)
	}
	return err
}

const indexSchema = `
CREATE TABLE IF NOT EXISTS e (seq INTEGER PRIMARY KEY, ts INTEGER NOT NULL, kind INTEGER NOT NULL, seg INTEGER NOT NULL, off INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS p (key INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (key, seq)) WITHOUT ROWID;`

func monthName(id uint32) string { return fmt.Sprintf("%08d.db", id) }

// month opens the file of a data key. A commit is synced: the position that is
// written behind it says that it is there.
func (ix *Index) month(ctx context.Context, id uint32) (*sql.DB, error) {
	ix.dbs.Lock()
	defer ix.dbs.Unlock()
	if db := ix.months[id]; db != nil {
		return db, nil
	}
	// Before SQLite makes it readable to others; its other files take its mode.
	if f, err := ix.files.create(monthName(id)); err == nil {
		err = f.Close()
		if err != nil {
			return nil, fmt.Errorf("opening the index: %w", err)
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("opening the index: %w", err)
	}
	path, err := filepath.Abs(filepath.Join(ix.dir, monthName(id)))
	if err != nil {
		return nil, fmt.Errorf("opening the index: %w", err)
	}
	query := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(wal)", "synchronous(full)", "cache_size(-16000)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("opening the index: %w", err)
	}
	db.SetMaxOpenConns(2)
	if _, err := db.ExecContext(ctx, indexSchema); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s: %w", ErrIndex, monthName(id), err), db.Close())
	}
	ix.months[id] = db
	return db, nil
}

// indexPosition is how far the index has come, in a file of its own.
type indexPosition struct {
	Node    string      `json:"node"`
	Epoch   string      `json:"epoch"`
	Size    uint64      `json:"size"`
	Edge    []tlog.Hash `json:"edge"`
	Segment uint32      `json:"segment"`
	End     int64       `json:"end"`
	Months  []uint32    `json:"months"`
}

const positionName = "position"

// at returns how far the index has come, and nil where it has to begin anew: it is
// of another log, ahead of this one, or not whole.
func (ix *Index) at() (*indexPosition, error) {
	f, err := ix.files.open(positionName, false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.size()
	if err != nil {
		return nil, err
	}
	text := make([]byte, min(size, 1<<20))
	if _, err := f.ReadAt(text, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the index's position: %w", err)
	}
	var p indexPosition
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, nil
	}
	fits, err := ix.fits(&p)
	if err != nil || !fits {
		return nil, err
	}
	return &p, nil
}

// fits reports whether the log has the commit that the index has come to.
func (ix *Index) fits(p *indexPosition) (bool, error) {
	for _, id := range p.Months {
		if f, err := ix.files.open(monthName(id), false); err != nil {
			return false, nil
		} else if err := f.Close(); err != nil {
			return false, err
		}
	}
	at, ok := p.position()
	f, err := ix.log.open(segmentName(p.Segment), false)
	if errors.Is(err, fs.ErrNotExist) || !ok {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	var b [commitFrame]byte
	if _, err := f.ReadAt(b[:], p.End-commitFrame); err != nil {
		return false, nil // the log is shorter
	}
	if n, err := parseLength(b[:]); err != nil || n != commitFrame || b[8] != frameCommit {
		return false, nil // the log is another
	}
	_, payload, err := parseFrame(b[:])
	if err != nil {
		return false, nil // the log is another
	}
	c := parseCommit(payload)
	return c.size == p.Size && c.root == at.tree.root() && ix.keys.commits.made(at.identity, c), nil
}

// position is the place in the log; ok says that it can be one.
func (p *indexPosition) position() (at position, ok bool) {
	epoch, err := hex.DecodeString(p.Epoch)
	at.node, at.number, at.end = p.Node, p.Segment, p.End
	at.tree = tree{size: p.Size, edge: p.Edge}
	ok = err == nil && len(epoch) == epochSize && p.End >= commitFrame && p.Size > 0 && len(p.Edge) == onesIn(p.Size)
	copy(at.epoch[:], epoch)
	return at, ok
}

// drop takes the index away.
func (ix *Index) drop() error {
	if err := ix.Close(); err != nil {
		return err
	}
	names, err := ix.files.list(".")
	if err != nil {
		return err
	}
	// The position first: without it the rest counts for nothing.
	for _, name := range append([]string{positionName}, names...) {
		if name != positionName && !strings.Contains(name, ".db") {
			continue
		}
		if err := ix.files.remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing the index: %w", err)
		}
	}
	return ix.files.syncDir(".")
}

// hold waits for the lock: another process is making the index.
func (ix *Index) hold(ctx context.Context) (io.Closer, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		l, err := ix.files.lock("lock")
		if !errors.Is(err, ErrLocked) {
			return l, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("another process is making the index: %w", ctx.Err())
		}
	}
}

// key is what a value stands as in a month's file.
func (k *dataKey) indexKey(domain, value string) int64 {
	mac := hmac.New(sha256.New, k.index[:])
	mac.Write([]byte(domain))
	mac.Write([]byte{0})
	mac.Write([]byte(value))
	return int64(binary.BigEndian.Uint64(mac.Sum(nil)))
}
