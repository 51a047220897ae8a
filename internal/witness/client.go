package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// What a witness answers, for its client. None of it is signed: anybody on the way can
// have said it.
var (
	// ErrRefused says that a witness doesn't countersign: it doesn't know the log, or
	// not this key of it.
	ErrRefused = errors.New("the witness refuses")
	// ErrFork says that a witness holds the checkpoint for one of another history.
	ErrFork = errors.New("the witness has countersigned another history of this log")
	// ErrAnswer says that a witness's answer can't be used.
	ErrAnswer = errors.New("the witness's answer can't be used")
)

// Behind says that a witness is at another size than was asked from.
type Behind struct{ Size uint64 }

func (b *Behind) Error() string { return fmt.Sprintf("the witness is at %d entries", b.Size) }

// Client asks one witness.
type Client struct {
	// URL is the address that /add-checkpoint is added to.
	URL string
	// Key checks what the witness signs.
	Key note.Verifier
	// HTTP sends the requests.
	HTTP *http.Client
}

// CheckURL refuses what isn't the address of a witness.
func CheckURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("it isn't the address of a witness: write https://witness.example.org")
	}
	return nil
}

// Name is the witness's, as its key says.
func (c *Client) Name() string { return c.Key.Name() }

// Add asks for a cosignature of a signed checkpoint, with the proof that it is over the
// first old entries and more. It returns the signature's line, which is right.
func (c *Client) Add(ctx context.Context, old uint64, proof tlog.TreeProof, checkpoint []byte) ([]byte, error) {
	r := &request{old: old, proof: proof, checkpoint: checkpoint}
	status, kind, body, err := c.do(ctx, http.MethodPost, "/add-checkpoint", r.encode())
	if err != nil {
		return nil, err
	}
	switch status {
	case http.StatusOK:
		return c.cosignature(checkpoint, body)
	case http.StatusConflict:
		return nil, c.behind(kind, body)
	case http.StatusNotFound:
		return nil, fmt.Errorf("%w: it doesn't know this log (404); give it the log's key", ErrRefused)
	case http.StatusForbidden:
		return nil, fmt.Errorf("%w: it has another key for this log (403)", ErrRefused)
	case http.StatusUnprocessableEntity:
		return nil, ErrFork
	}
	return nil, fmt.Errorf("%w: status %d", ErrAnswer, status)
}

// cosignature finds the witness's own line among those of an answer.
func (c *Client) cosignature(checkpoint, lines []byte) ([]byte, error) {
	text, _, _ := bytes.Cut(checkpoint, []byte("\n\n"))
	n, err := note.Open(bytes.Join([][]byte{text, []byte("\n\n"), lines}, nil), note.VerifierList(c.Key))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return Line(n.Sigs[0]), nil
}

func (c *Client) behind(kind string, body []byte) error {
	kind, _, err := mime.ParseMediaType(kind)
	size, wrong := parseSize(strings.TrimSuffix(string(body), "\n"))
	if err != nil || wrong != nil || kind != "text/x.tlog.size" {
		return fmt.Errorf("%w: status 409 without a size", ErrAnswer)
	}
	return &Behind{size}
}

// Latest returns the last checkpoint of a log that the witness has, nil for none. Who
// signed it is for the caller to check.
func (c *Client) Latest(ctx context.Context, origin string) ([]byte, error) {
	status, _, body, err := c.do(ctx, http.MethodGet, "/"+originID(origin)+"/checkpoint", nil)
	switch {
	case err != nil:
		return nil, err
	case status == http.StatusNotFound:
		return nil, nil
	case status != http.StatusOK:
		return nil, fmt.Errorf("%w: status %d", ErrAnswer, status)
	}
	return body, nil
}

func (c *Client) do(ctx context.Context, method, path string, body []byte) (status int, kind string, answer []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return 0, "", nil, fmt.Errorf("asking the witness: %w", err)
	}
	got, err := c.HTTP.Do(r)
	if err != nil {
		return 0, "", nil, fmt.Errorf("asking the witness: %w", err)
	}
	defer got.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(got.Body, maxRequest+1))
	if err == nil && len(answer) > maxRequest {
		err = fmt.Errorf("%w: it is too long", ErrAnswer)
	}
	if err != nil {
		return 0, "", nil, fmt.Errorf("asking the witness: %w", err)
	}
	return got.StatusCode, got.Header.Get("Content-Type"), answer, nil
}
