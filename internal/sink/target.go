package sink

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
)

// Target is where a sink's entries go. One goroutine uses it.
type Target interface {
	// Add puts an entry behind those that Deliver is to pass on.
	Add(s *audit.Stored) error
	// Full reports whether Deliver should come before a further Add.
	Full() bool
	// Deliver passes on what was added, in its order, and forgets it. After an
	// error nobody knows how much of it has arrived.
	Deliver(ctx context.Context) error
	// Drop forgets what was added.
	Drop()
	// Settle makes durable what was delivered, as far as this side can.
	Settle() error
	// Close lets go of files and connections.
	Close() error
}

// Batches are bounded by entries and by bytes.
const (
	batchEntries = 500
	batchBytes   = 1 << 20
)

// ErrRefused says that the other side answered, and didn't take it.
var ErrRefused = errors.New("the other side did not take it")

// errLog says that the log couldn't be read, or the cursor kept.
var errLog = errors.New("the log could not be read, or the cursor kept beside it")

// The reasons of a failure.
const (
	reasonUnreachable = "unreachable"
	reasonTimeout     = "timeout"
	reasonRefused     = "refused"
	reasonTLS         = "tls"
	reasonFull        = "full"
	reasonDenied      = "denied"
	reasonLog         = "log"
	reasonOther       = "other"
)

// Reasons lists them.
func Reasons() []string {
	return []string{
		reasonUnreachable, reasonTimeout, reasonRefused, reasonTLS, reasonFull, reasonDenied, reasonLog, reasonOther,
	}
}

// reasonOf sorts an error into what an administrator can do.
func reasonOf(err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, errLog):
		return reasonLog
	case errors.Is(err, ErrRefused):
		return reasonRefused
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return reasonFull
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return reasonDenied
	case isTLS(err):
		return reasonTLS
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return reasonTimeout
	case isNetwork(err):
		return reasonUnreachable
	}
	return reasonOther
}

func isTLS(err error) bool {
	_, verification := errors.AsType[*tls.CertificateVerificationError](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	_, alert := errors.AsType[tls.AlertError](err)
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, host := errors.AsType[x509.HostnameError](err)
	return verification || record || alert || unknown || host
}

func isNetwork(err error) bool {
	_, op := errors.AsType[*net.OpError](err)
	_, dns := errors.AsType[*net.DNSError](err)
	return op || dns
}

// retryAfter is an error of a side that says when to come again.
type retryAfter struct {
	error
	wait time.Duration
}

func (r *retryAfter) Unwrap() error { return r.error }
