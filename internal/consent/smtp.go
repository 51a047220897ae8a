package consent

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	mail "github.com/wneessen/go-mail"
)

// SMTP is a mail server that takes mails.
type SMTP struct {
	// Address is host:port.
	Address        string
	User, Password string
	// TLS speaks TLS from the first byte on (port 465); otherwise STARTTLS is
	// demanded.
	TLS bool
	// Clear takes neither. It is for a server on this machine alone.
	Clear bool
	// Trust is the path of a PEM file with the certificates that vouch for the server,
	// in place of the machine's own.
	Trust string
}

// Check judges what is configured. It touches no network.
func (s *SMTP) Check() error {
	host, port, err := net.SplitHostPort(s.Address)
	if n, e := strconv.Atoi(port); err != nil || e != nil || n < 1 || n > 65535 || host == "" {
		return fmt.Errorf("smtp %q: write the host and port of the mail server: mail.example.de:587", s.Address)
	}
	if s.Clear && !isHere(host) {
		return fmt.Errorf("smtp %s: mails would cross the network in clear, with the links that consent; without TLS only a server on this machine will do", s.Address)
	}
	if s.Clear && s.User != "" {
		return fmt.Errorf("smtp %s: a password isn't sent in clear", s.Address)
	}
	if s.Clear && s.TLS {
		return fmt.Errorf("smtp %s: either tls or clear", s.Address)
	}
	_, err = s.trusted()
	return err
}

func isHere(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (s *SMTP) trusted() (*x509.CertPool, error) {
	if s.Trust == "" {
		return nil, nil //nolint:nilnil // the machine's own
	}
	pem, err := os.ReadFile(s.Trust)
	if err != nil {
		return nil, fmt.Errorf("smtp %s: reading whom to trust: %w", s.Address, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("smtp %s: there is no certificate in %s", s.Address, s.Trust)
	}
	return pool, nil
}

func (s *SMTP) client() (*mail.Client, error) {
	host, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		return nil, fmt.Errorf("smtp: %w", err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("smtp: %w", err)
	}
	pool, err := s.trusted()
	if err != nil {
		return nil, err
	}
	opts := []mail.Option{
		mail.WithPort(number), mail.WithTimeout(20 * time.Second), mail.WithTLSPolicy(mail.TLSMandatory), mail.WithoutNoop(),
		mail.WithTLSConfig(&tls.Config{ServerName: host, RootCAs: pool, MinVersion: tls.VersionTLS12}),
	}
	switch {
	case s.TLS:
		opts = append(opts, mail.WithSSL())
	case s.Clear:
		opts = append(opts, mail.WithTLSPolicy(mail.NoTLS))
	}
	if s.User != "" {
		opts = append(opts, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(s.User), mail.WithPassword(s.Password))
	}
	c, err := mail.NewClient(host, opts...)
	if err != nil {
		return nil, fmt.Errorf("smtp: %w", err)
	}
	return c, nil
}

// Send implements Sender. Its errors hold no address: what a server answers may.
func (s *SMTP) Send(ctx context.Context, m *Mail) error {
	msg, err := message(m)
	if err != nil {
		return err
	}
	c, err := s.client()
	if err != nil {
		return err
	}
	err = c.DialAndSendWithContext(ctx, msg)
	if err == nil || msg.IsDelivered() {
		return nil // what goes wrong in parting changes nothing
	}
	var no *mail.SendError
	if !errors.As(err, &no) {
		return fmt.Errorf("reaching the mail server %s: %w", s.Address, unreachable(err))
	}
	if no.Reason == mail.ErrSMTPRcptTo && !no.IsTemp() && no.ErrorCode() >= 500 {
		return fmt.Errorf("%w: %d %s", ErrUndeliverable, no.ErrorCode(), no.EnhancedStatusCode())
	}
	return fmt.Errorf("the mail server %s didn't take the mail: code %d %s", s.Address, no.ErrorCode(), no.EnhancedStatusCode())
}

// unreachable keeps of an error what can't hold anything of a mail.
func unreachable(err error) error {
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &cert):
		return errors.New("its certificate isn't trusted; name whose is, by trust")
	case errors.As(err, &op):
		return op
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	}
	return errors.New("it doesn't speak as it should: is STARTTLS on, and are user and password right?")
}

// Copy implements Copier.
func (s *SMTP) Copy(m *Mail) (string, error) {
	msg, err := message(m)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		return "", fmt.Errorf("writing a mail: %w", err)
	}
	return b.String(), nil
}

func message(m *Mail) (*mail.Msg, error) {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithEncoding(mail.EncodingQP))
	if err := errors.Join(msg.From(m.From), msg.To(m.To)); err != nil {
		return nil, errors.New("writing a mail: its addresses can't be read")
	}
	msg.Subject(m.Subject)
	msg.SetMessageIDWithValue(m.MessageID)
	msg.SetDateWithValue(m.Date)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("Content-Language", m.Language)
	if m.Unsubscribe != "" {
		msg.SetGenHeader("List-Unsubscribe", "<"+m.Unsubscribe+">")
		msg.SetGenHeader("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
	msg.SetBodyString(mail.TypeTextPlain, m.Text)
	return msg, nil
}

var (
	_ Sender = (*SMTP)(nil)
	_ Copier = (*SMTP)(nil)
)
