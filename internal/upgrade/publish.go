package upgrade

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// NewKey makes a release key: its secret into a new file, its public part is returned. A name is an address by custom,
// releases.example.org.
func NewKey(name, file string) (string, error) {
	secret, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return "", fmt.Errorf("making a release key: %w", err)
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // never over another key
	if err != nil {
		return "", fmt.Errorf("writing the key's secret: %w", err)
	}
	_, err = fmt.Fprintln(f, secret)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", fmt.Errorf("writing the key's secret: %w", err)
	}
	return public, nil
}

// published is a file of a release: crmgate_1.4.2_amd64 and with .deb or .rpm. Packages write candidates with a tilde.
var published = regexp.MustCompile(`^crmgate_([0-9]+\.[0-9]+\.[0-9]+(?:~[0-9A-Za-z.]+)?)_(amd64|arm64)(\.deb|\.rpm|)$`)

// Publish signs the index of all releases in a folder, valid for so many days. Beside a release's files is one that says in which formats it keeps
// its data, crmgate_1.4.2.data.
func Publish(keyFile, dir string, days int) error {
	if days < 1 || days > 400 {
		return fmt.Errorf("an index is valid for 1 to 400 days, not for %d", days)
	}
	secret, err := os.ReadFile(keyFile)
	if err != nil {
		return fmt.Errorf("reading the key's secret: %w", err)
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("reading the releases: %w", err)
	}
	now := time.Now().UTC().Truncate(time.Second)
	x := &Index{Issued: now, Expires: now.AddDate(0, 0, days)}
	for _, entry := range list {
		m := published.FindStringSubmatch(entry.Name())
		if m == nil {
			continue
		}
		if err := x.add(dir, entry.Name(), m[1], m[2], m[3]); err != nil {
			return err
		}
	}
	if len(x.Releases) == 0 {
		return fmt.Errorf("%s has no release: files are called crmgate_1.4.2_amd64, with .deb and .rpm behind it for packages", dir)
	}
	raw, err := x.Sign(string(secret))
	if err != nil {
		return err
	}
	return replace(filepath.Join(dir, IndexName), 0o644, func(f *os.File) error {
		_, err := f.Write(raw)
		return err
	})
}

func (x *Index) add(dir, name, version, arch, ending string) error {
	f := File{Name: name, Form: Binary, OS: "linux", Arch: arch}
	if ending != "" {
		f.Form = Form(ending[1:])
	}
	in, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return fmt.Errorf("reading a release: %w", err)
	}
	defer in.Close()
	h := sha256.New()
	if f.Size, err = io.Copy(h, in); err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	f.SHA256 = sum([sha256.Size]byte(h.Sum(nil)))
	plain := strings.Replace(version, "~", "-", 1)
	at := slices.IndexFunc(x.Releases, func(r Release) bool { return r.Version == plain })
	if at < 0 {
		data, err := os.ReadFile(filepath.Join(dir, "crmgate_"+version+".data"))
		if err != nil {
			return fmt.Errorf("reading the formats of %s's data: %w", version, err)
		}
		at, x.Releases = len(x.Releases), append(x.Releases, Release{Version: plain, Data: strings.TrimSpace(string(data))})
	}
	x.Releases[at].Files = append(x.Releases[at].Files, f)
	return nil
}
