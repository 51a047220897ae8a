//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package upgrade

import (
	"errors"

	"golang.org/x/sys/unix"
)

// isReadOnly reports whether the disk can't be written, as that of an image.
func isReadOnly(err error) bool { return errors.Is(err, unix.EROFS) }
