package crmgate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/report"
	"github.com/crmgate/crmgate/internal/transfer"
)

// RegisterConfig is what the register of processing (Art. 30 GDPR) says beyond what the
// gateway reads out of its configuration. What isn't stated stands there as missing.
type RegisterConfig struct {
	// Name is how the system is called: `EspoCRM, sales`. For a site.
	Name string `json:"name,omitempty"`
	// Controller is who is responsible in the sense of Art. 4 (7).
	Controller *report.Party `json:"controller,omitempty"`
	// JointController is a joint one (Art. 26), Representative one in the EU (Art. 27).
	JointController *report.Party `json:"joint_controller,omitempty"`
	// Representative is the controller's in the EU (Art. 27).
	Representative *report.Party `json:"representative,omitempty"`
	// DPO is the data protection officer. Without a name its contact is the reason why
	// there is none.
	DPO *report.Party `json:"dpo,omitempty"`
	// Responsible is who answers for the system in the house.
	Responsible *report.Party `json:"responsible,omitempty"`
	// Operator is who runs the CRM; RunByController says that the controller does. For
	// a site.
	Operator *report.Party `json:"operator,omitempty"`
	// RunByController says that the controller runs the CRM itself. For a site.
	RunByController bool `json:"run_by_controller,omitempty"`
	// Contract is where the one with the operator is to be found (Art. 28). For a site.
	Contract string `json:"contract,omitempty"`
	// Purposes are those of the processing, with their legal bases.
	Purposes []report.RegisterPurpose `json:"purposes,omitempty"`
	// Subjects are the categories of data subjects.
	Subjects []report.RegisterStated `json:"subjects,omitempty"`
	// Retention are the periods for erasure in the CRM, in words.
	Retention []report.RegisterStated `json:"retention,omitempty"`
	// Measures are technical and organisational ones beside those that the gateway
	// enforces.
	Measures []string `json:"measures,omitempty"`
	// Systems say of others who runs them, where, and by which contract. For a site: idp,
	// mail and machine:NAME; for all: gateway, store, and sink:NAME.
	Systems []RegisterSystemConfig `json:"systems,omitempty"`
	// Recipients are others who get data of the CRM; their Of is their name.
	Recipients []RegisterSystemConfig `json:"recipients,omitempty"`
}

// RegisterSystemConfig says of a system, or of a recipient, who runs it and where.
type RegisterSystemConfig struct {
	// Of is gateway, store, sink:NAME, idp, mail or machine:NAME; of a recipient its name. Required.
	Of string `json:"of"`
	// Operator is who runs it.
	Operator *report.Party `json:"operator,omitempty"`
	// RunByController says that the controller does.
	RunByController bool `json:"run_by_controller,omitempty"`
	// Contract is where the one with the operator is to be found (Art. 28).
	Contract string `json:"contract,omitempty"`
	// Purpose says what it gets data for.
	Purpose string `json:"purpose,omitempty"`
	// Locations are the countries in which it is, by ISO 3166-1 alpha-2.
	Locations []string `json:"locations,omitempty"`
	// Transfers say on what data may be there, outside the EU and the EEA.
	Transfers []transfer.Transfer `json:"transfers,omitempty"`
}

// The systems that can be described.
const (
	systemGateway = "gateway"
	systemStore   = "store"
	systemIDP     = "idp"
	sinkPrefix    = "sink:"
	machinePrefix = "machine:"
)

// RegisterScope says what a register's configuration may speak of.
type RegisterScope struct {
	// Entities are the profile's; nil for all sites together, which have several.
	Entities []access.Entity
	// Systems are those that there are.
	Systems []string
	// Site says that it is a site's.
	Site bool
}

