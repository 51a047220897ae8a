package command

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// benchPossible reports whether this system tells what a process costs.
func benchPossible() error { return nil }

// benchProcess is a running process as the system accounts for it.
type benchProcess struct{ pid int }

// tie ends the child with this process, however that ends.
func tie(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// cpu is the user and system time of all threads so far. The clock is that of
// clock_getcpuclockid(3): it counts nanoseconds where /proc/PID/stat has ticks.
func (p benchProcess) cpu() (time.Duration, error) {
	const schedClock = 2
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^p.pid<<3|schedClock), &t); err != nil {
		return 0, fmt.Errorf("reading the CPU time of process %d: %w", p.pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// resetPeak makes peak start from what is in use now.
func (p benchProcess) resetPeak() error {
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.pid), []byte("5"), 0); err != nil {
		return fmt.Errorf("resetting the peak memory of process %d: %w", p.pid, err)
	}
	return nil
}

// peak is the greatest resident memory in bytes since resetPeak.
func (p benchProcess) peak() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		return 0, fmt.Errorf("reading the peak memory: %w", err)
	}
	for line := range bytes.Lines(status) {
		if rest, ok := bytes.CutPrefix(line, []byte("VmHWM:")); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(string(rest)), " kB"), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("reading the peak memory: %w", err)
			}
			return kib << 10, nil
		}
	}
	return 0, fmt.Errorf("process %d has no peak memory: it has ended", p.pid)
}

// cpuModel names the processor.
func cpuModel() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return "unknown processor"
}

// inMemory reports whether a folder is on no disk, so that syncing it costs nothing.
func inMemory(dir string) bool {
	var s unix.Statfs_t
	return unix.Statfs(dir, &s) == nil && (int64(s.Type) == unix.TMPFS_MAGIC || int64(s.Type) == unix.RAMFS_MAGIC)
}

// dataSync waits until a file's content is on the disk.
func dataSync(f *os.File) error { return unix.Fdatasync(int(f.Fd())) }
