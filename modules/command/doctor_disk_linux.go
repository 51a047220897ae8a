package command

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// writable asks whether this user may write in a directory, without doing so.
func writable(dir string) error {
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return fmt.Errorf("asking for access: %w", err)
	}
	return nil
}

// freeSpace is what this user may still write there, in bytes.
func freeSpace(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("asking for the free space: %w", err)
	}
	return s.Bavail * uint64(max(s.Bsize, 0)), nil
}

// ownerCanTell is false where this runs as root and the owner is somebody else:
// what root may do says nothing of them.
func ownerCanTell(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return !ok || os.Geteuid() != 0 || s.Uid == 0
}
