//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package audit

import (
	"errors"
	"fmt"
	"io"
)

// lock refuses: without it two processes could fork the log.
func (o osFiles) lock(name string) (io.Closer, error) {
	return nil, fmt.Errorf("locking %s: %w", o.path(name), errors.ErrUnsupported)
}
