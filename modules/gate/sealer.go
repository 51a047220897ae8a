package gate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// lateSealer is the key ring from the app's start on: provisioning opens no
// keys.
type lateSealer struct{ ring atomic.Pointer[keys.Ring] }

var errNotStarted = errors.New("the keys are not open yet")

// Seal seals under the ring.
func (s *lateSealer) Seal(purpose string, plaintext, aad []byte) ([]byte, error) {
	r := s.ring.Load()
	if r == nil {
		return nil, errNotStarted
	}
	return r.Seal(purpose, plaintext, aad)
}

// Open opens what Seal sealed.
func (s *lateSealer) Open(purpose string, sealed, aad []byte) ([]byte, error) {
	r := s.ring.Load()
	if r == nil {
		return nil, errNotStarted
	}
	return r.Open(purpose, sealed, aad)
}

// logPolicy writes down which profile and policy decide from now on.
func (h *Handler) logPolicy(s *crmgate.Services) error {
	_, err := s.Log.Append(context.Background(), &audit.Entry{
		Kind: audit.Control, Event: audit.PolicyChange, Profile: h.profile.Name, Detail: h.Describe(),
	})
	if err != nil {
		return fmt.Errorf("writing the audit log: %w", err)
	}
	return nil
}

func cutBuiltin(name string) (string, bool) { return strings.CutPrefix(name, "builtin:") }
