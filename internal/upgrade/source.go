package upgrade

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Source is where releases are.
type Source struct {
	// Address is an https URL. Names of files are put behind it.
	Address string
	// Keys are the release keys, of which one has to have signed the index: two while a
	// key is changed.
	Keys []string

	client *http.Client
}

// Check refuses a source that can't be one, and names the remedy.
func (s *Source) Check() error {
	u, err := url.Parse(s.Address)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("%q is no source of releases: write an address that begins with https://, as its maintainers publish it", s.Address)
	}
	if len(s.Keys) == 0 {
		return errors.New("a source of releases takes the key that they are signed with: key NAME+…")
	}
	for _, k := range s.Keys {
		if err := CheckKey(k); err != nil {
			return err
		}
	}
	return nil
}

// Limits of a download: the answer's head, and all of it.
const (
	headFor     = 30 * time.Second
	downloadFor = 30 * time.Minute
)

func (s *Source) http() *http.Client {
	if s.client == nil {
		s.client = &http.Client{
			Transport: &http.Transport{
				Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
				TLSHandshakeTimeout: headFor, ResponseHeaderTimeout: headFor, ForceAttemptHTTP2: true,
				DisableCompression: true, // sizes are those of the files
			},
			CheckRedirect: func(req *http.Request, via []*http.Request) error {
				switch {
				case req.URL.Scheme != "https":
					return errors.New("the source leads on to an address without TLS")
				case len(via) > 5:
					return errors.New("the source leads on and on")
				}
				return nil
			},
		}
	}
	return s.client
}

// Index asks for the index.
func (s *Source) Index(ctx context.Context, now time.Time) (*Index, error) {
	body, err := s.get(ctx, IndexName)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	raw, err := io.ReadAll(io.LimitReader(body, maxIndex+1))
	if err != nil {
		return nil, fmt.Errorf("reading the index of %s: %w", s.Address, err)
	}
	x, err := Open(raw, s.Keys, now)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Address, err)
	}
	return x, nil
}

func (s *Source) get(ctx context.Context, name string) (io.ReadCloser, error) {
	at := strings.TrimSuffix(s.Address, "/") + "/" + url.PathEscape(name)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", at, err)
	}
	resp, err := s.http().Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking for releases: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("%s answers %s", at, resp.Status)
	}
	return resp.Body, nil
}

// Fetch downloads a file into the directory, and returns its path once all of it is there, durable, and the one that
// the index names. One that is there already isn't asked for again.
func (s *Source) Fetch(ctx context.Context, dir string, f File) (string, error) {
	path := filepath.Join(dir, f.Name)
	if err := f.is(path); err == nil {
		return path, nil
	}
	ctx, cancel := context.WithTimeout(ctx, downloadFor)
	defer cancel()
	body, err := s.get(ctx, f.Name)
	if err != nil {
		return "", err
	}
	defer body.Close()
	part, err := os.CreateTemp(dir, partly+"*")
	if err != nil {
		return "", fmt.Errorf("downloading %s: %w", f.Name, err)
	}
	defer os.Remove(part.Name()) // it has another name when all went well
	err = f.copy(part, body)
	if err = errors.Join(err, part.Sync(), part.Close()); err != nil {
		return "", fmt.Errorf("downloading %s: %w; nothing was changed", f.Name, err)
	}
	if err := os.Rename(part.Name(), path); err != nil {
		return "", fmt.Errorf("keeping %s: %w", f.Name, err)
	}
	return path, syncDir(dir)
}

// partly begins the names of files that aren't whole.
const partly = ".part-"

var errOther = errors.New("it isn't the file that was signed: another hash")

// copy writes what comes as long as it can be the file, and says whether it was.
func (f File) copy(to io.Writer, from io.Reader) error {
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(to, h), io.LimitReader(from, f.Size+1))
	switch {
	case err != nil:
		return err
	case n < f.Size:
		return fmt.Errorf("it was cut: %d bytes of %d", n, f.Size)
	case n > f.Size:
		return fmt.Errorf("there is more than the %d bytes that were signed", f.Size)
	case sum([sha256.Size]byte(h.Sum(nil))) != f.SHA256:
		return errOther
	}
	return nil
}

// is reports whether the path holds the file.
func (f File) is(path string) error {
	there, err := os.Open(path)
	if err != nil {
		return err
	}
	defer there.Close()
	return f.copy(io.Discard, there)
}

// syncDir makes a directory's names durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
