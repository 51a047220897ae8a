package audit

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"
)

// retryGap keeps a failing disk from being asked by every request.
const retryGap = 100 * time.Millisecond

var errStopped = errors.New("the log is closing")

// makeSegment makes a segment of zeros, in place of one of that number that was
// never written to. Zeros, not fallocate: an extent that was only reserved has to
// be marked as written at its first use, which costs each fdatasync a journal
// transaction.
func makeSegment(fsys files, number uint32, size int64, stop *atomic.Bool) error {
	zeros := make([]byte, min(size, 1<<20))
	return place(fsys, ".", segmentName(number), func(f file) error {
		for at := int64(0); at < size; {
			if stop.Load() {
				return errStopped
			}
			n, err := f.WriteAt(zeros[:min(int64(len(zeros)), size-at)], at)
			if err != nil {
				return err
			}
			// In small portions: one flush of 64 MiB would hold up the appends.
			if at += int64(n); at%(8<<20) == 0 {
				if err := f.datasync(); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// spares makes the next segment ahead of its need, in a goroutine of its own.
// All its methods are called by one goroutine.
type spares struct {
	want chan uint32
	made chan error
	stop atomic.Bool
	// there says, to anybody, that the segment is made and not taken yet.
	there atomic.Bool

	busy, ready bool
	err         error // of the last try
	tried       time.Time
}

func newSpares(fsys files, size int64) *spares {
	s := &spares{want: make(chan uint32, 1), made: make(chan error, 1)}
	go func() {
		defer close(s.made)
		for number := range s.want {
			err := makeSegment(fsys, number, size, &s.stop)
			s.there.Store(err == nil)
			s.made <- err
		}
	}()
	return s
}

// need asks for a segment if it isn't there or being made.
func (s *spares) need(number uint32) {
	s.poll(false)
	if s.ready || s.busy || (s.err != nil && time.Since(s.tried) < retryGap) {
		return
	}
	s.busy, s.tried = true, time.Now()
	s.want <- number
}

// poll takes the news of the segment that is being made, or waits for it.
func (s *spares) poll(wait bool) {
	if !s.busy {
		return
	}
	if wait {
		s.settle(<-s.made)
		return
	}
	select {
	case err := <-s.made:
		s.settle(err)
	default:
	}
}

func (s *spares) settle(err error) {
	s.busy, s.ready, s.err = false, err == nil, err
}

// take hands the segment over, and waits where it is being made.
func (s *spares) take(number uint32) error {
	s.need(number)
	s.poll(true)
	if !s.ready {
		return s.err
	}
	s.ready = false
	s.there.Store(false)
	return nil
}

func (s *spares) close() {
	s.stop.Store(true)
	close(s.want)
	for range s.made { // until the goroutine has ended
	}
}

// storageError sorts what a disk says into what an administrator can do.
func storageError(err error) error {
	if errors.Is(err, ErrDatabase) || errors.Is(err, ErrFenced) {
		return err
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
