package crmgate

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/stamp"
	"github.com/crmgate/crmgate/internal/syslog"
	"github.com/crmgate/crmgate/internal/witness"
)

// WitnessConfig is who countersigns the log's checkpoints.
type WitnessConfig struct {
	// URL is the witness's address, to which /add-checkpoint is added.
	URL string `json:"url"`
	// Key is its public key, as `crmgate witness init` prints it.
	Key string `json:"key"`
}

// AnchorConfig is where the log's checkpoints are made known.
type AnchorConfig struct {
	// Kind is syslog, or rfc3161 for a time stamping authority.
	Kind string `json:"kind"`
	// Address is udp://HOST:PORT, tcp://…, tls://… or unix:///PATH of a syslog receiver,
	// or the URL of the authority.
	Address string `json:"address"`
	// Every is the least time between two. Default: a minute for syslog, an hour for
	// time stamps. At least a minute.
	Every caddy.Duration `json:"every,omitempty"`
	// CA is a file with the certificates (PEM) that the receiver's, or the authority's,
	// certificate has to lead to. Default: the system's for TLS to a syslog receiver;
	// of time stamps none is demanded when they are taken, and `crmgate audit verify`
	// checks them with the ones that it is given.
	CA string `json:"ca,omitempty"`
}

const (
	anchorSyslog = "syslog"
	anchorStamp  = "rfc3161"
	// maxWitnesses is how many signatures a checkpoint is kept with.
	maxWitnesses = 16
	// attestEvery is how often the witnesses are asked, and it is looked whether an
	// anchor is due.
	attestEvery = time.Minute
)

// checkAttesting refuses what can't work, without asking anybody.
func (l *LogConfig) checkAttesting() error {
	if len(l.Witnesses) > maxWitnesses {
		return fmt.Errorf("witness: %d are too many; name at most %d", len(l.Witnesses), maxWitnesses)
	}
	if l.AtLeast < 0 || l.AtLeast > len(l.Witnesses) {
		return fmt.Errorf("witnesses at_least %d: there are %d witnesses", l.AtLeast, len(l.Witnesses))
	}
	if _, err := l.witnesses(); err != nil {
		return err
	}
	for _, a := range l.Anchors {
		if err := a.check(); err != nil {
			return fmt.Errorf("anchor %s %s: %w", a.Kind, a.Address, err)
		}
	}
	return nil
}

// witnesses are those who are asked, nil for none.
func (l *LogConfig) witnesses() (*audit.Witnesses, error) {
	if len(l.Witnesses) == 0 {
		return nil, nil
	}
	w := &audit.Witnesses{AtLeast: max(1, l.AtLeast)}
	names := map[string]bool{}
	for _, c := range l.Witnesses {
		if err := witness.CheckURL(c.URL); err != nil {
			return nil, fmt.Errorf("witness %s: %w", c.URL, err)
		}
		key, err := witness.ParseKey(c.Key)
		if err != nil {
			return nil, fmt.Errorf("witness %s: %w", c.URL, err)
		}
		if names[key.Name()] {
			return nil, fmt.Errorf("witness %s: two witnesses are called %s", c.URL, key.Name())
		}
		names[key.Name()] = true
		w.Clients = append(w.Clients, &witness.Client{URL: c.URL, Key: key, HTTP: plainClient()})
	}
	return w, nil
}

