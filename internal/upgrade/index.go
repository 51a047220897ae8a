// Package upgrade replaces the program by a newer release: from a signed index, by a download that is checked,
// with the way back kept until the new one has shown that it serves.
//
// Whoever controls the source alone can withhold releases, and not for longer than an index is valid; they can't make
// one up, nor lead back to an older one.
package upgrade

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/semver"
	"golang.org/x/mod/sumdb/note"
)

// Index is what a source has. It is kept as a note (golang.org/x/mod/sumdb/note): a first line that says what is
// signed, this as JSON, and the signatures of release keys.
type Index struct {
	Issued time.Time `json:"issued"`
	// Expires is when nothing is vouched for any longer: a source that shows yesterday's
	// index for good, so that a mended fault stays open, is noticed then.
	Expires  time.Time `json:"expires"`
	Releases []Release `json:"releases"`
}

// Release is one version with its files.
type Release struct {
	// Version is a semantic version without v: 1.4.2, 1.5.0-rc.1.
	Version string `json:"version"`
	// Data names the formats of what the gateway keeps. A version reads what one with the
	// same name wrote; of another name it may read older data, and then nothing leads back.
	Data  string `json:"data"`
	Files []File `json:"files"`
}

// File is one form of a release for one kind of machine.
type File struct {
	// Name is the last part of the file's address; the source's is before it.
	Name string `json:"name"`
	Form Form   `json:"form"`
	// OS and Arch are as Go names them.
	OS   string `json:"os"`
	Arch string `json:"arch"`
	// Size is in bytes.
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Form is how a program was put on a machine.
type Form string

// The forms: the file alone, a Debian package, an RPM.
const (
	Binary Form = "binary"
	Deb    Form = "deb"
	RPM    Form = "rpm"
)

// IndexName is the last part of the index's address.
const IndexName = "index"

// title is the first line of what is signed, so that a signature of something else is
// none of an index.
const title = "crmgate releases 1\n"

// Bounds of what is read.
const (
	maxIndex = 1 << 20
	maxFile  = 1 << 30
)

// ErrSignature says that no known key vouches for an index.
var ErrSignature = errors.New("no release key that the configuration names has signed the index: the source isn't the one it was, or its key was changed")

// ErrExpired says that an index is too old to go by.
var ErrExpired = errors.New("the index has expired: the source is kept at an old state, its maintainers forgot it, or this machine's clock is wrong")

var (
	fileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+~-]{0,199}$`)
	sha      = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// CheckKey refuses what is no release key.
func CheckKey(key string) error {
	if _, err := note.NewVerifier(key); err != nil {
		return errors.New("not a release key: it is NAME+8 hexadecimal digits+base64, as its maintainers publish it")
	}
	return nil
}

// Open reads an index that one of the keys has signed.
func Open(raw []byte, keys []string, now time.Time) (*Index, error) {
	if len(raw) > maxIndex {
		return nil, fmt.Errorf("the index has more than %d bytes", maxIndex)
	}
	var known []note.Verifier
	for _, k := range keys {
		v, err := note.NewVerifier(k)
		if err != nil {
			return nil, CheckKey(k)
		}
		known = append(known, v)
	}
	n, err := note.Open(raw, note.VerifierList(known...))
	if err != nil {
		return nil, ErrSignature
	}
	text, ours := strings.CutPrefix(n.Text, title)
	if !ours {
		return nil, errors.New("what was signed is no index of releases that this version can read")
	}
	x := new(Index)
	if err := json.Unmarshal([]byte(text), x); err != nil {
		return nil, fmt.Errorf("reading the index: %w", err)
	}
	if err := x.check(); err != nil {
		return nil, fmt.Errorf("reading the index: %w", err)
	}
	if !now.Before(x.Expires) {
		return nil, fmt.Errorf("%w (valid until %s)", ErrExpired, x.Expires.UTC().Format(time.RFC3339))
	}
	return x, nil
}

// Sign writes an index down with the key's signature.
func (x *Index) Sign(secret string) ([]byte, error) {
	if err := x.check(); err != nil {
		return nil, err
	}
	signer, err := note.NewSigner(strings.TrimSpace(secret))
	if err != nil {
		return nil, errors.New("not the secret of a release key")
	}
	var text bytes.Buffer
	text.WriteString(title)
	to := json.NewEncoder(&text)
	to.SetIndent("", "  ")
	if err := to.Encode(x); err != nil {
		return nil, fmt.Errorf("writing the index: %w", err)
	}
	return note.Sign(&note.Note{Text: text.String()}, signer)
}

func (x *Index) check() error {
	if x.Issued.IsZero() || !x.Issued.Before(x.Expires) {
		return errors.New("it says no time from which to which it is valid")
	}
	seen := map[string]bool{}
	for _, r := range x.Releases {
		if !semver.IsValid("v"+r.Version) || semver.Canonical("v"+r.Version) != "v"+r.Version {
			return fmt.Errorf("%q is no version", r.Version)
		}
		if seen[r.Version] {
			return fmt.Errorf("version %s stands in it twice", r.Version)
		}
		seen[r.Version] = true
		for _, f := range r.Files {
			if !fileName.MatchString(f.Name) || !sha.MatchString(f.SHA256) || f.Size <= 0 || f.Size > maxFile {
				return fmt.Errorf("a file of version %s has no sound name, size or hash", r.Version)
			}
		}
	}
	slices.SortStableFunc(x.Releases, func(a, b Release) int { return Compare(b.Version, a.Version) })
	return nil
}

// Newest returns the greatest version of the form for this kind of machine. Candidates (1.5.0-rc.1) are taken only where
// the version at hand is one itself.
func (x *Index) Newest(at string, form Form, os, arch string) (Release, bool) {
	for _, r := range x.Releases {
		if semver.Prerelease("v"+r.Version) != "" && semver.Prerelease("v"+at) == "" {
			continue
		}
		if _, ok := r.File(form, os, arch); ok {
			return r, true
		}
	}
	return Release{}, false
}

// Release returns a version.
func (x *Index) Release(version string) (Release, bool) {
	i := slices.IndexFunc(x.Releases, func(r Release) bool { return r.Version == version })
	if i < 0 {
		return Release{}, false
	}
	return x.Releases[i], true
}

// File returns the release's file of a form for a kind of machine.
func (r Release) File(form Form, os, arch string) (File, bool) {
	i := slices.IndexFunc(r.Files, func(f File) bool { return f.Form == form && f.OS == os && f.Arch == arch })
	if i < 0 {
		return File{}, false
	}
	return r.Files[i], true
}

// Compare orders versions.
func Compare(a, b string) int {
	return cmp.Compare(semver.Compare("v"+a, "v"+b), 0)
}

var (
	tagged   = regexp.MustCompile(`^crmgate v(\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?)-\d+-g[0-9a-f]+(?:-dirty)?, Caddy$`)
	untagged = regexp.MustCompile(`^crmgate (?:[0-9a-f]{7,40}(?:-dirty)?|unknown), Caddy$`)
)

// Built returns the version of a program by what it calls itself: that of the tag before its commit, or 0.0.0 where
// there was none.
func Built(name string) (string, error) {
	if m := tagged.FindStringSubmatch(name); m != nil && semver.IsValid("v"+m[1]) {
		return m[1], nil
	}
	if untagged.MatchString(name) {
		return "0.0.0", nil
	}
	return "", errors.New("this program wasn't built as crmgate: modules in a Caddy of your own are upgraded by building it anew, where it was built")
}

// sum is the SHA-256 as an index writes it.
func sum(h [sha256.Size]byte) string { return hex.EncodeToString(h[:]) }
