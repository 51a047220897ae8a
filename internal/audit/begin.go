package audit

import "context"

// begin writes the entries that a run of the log starts with.
func (l *Log) begin(ctx context.Context, found *recovered, adopted *adoption) error {
	e := &Entry{Kind: Control, Event: Start}
	if !found.clean {
		e.Event, e.Dropped = UncleanStart, found.dropped
		l.nameUnfinished(e, found.unfinished)
	}
	if found.joint != nil {
		e.Event, e.Detail, e.Keeping = Restored, found.joint.String(), &Keeping{Joint: found.joint}
		l.nameUnfinished(e, found.unfinished)
	}
	_, err := l.Append(ctx, e)
	if err == nil && adopted != nil {
		_, err = l.Append(ctx, adopted.entry())
	}
	return err
}

// nameUnfinished names as many intents as surely fit into a segment: an entry that
// is too large would keep the log from starting.
func (l *Log) nameUnfinished(e *Entry, list []Unfinished) {
	n := min(len(list), l.room/256)
	e.Unfinished, e.Unnamed = list[:n], len(list)-n
}
