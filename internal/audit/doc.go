// Package audit is the gateway's log: an append-only, encrypted Merkle log in
// segment files. Append returns when the entry is durable and not before; what
// can't be made durable is an error, and the caller answers 503.
//
// # Layout
//
//	<dir>/lock            held by the one process that writes
//	<dir>/NNNNNNNN.seg    segments, written in order; the last one is the spare
//	<dir>/keys/NNNNNNNN.key  data keys (one a month), wrapped by the master key
//
// A segment is a file of zeros, synced and renamed into place before it is
// needed, so that an append overwrites blocks that exist and one fdatasync makes
// it durable without touching the file system's metadata. It holds frames:
//
//	frame   = len u32 | crc32c u32 | type u8 | payload     (len, crc: type and payload)
//	header  = first frame of a segment: where it stands in the log, the tree's right edge
//	entry   = seq u64 | envelope
//	commit  = tree size u64 | root [32] | oldest unfinished intent u64 | mac [32]
//
// Integers are big endian. A group (entries and the commit behind them) is
// written by one pwrite and one fdatasync. What has no commit behind it was
// never acknowledged. The mac is keyed: who has no key can take nothing out of the
// log and commit the rest anew.
//
// # Envelope
//
//	envelope = "AG1" | flags u8 | key id u32 | nonce [12] | AES-256-GCM(zstd(JSON))
//
// The low four bits of flags name the content coding (1: zstd with dictionary 1),
// the others are zero. The envelope's first eight bytes, the log's epoch and the
// node's name are authenticated with it: an entry opens in the log it was written
// to only. The leaf of the RFC 6962 tree is the envelope, so a data key can be
// destroyed without breaking a proof.
//
// # Checkpoints
//
//	<checkpoints>/YYYY-MM-DD.checkpoint   the last signed checkpoint of each day
//
// A goroutine of its own signs the head at most once a second, after it is
// durable, as a C2SP tlog-checkpoint with an Ed25519 key of this log's own. The
// commit path never waits for it. A log that is shorter than its last checkpoint,
// or other than it, is ErrTampered at Open and in Verify. One without any
// checkpoint has lost it: the first one, over no entry, is durable before the
// first segment is made.
//
// # Index
//
// An Index finds entries without reading all: SQLite files, one for each data key,
// with the entries' times and places and 64-bit HMACs of what is searched for. It
// is derived: Update reads the log from where it has come to (a file that is
// written when the rows are synced), checks roots and commits on the way like
// every reader, and begins anew where the log isn't the one that it has read. It
// finds places only; each entry is opened and compared before it is shown.
//
// # What it does not see
//
// Log and checkpoints put back to an earlier moment together, and what somebody
// who holds the keys wrote anew behind the last checkpoint that is kept elsewhere.
package audit
