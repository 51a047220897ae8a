// Package sessions tries sessions end to end: two gateways on one PostgreSQL, a
// provider whose refresh tokens rotate, and people who work at both at once.
package sessions
