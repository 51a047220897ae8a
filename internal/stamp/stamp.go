// Package stamp gets time stamps of RFC 3161 from an authority, and checks them: that a
// text was there at a certain time, as somebody says who has nothing to do with the log.
package stamp

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/digitorus/pkcs7"
	"github.com/digitorus/timestamp"
	"golang.org/x/mod/sumdb/note"
)

// maxToken bounds an authority's answer: a token with a few certificates.
const maxToken = 16 << 10

// ErrStamp says that a time stamp isn't one, or not over what it should be.
var ErrStamp = errors.New("the time stamp isn't right")

// Authority is who gives time stamps.
type Authority struct {
	// URL is where it answers.
	URL string
	// Roots, if set, issue its certificate: a stamp that doesn't lead to them is refused
	// at once.
	Roots *x509.CertPool
	// HTTP sends the requests.
	HTTP *http.Client
}

// CheckURL refuses what isn't the address of an authority.
func CheckURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Fragment != "" {
		return errors.New("it isn't the address of a time stamping authority: write https://tsa.example.org/tsr")
	}
	return nil
}

// Name is the authority's in the line of a note: its host.
func (a *Authority) Name() string {
	u, err := url.Parse(a.URL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// Ask gets a token over a text.
func (a *Authority) Ask(ctx context.Context, text []byte) ([]byte, error) {
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 63))
	if err != nil {
		return nil, fmt.Errorf("asking for a time stamp: %w", err)
	}
	query, err := timestamp.CreateRequest(bytes.NewReader(text), &timestamp.RequestOptions{Hash: crypto.SHA256, Certificates: true, Nonce: nonce})
	if err != nil {
		return nil, fmt.Errorf("asking for a time stamp: %w", err)
	}
	answer, err := a.send(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("asking for a time stamp: %w", err)
	}
	ts, err := timestamp.ParseResponse(answer)
	if err != nil {
		return nil, fmt.Errorf("asking for a time stamp: %w: %w", ErrStamp, err)
	}
	if ts.Nonce == nil || ts.Nonce.Cmp(nonce) != 0 {
		return nil, fmt.Errorf("%w: it is an answer to another request", ErrStamp)
	}
	if !covers(ts, text) {
		return nil, fmt.Errorf("%w: it is over another text", ErrStamp)
	}
	if a.Roots == nil {
		return ts.RawToken, nil
	}
	_, err = Verify(ts.RawToken, text, a.Roots)
	return ts.RawToken, err
}

func (a *Authority) send(ctx context.Context, query []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.URL, bytes.NewReader(query))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/timestamp-query")
	got, err := a.HTTP.Do(r)
	if err != nil {
		return nil, err
	}
	defer got.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(got.Body, maxToken+1))
	switch {
	case err != nil:
		return nil, err
	case got.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%w: status %d", ErrStamp, got.StatusCode)
	case len(answer) > maxToken:
		return nil, fmt.Errorf("%w: the answer is longer than %d bytes", ErrStamp, maxToken)
	}
	return answer, nil
}

func covers(ts *timestamp.Timestamp, text []byte) bool {
	sum := sha256.Sum256(text)
	return ts.HashAlgorithm == crypto.SHA256 && bytes.Equal(ts.HashedMessage, sum[:])
}

// Verify checks a token: that it is over the text, signed by one whose certificate is for
// time stamps alone and leads to one of the roots, as of the time that it names. That a
// certificate was revoked since isn't looked up.
func Verify(token, text []byte, roots *x509.CertPool) (time.Time, error) {
	ts, err := timestamp.Parse(token)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: %w", ErrStamp, err)
	}
	if !covers(ts, text) {
		return time.Time{}, fmt.Errorf("%w: it is over another text", ErrStamp)
	}
	p7, err := pkcs7.Parse(token)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: %w", ErrStamp, err)
	}
	var kind asn1.ObjectIdentifier
	tstInfo := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	if err := p7.UnmarshalSignedAttribute(pkcs7.OIDAttributeContentType, &kind); err != nil || !kind.Equal(tstInfo) {
		return time.Time{}, fmt.Errorf("%w: what is signed is no time stamp", ErrStamp)
	}
	signer := p7.GetOnlySigner()
	if signer == nil {
		return time.Time{}, fmt.Errorf("%w: the certificate of its signer isn't in it", ErrStamp)
	}
	if err := forStamps(signer); err != nil {
		return time.Time{}, err
	}
	between := x509.NewCertPool()
	for _, c := range p7.Certificates {
		between.AddCert(c)
	}
	err = p7.VerifyWithOpts(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: ts.Time, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping},
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: %w", ErrStamp, err)
	}
	return ts.Time.UTC(), nil
}

// forStamps holds a certificate to RFC 3161, 2.3: it is for time stamps and nothing else.
func forStamps(c *x509.Certificate) error {
	usage := asn1.ObjectIdentifier{2, 5, 29, 37}
	critical := slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(usage) && e.Critical })
	if !critical || !slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}) || len(c.UnknownExtKeyUsage) > 0 {
		return fmt.Errorf("%w: its signer's certificate isn't for time stamps alone", ErrStamp)
	}
	return nil
}

// Time is what a token over that text says, whoever has signed it.
func Time(token, text []byte) (time.Time, error) {
	ts, err := timestamp.Parse(token)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: %w", ErrStamp, err)
	}
	if !covers(ts, text) {
		return time.Time{}, fmt.Errorf("%w: it is over another text", ErrStamp)
	}
	return ts.Time.UTC(), nil
}

// Line is a token as a signature of a note: one of an unregistered kind, which readers
// of notes that don't know it pass over.
func Line(name string, token []byte) []byte {
	id := lineID(name)
	return fmt.Appendf(nil, "— %s %s\n", name, base64.StdEncoding.EncodeToString(append(id[:], token...)))
}

func lineID(name string) [4]byte {
	sum := sha256.Sum256([]byte(name + "\n\xffrfc3161"))
	return [4]byte(sum[:4])
}

// Token is the token in a signature, if it is one that Line has written.
func Token(sig note.Signature) ([]byte, bool) {
	raw, err := base64.StdEncoding.DecodeString(sig.Base64)
	id := lineID(sig.Name)
	if err != nil || len(raw) <= 4 || !bytes.Equal(raw[:4], id[:]) {
		return nil, false
	}
	return raw[4:], true
}
