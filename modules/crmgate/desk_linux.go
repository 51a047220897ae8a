package crmgate

import (
	"math"

	"golang.org/x/sys/unix"
)

// freeBytes is what may still be written to a directory's disk; -1: unknown.
func freeBytes(dir string) int64 {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return -1
	}
	return int64(min(s.Bavail*uint64(max(s.Bsize, 0)), math.MaxInt64))
}
