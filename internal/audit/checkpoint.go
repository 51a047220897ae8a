package audit

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/crmgate/crmgate/internal/keys"
)

// ErrCheckpoint says that a checkpoint isn't one that this log's key has signed.
var ErrCheckpoint = errors.New("checkpoint is not one of this log")

// Checkpoint is a signed statement of how many entries the log had, and of the
// root of the tree over them: a C2SP tlog-checkpoint.
type Checkpoint struct {
	// Origin names the log: crmgate/NODE/EPOCH.
	Origin string    `json:"origin"`
	Size   uint64    `json:"size"`
	Root   tlog.Hash `json:"root"`
	// Note is the whole signed note.
	Note []byte `json:"-"`
	// Name is the file it was read from.
	Name string `json:"file,omitempty"`
	// counted is where a database says that the log ends: nobody signed it.
	counted bool
	// held is who holds it, where it isn't on a shelf.
	held string
}

// A checkpoint's text is three lines and no more: extension lines would be
// signed unread.
var checkpointText = regexp.MustCompile(`^(crmgate/[A-Za-z0-9.-]{1,63}/[0-9a-f]{32})\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\n$`)

func (id identity) origin() string {
	return "crmgate/" + id.node + "/" + hex.EncodeToString(id.epoch[:])
}

// checkpointKey signs a log's checkpoints. It derives from the master key for
// this log alone: a log that is begun anew has another key, and the data keys
// have nothing to do with it.
type checkpointKey struct {
	signer   note.Signer
	verifier note.Verifier
	vkey     string
	public   ed25519.PublicKey
}

func newCheckpointKey(ring *keys.Ring, origin string) (*checkpointKey, error) {
	seed := ring.Derive("audit checkpoint " + origin)
	private := ed25519.NewKeyFromSeed(seed[:])
	public, ok := private.Public().(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("making the key of the checkpoints: it has no public half")
	}
	vkey, err := note.NewEd25519VerifierKey(origin, public)
	if err != nil {
		return nil, fmt.Errorf("making the key of the checkpoints: %w", err)
	}
	k := &checkpointKey{vkey: vkey, public: public}
	if k.verifier, err = note.NewVerifier(vkey); err != nil {
		return nil, fmt.Errorf("making the key of the checkpoints: %w", err)
	}
	k.signer = checkpointSigner{k.verifier, private}
	return k, nil
}

// checkpointSigner is a note.Signer.
type checkpointSigner struct {
	note.Verifier
	private ed25519.PrivateKey
}

func (s checkpointSigner) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.private, msg), nil }

// pem is the public key as openssl reads it.
func (k *checkpointKey) pem() ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(k.public)
	if err != nil {
		return nil, fmt.Errorf("encoding the public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

func (k *checkpointKey) sign(origin string, h head) (Checkpoint, error) {
	text := fmt.Sprintf("%s\n%d\n%s\n", origin, h.size, base64.StdEncoding.EncodeToString(h.root[:]))
	signed, err := note.Sign(&note.Note{Text: text}, k.signer)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("signing a checkpoint: %w", err)
	}
	return Checkpoint{Origin: origin, Size: h.size, Root: h.root, Note: signed}, nil
}

// openCheckpoint returns what a note says that was signed with the ring's key for
// the log that the note names.
func openCheckpoint(ring *keys.Ring, msg []byte) (Checkpoint, error) {
	origin, _, _ := bytes.Cut(msg, []byte("\n"))
	if len(origin) > maxOrigin {
		return Checkpoint{}, fmt.Errorf("%w: its first line is too long", ErrCheckpoint)
	}
	k, err := newCheckpointKey(ring, string(origin))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	return k.verifiedBy(msg)
}

const maxOrigin = len("crmgate/") + maxNode + 1 + 2*epochSize

func (k *checkpointKey) verifiedBy(msg []byte) (Checkpoint, error) {
	return verifiedCheckpoint(k.verifier, msg)
}

func verifiedCheckpoint(v note.Verifier, msg []byte) (Checkpoint, error) {
	n, err := note.Open(msg, note.VerifierList(v))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	c, err := parseCheckpoint(n.Text)
	c.Note = msg
	return c, err
}

func parseCheckpoint(text string) (Checkpoint, error) {
	m := checkpointText.FindStringSubmatch(text)
	if m == nil {
		return Checkpoint{}, fmt.Errorf("%w: its text has another form", ErrCheckpoint)
	}
	size, err := strconv.ParseUint(m[2], 10, 63)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: its size has another form", ErrCheckpoint)
	}
	root, err := tlog.ParseHash(m[3])
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: its root has another form", ErrCheckpoint)
	}
	return Checkpoint{Origin: m[1], Size: size, Root: root}, nil
}

// identityOf is the reverse of origin.
func identityOf(origin string) (id identity, err error) {
	parts := strings.Split(origin, "/")
	if len(parts) != 3 {
		return id, fmt.Errorf("%w: it names no log", ErrCheckpoint)
	}
	epoch, err := hex.DecodeString(parts[2])
	if err != nil || len(epoch) != epochSize {
		return id, fmt.Errorf("%w: it names no log", ErrCheckpoint)
	}
	id.node = parts[1]
	copy(id.epoch[:], epoch)
	return id, nil
}