// Check refuses what can't be meant: a text that isn't one line, a kind of record or a
// system that there isn't, a legal basis that the law doesn't have, and a place outside
// the EU and the EEA without what a transfer can rest on.
func (c *RegisterConfig) Check(in RegisterScope) error {
	if c == nil {
		return nil
	}
	if err := c.texts(in); err != nil {
		return fmt.Errorf("register: %w", err)
	}
	for _, p := range c.Purposes {
		if err := checkPurpose(&p, in); err != nil {
			return fmt.Errorf("register: purpose: %w", err)
		}
	}
	for word, list := range map[string][]report.RegisterStated{"subjects": c.Subjects, "retention": c.Retention} {
		for _, s := range list {
			if err := checkStated(s.Of, s.Text, in); err != nil {
				return fmt.Errorf("register: %s: %w", word, err)
			}
		}
	}
	return c.checkSystems(in)
}

func (c *RegisterConfig) texts(in RegisterScope) error {
	if !in.Site && (c.Name != "" || c.Operator != nil || c.RunByController || c.Contract != "") {
		return fmt.Errorf("name, operator and contract are those of one CRM: write them into crm_gate { register { … } }; of the gateway itself into system gateway { … }")
	}
	for word, text := range map[string]string{"name": c.Name, "contract": c.Contract} {
		if text != "" && !transfer.Plain(text) {
			return tooLong(word)
		}
	}
	for word, p := range map[string]*report.Party{
		"controller": c.Controller, "joint_controller": c.JointController, "representative": c.Representative,
		"dpo": c.DPO, "responsible": c.Responsible, "operator": c.Operator,
	} {
		if err := checkParty(word, p); err != nil {
			return err
		}
	}
	if c.Operator != nil && c.RunByController {
		return fmt.Errorf("operator: either somebody, or `self`")
	}
	for _, m := range c.Measures {
		if !transfer.Plain(m) {
			return tooLong("measure")
		}
	}
	return nil
}

func tooLong(word string) error {
	return fmt.Errorf("%s takes a text of one line, up to 500 characters", word)
}

func checkParty(word string, p *report.Party) error {
	if p == nil {
		return nil
	}
	if p.Name == "" && (word != "dpo" || p.Contact == "") {
		return fmt.Errorf("%s needs a name, and how to reach it: %s \"Example GmbH\" \"Street 1, 10115 Berlin, post@example.de\"", word, word)
	}
	for _, text := range []string{p.Name, p.Contact} {
		if text != "" && !transfer.Plain(text) {
			return tooLong(word)
		}
	}
	return nil
}

func checkPurpose(p *report.RegisterPurpose, in RegisterScope) error {
	if err := checkStated(p.Of, p.Text, in); err != nil {
		return err
	}
	if len(p.Bases) == 0 {
		return fmt.Errorf("%s: a purpose needs a legal basis: purpose %s 6b \"…\"", p.Of, p.Of)
	}
	for i, b := range p.Bases {
		if !slices.Contains(report.LegalBases(), b) {
			return fmt.Errorf("there is no legal basis %q: write a letter of Art. 6 (1) or 9 (2) GDPR, 6a to 6f or 9a to 9j, or 88 for employment (there are: %s)", b, strings.Join(report.LegalBases(), ", "))
		}
		if slices.Contains(p.Bases[:i], b) {
			return fmt.Errorf("the legal basis %s stands there twice", b)
		}
	}
	return nil
}

func checkStated(of, text string, in RegisterScope) error {
	if !transfer.Plain(text) {
		return tooLong("what is stated of " + of)
	}
	if of == "*" {
		return nil
	}
	if name, ok := strings.CutPrefix(of, report.CategoryOf); ok {
		if c := access.Category(name); !c.Valid() || c == access.Public {
			return fmt.Errorf("there is no category %q", name)
		}
		return nil
	}
	if !in.Site {
		return fmt.Errorf("%s: of all sites together something is stated by `*` or `category:…`; write what is about a kind of record into the crm_gate whose profile has it", of)
	}
	if !slices.Contains(in.Entities, access.Entity(of)) {
		names := make([]string, len(in.Entities))
		for i, e := range in.Entities {
			names[i] = string(e)
		}
		slices.Sort(names)
		return fmt.Errorf("the profile has no kind of record %q (there are: %s)", of, strings.Join(slices.Compact(names), ", "))
	}
	return nil
}

