package audit

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"
)

// Joint is where a restored log goes on under a name of its own: its tree grows
// from the one that was restored, and it never signs as the log that was lost. The
// entry with the number Size says so.
type Joint struct {
	// Origin is the log that was restored, Size and Root what there was of it.
	Origin string    `json:"origin"`
	Size   uint64    `json:"size"`
	Root   tlog.Hash `json:"root"`
	// Known is the size that its newest known checkpoint says it had: entries
	// from Size on are lost. It is Size where nothing is known to be lost.
	Known uint64 `json:"known"`
	// From is when the backup was made.
	From string `json:"from,omitempty"`
}

func (j *Joint) String() string {
	said := fmt.Sprintf("%s, restored up to entry %d", j.Origin, int64(j.Size)-1)
	if j.Known > j.Size {
		said += fmt.Sprintf("; at least %d entries from %d on are lost", j.Known-j.Size, j.Size)
	}
	return said
}

// restoredNode is a node's name after its log was restored for the n-th time.
var restoredNode = regexp.MustCompile(`^(.+)\.r([1-9][0-9]{0,8})$`)

// baseNode is the name that a node was given.
func baseNode(node string) string {
	if m := restoredNode.FindStringSubmatch(node); m != nil {
		return m[1]
	}
	return node
}

// nextNode is the name after the next restoration: receipts of entries that were
// lost must not name others.
func nextNode(node string) (string, error) {
	n := 0
	if m := restoredNode.FindStringSubmatch(node); m != nil {
		n, _ = strconv.Atoi(m[2]) // nine digits at most
	}
	next := fmt.Sprintf("%s.r%d", baseNode(node), n+1)
	if len(next) > maxNode {
		return "", fmt.Errorf("naming the restored log: %s is longer than %d letters", next, maxNode)
	}
	return next, nil
}

// follows reports whether a log of that identity may go on where another ended.
func (id identity) follows(other identity) bool {
	return id.epoch != other.epoch && id.node != other.node && baseNode(id.node) == baseNode(other.node)
}

// errRestoring says that a restoration was cut off.
var errRestoring = errors.New("a restoration of this log was cut off; run crmgate audit restore again")

// restoringName is a file that stands in a log's directory while it is restored.
const restoringName = "restoring"
