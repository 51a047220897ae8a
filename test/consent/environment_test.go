package consent

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/mail"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"

	"github.com/crmgate/crmgate/internal/demo/crm"
	"github.com/crmgate/crmgate/internal/demo/provider"
	_ "github.com/crmgate/crmgate/modules/standard"
	"github.com/crmgate/crmgate/test/stack"
)

// house is a gateway with a ledger, a mail server and a provider.
type house struct {
	dir, url string
	mails    *bufio.Reader
}

// delivered is a mail as the server got it.
type delivered struct {
	From string   `json:"from"`
	To   []string `json:"to"`
	TLS  bool     `json:"tls"`
	User string   `json:"user"`
	Mail string   `json:"mail"`

	header mail.Header
	text   string
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{dir: stack.MemoryDir(t)}
	port := h.startMail(t)
	behind, err := crm.New(crm.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(behind.Close)
	site, own, back := listen(t), listen(t), listen(t)
	file, err := site.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	h.url = "http://" + site.Addr().String()
	issuer := "http://" + own.Addr().String()
	signIn, err := provider.New(provider.Config{
		Issuer: issuer, ClientID: "crm", ClientSecret: "a secret", Employees: provider.Employees(),
		RedirectURIs: []string{h.url + "/.crmgate/callback"}, PostLogoutURIs: []string{h.url + "/.crmgate/signed-out"},
	})
	if err != nil {
		t.Fatal(err)
	}
	serve(t, own, signIn)
	serve(t, back, behind)
	text := fmt.Sprintf(caddyfile, h.dir, h.url, file.Fd(), issuer, back.Addr(), port)
	raw, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		t.Fatal(err)
	}
	if err := caddy.Load(raw, true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
		file.Close()
	})
	return h
}

const caddyfile = `{
	admin off
	persist_config off
	storage file_system %[1]s/caddy
	grace_period 2s
	log {
		output file %[1]s/process.log
		level DEBUG
	}
	crmgate {
		data_dir %[1]s/data
		log {
			segment_mib 1
		}
	}
}
%[2]s {
	bind fd/%[3]d
	log {
		output file %[1]s/access.log
	}
	crm_gate {
		profile demo
		policy builtin:demo
		oidc %[4]s {
			mfa amr mfa
			client_id crm
			client_secret "a secret"
		}
		desk {
			officers role auditor
		}
		consent {
			controller     "Muster GmbH, Musterweg 1, 12345 Berlin"
			privacy_notice https://www.example.de/datenschutz 2026-10
			base           %[2]s
			from           "Muster GmbH <rundbrief@example.de>"
			smtp           127.0.0.1:%[6]s {
				user  crmgate {env.SMTP_PASSWORD}
				trust %[1]s/mail.pem
			}
			origins        https://www.example.de
			limit          address 3 network 40 all 200
			purpose newsletter {
				title de Rundbrief
				title en Newsletter
				text  email 2026-10 de "Ein alter Text."
				text  email 2026-11 de "Ja, ich möchte den Rundbrief der Muster GmbH per E-Mail bekommen."
				text  email 2026-11 en "Yes, I want to get the newsletter of Muster GmbH by e-mail."
				text  phone 2026-11 de "Ja, Sie dürfen mich dazu anrufen."
			}
			purpose survey {
				title de "Umfragen zur Zufriedenheit"
				lasts 730d
				text  email 1 de "Ja, fragen Sie mich per E-Mail, wie zufrieden ich bin."
			}
		}
	}
	reverse_proxy %[5]s
}
`

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func serve(t *testing.T, l net.Listener, h http.Handler) {
	t.Helper()
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go s.Serve(l) // ends with Close
	t.Cleanup(func() { s.Close() })
}

// startMail starts the mail server and returns its port.
func (h *house) startMail(t *testing.T) string {
	t.Helper()
	cert, key := filepath.Join(h.dir, "mail.pem"), filepath.Join(h.dir, "mail.key")
	certify(t, cert, key)
	cmd := exec.Command("/usr/bin/python3", "server.py", cert, key)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	})
	h.mails = bufio.NewReader(out)
	port, err := h.mails.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(port)
}

