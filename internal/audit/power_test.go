package audit

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
)

var errPower = errors.New("the power is cut")

// disk is a file layer in memory that keeps apart what was written and what is
// durable. After cut, reboot returns what a disk can hold then: of each write
// since the last sync any sectors or none, of each name the old or the new.
type disk struct {
	mu    sync.Mutex
	names map[string]*inode // as programs see them
	saved map[string]*inode // as the disk holds them
	dirs  map[string]bool
	held  map[string]bool // locks

	ops   int // writes, syncs and renames so far
	cutAt int // the operation before which the power is cut; 0 is never
	off   bool

	// The defences, each of which a test takes away.
	noDatasync        bool
	noSync, noSyncDir func(name string) bool

	// kept is the size of the last checkpoint that the log told of as durable.
	kept uint64
	// signed is the root of each checkpoint that was ever written, by its log and
	// size, and lied those that were signed with two.
	signed map[string]string
	lied   []string

	// fault is asked before each operation; an error is the operation's.
	fault func(op, name string) error

	syncs int
}

type inode struct {
	live    []byte
	durable []byte
	dirty   map[int64]bool // sectors
}

func newDisk() *disk {
	return &disk{
		names: map[string]*inode{}, saved: map[string]*inode{},
		dirs: map[string]bool{".": true}, held: map[string]bool{}, signed: map[string]string{},
	}
}

// step counts an operation; the power may be cut before it, or it may fail.
func (d *disk) step(op, name string) error {
	if d.off {
		return errPower
	}
	d.ops++
	if d.cutAt > 0 && d.ops >= d.cutAt {
		d.off = true
		return errPower
	}
	if d.fault != nil {
		return d.fault(op, name)
	}
	return nil
}

// at returns the file of that name and what is in it, nil for none.
func (d *disk) at(name string) (*inode, []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.names[name]
	if n == nil {
		return nil, nil
	}
	return n, slices.Clone(n.live)
}

// cut takes the power away.
func (d *disk) cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = true
}

// restart returns the disk as the next process finds it, page cache and all, and
// takes it from the process before.
func (d *disk) restart() *disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = true
	after := newDisk()
	after.names, after.saved, after.dirs, after.signed = d.names, d.saved, d.dirs, d.signed
	return after
}

// loss says what becomes of that which wasn't synced.
type loss int

const (
	loseAll loss = iota
	loseSome
	loseNothing // kill -9
)

// reboot returns the disk as it may be found after the cut.
func (d *disk) reboot(how loss, seed uint64) *disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	rnd := rand.New(rand.NewPCG(seed, 7))
	keep := func() bool { return how == loseNothing || how == loseSome && rnd.IntN(2) == 0 }
	after := newDisk()
	after.kept, after.signed = d.kept, maps.Clone(d.signed)
	for dir := range d.dirs {
		after.dirs[dir] = true
	}
	all := map[string]bool{}
	for name := range d.names {
		all[name] = true
	}
	for name := range d.saved {
		all[name] = true
	}
	for _, name := range slices.Sorted(mapsKeys(all)) {
		node := d.saved[name]
		if d.names[name] != node && keep() {
			node = d.names[name]
		}
		if node == nil {
			continue
		}
		content := node.settle(keep)
		fresh := &inode{live: content, durable: slices.Clone(content), dirty: map[int64]bool{}}
		after.names[name], after.saved[name] = fresh, fresh
	}
	return after
}

func mapsKeys(m map[string]bool) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// settle returns the content after a cut.
func (n *inode) settle(keep func() bool) []byte {
	content := slices.Clone(n.durable)
	for s := range (int64(len(n.live)) + sectorSize - 1) / sectorSize {
		if !n.dirty[s] || !keep() {
			continue
		}
		end := min((s+1)*sectorSize, int64(len(n.live)))
		if int64(len(content)) < end {
			content = append(content, make([]byte, end-int64(len(content)))...)
		}
		copy(content[s*sectorSize:end], n.live[s*sectorSize:end])
	}
	return content
}

func (d *disk) overwrites() {}

func (d *disk) mkdir(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dirs[path.Clean(name)] = true
	return nil
}

