package alarm

import (
	"bufio"
	"errors"
	"io"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/sink"
)

// post is a mail server without TLS, on this machine.
type post struct {
	addr   string
	refuse string

	mu    sync.Mutex
	mails map[string][]string // by recipient
	heard []string
}

func newPost(t *testing.T) *post {
	t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &post{addr: ln.Addr().String(), mails: map[string][]string{}}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go p.talk(conn)
		}
	}()
	return p
}

func (p *post) talk(conn net.Conn) {
	defer conn.Close()
	say := func(s string) { _, _ = io.WriteString(conn, s+"\r\n") } // a client that is gone is gone
	in, to := bufio.NewReader(conn), ""
	say("220 post")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		p.mu.Lock()
		p.heard = append(p.heard, line)
		refuse := p.refuse
		p.mu.Unlock()
		switch word := strings.ToUpper(line[:4]); word {
		case "EHLO":
			say("250-post\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME")
		case "RCPT":
			to = strings.Trim(line[len("RCPT TO:"):], "<>\r\n")
			if refuse != "" && strings.HasPrefix(to, refuse) {
				say("550 no such person")
				continue
			}
			say("250 ok")
		case "DATA":
			say("354 go on")
			var text strings.Builder
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				text.WriteString(line)
			}
			p.mu.Lock()
			p.mails[to] = append(p.mails[to], text.String())
			p.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (p *post) got(to string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.mails[to])
}

func message() *Message {
	return &Message{ID: "alarm_1", Desk: "https://crm.example.de/.crmgate/desk/alarms", Alarms: []Told{{
		ID: "n1/7", Time: time.Unix(1_700_000_000, 0).UTC(), Cause: Canary, Level: High, How: HowAlone, Site: "crm.example.de", Employee: whose, Stopped: true,
	}}}
}

func TestMailSaysWhatHappenedInBothLanguages(t *testing.T) {
	p := newPost(t)
	m, err := NewMail(MailOptions{Server: "smtp://" + p.addr, Sender: "crmgate@example.de", To: []string{"dpo@example.de"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Send(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	all := p.got("dpo@example.de")
	if len(all) != 1 {
		t.Fatalf("%d mails", len(all))
	}
	got, err := mail.ReadMessage(strings.NewReader(all[0]))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Message-Id": "<alarm_1@example.de>", "Auto-Submitted": "auto-generated", "To": "<dpo@example.de>", "From": "<crmgate@example.de>",
		"Subject": "crmgate: Alarm (hoch) / alarm (high)",
	} {
		if v := got.Header.Get(name); v != want {
			t.Errorf("%s: %q, want %q", name, v, want)
		}
	}
	body, err := io.ReadAll(quotedprintable.NewReader(got.Body))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Lockdatensatz einzeln aufgerufen", "Canary record asked for by itself", "n1/7", whose, "angehalten", message().Desk} {
		if !strings.Contains(string(body), want) {
			t.Errorf("%q isn't in %s", want, body)
		}
	}
}

// One address that is refused holds up no other, and nobody gets a message twice.
func TestRefusedRecipientHoldsUpNobody(t *testing.T) {
	p := newPost(t)
	p.refuse = "gone"
	m, err := NewMail(MailOptions{Server: "smtp://" + p.addr, Sender: "crmgate@example.de", To: []string{"gone@example.de", "dpo@example.de"}})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		err := m.Send(t.Context(), message())
		if !errors.Is(err, sink.ErrRefused) || strings.Contains(err.Error(), "gone@") {
			t.Errorf("%v", err)
		}
	}
	p.mu.Lock()
	p.refuse = ""
	p.mu.Unlock()
	if err := m.Send(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	if a, b := len(p.got("gone@example.de")), len(p.got("dpo@example.de")); a != 1 || b != 1 {
		t.Errorf("%d and %d mails", a, b)
	}
}

// A password never goes out in clear, and no alarm goes over a network so.
func TestMailWantsTLS(t *testing.T) {
	p := newPost(t)
	_, port, _ := net.SplitHostPort(p.addr)
	for name, o := range map[string]MailOptions{
		"with a password":      {Server: "smtp://" + p.addr, Username: "u", Password: lure},
		"under another name":   {Server: "smtp://127.0.0.2:" + port},
		"where TLS is at once": {Server: "smtps://" + p.addr},
	} {
		o.Sender, o.To = "crmgate@example.de", []string{"dpo@example.de"}
		m, err := NewMail(o)
		if err != nil {
			t.Fatal(err)
		}
		if m.Send(t.Context(), message()) == nil {
			t.Errorf("%s: it was sent", name)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, line := range p.heard {
		if strings.HasPrefix(line, "AUTH") || strings.HasPrefix(line, "MAIL") {
			t.Errorf("the server heard %q", line)
		}
	}
}

func TestMailThatCannotBeIsRefused(t *testing.T) {
	good := MailOptions{Server: "smtp://mail.example.de:587", Sender: "a@example.de", To: []string{"b@example.de"}}
	if _, err := NewMail(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*MailOptions){
		"no server":      func(o *MailOptions) { o.Server = "" },
		"no scheme":      func(o *MailOptions) { o.Server = "mail.example.de:587" },
		"another scheme": func(o *MailOptions) { o.Server = "https://mail.example.de" },
		"a port":         func(o *MailOptions) { o.Server = "smtp://mail.example.de:99999" },
		"a secret in it": func(o *MailOptions) { o.Server = "smtp://u:p@mail.example.de" },
		"no sender":      func(o *MailOptions) { o.Sender = "" },
		"nobody":         func(o *MailOptions) { o.To = nil },
		"a name":         func(o *MailOptions) { o.To = []string{"B <b@example.de>"} },
		"a line":         func(o *MailOptions) { o.To = []string{"b@example.de\r\nBcc: c@example.de"} },
		"half a sign-in": func(o *MailOptions) { o.Username = "u" },
	} {
		o := good
		spoil(&o)
		if _, err := NewMail(o); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
