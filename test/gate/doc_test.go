// Package gate_test drives the product as a browser, a script or an attacker
// would: real Caddy, the demo's identity provider and a CRM that can be made to
// misbehave. What a test promises, it reads from the wire, from what the CRM
// received, and from the audit log.
package gate_test
