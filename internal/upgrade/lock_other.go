//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package upgrade

import (
	"errors"
	"fmt"
	"io"
)

// lockDir refuses: two upgrades at once would leave neither.
func lockDir(dir string) (io.Closer, error) {
	return nil, fmt.Errorf("locking %s: %w", dir, errors.ErrUnsupported)
}
