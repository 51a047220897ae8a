// Package auditor verifies exports of the log with what an auditor has: our own
// library, a page of Python, Tessera's fsck and openssl.
package auditor
