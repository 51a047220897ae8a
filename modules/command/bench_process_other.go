//go:build !linux

package command

import (
	"errors"
	"os"
	"os/exec"
	"time"
)

var errBenchSystem = errors.New("the bench reads CPU time and memory from Linux; run it there")

func benchPossible() error { return errBenchSystem }

type benchProcess struct{ pid int }

func tie(*exec.Cmd) {}

func (benchProcess) cpu() (time.Duration, error) { return 0, errBenchSystem }
func (benchProcess) resetPeak() error            { return errBenchSystem }
func (benchProcess) peak() (int64, error)        { return 0, errBenchSystem }
func cpuModel() string                           { return "unknown processor" }
func inMemory(string) bool                       { return false }
func dataSync(f *os.File) error                  { return f.Sync() }
