// Package docs checks what the documentation says against the source: links,
// the tests that promises name, configurations, policies, profiles and command
// lines. A page can't go on saying what has stopped being true of these.
package docs
