//go:build !linux

package audit

// datasync is a full sync where there is no other: File.Sync reaches the medium
// on macOS as well (F_FULLFSYNC).
func (f osFile) datasync() error { return f.Sync() }
