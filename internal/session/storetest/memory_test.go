package storetest

import (
	"testing"

	"github.com/crmgate/crmgate/internal/session"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	t.Parallel()
	Run(t, func(*testing.T) session.Store { return NewMemory() })
}
