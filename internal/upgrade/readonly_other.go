//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package upgrade

// isReadOnly is for systems without such an error.
func isReadOnly(error) bool { return false }
