package stack

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Process is a running program.
type Process struct {
	*Transcript
	cmd   *exec.Cmd
	ended chan struct{}
}

// StartProcess starts a program and waits until it says a text in a whole line.
// The program is asked to end with the test.
func StartProcess(t testing.TB, cmd *exec.Cmd, ready string) *Process {
	t.Helper()
	out := &Transcript{ready: []byte(ready), found: make(chan struct{})}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &Process{Transcript: out, cmd: cmd, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.Stop(t)
		if t.Failed() {
			t.Logf("%s said at last:\n%s", p.name(), out.Tail())
		}
	})
	select {
	case <-out.found:
	case <-p.ended:
		t.Fatalf("%s ended\n%s", p.name(), out.Tail())
	case <-time.After(Patience):
		t.Fatalf("%s isn't ready\n%s", p.name(), out.Tail())
	}
	return p
}

func (p *Process) name() string { return filepath.Base(p.cmd.Path) }

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Stop asks the process to end and waits until it has. One that has ended
// already is left alone.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(Patience):
		_ = p.cmd.Process.Kill()
		t.Errorf("%s did not end", p.name())
	}
}

// Kill ends the process as a power cut does.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// Transcript is what a process says on both of its outputs.
type Transcript struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	ready []byte
	once  sync.Once
	found chan struct{} // closed when ready was said in a whole line
}

// Write keeps what was said.
func (o *Transcript) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf.Write(p)
	if i := bytes.Index(o.buf.Bytes(), o.ready); i >= 0 && bytes.IndexByte(o.buf.Bytes()[i:], '\n') >= 0 {
		o.once.Do(func() { close(o.found) })
	}
	return len(p), nil
}

// String is all that was said.
func (o *Transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// Tail is what was said at last.
func (o *Transcript) Tail() string {
	s := o.String()
	return s[max(0, len(s)-4000):]
}
