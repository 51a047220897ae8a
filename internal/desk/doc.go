// Package desk makes of the audit log what auditors and data protection officers
// read: a search, a record's history, an employee's accesses, volumes over time,
// the state of the log; and the pages that show them, in German and English,
// without scripts. What people send is bounded and checked here. Who may look, and
// that each look is an entry first, is for the caller.
package desk