func (d *disk) list(dir string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.dirs[dir] {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: fs.ErrNotExist}
	}
	var names []string
	for name := range d.names {
		if path.Dir(name) == dir {
			names = append(names, path.Base(name))
		}
	}
	slices.Sort(names)
	return names, nil
}

func (d *disk) create(name string) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step("create", name); err != nil {
		return nil, err
	}
	if d.names[name] != nil {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	d.names[name] = &inode{dirty: map[int64]bool{}}
	return &diskFile{disk: d, node: d.names[name], name: name}, nil
}

func (d *disk) open(name string, _ bool) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return nil, errPower
	}
	node := d.names[name]
	if node == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &diskFile{disk: d, node: node, name: name}, nil
}

func (d *disk) rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step("rename", to); err != nil {
		return err
	}
	if d.names[from] == nil {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	d.names[to] = d.names[from]
	delete(d.names, from)
	return nil
}

func (d *disk) remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.names[name] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	if err := d.step("remove", name); err != nil {
		return err
	}
	delete(d.names, name)
	return nil
}

func (d *disk) syncDir(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step("syncdir", dir); err != nil || d.noSyncDir != nil && d.noSyncDir(dir) {
		return err
	}
	for name := range d.saved {
		if path.Dir(name) == dir && d.names[name] == nil {
			delete(d.saved, name)
		}
	}
	for name, node := range d.names {
		if path.Dir(name) == dir {
			d.saved[name] = node
		}
	}
	return nil
}

func (d *disk) lock(name string) (io.Closer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.held[name] {
		return nil, ErrLocked
	}
	d.held[name] = true
	return unlocker{d, name}, nil
}

type unlocker struct {
	disk *disk
	name string
}

func (u unlocker) Close() error {
	u.disk.mu.Lock()
	defer u.disk.mu.Unlock()
	u.disk.held[u.name] = false
	return nil
}

// edit changes a file behind the log's back.
func (d *disk) edit(name string, change func([]byte)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(d.names[name].live)
	d.names[name].durable = slices.Clone(d.names[name].live)
}

type diskFile struct {
	disk *disk
	node *inode
	name string
}

func (f *diskFile) ReadAt(b []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.off {
		return 0, errPower
	}
	if off >= int64(len(f.node.live)) {
		return 0, io.EOF
	}
	n := copy(b, f.node.live[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *diskFile) WriteAt(b []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.step("write", f.name); err != nil {
		if errors.Is(err, syscall.EIO) {
			f.put(b[:len(b)/2], off) // a write that fails may have begun
		}
		return 0, err
	}
	f.put(b, off)
	if strings.Contains(f.name, checkpointSuffix) {
		f.disk.noteSigned(string(b))
	}
	return len(b), nil
}

func (d *disk) noteSigned(msg string) {
	lines := strings.SplitN(msg, "\n", 4)
	of := lines[0] + " with " + lines[1] + " entries"
	if was := d.signed[of]; was != "" && was != lines[2] {
		d.lied = append(d.lied, of)
	}
	d.signed[of] = lines[2]
}

func (f *diskFile) put(b []byte, off int64) {
	if missing := off + int64(len(b)) - int64(len(f.node.live)); missing > 0 {
		f.node.live = append(f.node.live, make([]byte, missing)...)
	}
	copy(f.node.live[off:], b)
	for s := off / sectorSize; s <= (off+int64(len(b))-1)/sectorSize; s++ {
		f.node.dirty[s] = true
	}
}

func (f *diskFile) datasync() error { return f.flush("datasync", f.disk.noDatasync) }
func (f *diskFile) sync() error {
	return f.flush("sync", f.disk.noSync != nil && f.disk.noSync(f.name))
}

func (f *diskFile) flush(op string, disabled bool) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.disk.syncs++
	if err := f.disk.step(op, f.name); err != nil {
		return err
	}
	if !disabled {
		f.node.durable = f.node.settle(func() bool { return true })
		f.node.dirty = map[int64]bool{}
	}
	return nil
}

func (f *diskFile) size() (int64, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return int64(len(f.node.live)), nil
}

func (f *diskFile) Close() error { return nil }

func (d *disk) String() string {
	var b strings.Builder
	for name, n := range d.names {
		fmt.Fprintf(&b, "%s (%d bytes)\n", name, len(n.live))
	}
	return b.String()
}
