// Package sink passes a log's durable entries on to other systems: to a file, to a
// web server, to syslog. A Runner reads the log behind its writer, which never waits
// for it, and keeps a cursor of its own beside the log: an entry is passed on at
// least once, and again after a crash; its id tells.
//
// A Runner holds one batch at a time and none while it waits, so that a sink that is
// away for weeks costs nothing but the log's own files.
package sink
