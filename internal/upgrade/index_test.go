package upgrade

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
)

var today = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func newKey(t testing.TB, name string) (secret, public string) {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	return secret, public
}

func sample() *Index {
	file := func(name string, form Form) File {
		return File{Name: name, Form: form, OS: "linux", Arch: "amd64", Size: 3, SHA256: strings.Repeat("a", 64)}
	}
	return &Index{Issued: today.Add(-time.Hour), Expires: today.Add(time.Hour), Releases: []Release{
		{Version: "1.2.0", Data: "log 1", Files: []File{file("old", Binary)}},
		{Version: "1.10.0", Data: "log 1", Files: []File{file("new", Binary), file("new.deb", Deb)}},
		{Version: "1.11.0-rc.1", Data: "log 1", Files: []File{file("candidate", Binary)}},
	}}
}

func signed(t testing.TB, x *Index, secret string) []byte {
	t.Helper()
	raw, err := x.Sign(secret)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestSignedIndexIsReadWithAnyOfTheKeys(t *testing.T) {
	secret, public := newKey(t, "releases.example")
	_, other := newKey(t, "releases.example")
	x, err := Open(signed(t, sample(), secret), []string{other, public}, today)
	if err != nil {
		t.Fatal(err)
	}
	if r, ok := x.Newest("1.2.0", Binary, "linux", "amd64"); !ok || r.Version != "1.10.0" {
		t.Errorf("Newest = %+v, want 1.10.0: it is after 1.2.0, and a candidate isn't for who runs a release", r)
	}
	if r, ok := x.Newest("1.11.0-rc.0", Binary, "linux", "amd64"); !ok || r.Version != "1.11.0-rc.1" {
		t.Errorf("Newest for a candidate = %+v", r)
	}
	if _, ok := x.Newest("1.2.0", Deb, "linux", "arm64"); ok {
		t.Error("there is a package for another kind of machine")
	}
}

func TestIndexThatNobodyVouchesForIsRefused(t *testing.T) {
	secret, public := newKey(t, "releases.example")
	foreign, _ := newKey(t, "releases.example")
	whole := signed(t, sample(), secret)
	for name, raw := range map[string][]byte{
		"another key of the name": signed(t, sample(), foreign),
		"changed afterwards":      bytes.Replace(whole, []byte(`"1.2.0"`), []byte(`"9.2.0"`), 1),
		"cut":                     whole[:len(whole)/2],
		"without a signature":     []byte(title + "{}\n"),
		"empty":                   nil,
	} {
		if _, err := Open(raw, []string{public}, today); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v, want ErrSignature", name, err)
		}
	}
	if _, err := Open(whole, nil, today); err == nil {
		t.Error("it is read without a key")
	}
	if _, err := Open(whole, []string{public}, today.Add(time.Hour)); !errors.Is(err, ErrExpired) {
		t.Errorf("an expired index: %v, want ErrExpired", err)
	}
}

// A release key that signs something else, as checkpoints, signs no index.
func TestSignatureOfSomethingElseIsNone(t *testing.T) {
	secret, public := newKey(t, "releases.example")
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := note.Sign(&note.Note{Text: `{"issued":"2026-01-01T00:00:00Z","expires":"2030-01-01T00:00:00Z"}` + "\n"}, signer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(raw, []string{public}, today); err == nil {
		t.Error("a signed text without the title is an index")
	}
}

func TestUnsoundIndexIsNeitherSignedNorRead(t *testing.T) {
	secret, _ := newKey(t, "releases.example")
	for name, spoil := range map[string]func(*Index){
		"a name with a way":      func(x *Index) { x.Releases[0].Files[0].Name = "../crmgate" },
		"a hidden name":          func(x *Index) { x.Releases[0].Files[0].Name = ".part-1" },
		"no size":                func(x *Index) { x.Releases[0].Files[0].Size = 0 },
		"a size without end":     func(x *Index) { x.Releases[0].Files[0].Size = maxFile + 1 },
		"no hash":                func(x *Index) { x.Releases[0].Files[0].SHA256 = "" },
		"no version":             func(x *Index) { x.Releases[0].Version = "1.2" },
		"twice the same":         func(x *Index) { x.Releases[0].Version = x.Releases[1].Version },
		"no time":                func(x *Index) { x.Issued = time.Time{} },
		"expired when it begins": func(x *Index) { x.Expires = x.Issued },
	} {
		x := sample()
		spoil(x)
		if _, err := x.Sign(secret); err == nil {
			t.Errorf("%s: it was signed", name)
		}
	}
}

func TestVersionIsTheTagBeforeTheCommit(t *testing.T) {
	for name, want := range map[string]string{
		"crmgate v1.4.2-0-g0123456789ab, Caddy":            "1.4.2",
		"crmgate v1.4.2-17-g0123456789ab-dirty, Caddy":     "1.4.2",
		"crmgate v1.5.0-rc.1-0-g0123456789ab, Caddy":       "1.5.0-rc.1",
		"crmgate 0123456789ab, Caddy":                      "0.0.0",
		"crmgate unknown, Caddy":                           "0.0.0",
		"crmgate v1.4-0-g0123456789ab, Caddy":              "",
		"":                                                 "",
		"v2.11.9":                                          "",
		"crmgate v1.4.2-0-g0123456789ab, Caddy and others": "",
	} {
		got, err := Built(name)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("Built(%q) = %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestSourceIsHTTPSAndHasAKey(t *testing.T) {
	_, key := newKey(t, "releases.example")
	for _, s := range []Source{
		{Address: "http://releases.example", Keys: []string{key}},
		{Address: "https://", Keys: []string{key}},
		{Address: "https://user:pass@releases.example", Keys: []string{key}},
		{Address: "https://releases.example"},
		{Address: "https://releases.example", Keys: []string{key[:20]}},
		{Address: "https://releases.example/?v=1", Keys: []string{key}},
	} {
		if err := s.Check(); err == nil {
			t.Errorf("%+v is a source", s)
		}
	}
	if err := (&Source{Address: "https://releases.example/crmgate/", Keys: []string{key}}).Check(); err != nil {
		t.Error(err)
	}
}

// Whatever is read was signed, is within bounds, and names no file outside of its folder.
func FuzzIndex(f *testing.F) {
	secret, public := newKey(f, "releases.example")
	whole := signed(f, sample(), secret)
	text, _, _ := bytes.Cut(whole, []byte("\n\n"))
	f.Add(append(text, '\n'))
	f.Add([]byte(title + `{"issued":"2026-11-24T11:00:00Z","expires":"2026-11-25T11:00:00Z","releases":[{"version":"1.0.0","files":[{"name":"/etc/passwd","size":1}]}]}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		signer, err := note.NewSigner(secret)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := note.Sign(&note.Note{Text: string(text)}, signer)
		if err != nil {
			return
		}
		x, err := Open(raw, []string{public}, today)
		if err != nil {
			return
		}
		for i, r := range x.Releases {
			if i > 0 && Compare(x.Releases[i-1].Version, r.Version) <= 0 {
				t.Fatal("the newest isn't first")
			}
			for _, file := range r.Files {
				if strings.ContainsAny(file.Name, `/\`) || strings.HasPrefix(file.Name, ".") || file.Size <= 0 {
					t.Fatalf("%+v", file)
				}
			}
		}
	})
}
