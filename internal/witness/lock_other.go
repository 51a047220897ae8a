//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package witness

import (
	"errors"
	"fmt"
	"io"
)

// lockDir refuses: two processes with one key would sign two histories.
func lockDir(dir string) (io.Closer, error) {
	return nil, fmt.Errorf("locking %s: %w", dir, errors.ErrUnsupported)
}
