package keys

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// identityFile makes an age identity and returns its file and recipient.
func identityFile(t *testing.T) (file, recipient string) {
	t.Helper()
	i, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "identity.txt")
	mustWrite(t, file, "# created: today\n# public key: "+i.Recipient().String()+"\n"+i.String()+"\n")
	return file, i.Recipient().String()
}

func mustWrite(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func mustRead(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Keys that are wrapped by age open with the identity alone, are rotated and
// reloaded like plain ones, and stand nowhere in clear.
func TestKeysWrappedByAgeOpenWithTheIdentityAlone(t *testing.T) {
	identity, _ := identityFile(t)
	other, recovery := identityFile(t)
	dir := t.TempDir()
	src := File{Path: filepath.Join(dir, "keys", FileName+".age"), Wrapper: Age{Identity: identity, Recipients: []string{recovery}}}
	ring, err := OpenSource(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := ring.Seal("p", []byte("v"), nil)
	if err != nil {
		t.Fatal(err)
	}
	id, err := src.Rotate(t.Context(), time.Now())
	if err != nil || id != 2 {
		t.Fatalf("Rotate = %d, %v", id, err)
	}
	if added, err := ring.Reload(t.Context(), src); err != nil || !added {
		t.Errorf("Reload = %v, %v", added, err)
	}
	for name, by := range map[string]string{"the identity": identity, "a further recipient": other} {
		again, err := File{Path: src.Path, Wrapper: Age{Identity: by}}.Load(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := again.Open("p", sealed, nil); err != nil || string(got) != "v" || again.Derive("x") != ring.Derive("x") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	files, err := os.ReadDir(filepath.Dir(src.Path))
	if err != nil || len(files) != 1 {
		t.Errorf("beside the keys stand %v, %v", files, err)
	}
	b := mustRead(t, src.Path)
	if info, err := os.Stat(src.Path); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if bytes.Contains(b, []byte("crmgate-key")) || !bytes.HasPrefix(b, []byte("age-encryption.org/v1")) {
		t.Errorf("the file begins with %q", b[:30])
	}
	// What the program age writes with -a is taken, too.
	var armoured bytes.Buffer
	w := armor.NewWriter(&armoured)
	if _, err := w.Write(b); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	mustWrite(t, src.Path, armoured.String())
	if _, err := src.Load(t.Context()); err != nil {
		t.Errorf("armoured: %v", err)
	}
}

// What is wrong is told with its remedy, no identity or key is quoted, and no new
// keys are made in place of those that can't be read.
func TestKeysThatAgeDoesNotUnwrapAreNotReplaced(t *testing.T) {
	identity, _ := identityFile(t)
	stranger, _ := identityFile(t)
	path := filepath.Join(t.TempDir(), FileName+".age")
	good := File{Path: path, Wrapper: Age{Identity: identity}}
	if err := good.Make(t.Context()); err != nil {
		t.Fatal(err)
	}
	was := mustRead(t, path)
	at := func(text string) string {
		file := filepath.Join(t.TempDir(), "i")
		mustWrite(t, file, text)
		return file
	}
	secret := strings.TrimSpace(string(mustRead(t, identity)))
	readable := at(secret)
	if err := os.Chmod(readable, 0o604); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		identity string
		file     []byte
		says     string
	}{
		"another identity":       {stranger, was, "wrapped to others than"},
		"no identity":            {filepath.Join(t.TempDir(), "none"), was, "age-keygen -o"},
		"readable identity":      {readable, was, "chmod o="},
		"broken identity":        {at(secret[:len(secret)-5]), was, "AGE-SECRET-KEY-…"},
		"plugin":                 {at("AGE-PLUGIN-YUBIKEY-1QQPQZRFR7ZZ2WCV\n"), was, "plugins aren't run"},
		"identity with a phrase": {at("age-encryption.org/v1\n-> scrypt x 18\n"), was, "itself encrypted"},
		"cut file":               {identity, was[:len(was)-1], "restore it from a backup"},
		"changed file":           {identity, append(bytes.Clone(was[:len(was)-1]), was[len(was)-1]^1), "restore it from a backup"},
		"plain file":             {identity, []byte("crmgate-key-1 01 " + strings.Repeat("ab", 32) + "\n"), "isn't what age has written"},
		"empty file":             {identity, nil, "isn't what age has written"},
	} {
		t.Run(name, func(t *testing.T) {
			mustWrite(t, path, string(c.file))
			src := File{Path: path, Wrapper: Age{Identity: c.identity}}
			_, err := OpenSource(t.Context(), src)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error = %v, want one that says %q", err, c.says)
			}
			if err != nil && (strings.Contains(err.Error(), "abab") || strings.Contains(err.Error(), "AGE-SECRET-KEY-1")) {
				t.Errorf("the error quotes a secret: %v", err)
			}
			if _, err := src.Rotate(t.Context(), time.Now()); err == nil {
				t.Error("a key was added")
			}
			if !bytes.Equal(mustRead(t, path), c.file) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestRecipientThatIsASecretIsRefused(t *testing.T) {
	_, recipient := identityFile(t)
	if err := CheckAgeRecipients([]string{recipient}); err != nil {
		t.Error(err)
	}
	i, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []string{i.String(), "age1", "", recipient + "\n" + recipient, "ssh-ed25519 AAAA"} {
		if err := CheckAgeRecipients([]string{r}); err == nil || strings.Contains(err.Error(), i.String()) {
			t.Errorf("recipient %q: %v", r, err)
		}
	}
}

// Keys from systemd are read, and nothing else: what can't be done says how it is.
func TestCredentialIsReadAndNeverWritten(t *testing.T) {
	dir := t.TempDir()
	src := Credential{Dir: dir, Name: "crmgate-master"}
	for what, err := range map[string]error{
		"systemd-creds encrypt --name=crmgate-master": func() error { _, err := OpenSource(t.Context(), src); return err }(),
		"systemd-run":                func() error { _, err := OpenSource(t.Context(), Credential{Name: "crmgate-master"}); return err }(),
		"crmgate keys rotate --pipe": func() error { _, err := src.Rotate(t.Context(), time.Now()); return err }(),
	} {
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("error = %v, want one that names %s", err, what)
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("the directory has %v, %v", files, err)
	}
	first, err := First()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, src.Name)
	mustWrite(t, file, string(first))
	if err := os.Chmod(file, 0o440); err != nil { // as systemd does it
		t.Fatal(err)
	}
	ring, err := OpenSource(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	more, id, err := Added(first, time.Now())
	if err != nil || id != 2 {
		t.Fatalf("Added = %d, %v", id, err)
	}
	for _, c := range []struct {
		text  string
		added bool
		ok    bool
	}{{string(more), true, true}, {string(first), false, false}, {"x", false, false}} {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		mustWrite(t, file, c.text)
		if added, err := ring.Reload(t.Context(), src); added != c.added || (err == nil) != c.ok {
			t.Errorf("Reload = %v, %v", added, err)
		}
	}
	if _, _, err := Added([]byte("no keys"), time.Now()); err == nil {
		t.Error("a key was added to what is none")
	}
}

// Keys that were made elsewhere are taken once, and only if they are some.
func TestKeysAreTakenOnce(t *testing.T) {
	text, err := First()
	if err != nil {
		t.Fatal(err)
	}
	src := InDir(t.TempDir())
	if err := src.Take(t.Context(), []byte("x")); err == nil {
		t.Error("what are no keys was taken")
	}
	if err := src.Take(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	if err := src.Take(t.Context(), text); !errors.Is(err, fs.ErrExist) {
		t.Errorf("taking again: %v", err)
	}
	if got, err := src.Text(t.Context()); err != nil || !bytes.Equal(got, text) {
		t.Errorf("Text = %q, %v", got, err)
	}
}
