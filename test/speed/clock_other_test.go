//go:build !linux

package speed_test

import "time"

// now is the time on the clock.
func now() time.Duration { return time.Duration(time.Now().UnixNano()) }
