package sink

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/ocsf"
	"github.com/crmgate/crmgate/internal/syslog"
)

// Syslog sends a summary of each entry: who, what and how many, and where the entry
// stands with the hash of its leaf. What it names is never the list of records: a
// message has a limit, an entry none. Syslog knows no acknowledgement: what was under
// way when a connection broke may be lost.
type Syslog struct {
	writer   *syslog.Writer
	messages []syslog.Message
}

// NewSyslog makes a target of a writer.
func NewSyslog(w *syslog.Writer) *Syslog { return &Syslog{writer: w} }

// maxParam bounds a value in a message, in bytes.
const maxParam = 256

// Add implements Target.
func (l *Syslog) Add(s *audit.Stored) error {
	l.messages = append(l.messages, summary(s))
	return nil
}

// summary is an entry in one line.
func summary(s *audit.Stored) syslog.Message {
	e := &s.Entry
	id, severity := string(e.Kind), syslog.Informational
	if e.Event != "" {
		id = string(e.Event)
	}
	refused := e.Decision != nil && e.Decision.Refused || e.Event == audit.Refused
	if refused || e.Event == audit.UncleanStart {
		severity = syslog.Notice
	}
	params := []syslog.Param{
		{Name: "id", Value: ocsf.ID(s)},
		{Name: "node", Value: s.Node},
		{Name: "seq", Value: strconv.FormatUint(s.Seq, 10)},
		{Name: "leaf", Value: s.LeafHash.String()},
	}
	add := func(name, value string) {
		if value != "" && value != "0" {
			params = append(params, syslog.Param{Name: name, Value: value[:min(len(value), maxParam)]})
		}
	}
	add("request", e.Request)
	add("employee", e.Employee)
	add("site", e.Gate)
	add("ip", e.SourceIP)
	if len(e.Accesses) > 0 {
		add("action", string(e.Accesses[0].Action))
		add("entity", string(e.Accesses[0].Entity))
	}
	records := 0
	for i := range e.Accesses {
		records += len(e.Accesses[i].IDs)
	}
	if d := e.Disclosure; d != nil {
		records = len(d.Records)
		add("rows", strconv.Itoa(d.Rows))
	}
	add("records", strconv.Itoa(records))
	add("status", strconv.Itoa(e.Status))
	if refused {
		add("refused", "1")
	}
	if e.Decision != nil {
		add("reason", e.Decision.Reason)
	}
	add("error", e.Error)
	return syslog.Message{
		Facility: syslog.Audit, Severity: severity, Time: e.Time, ID: id,
		Data: []syslog.Element{{Name: "entry", Params: params}},
		Text: fmt.Sprintf("%s %s: %d records", id, ocsf.ID(s), records),
	}
}

// Full implements Target.
func (l *Syslog) Full() bool { return len(l.messages) >= batchEntries }

// Drop implements Target.
func (l *Syslog) Drop() { l.messages = l.messages[:0] }

// syslogTimeout bounds the sending of one message.
const syslogTimeout = 10 * time.Second

// Deliver implements Target.
func (l *Syslog) Deliver(ctx context.Context) error {
	for i := range l.messages {
		if err := l.send(ctx, l.messages[i]); err != nil {
			return err
		}
	}
	l.Drop()
	return nil
}

func (l *Syslog) send(ctx context.Context, m syslog.Message) error {
	ctx, cancel := context.WithTimeout(ctx, syslogTimeout)
	defer cancel()
	return l.writer.Write(ctx, m)
}

// Settle implements Target: nobody confirms anything.
func (l *Syslog) Settle() error { return nil }

// Close implements Target.
func (l *Syslog) Close() error { return l.writer.Close() }

var _ Target = (*Syslog)(nil)
