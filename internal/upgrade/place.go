package upgrade

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Place is how the program is installed, and so how it is replaced: by the file, or by the package manager, which would
// undo with its next work what was done behind it.
type Place struct {
	Form Form
	// Path is the program.
	Path string
}

// packageName is what packages are called.
const packageName = "crmgate"

// FindPlace says how the program at the path was installed.
func FindPlace(ctx context.Context, path string) (*Place, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, fmt.Errorf("looking for this program: %w", err)
	}
	for _, m := range []struct {
		form Form
		ask  []string
	}{
		{Deb, []string{"dpkg-query", "--search", path}},
		{RPM, []string{"rpm", "--query", "--queryformat", "%{NAME}: ", "--file", path}},
	} {
		out, err := exec.CommandContext(ctx, m.ask[0], m.ask[1:]...).Output() //nolint:gosec // ours, and the path of this program
		if err != nil {
			continue // not there, or it knows no such file
		}
		if name, _, _ := strings.Cut(string(out), ":"); name != packageName {
			return nil, fmt.Errorf("%s belongs to the package %s, which isn't ours: upgrade that one", path, name)
		}
		return &Place{m.form, path}, nil
	}
	return &Place{Binary, path}, nil
}

// put installs a file of the place's form, newer or older than what is there.
func (p *Place) put(ctx context.Context, file string) error {
	switch p.Form {
	case Deb:
		return run(ctx, "dpkg", "--force-confold", "--install", file)
	case RPM:
		return run(ctx, "rpm", "--upgrade", "--oldpackage", "--replacepkgs", file)
	}
	err := replace(p.Path, 0o755, func(to *os.File) error { return copyFrom(to, file) })
	if errors.Is(err, os.ErrPermission) || isReadOnly(err) {
		return fmt.Errorf("%w; an upgrade is root's work, and an image is replaced by a newer image", err)
	}
	return err
}

// keep copies the program as it is now, for the way back.
func (p *Place) keep(to string) error {
	return replace(to, 0o700, func(f *os.File) error { return copyFrom(f, p.Path) })
}

// holds reports whether the program is this very file.
func (p *Place) holds(file string) (bool, error) {
	a, err := os.Open(p.Path)
	if err != nil {
		return false, err
	}
	defer a.Close()
	b, err := os.Open(file)
	if err != nil {
		return false, err
	}
	defer b.Close()
	return same(a, b)
}

func same(a, b io.Reader) (bool, error) {
	one, other := make([]byte, 1<<16), make([]byte, 1<<16)
	for {
		n, err := io.ReadFull(a, one)
		m, other2 := io.ReadFull(b, other)
		if !bytes.Equal(one[:n], other[:m]) {
			return false, nil
		}
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !ended {
			return false, err
		}
		if other2 != nil && !errors.Is(other2, io.EOF) && !errors.Is(other2, io.ErrUnexpectedEOF) {
			return false, other2
		}
		if ended {
			return true, nil
		}
	}
}

func copyFrom(to io.Writer, path string) error {
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close()
	_, err = io.Copy(to, from)
	return err
}

// run runs a command to its end: a package manager that is killed leaves a package half there.
func run(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), name, args...) //nolint:gosec // the two package managers
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, tail(out))
	}
	return nil
}

// tail is the end of what a command said.
func tail(out []byte) string {
	const most = 1000
	s := strings.TrimSpace(string(out))
	if len(s) > most {
		s = "… " + s[len(s)-most:]
	}
	return s
}