// certify writes a certificate for 127.0.0.1.
func certify(t *testing.T, cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, of, of, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// mail waits for the next mail.
func (h *house) mail(t *testing.T) *delivered {
	t.Helper()
	type line struct {
		text string
		err  error
	}
	got := make(chan line, 1)
	go func() {
		text, err := h.mails.ReadString('\n')
		got <- line{text, err}
	}()
	select {
	case <-time.After(stack.Patience):
		t.Fatal("no mail came")
	case l := <-got:
		if l.err != nil {
			t.Fatal(l.err)
		}
		d := new(delivered)
		if err := json.Unmarshal([]byte(l.text), d); err != nil {
			t.Fatal(err)
		}
		m, err := mail.ReadMessage(strings.NewReader(d.Mail))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(quotedprintable.NewReader(m.Body))
		if err != nil {
			t.Fatal(err)
		}
		d.header, d.text = m.Header, string(raw)
		return d
	}
	return nil
}

// link is the address in a mail's text that begins so.
func (d *delivered) link(t *testing.T, begins string) string {
	t.Helper()
	for word := range strings.FieldsSeq(d.text) {
		if strings.HasPrefix(word, begins) {
			return word
		}
	}
	t.Fatalf("the mail has no link %s:\n%s", begins, d.text)
	return ""
}

// visitor is somebody with a browser.
type visitor struct {
	h      *house
	client *http.Client
	lang   string
}

func (h *house) visitor(t *testing.T) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{h: h, lang: "de", client: &http.Client{Jar: jar, Timeout: stack.Patience}}
}

type answer struct {
	*http.Response
	body string
}

// sends a request as a browser does that opens a page, unless header says otherwise.
func (v *visitor) sends(t *testing.T, method, to string, form url.Values, header map[string]string) *answer {
	t.Helper()
	if strings.HasPrefix(to, "/") {
		to = v.h.url + to
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(t.Context(), method, to, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Accept-Language", v.lang)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range header {
		if r.Header.Del(name); value != "" {
			r.Header.Set(name, value)
		}
	}
	if host := header["Host"]; host != "" {
		r.Host = host
	}
	return v.does(t, r)
}

func (v *visitor) does(t *testing.T, r *http.Request) *answer {
	t.Helper()
	res, err := v.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &answer{res, string(raw)}
}

func (a *answer) is(t *testing.T, status int, holds ...string) *answer {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("%s %s is %d, want %d: %.800s", a.Request.Method, a.Request.URL.Path, a.StatusCode, status, a.body)
	}
	for _, want := range holds {
		if !strings.Contains(a.body, want) {
			t.Errorf("%q isn't in the answer to %s %s: %.3000s", want, a.Request.Method, a.Request.URL.Path, a.body)
		}
	}
	return a
}

// signIn has an employee sign in at the provider.
func (v *visitor) signIn(t *testing.T, login string) {
	t.Helper()
	var who provider.Employee
	for _, e := range provider.Employees() {
		if e.Login == login {
			who = e
		}
	}
	at := v.sends(t, http.MethodGet, "/.crmgate/", nil, map[string]string{"Sec-Fetch-Mode": "", "Sec-Fetch-Site": ""})
	id, base := at.Request.URL.Query().Get("id"), "http://"+at.Request.URL.Host
	v.sends(t, http.MethodPost, base+"/oidc/login", url.Values{"id": {id}, "login": {login}, "password": {who.Password}}, map[string]string{"Sec-Fetch-Mode": ""})
	at = v.sends(t, http.MethodPost, base+"/oidc/login/code", url.Values{"id": {id}, "code": {provider.Code(who.TOTPSecret, time.Now())}}, map[string]string{"Sec-Fetch-Mode": ""})
	if at.StatusCode != http.StatusOK || at.Request.URL.Path != "/.crmgate/" {
		t.Fatalf("the sign-in of %s ends at %s with %d: %.500s", login, at.Request.URL, at.StatusCode, at.body)
	}
}
