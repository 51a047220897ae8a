package storetest

import (
	"testing"

	"github.com/crmgate/crmgate/internal/factor"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	Run(t, func(*testing.T) factor.Store { return new(Memory) })
}
