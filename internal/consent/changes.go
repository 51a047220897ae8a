package consent

// Changes counts the changes that were made through this ledger, at this node: whoever
// remembers what it said asks anew once it is another number. Those of other nodes don't
// count.
func (l *Ledger) Changes() uint64 { return l.changes.Load() }
