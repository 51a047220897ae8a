//go:build !linux

package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

func writable(dir string) error {
	if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("looking at it: %w", err)
	}
	return nil
}

func freeSpace(string) (uint64, error) { return 0, errors.ErrUnsupported }

func ownerCanTell(fs.FileInfo) bool { return true }
