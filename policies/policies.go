// Package policies holds the policies that ship, the Casbin model that they are
// written for, and the tests that stand beside them.
package policies

import "embed"

// Files holds model.conf, <name>.csv and <name>_test.yaml.
//
//go:embed model.conf *.csv *_test.yaml
var Files embed.FS
