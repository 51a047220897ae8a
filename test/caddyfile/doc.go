// Package caddyfile tries what an administrator writes: Caddyfiles that start, and
// the errors of those that don't.
package caddyfile
