// Package desk looks at the auditors' desk in a real browser: that its pages can be
// used in both languages, by keyboard and without scripts, and are legible in
// light and dark.
package desk
