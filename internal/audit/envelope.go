package audit

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// Format is the version of what this build writes into logs. It grows with each change that a build before it
// couldn't read, so that an upgrade says that nothing leads back.
const Format = 1

const (
	magic         = "AG1"
	flagZstdDict1 = 1
	boundSize     = len(magic) + 1 + 4
	nonceSize     = 12
	tagSize       = 16
	sealOverhead  = boundSize + nonceSize + tagSize
	// maxJSON bounds one piece of an entry before compression, so that its leaf
	// stays below maxLeaf even where nothing can be compressed.
	maxJSON = 60 << 10
)

// ErrSealed says that an envelope doesn't open: changed bytes, or an entry of
// another log.
var ErrSealed = errors.New("entry does not open")

// dictionary1 is fixed: what it compressed can't be read without it. It was made
// by TestDictionaryIsMadeOfSamples; a better one becomes dictionary 2 beside it,
// under flags of its own.
//
//go:embed entry1.zdict
var dictionary1 []byte

// codec turns entries into envelopes and back. It is safe for concurrent use.
type codec struct {
	id  identity
	enc *zstd.Encoder
	dec *zstd.Decoder
}

func newCodec(id identity) (*codec, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderDict(dictionary1), zstd.WithEncoderCRC(false),
		zstd.WithSingleSegment(true), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithWindowSize(1<<17), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("making the compressor: %w", err)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderDicts(dictionary1),
		zstd.WithDecoderMaxMemory(1<<20), zstd.WithDecoderConcurrency(0))
	if err != nil {
		return nil, fmt.Errorf("making the decompressor: %w", err)
	}
	return &codec{id: id, enc: enc, dec: dec}, nil
}

func (c *codec) close() {
	// Close of an encoder without a stream has nothing to report.
	_ = c.enc.Close()
	c.dec.Close()
}

// seal makes the envelope of an encoded entry.
func (c *codec) seal(plain []byte, key *dataKey) ([]byte, error) {
	packed := c.enc.EncodeAll(plain, make([]byte, 0, len(plain)/2))
	out := make([]byte, boundSize+nonceSize, sealOverhead+len(packed))
	copy(out, magic)
	out[len(magic)] = flagZstdDict1
	binary.BigEndian.PutUint32(out[len(magic)+1:], key.id)
	if _, err := rand.Read(out[boundSize:]); err != nil {
		return nil, fmt.Errorf("drawing a nonce: %w", err)
	}
	out = key.aead.Seal(out, out[boundSize:boundSize+nonceSize], packed, c.bound(out))
	if len(out) > maxLeaf {
		return nil, fmt.Errorf("%w: a leaf of %d bytes", ErrTooLarge, len(out))
	}
	return out, nil
}

// keyID checks an envelope's outside and returns the id of its data key.
func keyID(envelope []byte) (uint32, error) {
	if len(envelope) < sealOverhead || string(envelope[:len(magic)]) != magic {
		return 0, fmt.Errorf("%w: it is not an envelope", ErrSealed)
	}
	if flags := envelope[len(magic)]; flags != flagZstdDict1 {
		return 0, fmt.Errorf("%w: flags %#02x are of a later version", ErrSealed, flags)
	}
	return binary.BigEndian.Uint32(envelope[len(magic)+1:]), nil
}

// open returns the entry in an envelope.
func (c *codec) open(envelope []byte, keys *dataKeys) (*Entry, error) {
	id, err := keyID(envelope)
	if err != nil {
		return nil, err
	}
	key, err := keys.get(id)
	if err != nil {
		return nil, err
	}
	nonce := envelope[boundSize : boundSize+nonceSize]
	packed, err := key.aead.Open(nil, nonce, envelope[boundSize+nonceSize:], c.bound(envelope))
	if err != nil {
		return nil, fmt.Errorf("%w: its bytes were changed, or it is of another log", ErrSealed)
	}
	plain, err := c.dec.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSealed, err)
	}
	e, err := decodeEntry(plain)
	if err == nil && e.Changes != nil {
		e.changeKey = key.changes
	}
	return e, err
}

// bound is what is authenticated beside the ciphertext.
func (c *codec) bound(envelope []byte) []byte {
	aad := make([]byte, 0, boundSize+epochSize+maxNode)
	aad = append(aad, envelope[:boundSize]...)
	aad = append(aad, c.id.epoch[:]...)
	return append(aad, c.id.node...)
}

func encodeEntry(e *Entry) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(sealedEntry{Entry: e, Disclosure: groupRecords(e.Disclosure)}); err != nil {
		return nil, fmt.Errorf("encoding an entry: %w", err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

func decodeEntry(plain []byte) (*Entry, error) {
	e := &Entry{}
	s := sealedEntry{Entry: e}
	if err := json.Unmarshal(plain, &s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSealed, err)
	}
	var err error
	e.Disclosure, err = s.Disclosure.records()
	return e, err
}
