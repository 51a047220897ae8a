package keys

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// A key file has a line for each key, the oldest first: a version, the key's id,
// from the second one on the time from which it seals (UTC, by the second), and
// 64 hexadecimal digits. Ids ascend.
var keyLine = regexp.MustCompile(`^crmgate-key-1 ([0-9a-f]{2})(?: (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ))? ([0-9a-f]{64})\n$`)

const (
	// maxFile is the length of a text with every id.
	maxFile = 255 * 110
	// maxWrapped is what a wrapped one may have.
	maxWrapped = 4 * maxFile
)

func parse(text []byte) ([]master, bool) {
	if len(text) > maxFile {
		return nil, false
	}
	var keys []master
	for line := range bytes.Lines(text) {
		k, ok := parseLine(line)
		if !ok || k.from.IsZero() != (len(keys) == 0) {
			return nil, false
		}
		if n := len(keys); n > 0 && (k.id <= keys[n-1].id || k.from.Before(keys[n-1].from)) {
			return nil, false
		}
		for _, other := range keys {
			if other.secret == k.secret {
				return nil, false
			}
		}
		keys = append(keys, k)
	}
	return keys, len(keys) > 0
}

func parseLine(line []byte) (k master, ok bool) {
	m := keyLine.FindSubmatch(line)
	if m == nil {
		return k, false
	}
	n, err := strconv.ParseUint(string(m[1]), 16, 8)
	if err != nil {
		return k, false
	}
	if len(m[2]) > 0 {
		if k.from, err = time.Parse(time.RFC3339, string(m[2])); err != nil || k.from.IsZero() {
			return k, false
		}
	}
	if _, err := hex.Decode(k.secret[:], m[3]); err != nil {
		return k, false
	}
	k.id = byte(n)
	// A file of zeros is a disk's fault, not a key.
	return k, n > 0 && k.secret != [secretSize]byte{}
}

// First returns the text of a first master key.
func First() ([]byte, error) { return added(nil, 1, time.Time{}) }

// Added returns a text with one key more, which begins to seal at from, and the
// key's id.
func Added(text []byte, from time.Time) ([]byte, byte, error) {
	keys, ok := parse(text)
	if !ok {
		return nil, 0, errors.New("these are no master keys: give the text as crmgate keys new has made it")
	}
	last := keys[len(keys)-1]
	if last.id == 0xff {
		return nil, 0, errors.New("the key file has no room for a further key: 255 were made")
	}
	from = from.UTC().Truncate(time.Second)
	if from.Before(last.from) {
		return nil, 0, fmt.Errorf("key %d begins to seal at %s only: give a later time", last.id, last.from.Format(time.RFC3339))
	}
	text, err := added(text, last.id+1, from)
	return text, last.id + 1, err
}

// added returns a text with one key more.
func added(text []byte, id byte, from time.Time) ([]byte, error) {
	var secret [secretSize]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return nil, fmt.Errorf("drawing a master key: %w", err)
	}
	begins := ""
	if !from.IsZero() {
		begins = from.Format(time.RFC3339) + " "
	}
	return fmt.Appendf(bytes.Clone(text), "crmgate-key-1 %02x %s%x\n", id, begins, secret), nil
}
