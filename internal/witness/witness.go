package witness

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	cosign "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// What a witness refuses, by the answers that the protocol has for it.
var (
	errUnknown      = errors.New("this witness doesn't know the log")
	errUnsigned     = errors.New("the checkpoint isn't signed with the log's key")
	errInconsistent = errors.New("the checkpoint isn't over the entries of the one before it and more")
	errAhead        = errors.New("the old size is larger than the checkpoint's")
)

// conflict says that a request begins at another size than the witness has.
type conflict struct{ size uint64 }

func (c conflict) Error() string {
	return fmt.Sprintf("the last checkpoint was over %d entries", c.size)
}

// Witness countersigns the checkpoints of the logs that it knows. Its methods are safe
// for concurrent use.
type Witness struct {
	signer note.Signer
	public string
	logs   map[string]note.Verifiers // by origin
	lock   io.Closer

	mu    sync.Mutex // held from the look at the state until the new one is durable
	state *state
}

// Open opens the witness that Make has made in dir. logs are the public keys of the logs
// that it serves; the name of each key is its log's origin. A second process is refused,
// and so is a directory in which a part is missing: a witness that has forgotten what it
// countersigned would countersign another history.
func Open(dir string, logs []string) (*Witness, error) {
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	w, err := open(dir, logs)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	w.lock = lock
	return w, nil
}

func open(dir string, logs []string) (*Witness, error) {
	secret, err := readKey(dir)
	if err != nil {
		return nil, err
	}
	signer, err := cosign.NewSignerForCosignatureV1(secret)
	if err != nil {
		return nil, fmt.Errorf("opening the witness's key in %s: %w", dir, err)
	}
	w := &Witness{signer: signer, logs: map[string]note.Verifiers{}}
	if w.public, err = publicOf(secret); err != nil {
		return nil, err
	}
	lists := map[string][]note.Verifier{}
	for _, vkey := range logs {
		v, err := note.NewVerifier(strings.TrimSpace(vkey))
		if err != nil {
			return nil, fmt.Errorf("the key of a log (%.40q): %w; it is the line `key` that crmgate audit verify prints", vkey, err)
		}
		lists[v.Name()] = append(lists[v.Name()], v)
	}
	for origin, list := range lists {
		w.logs[origin] = note.VerifierList(list...)
	}
	w.state, err = openState(dir, signer.Verifier())
	return w, err
}

// Key is the witness's public key.
func (w *Witness) Key() string { return w.public }

// Logs are the origins of the logs that it knows.
func (w *Witness) Logs() []string {
	var names []string
	for origin := range w.logs {
		names = append(names, origin)
	}
	return names
}

// Close lets another process be this witness.
func (w *Witness) Close() error { return w.lock.Close() }

// add countersigns a checkpoint, and returns its cosignature.
func (w *Witness) add(r *request) ([]byte, error) {
	text, _, _ := strings.Cut(string(r.checkpoint), "\n\n")
	origin, _, _ := strings.Cut(text, "\n")
	keys, known := w.logs[origin]
	if !known {
		return nil, errUnknown
	}
	signed, err := note.Open(r.checkpoint, keys)
	if err != nil {
		return nil, unopened(err)
	}
	h, err := parseHead(signed.Text)
	if err != nil {
		return nil, err
	}
	if r.old > h.size {
		return nil, errAhead
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.grows(r, h); err != nil {
		return nil, err
	}
	// The log's signature and the witness's: what others have signed is theirs.
	kept, err := note.Sign(&note.Note{Text: signed.Text, Sigs: signed.Sigs}, w.signer)
	if err != nil {
		return nil, fmt.Errorf("countersigning: %w", err)
	}
	if err := w.state.put(origin, h, kept); err != nil {
		return nil, err
	}
	return lastLine(kept), nil
}

// unopened tells a note without the right signature from one that isn't any.
func unopened(err error) error {
	if _, ok := errors.AsType[*note.UnverifiedNoteError](err); ok {
		return errUnsigned
	}
	if _, ok := errors.AsType[*note.InvalidSignatureError](err); ok {
		return errUnsigned
	}
	return fmt.Errorf("%w: %w", errMalformed, err)
}

// grows judges a checkpoint against the last one.
func (w *Witness) grows(r *request, h head) error {
	last := w.state.logs[h.origin].head
	if r.old != last.size {
		return conflict{last.size}
	}
	empty, err := tlog.TreeHash(0, nil)
	if err != nil {
		return fmt.Errorf("hashing: %w", err)
	}
	_, had := w.state.logs[h.origin]
	switch {
	case h.size == 0 && h.root != empty:
		return errInconsistent
	case r.old == 0 && len(r.proof) > 0:
		return errInconsistent
	case r.old == 0:
		return nil
	case h.size == r.old && (len(r.proof) > 0 || had && h.root != last.root):
		return errInconsistent
	case h.size == r.old:
		return nil
	}
	if tlog.CheckTree(r.proof, int64(h.size), h.root, int64(r.old), last.root) != nil {
		return errInconsistent
	}
	return nil
}

// latest is the last checkpoint of a log, with the log's signature and the witness's.
func (w *Witness) latest(id string) ([]byte, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for origin, l := range w.state.logs {
		if originID(origin) == id {
			return l.note, true
		}
	}
	return nil, false
}

// lastLine is the last signature of a note.
func lastLine(msg []byte) []byte {
	body := strings.TrimSuffix(string(msg), "\n")
	return []byte(body[strings.LastIndexByte(body, '\n')+1:] + "\n")
}
