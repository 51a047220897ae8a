package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/crmgate/crmgate/internal/factor"
	"github.com/crmgate/crmgate/internal/factor/storetest"
)

func TestFactors(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) factor.Store {
		t.Helper()
		return openAt(t, filepath.Join(t.TempDir(), fileName))
	})
}
