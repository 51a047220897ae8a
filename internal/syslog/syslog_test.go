package syslog_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	rfc5424 "github.com/leodido/go-syslog/v4/rfc5424"

	"github.com/crmgate/crmgate/internal/syslog"
)

func message(text string) syslog.Message {
	return syslog.Message{
		Facility: syslog.Audit, Severity: syslog.Notice, Time: time.Date(2026, 11, 23, 7, 41, 19, 123456000, time.UTC), ID: "checkpoint",
		Data: []syslog.Element{{Name: "checkpoint", Params: []syslog.Param{{"origin", "crmgate/n/00"}, {"odd", `a"b\c]d` + "\n"}}}},
		Text: text,
	}
}

// parsed reads a message with somebody else's parser.
func parsed(t *testing.T, raw []byte) *rfc5424.SyslogMessage {
	t.Helper()
	got, err := rfc5424.NewParser().Parse(raw)
	if err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	m, ok := got.(*rfc5424.SyslogMessage)
	if !ok {
		t.Fatalf("%q is %T", raw, got)
	}
	return m
}

func checkMessage(t *testing.T, raw []byte, text string) {
	t.Helper()
	m := parsed(t, raw)
	if *m.Facility != 13 || *m.Severity != 5 || *m.Appname != "crmgate" || *m.MsgID != "checkpoint" || *m.Message != text {
		t.Errorf("read back %+v of %q", m, raw)
	}
	if !m.Timestamp.Equal(time.Date(2026, 11, 23, 7, 41, 19, 123456000, time.UTC)) {
		t.Errorf("time %v", m.Timestamp)
	}
	if p := (*m.StructuredData)["checkpoint@32473"]; p["origin"] != "crmgate/n/00" || p["odd"] != `a"b\c]d ` {
		t.Errorf("structured data %q of %q", p, raw)
	}
}

func TestDatagramHoldsOneMessage(t *testing.T) {
	t.Parallel()
	for network, address := range map[string]string{"udp": "127.0.0.1:0", "unixgram": filepath.Join(t.TempDir(), "log")} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			var lc net.ListenConfig
			l, err := lc.ListenPacket(t.Context(), network, address)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			w, err := syslog.Dial(t.Context(), strings.TrimSuffix(network, "gram"), l.LocalAddr().String(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			if err := w.Write(t.Context(), message("grüße")); err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 1<<16)
			n, _, err := l.ReadFrom(b)
			if err != nil {
				t.Fatal(err)
			}
			checkMessage(t, b[:n], "grüße")
			if err := w.Write(t.Context(), message(strings.Repeat("x", 9000))); !errors.Is(err, syslog.ErrTooLong) {
				t.Errorf("a message that doesn't fit gave %v", err)
			}
		})
	}
}

// frame reads a message with its length in front.
func frame(t *testing.T, r *bufio.Reader) []byte {
	t.Helper()
	length, err := r.ReadString(' ')
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(length))
	if err != nil {
		t.Fatal(err)
	}
	raw := make([]byte, n)
	if _, err := io.ReadFull(r, raw); err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestStreamCountsOctetsAndConnectsAnew(t *testing.T) {
	t.Parallel()
	secure := httptest.NewUnstartedServer(nil)
	secure.StartTLS()
	defer secure.Close()
	pool := x509.NewCertPool()
	pool.AddCert(secure.Certificate())
	for name, c := range map[string]struct {
		network, address string
		server, client   *tls.Config
	}{
		"tcp":  {"tcp", "127.0.0.1:0", nil, nil},
		"unix": {"unix", filepath.Join(t.TempDir(), "log"), nil, nil},
		"tls":  {"tcp", "127.0.0.1:0", secure.TLS, &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lc net.ListenConfig
			l, err := lc.Listen(t.Context(), c.network, c.address)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if c.server != nil {
				l = tls.NewListener(l, c.server)
			}
			w := syslog.New(c.network, l.Addr().String(), c.client)
			defer w.Close()
			for round := range 2 {
				sent := make(chan error, 1)
				go func() {
					err := w.Write(context.Background(), message("one\n<13>1 two"))
					sent <- errors.Join(err, w.Write(context.Background(), message("three")))
				}()
				conn, err := l.Accept()
				if err != nil {
					t.Fatal(err)
				}
				r := bufio.NewReader(conn)
				checkMessage(t, frame(t, r), "one <13>1 two")
				checkMessage(t, frame(t, r), "three")
				if err := <-sent; err != nil {
					t.Fatalf("round %d: %v", round, err)
				}
				conn.Close()
				w.Stale() // as if it had stood idle
			}
		})
	}
}

func TestReceiverThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	w := syslog.New("tcp", "127.0.0.1:1", nil)
	if err := w.Write(t.Context(), message("x")); err == nil {
		t.Error("a message to nobody was sent")
	}
}

func TestUnknownCertificateIsRefused(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	_, err := syslog.Dial(t.Context(), "tcp", s.Listener.Addr().String(), &tls.Config{MinVersion: tls.VersionTLS12})
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
		t.Errorf("dialling gave %v", err)
	}
}

func TestAddressesAreRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"udp://log:514": "udp log:514 false", "udp://log": "udp log:514 false", "tcp://[::1]": "tcp [::1]:601 false",
		"tls://log.example": "tcp log.example:6514 true", "unix:///dev/log": "unix /dev/log false",
		"log:514": "", "http://log": "", "udp://": "", "unix://dev/log": "", "tcp://log/x": "", "tcp://u@log": "",
	} {
		network, address, secure, err := syslog.ParseAddress(text)
		got := network + " " + address + " " + strconv.FormatBool(secure)
		if want == "" && !errors.Is(err, syslog.ErrAddress) || want != "" && got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
}

// FuzzMessage states that no text gets out of its place: what is sent is one line
// that another parser reads back as the same text.
func FuzzMessage(f *testing.F) {
	f.Add("id", "name", "value", "text")
	f.Add("", "a b]=\"", "\"]\\", "\n<1>1 - - - - - -")
	f.Fuzz(func(t *testing.T, id, name, value, text string) {
		m := syslog.Message{
			Facility: syslog.Local0, Severity: syslog.Warning, ID: id, Text: text,
			Data: []syslog.Element{{Name: name, Params: []syslog.Param{{Name: name, Value: value}}}},
		}
		raw := syslog.Encode(&m, "host name", time.Unix(0, 0))
		if strings.ContainsAny(string(raw), "\n\r\x00") {
			t.Errorf("%q has more than one line", raw)
		}
		got := parsed(t, raw)
		if *got.Severity != 4 || len(*got.StructuredData) != 1 {
			t.Errorf("%q was read as %+v", raw, got)
		}
	})
}
