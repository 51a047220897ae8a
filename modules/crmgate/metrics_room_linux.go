package crmgate

import "golang.org/x/sys/unix"

// roomOf is what may still be written to a directory's disk, in bytes.
func roomOf(dir string) (room float64, ok bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return float64(s.Bavail) * float64(s.Bsize), true
}