// plainClient follows no redirects: who answers is who was named.
func plainClient() *http.Client {
	return &http.Client{
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (c *AnchorConfig) check() error {
	if c.Every != 0 && time.Duration(c.Every) < attestEvery {
		return errors.New("every is at least a minute: 1m")
	}
	switch c.Kind {
	case anchorSyslog:
		_, _, secure, err := syslog.ParseAddress(c.Address)
		if err == nil && c.CA != "" && !secure {
			err = errors.New("ca goes with tls://")
		}
		return err
	case anchorStamp:
		return stamp.CheckURL(c.Address)
	}
	return fmt.Errorf("there is no anchor %q; there are %s and %s", c.Kind, anchorSyslog, anchorStamp)
}

func (c *AnchorConfig) every() time.Duration {
	switch {
	case c.Every != 0:
		return time.Duration(c.Every)
	case c.Kind == anchorStamp:
		return time.Hour
	}
	return attestEvery
}

// roots reads the certificates in CA, nil where none are named.
func (c *AnchorConfig) roots() (*x509.CertPool, error) {
	if c.CA == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(c.CA)
	if err != nil {
		return nil, fmt.Errorf("anchor %s: %w", c.Kind, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("anchor %s: there is no certificate in %s", c.Kind, c.CA)
	}
	return pool, nil
}

// open makes the anchor. It connects to nobody.
func (c *AnchorConfig) open() (*anchor, error) {
	roots, err := c.roots()
	if err != nil {
		return nil, err
	}
	a := &anchor{kind: c.Kind, every: c.every(), last: map[string]anchored{}}
	if c.Kind == anchorStamp {
		a.authority = &stamp.Authority{URL: c.Address, Roots: roots, HTTP: plainClient()}
		return a, nil
	}
	network, address, secure, err := syslog.ParseAddress(c.Address)
	if err != nil {
		return nil, fmt.Errorf("anchor %s: %w", c.Kind, err)
	}
	var config *tls.Config
	if secure {
		config = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	a.syslog = syslog.New(network, address, config)
	return a, nil
}

// unmarshalAttesting reads the words of those who vouch for the log.
func (l *LogConfig) unmarshalAttesting(d *caddyfile.Dispenser, word string) error {
	switch word {
	case "witness":
		return l.unmarshalWitness(d)
	case "witnesses":
		return l.unmarshalAtLeast(d)
	case "anchor":
		return l.unmarshalAnchor(d)
	}
	return UnknownWord(d, word, "node", "segment_mib", "local", "retain", "witness", "witnesses", "anchor", "sink")
}

func (l *LogConfig) unmarshalWitness(d *caddyfile.Dispenser) error {
	var w WitnessConfig
	if !d.AllArgs(&w.URL, &w.Key) {
		return d.Err("witness takes an address and a key: witness https://witness.example.org witness.example.org+a1b2c3d4+BA…")
	}
	l.Witnesses = append(l.Witnesses, w)
	return nil
}

func (l *LogConfig) unmarshalAtLeast(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) != 2 || args[0] != "at_least" {
		return d.Err("witnesses takes how many have to countersign a checkpoint: witnesses at_least 2")
	}
	n, err := strconv.Atoi(args[1])
	if err != nil || n < 1 || l.AtLeast != 0 {
		return d.Err("witnesses takes one number from 1, once: witnesses at_least 2")
	}
	l.AtLeast = n
	return nil
}

func (l *LogConfig) unmarshalAnchor(d *caddyfile.Dispenser) error {
	a := AnchorConfig{}
	if !d.AllArgs(&a.Kind, &a.Address) {
		return d.Err("anchor takes a kind and an address: anchor syslog tls://log.example.org, anchor rfc3161 https://tsa.example.org/tsr")
	}
	if a.Kind != anchorSyslog && a.Kind != anchorStamp {
		return UnknownWord(d, a.Kind, anchorSyslog, anchorStamp)
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		var value string
		word := d.Val()
		if word != "every" && word != "ca" {
			return UnknownWord(d, word, "every", "ca")
		}
		if !d.AllArgs(&value) || value == "" {
			return d.Errf("%s takes one value", word)
		}
		if word == "ca" {
			if a.CA = value; !filepath.IsAbs(value) && !strings.HasPrefix(value, "{") {
				a.CA = filepath.Join(filepath.Dir(d.File()), value)
			}
			continue
		}
		every, err := caddy.ParseDuration(value)
		if err != nil || every < attestEvery {
			return d.Errf("%q is no time of a minute or more: write every 1h", value)
		}
		a.Every = caddy.Duration(every)
	}
	l.Anchors = append(l.Anchors, a)
	return nil
}
