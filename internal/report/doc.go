// Package report makes of the audit log and the configuration what the law asks
// for: a person's accesses (Art. 15 GDPR), what a breach concerned (Art. 33), and
// the technical part of the register (Art. 30). A report is one shape, which is its
// JSON; pages are made of it elsewhere. It reads the log newest first with bounded
// memory and time, and says where it ends. Who may have one made, and that the look
// is an entry first, is for the caller.
package report
