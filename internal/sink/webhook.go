package sink

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/ocsf"
)

// Webhook posts entries to a web server as OCSF events, one a line. A batch is signed
// as Standard Webhooks say, where there is a secret. It is delivered when the server
// answers with a status of 200 to 299: any other answer, a redirection too, is a
// failure.
type Webhook struct {
	url     string
	headers http.Header
	secret  []byte
	media   string
	client  *http.Client
	timeout time.Duration

	body        []byte
	first, last string // ids of the entries in body
	entries     int
	// limit is how many bytes make a batch: fewer where the other side has said
	// that one was too large.
	limit int
}

// WebhookOptions are what a webhook may need.
type WebhookOptions struct {
	// Headers are sent with each batch.
	Headers http.Header
	// Secret signs batches: `whsec_` and base64, or the bytes themselves. Without
	// one they aren't signed.
	Secret string
	// Roots check the server's certificate, nil for those of the system.
	Roots *x509.CertPool
	// Timeout bounds one request, 30 s if 0.
	Timeout time.Duration
	// Media is the type of what is posted: that of lines of JSON if "".
	Media string
}

const (
	secretPrefix   = "whsec_"
	minSecret      = 16
	defaultTimeout = 30 * time.Second
)

// The headers of Standard Webhooks.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
)

// ErrWebhook says that a webhook is described wrongly.
var ErrWebhook = errors.New("not a webhook")

// NewWebhook makes a target of an address. It connects to nothing.
func NewWebhook(address string, o WebhookOptions) (*Webhook, error) {
	if err := checkAddress(address); err != nil {
		return nil, err
	}
	secret, err := parseSecret(o.Secret)
	if err != nil {
		return nil, err
	}
	for _, own := range []string{headerID, headerTimestamp, headerSignature, "Content-Type", "Content-Length", "Host", "Transfer-Encoding"} {
		if o.Headers.Get(own) != "" {
			return nil, fmt.Errorf("%w: the header %s is the gateway's own", ErrWebhook, own)
		}
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	return &Webhook{
		url: address, headers: o.Headers, secret: secret, media: cmp.Or(o.Media, "application/x-ndjson"), timeout: o.Timeout, limit: batchBytes,
		client: &http.Client{
			Transport: &http.Transport{
				Proxy:               http.ProxyFromEnvironment,
				TLSClientConfig:     &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
				ForceAttemptHTTP2:   true,
				TLSHandshakeTimeout: 10 * time.Second,
				IdleConnTimeout:     90 * time.Second,
				MaxIdleConns:        2,
			},
			// Who answers with a redirection didn't take the batch, and mustn't
			// send it elsewhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// checkAddress takes https, and http on this machine alone.
func checkAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return fmt.Errorf("%w: write an address like https://siem.example.de/crmgate", ErrWebhook)
	}
	if u.User != nil {
		return fmt.Errorf("%w: no name or password in the address; write `header Authorization …`", ErrWebhook)
	}
	local := u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1"
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return fmt.Errorf("%w: it takes https (http to this machine alone): the entries would go over the network in clear", ErrWebhook)
	}
	return nil
}

func parseSecret(s string) ([]byte, error) {
	if s == "" {
		return nil, nil
	}
	secret := []byte(s)
	if text, ok := strings.CutPrefix(s, secretPrefix); ok {
		var err error
		if secret, err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, fmt.Errorf("%w: behind %s the secret has to be base64", ErrWebhook, secretPrefix)
		}
	}
	if len(secret) < minSecret {
		return nil, fmt.Errorf("%w: a secret of %d bytes is too short; make one: openssl rand -base64 32", ErrWebhook, len(secret))
	}
	return secret, nil
}

// Place names a webhook without what its address may keep secret.
func Place(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "a web server"
	}
	return u.Scheme + "://" + u.Host
}

// Add implements Target.
func (w *Webhook) Add(s *audit.Stored) (err error) {
	if w.body, err = ocsf.Append(w.body, s); err != nil {
		return err
	}
	w.last = ocsf.ID(s)
	if w.entries++; w.entries == 1 {
		w.first = w.last
	}
	return nil
}

// Full implements Target.
func (w *Webhook) Full() bool { return w.entries >= batchEntries || len(w.body) >= w.limit }

// Drop implements Target.
func (w *Webhook) Drop() {
	w.body, w.entries = w.body[:0], 0
	if cap(w.body) > 4*batchBytes {
		w.body = nil
	}
}

// Deliver implements Target.
func (w *Webhook) Deliver(ctx context.Context) error {
	status, err := w.send(ctx, w.body, w.first+" "+w.last)
	if status == http.StatusRequestEntityTooLarge {
		w.limit = max(1, min(w.limit, len(w.body))/2)
	}
	if err != nil {
		return err
	}
	w.Drop()
	return nil
}

// Post posts one message; the signature's id is made of id, which is the same where the
// same one is posted again.
func (w *Webhook) Post(ctx context.Context, body []byte, id string) error {
	_, err := w.send(ctx, body, id)
	return err
}

func (w *Webhook) send(ctx context.Context, body []byte, entries string) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("posting entries: %w", err)
	}
	maps.Copy(req.Header, w.headers)
	w.sign(req.Header, body, entries, time.Now())
	resp, err := w.client.Do(req)
	if err != nil {
		// The error's text holds the whole address, which may have a secret in it.
		if inner, ok := errors.AsType[*url.Error](err); ok {
			err = inner.Err
		}
		return 0, fmt.Errorf("posting entries to %s: %w", Place(w.url), err)
	}
	// A short answer is read so that the connection serves the next batch.
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
	_ = resp.Body.Close()
	if resp.StatusCode/100 == 2 {
		return resp.StatusCode, nil
	}
	err = fmt.Errorf("posting entries to %s: %w: status %d", Place(w.url), ErrRefused, resp.StatusCode)
	if s, convErr := strconv.Atoi(resp.Header.Get("Retry-After")); convErr == nil && s > 0 {
		err = &retryAfter{err, time.Duration(min(s, 3600)) * time.Second}
	}
	return resp.StatusCode, err
}

// sign sets the headers of Standard Webhooks. The id is the same where the same batch
// is sent again.
func (w *Webhook) sign(h http.Header, body []byte, entries string, now time.Time) {
	sum := sha256.Sum256([]byte(entries))
	id, at := "b_"+hex.EncodeToString(sum[:16]), strconv.FormatInt(now.Unix(), 10)
	h.Set("Content-Type", w.media)
	h.Set("User-Agent", "crmgate")
	h.Set(headerID, id)
	h.Set(headerTimestamp, at)
	if w.secret == nil {
		return
	}
	mac := hmac.New(sha256.New, w.secret)
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(body)
	h.Set(headerSignature, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// Settle implements Target: what was answered is the other side's.
func (w *Webhook) Settle() error { return nil }

// Close implements Target.
func (w *Webhook) Close() error {
	w.client.CloseIdleConnections()
	return nil
}

var _ Target = (*Webhook)(nil)
