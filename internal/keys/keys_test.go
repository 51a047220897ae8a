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
	"time"
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
		"empty":      "",
		"cut":        good[:40],
		"no newline": strings.TrimSuffix(good, "\n"),
		"two lines":  good + good,
		"id again":   good + "crmgate-key-1 01 2026-11-24T00:00:00Z " + strings.Repeat("cd", 32) + "\n",
		"id before":  strings.Replace(good, " 01 ", " 03 ", 1) + "crmgate-key-1 02 2026-11-24T00:00:00Z " + strings.Repeat("cd", 32) + "\n",
		"key again":  good + "crmgate-key-1 02 2026-11-24T00:00:00Z " + strings.Repeat("ab", 32) + "\n",
		"no time":    good + "crmgate-key-1 02 " + strings.Repeat("cd", 32) + "\n",
		"no month":   good + "crmgate-key-1 02 2026-13-24T00:00:00Z " + strings.Repeat("cd", 32) + "\n",
		"first late": "crmgate-key-1 01 2026-11-24T00:00:00Z " + strings.Repeat("cd", 32) + "\n",
		"cut second": good + "crmgate-key-1 02 2026-11-24T00:00:00Z " + strings.Repeat("cd", 31) + "\n",
		"backwards": good + "crmgate-key-1 02 2026-11-24T00:00:00Z " + strings.Repeat("cd", 32) + "\n" +
			"crmgate-key-1 03 2026-11-23T00:00:00Z " + strings.Repeat("ef", 32) + "\n",
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
	r := newRing([]master{{id: 1, secret: secret}})
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
	old := newRing([]master{{id: 1, secret: [32]byte{1}}})
	both := newRing([]master{{id: 1, secret: [32]byte{1}}, {id: 2, secret: [32]byte{2}, from: time.Unix(1, 0)}})
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
		keys, ok := parse(text)
		if !ok {
			return
		}
		var again bytes.Buffer
		for _, k := range keys {
			from := ""
			if !k.from.IsZero() {
				from = k.from.Format(time.RFC3339) + " "
			}
			fmt.Fprintf(&again, "crmgate-key-1 %02x %s%x\n", k.id, from, k.secret)
		}
		if again.String() != string(text) {
			t.Errorf("%q parses, but is not how keys are written", text)
		}
	})
}

func TestRotationLosesNothing(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	running := mustOpen(t, dir)
	running.now = func() time.Time { return now }
	before, err := running.Seal("session", []byte("v"), nil)
	if err != nil {
		t.Fatal(err)
	}
	pseudonyms := running.Derive("audit employee")

	id, err := InDir(dir).Rotate(t.Context(), now.Add(time.Hour))
	if err != nil || id != 2 {
		t.Fatalf("Rotate = %d, %v", id, err)
	}
	if info, err := os.Stat(filepath.Join(dir, FileName)); err != nil || info.Mode() != 0o600 {
		t.Errorf("the file has mode %v, %v", info.Mode(), err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("files %v, %v", files, err)
	}
	if added, err := running.Reload(t.Context(), InDir(dir)); !added || err != nil {
		t.Errorf("Reload = %v, %v", added, err)
	}
	if added, err := running.Reload(t.Context(), InDir(dir)); added || err != nil {
		t.Errorf("a second Reload = %v, %v", added, err)
	}
	waiting, err := running.Seal("session", []byte("v"), nil)
	if err != nil || waiting[0] != 1 {
		t.Errorf("a key seals before its time: %d, %v", waiting[0], err)
	}
	now = now.Add(time.Hour)
	after, err := running.Seal("session", []byte("v"), nil)
	if err != nil || after[0] != 2 {
		t.Errorf("sealed under %d, %v, want the new key", after[0], err)
	}
	another := mustOpen(t, dir)
	for _, sealed := range [][]byte{before, waiting, after} {
		for _, r := range []*Ring{running, another} {
			if got, err := r.Open("session", sealed, nil); err != nil || string(got) != "v" {
				t.Errorf("Open = %q, %v", got, err)
			}
		}
	}
	if running.Derive("audit employee") != pseudonyms || another.Derive("audit employee") != pseudonyms {
		t.Error("pseudonyms change with the key")
	}
	if _, err := InDir(dir).Rotate(t.Context(), now.Add(-2*time.Hour)); err == nil {
		t.Error("a key that begins before the one before it was added")
	}
}

func TestLostOrChangedKeyIsRefusedAtReload(t *testing.T) {
	dir := t.TempDir()
	r := mustOpen(t, dir)
	if _, err := InDir(dir).Rotate(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Reload(t.Context(), InDir(dir)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, FileName)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(good), "\n")
	for name, text := range map[string]string{
		"lost": first + "\n", "another": "crmgate-key-1 01 " + strings.Repeat("ab", 32) + "\n", "empty": "",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Reload(t.Context(), InDir(dir)); err == nil || strings.Contains(err.Error(), "abab") {
			t.Errorf("%s: Reload = %v", name, err)
		}
		if id, _ := r.Newest(); id != 2 {
			t.Errorf("%s: the ring has lost a key", name)
		}
	}
}

func TestRacingRotationsKeepEachOthersKeys(t *testing.T) {
	dir := t.TempDir()
	mustOpen(t, dir)
	var made sync.Map
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if id, err := InDir(dir).Rotate(t.Context(), time.Now().Add(time.Hour)); err == nil {
				if _, twice := made.LoadOrStore(id, true); twice {
					t.Errorf("key %d was made twice", id)
				}
			}
		})
	}
	all.Wait()
	n := 0
	made.Range(func(any, any) bool { n++; return true })
	if id, _ := mustOpen(t, dir).Newest(); int(id) != n+1 || n == 0 {
		t.Errorf("%d keys were made, the newest is %d", n, id)
	}
}

func TestRingPrintsNoKeys(t *testing.T) {
	r := newRing([]master{{id: 1, secret: [32]byte{0xab, 0xcd}}})
	for _, text := range []string{fmt.Sprint(r), fmt.Sprintf("%+v", r)} {
		if strings.Contains(text, "abcd") || strings.Contains(text, "171") {
			t.Errorf("printed: %s", text)
		}
	}
}
