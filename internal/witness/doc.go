// Package witness is the C2SP witness protocol, both ends of it: the service that
// countersigns the checkpoints of logs that only grew, and the client that asks for
// it (https://c2sp.org/tlog-witness, https://c2sp.org/tlog-cosignature).
//
// A witness keeps one checkpoint of each log: the last one that it has countersigned.
// It countersigns another only where that is over the same entries and more, which the
// log has to prove, and only after the other is durable. So a log that shows one
// history to its witness and another to somebody else is found out by whoever knows
// the witness's key.
package witness
