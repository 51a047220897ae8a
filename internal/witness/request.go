package witness

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	// maxRequest bounds what is read of a request: 64 hashes and a checkpoint with
	// many signatures.
	maxRequest = 32 << 10
	maxProof   = 63
)

var errMalformed = errors.New("the request isn't one of add-checkpoint")

// request is what add-checkpoint takes.
type request struct {
	old        uint64
	proof      tlog.TreeProof
	checkpoint []byte
}

// encode writes the body of a request.
func (r *request) encode() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", r.old)
	for _, h := range r.proof {
		b.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	b.WriteByte('\n')
	b.Write(r.checkpoint)
	return b.Bytes()
}

// parseRequest takes nothing but what encode writes: there is one way to say a thing.
func parseRequest(body []byte) (*request, error) {
	head, checkpoint, found := bytes.Cut(body, []byte("\n\n"))
	if !found {
		return nil, fmt.Errorf("%w: it has no empty line", errMalformed)
	}
	lines := bytes.Split(head, []byte("\n"))
	number, ok := bytes.CutPrefix(lines[0], []byte("old "))
	if !ok {
		return nil, fmt.Errorf("%w: its first line isn't the old size", errMalformed)
	}
	r := &request{checkpoint: checkpoint}
	var err error
	if r.old, err = parseSize(string(number)); err != nil {
		return nil, err
	}
	if len(lines)-1 > maxProof {
		return nil, fmt.Errorf("%w: the proof has %d lines, more than %d", errMalformed, len(lines)-1, maxProof)
	}
	for _, line := range lines[1:] {
		h, err := parseHash(string(line))
		if err != nil {
			return nil, err
		}
		r.proof = append(r.proof, h)
	}
	return r, nil
}

var decimal = regexp.MustCompile(`^(0|[1-9][0-9]{0,18})$`)

// parseSize reads a tree's size: at most what an int64 holds, without leading zeros.
func parseSize(s string) (uint64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || !decimal.MatchString(s) {
		return 0, fmt.Errorf("%w: a size has another form", errMalformed)
	}
	return uint64(n), nil
}

func parseHash(s string) (tlog.Hash, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(raw) != tlog.HashSize {
		return tlog.Hash{}, fmt.Errorf("%w: a hash has another form", errMalformed)
	}
	return tlog.Hash(raw), nil
}

// head is what a checkpoint says: its first three lines. What a log has written below
// them is signed along, and says nothing to a witness.
type head struct {
	origin string
	size   uint64
	root   tlog.Hash
}

func parseHead(text string) (head, error) {
	lines := bytes.Split([]byte(text), []byte("\n"))
	if len(lines) < 4 || len(lines[0]) == 0 {
		return head{}, fmt.Errorf("%w: the checkpoint has another form", errMalformed)
	}
	h := head{origin: string(lines[0])}
	var err error
	if h.size, err = parseSize(string(lines[1])); err != nil {
		return head{}, err
	}
	h.root, err = parseHash(string(lines[2]))
	return h, err
}
