package syslog

import "time"

// Stale makes the next message look whether its connection is still there.
func (w *Writer) Stale() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = time.Time{}
}

// Encode encodes a message.
func Encode(m *Message, hostname string, now time.Time) []byte { return m.encode(hostname, now) }
