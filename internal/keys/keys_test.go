package keys

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func mustOpen(t *testing.T, dir string) *Ring {
	t.Helper()
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestKeyIsMadeOnceAndKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "keys")
	first, second := mustOpen(t, dir), mustOpen(t, dir)
	if first.Derive("x") != second.Derive("x") {
		t.Error("a second Open gave another key")
	}
	info, err := os.Stat(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("mode = %v, want 0600", info.Mode())
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 1 {
		t.Errorf("%d files are left in the directory, want 1", len(files))
	}
	if mustOpen(t, t.TempDir()).Derive("x") == first.Derive("x") {
		t.Error("two directories got the same key")
	}
}

func TestRacingOpensShareOneKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	keys := make([][32]byte, 16)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			r, err := Open(dir)
			if err != nil {
				t.Error(err)
				return
			}
			keys[i] = r.Derive("x")
		})
	}
	wg.Wait()
	for i := range keys {
		if keys[i] != keys[0] {
			t.Fatalf("opener %d has another key", i)
		}
	}
}

func TestReadableKeyIsRefused(t *testing.T) {
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o620, 0o644, 0o610} {
		dir := t.TempDir()
		mustOpen(t, dir)
		path := filepath.Join(dir, FileName)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("mode %v: error = %v, want one that names chmod 600", mode, err)
		}
	}
}

func TestMalformedKeyIsRefusedAndKept(t *testing.T) {
	good := "crmgate-key-1 01 " + strings.Repeat("ab", 32) + "\n"
	for name, text := range map[string]string{
		"empty":       "",
		"cut":         good[:40],
		"no newline":  strings.TrimSuffix(good, "\n"),
		"two lines":   good + good,
		"upper case":  strings.ToUpper(good),
		"version":     strings.Replace(good, "key-1", "key-2", 1),
		"id zero":     strings.Replace(good, " 01 ", " 00 ", 1),
		"zeros":       "crmgate-key-1 01 " + strings.Repeat("00", 32) + "\n",
		"zero filled": strings.Repeat("\x00", 82),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, FileName)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "malformed") {
				t.Errorf("error = %v, want malformed", err)
			}
			if got, _ := os.ReadFile(path); string(got) != text {
				t.Error("the refused file was changed")
			}
		})
	}
}

func TestKeyNeverAppearsInErrors(t *testing.T) {
	dir := t.TempDir()
	secret := strings.Repeat("ab", 31) + "ag"
	if err := os.WriteFile(filepath.Join(dir, FileName), []byte("crmgate-key-1 01 "+secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || strings.Contains(err.Error(), "abab") {
		t.Errorf("error = %v", err)
	}
}

// The derivation is fixed: another result would orphan every pseudonym and
// sealed value of every installation. The value was computed with HMAC alone,
// after RFC 5869.
func TestDerivationIsFixed(t *testing.T) {
	secret := [32]byte{1, 2, 3}
	r := &Ring{current: 1, secrets: map[byte][32]byte{1: secret}}
	got := r.Derive("audit employee")
	const want = "fb188e89462ec6212f44509587e7c68207ff19376d2b7371e4078e2fdcc329b8"
	if hex.EncodeToString(got[:]) != want {
		t.Errorf("Derive = %x, want %s", got, want)
	}
	if got == r.Derive("audit employees") {
		t.Error("two purposes share a key")
	}
}

func TestSealedOpensOnlyWithTheSamePurposeAndData(t *testing.T) {
	r := mustOpen(t, t.TempDir())
	sealed, err := r.Seal("cookie", []byte("hello"), []byte("site a"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Open("cookie", sealed, []byte("site a"))
	if err != nil || string(got) != "hello" {
		t.Fatalf("Open = %q, %v", got, err)
	}
	for name, open := range map[string]func() ([]byte, error){
		"purpose": func() ([]byte, error) { return r.Open("state", sealed, []byte("site a")) },
		"aad":     func() ([]byte, error) { return r.Open("cookie", sealed, []byte("site b")) },
		"short":   func() ([]byte, error) { return r.Open("cookie", sealed[:28], []byte("site a")) },
		"nil":     func() ([]byte, error) { return r.Open("cookie", nil, nil) },
		"ring":    func() ([]byte, error) { return mustOpen(t, t.TempDir()).Open("cookie", sealed, []byte("site a")) },
	} {
		if _, err := open(); !errors.Is(err, ErrSealed) {
			t.Errorf("%s: error = %v, want ErrSealed", name, err)
		}
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := r.Open("cookie", changed, []byte("site a")); !errors.Is(err, ErrSealed) {
			t.Errorf("byte %d changed: error = %v, want ErrSealed", i, err)
		}
	}
	again, _ := r.Seal("cookie", []byte("hello"), []byte("site a"))
	if bytes.Equal(again, sealed) {
		t.Error("sealing twice gave the same bytes: the nonce repeats")
	}
}

func TestOlderKeysStillOpen(t *testing.T) {
	old := &Ring{current: 1, secrets: map[byte][32]byte{1: {1}}}
	both := &Ring{current: 2, secrets: map[byte][32]byte{1: {1}, 2: {2}}}
	sealed, err := old.Seal("p", []byte("v"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := both.Open("p", sealed, nil); err != nil || string(got) != "v" {
		t.Errorf("Open = %q, %v", got, err)
	}
	fresh, _ := both.Seal("p", []byte("v"), nil)
	if _, err := old.Open("p", fresh, nil); !errors.Is(err, ErrSealed) {
		t.Errorf("error = %v, want ErrSealed", err)
	}
}

// Strictness: whatever parses has exactly one spelling.
func FuzzKeyFile(f *testing.F) {
	f.Add([]byte("crmgate-key-1 01 " + strings.Repeat("ab", 32) + "\n"))
	f.Add([]byte("crmgate-key-1 01 \n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		id, secret, ok := parse(text)
		if ok && fmt.Sprintf("crmgate-key-1 %02x %x\n", id, secret) != string(text) {
			t.Errorf("%q parses, but is not how a key is written", text)
		}
	})
}
