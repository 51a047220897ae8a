package audit

// Key is the public key that checkpoints of this log are verified by.
func (l *Log) Key() string { return l.notary.key.vkey }

// Months are the data keys of the log, in the order in which they were made, and
// which of them were destroyed.
func (l *Log) Months() (all []MonthKey, destroyed []*Destroyed) {
	return l.keys.list(), l.keys.destroyed()
}
