package gate

import (
	"fmt"

	"github.com/crmgate/crmgate/modules/crmgate"
)

// Exceptions are the lines of the configuration that open something.
func (h *Handler) Exceptions() crmgate.Exceptions {
	return crmgate.Exceptions{Ungated: h.Ungated, PlainHTTP: h.PlainHTTP, ClearUpstream: h.ClearUpstream, Certificates: h.machines.certificates()}
}

// Describe names profile, evidence and policy, and who is exempt from the second
// factor.
func (h *Handler) Describe() string {
	return fmt.Sprintf("profile %s (%s), policy %s", h.profile.Name, h.profile.Evidence, h.policy.Version()) + h.describeMachines() + h.describeObserve()
}
