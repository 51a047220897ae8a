package gate

import (
	"path/filepath"
	"testing"

	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// TestTheLedgerOpensOnce: each opening has workers of its own, and a ledger that nobody
// asks any more would go on sending mails.
func TestTheLedgerOpensOnce(t *testing.T) {
	ring, err := keys.Open(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	h, n := explained(t, "espocrm"), 0
	h.consent = counted{knowing("newsletter"), &n}
	if err := h.startParts(&crmgate.Services{Ring: ring}, &opened{}); err != nil || n != 1 {
		t.Errorf("opened %d times: %v", n, err)
	}
}

// counted counts how often it is opened.
type counted struct {
	knowing

	opened *int
}

func (c counted) Open(*crmgate.App, *crmgate.Services) error {
	*c.opened++
	return nil
}