func (c *RegisterConfig) checkSystems(in RegisterScope) error {
	for i := range c.Systems {
		s := &c.Systems[i]
		if slices.ContainsFunc(c.Systems[:i], func(had RegisterSystemConfig) bool { return had.Of == s.Of }) {
			return fmt.Errorf("register: system %s stands there twice", s.Of)
		}
		if !slices.Contains(in.Systems, s.Of) {
			where := "in the register of the global option crmgate; those of a site are in its crm_gate"
			if in.Site {
				where = "in this site's register; gateway, store and sinks are in that of the global option crmgate"
			}
			return fmt.Errorf("register: there is no system %q (%s there are: %s)", s.Of, where, strings.Join(in.Systems, ", "))
		}
		if err := s.check("system " + s.Of); err != nil {
			return err
		}
	}
	for i := range c.Recipients {
		s := &c.Recipients[i]
		if !transfer.Plain(s.Of) {
			return fmt.Errorf("register: %w", tooLong("recipient"))
		}
		if slices.ContainsFunc(c.Recipients[:i], func(had RegisterSystemConfig) bool { return had.Of == s.Of }) {
			return fmt.Errorf("register: recipient %s stands there twice", s.Of)
		}
		if err := s.check("recipient " + s.Of); err != nil {
			return err
		}
	}
	return nil
}

func (s *RegisterSystemConfig) check(what string) error {
	err := checkParty("operator", s.Operator)
	for word, text := range map[string]string{"contract": s.Contract, "purpose": s.Purpose} {
		if err == nil && text != "" && !transfer.Plain(text) {
			err = tooLong(word)
		}
	}
	if err == nil && s.Operator != nil && s.RunByController {
		err = fmt.Errorf("operator: either somebody, or `self`")
	}
	if err == nil {
		_, err = transfer.Judge(s.Locations, s.Transfers)
	}
	if err != nil {
		return fmt.Errorf("register: %s: %w", what, err)
	}
	return nil
}

// About is what is stated, as the register has it.
func (c *RegisterConfig) About() report.RegisterAbout {
	if c == nil {
		return report.RegisterAbout{}
	}
	return report.RegisterAbout{
		System: c.Name, Controller: c.Controller, Joint: c.JointController, Representative: c.Representative, Officer: c.DPO,
		Responsible: c.Responsible, Purposes: c.Purposes, Subjects: c.Subjects, Retention: c.Retention, Measures: c.Measures,
	}
}

// Fill adds to a system what the configuration says of it.
func (c *RegisterConfig) Fill(s *report.RegisterSystem, of string) {
	s.Places = []transfer.Place{}
	if c == nil {
		return
	}
	for i := range c.Systems {
		if c.Systems[i].Of == of {
			c.Systems[i].fill(s)
		}
	}
}

// Others are the recipients that the configuration names.
func (c *RegisterConfig) Others() []report.RegisterSystem {
	all := []report.RegisterSystem{}
	if c == nil {
		return all
	}
	for i := range c.Recipients {
		s := report.RegisterSystem{Kind: report.SystemRecipient, Name: c.Recipients[i].Of}
		c.Recipients[i].fill(&s)
		all = append(all, s)
	}
	return all
}

func (s *RegisterSystemConfig) fill(to *report.RegisterSystem) {
	to.Operator, to.Self, to.Contract, to.Purpose = s.Operator, s.RunByController, s.Contract, s.Purpose
	to.Places, to.Transfers = Places(s.Locations, s.Transfers), s.Transfers
}

// Places are the countries with what lets data be there. Check has judged them.
func Places(locations []string, transfers []transfer.Transfer) []transfer.Place {
	places, err := transfer.Judge(locations, transfers)
	if err != nil || places == nil {
		return []transfer.Place{}
	}
	return places
}
