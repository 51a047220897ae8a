package desk

import (
	"encoding/json"
	"testing"

	"github.com/crmgate/crmgate/internal/consent"
	"github.com/crmgate/crmgate/internal/page"
)

// TestAProofClaimsNoMailThatNobodyTook: before a server has said so, a mail was begun to be
// handed over, and no more.
func TestAProofClaimsNoMailThatNobodyTook(t *testing.T) {
	step := func(s consent.Said) consent.Step {
		says, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return consent.Step{Says: says}
	}
	p := &consent.Proof{Steps: []consent.Step{
		step(consent.Said{What: "asked", Declared: new(consent.Declared)}),
		step(consent.Said{What: "mailing", Mailing: &consent.Mailing{Copy: "mail"}}),
	}}
	v, err := NewConsentProofView("one", p)
	if err != nil || v.Taken || v.Mail == nil {
		t.Errorf("before the server took it: %+v, %v", v, err)
	}
	p.Steps = append(p.Steps, step(consent.Said{What: "mailed", Mailing: new(consent.Mailing)}))
	if v, err := NewConsentProofView("one", p); err != nil || !v.Taken {
		t.Errorf("after it: %+v, %v", v, err)
	}
	for what, want := range map[string]page.Text{
		"mailing":   {DE: "Übergabe der Mail an den Mailserver begonnen", EN: "Began to hand the mail to the mail server"},
		"withdrawn": {DE: "Widerrufen", EN: "Withdrawn"},
	} {
		if got := consentStep(what); got != want {
			t.Errorf("%s is %v", what, got)
		}
	}
}
