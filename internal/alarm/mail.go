package alarm

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/crmgate/crmgate/internal/sink"
)

// MailOptions say where mail goes out, and to whom.
type MailOptions struct {
	// Server is smtp://HOST:587 (STARTTLS, which has to succeed) or smtps://HOST:465.
	// Without TLS it takes this machine alone.
	Server string
	// Username and Password sign in there, "" for neither.
	Username, Password string
	// Sender is the address mails come from, To are those they go to.
	Sender string
	To     []string
	// Roots check the server's certificate, nil for those of the system.
	Roots *x509.CertPool
}

// Mail sends messages by SMTP, one to each recipient: an address that is refused holds
// up none of the others.
type Mail struct {
	o    MailOptions
	host string
	port int
	ssl  bool
	// sent are those who have the message with the id: they don't get it again when
	// another one's is tried anew.
	id   string
	sent []string
}

// ErrMail says that mail is described wrongly.
var ErrMail = errors.New("not a way to send mail")

const mailTimeout = 30 * time.Second

// NewMail judges the options. It connects to nothing.
func NewMail(o MailOptions) (*Mail, error) {
	u, err := url.Parse(o.Server)
	if err != nil || u.Hostname() == "" || u.Path != "" || u.User != nil || u.RawQuery != "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, fmt.Errorf("%w: write the server as smtp://mail.example.de:587 or smtps://mail.example.de:465", ErrMail)
	}
	m := &Mail{o: o, host: u.Hostname(), ssl: u.Scheme == "smtps"}
	switch {
	case u.Port() != "":
		if m.port, err = strconv.Atoi(u.Port()); err != nil || m.port < 1 || m.port > 65535 {
			return nil, fmt.Errorf("%w: port %q", ErrMail, u.Port())
		}
	case m.ssl:
		m.port = 465
	default:
		m.port = 587
	}
	if (o.Username == "") != (o.Password == "") {
		return nil, fmt.Errorf("%w: username and password belong together", ErrMail)
	}
	if len(o.To) == 0 {
		return nil, fmt.Errorf("%w: it needs somebody to send to: to security@example.de", ErrMail)
	}
	for _, a := range append([]string{o.Sender}, o.To...) {
		if p, err := mail.ParseAddress(a); err != nil || p.Address != a || p.Name != "" {
			return nil, fmt.Errorf("%w: %q is no mail address: write security@example.de", ErrMail, a)
		}
	}
	return m, nil
}

// Place names the server.
func (m *Mail) Place() string { return m.host + ":" + strconv.Itoa(m.port) }

func (m *Mail) local() bool { return m.host == "localhost" || m.host == "127.0.0.1" || m.host == "::1" }

// client connects for one message.
func (m *Mail) client() (*gomail.Client, error) {
	opts := []gomail.Option{
		gomail.WithPort(m.port), gomail.WithTimeout(mailTimeout), gomail.WithoutNoop(),
		gomail.WithHELO(m.domain()),
		gomail.WithTLSConfig(&tls.Config{ServerName: m.host, RootCAs: m.o.Roots, MinVersion: tls.VersionTLS12}),
	}
	switch {
	case m.ssl:
		opts = append(opts, gomail.WithSSL())
	case m.local() && m.o.Username == "":
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	default:
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if m.o.Username != "" {
		opts = append(opts, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(m.o.Username), gomail.WithPassword(m.o.Password))
	}
	return gomail.NewClient(m.host, opts...)
}

func (m *Mail) domain() string {
	_, domain, _ := strings.Cut(m.o.Sender, "@")
	return domain
}

// Send implements Sender.
func (m *Mail) Send(ctx context.Context, msg *Message) error {
	if m.id != msg.ID {
		m.id, m.sent = msg.ID, nil
	}
	var failed error
	for _, to := range m.o.To {
		if slices.Contains(m.sent, to) {
			continue
		}
		if err := m.sendTo(ctx, msg, to); err != nil {
			failed = err
			continue
		}
		m.sent = append(m.sent, to)
	}
	return failed
}

func (m *Mail) sendTo(ctx context.Context, msg *Message, to string) error {
	out := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := errors.Join(out.From(m.o.Sender), out.To(to)); err != nil {
		return fmt.Errorf("writing a mail: %w", err)
	}
	out.Subject(msg.Subject())
	out.SetDate()
	out.SetMessageIDWithValue(msg.ID + "@" + m.domain())
	out.SetGenHeader("Auto-Submitted", "auto-generated")
	out.SetBodyString(gomail.TypeTextPlain, msg.Text())
	c, err := m.client()
	if err != nil {
		return fmt.Errorf("sending mail by %s: %w", m.Place(), err)
	}
	if err := c.DialAndSendWithContext(ctx, out); err != nil {
		return fmt.Errorf("sending mail by %s: %w", m.Place(), reasonOf(err))
	}
	return nil
}

// reasonOf takes the recipient out of an error, and says what the server refused.
func reasonOf(err error) error {
	if send, ok := errors.AsType[*gomail.SendError](err); ok {
		return fmt.Errorf("%w: %s, status %d", sink.ErrRefused, send.Reason, send.ErrorCode())
	}
	return err
}

// Close implements Sender.
func (m *Mail) Close() error { return nil }

var _ Sender = (*Mail)(nil)
