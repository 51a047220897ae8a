package crmgate

import (
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/report"
	"github.com/crmgate/crmgate/internal/transfer"
)

// registerWords are the words of a register's block.
func registerWords() []string {
	return []string{
		"name", "controller", "joint_controller", "representative", "dpo", "responsible", "operator", "contract",
		"purpose", "subjects", "retention", "measure", "system", "recipient",
	}
}

// UnmarshalRegister reads the block `register`, in crm_gate or in the global option crmgate:
//
//	register {
//	    name             <text>                       # of the CRM; in crm_gate
//	    operator         <name> [<contact>] | self    # who runs the CRM; in crm_gate
//	    contract         <reference>                  # with the operator; in crm_gate
//	    controller       <name> [<contact>]
//	    joint_controller <name> [<contact>]
//	    representative   <name> [<contact>]
//	    dpo              <name> [<contact>] | none <reason>
//	    responsible      <name> [<contact>]
//	    purpose          <entity>|category:<name>|* <basis>[,<basis>...] <text>
//	    subjects         <entity>|category:<name>|* <text>
//	    retention        <entity>|category:<name>|* <text>
//	    measure          <text>
//	    system           gateway|store|sink:<name>|idp|machine:<name> { … }
//	    recipient        <name> { … }
//	}
//
// The blocks of system and recipient hold operator, contract, purpose, location and transfer.
func UnmarshalRegister(d *caddyfile.Dispenser, had *RegisterConfig) (*RegisterConfig, error) {
	if had != nil {
		return nil, d.Err("register stands once")
	}
	if d.NextArg() {
		return nil, d.Errf("register takes a block, not %q: register { … }", d.Val())
	}
	c := new(RegisterConfig)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if err := c.unmarshalWord(d); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *RegisterConfig) unmarshalWord(d *caddyfile.Dispenser) error {
	switch word := d.Val(); word {
	case "name":
		return registerText(d, &c.Name)
	case "contract":
		return registerText(d, &c.Contract)
	case "controller":
		return party(d, &c.Controller)
	case "joint_controller":
		return party(d, &c.JointController)
	case "representative":
		return party(d, &c.Representative)
	case "responsible":
		return party(d, &c.Responsible)
	case "dpo":
		return c.unmarshalDPO(d)
	case "operator":
		return operator(d, &c.Operator, &c.RunByController)
	case "purpose":
		return c.unmarshalPurpose(d)
	case "subjects":
		return statedLine(d, &c.Subjects)
	case "retention":
		return statedLine(d, &c.Retention)
	case "measure":
		var text string
		if err := registerText(d, &text); err != nil {
			return err
		}
		c.Measures = append(c.Measures, text)
		return nil
	case "system":
		return unmarshalSystem(d, &c.Systems)
	case "recipient":
		return unmarshalSystem(d, &c.Recipients)
	default:
		return UnknownWord(d, word, registerWords()...)
	}
}

// registerText reads the rest of a line, once.
func registerText(d *caddyfile.Dispenser, into *string) error {
	word := d.Val()
	text := strings.Join(d.RemainingArgs(), " ")
	if *into != "" {
		return d.Errf("%s stands once", word)
	}
	if !transfer.Plain(text) {
		return d.WrapErr(tooLong(word))
	}
	*into = text
	return nil
}

func party(d *caddyfile.Dispenser, into **report.Party) error {
	word := d.Val()
	if *into != nil {
		return d.Errf("%s stands once", word)
	}
	args := d.RemainingArgs()
	p := new(report.Party)
	switch len(args) {
	case 2:
		p.Name, p.Contact = args[0], args[1]
	case 1:
		p.Name = args[0]
	default:
		return d.Errf(`%s takes a name and how to reach it, each in quotation marks: %s "Example GmbH" "Street 1, 10115 Berlin, post@example.de"`, word, word)
	}
	if err := checkParty(word, p); err != nil {
		return d.WrapErr(err)
	}
	*into = p
	return nil
}

func (c *RegisterConfig) unmarshalDPO(d *caddyfile.Dispenser) error {
	if err := party(d, &c.DPO); err != nil {
		return err
	}
	if c.DPO.Name == "none" {
		if c.DPO.Contact == "" {
			return d.Err(`dpo none needs a reason: dpo none "fewer than 20 people process personal data (§ 38 BDSG)"`)
		}
		c.DPO.Name = ""
	}
	return nil
}

func operator(d *caddyfile.Dispenser, into **report.Party, self *bool) error {
	if *self {
		return d.Err("operator stands once")
	}
	if err := party(d, into); err != nil {
		return err
	}
	if (*into).Name == "self" && (*into).Contact == "" {
		*into, *self = nil, true
	}
	return nil
}

func (c *RegisterConfig) unmarshalPurpose(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) < 3 {
		return d.Err(`purpose takes what it is about, its legal bases and a text: purpose contact 6b,6f "serving customers"`)
	}
	c.Purposes = append(c.Purposes, report.RegisterPurpose{Of: args[0], Bases: strings.Split(args[1], ","), Text: strings.Join(args[2:], " ")})
	return nil
}

func statedLine(d *caddyfile.Dispenser, into *[]report.RegisterStated) error {
	word := d.Val()
	args := d.RemainingArgs()
	if len(args) < 2 {
		return d.Errf("%s takes what it is about (a kind of record, category:NAME, or *), and a text", word)
	}
	*into = append(*into, report.RegisterStated{Of: args[0], Text: strings.Join(args[1:], " ")})
	return nil
}

func unmarshalSystem(d *caddyfile.Dispenser, into *[]RegisterSystemConfig) error {
	word := d.Val()
	var s RegisterSystemConfig
	if !d.AllArgs(&s.Of) || s.Of == "" {
		return d.Errf("%s takes one name, and a block: %s %s { location DE }", word, word, map[string]string{"system": "idp", "recipient": `"Tax adviser"`}[word])
	}
	opening := *d
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		var err error
		switch at := d.Val(); at {
		case "operator":
			err = operator(d, &s.Operator, &s.RunByController)
		case "contract":
			err = registerText(d, &s.Contract)
		case "purpose":
			err = registerText(d, &s.Purpose)
		case "location":
			err = UnmarshalLocation(d, &s.Locations)
		case "transfer":
			err = UnmarshalTransfer(d, &s.Transfers)
		default:
			err = UnknownWord(d, at, "operator", "contract", "purpose", "location", "transfer")
		}
		if err != nil {
			return err
		}
	}
	if err := s.check(word + " " + s.Of); err != nil {
		return opening.WrapErr(err)
	}
	*into = append(*into, s)
	return nil
}

// UnmarshalLocation reads a line of countries.
func UnmarshalLocation(d *caddyfile.Dispenser, into *[]string) error {
	args := d.RemainingArgs()
	if len(args) == 0 {
		return d.Err("location takes the country or the countries in which the data are, by ISO 3166: location DE")
	}
	for _, a := range args {
		code, err := transfer.Country(a)
		if err != nil {
			return d.Errf("location: %v", err)
		}
		*into = append(*into, code)
	}
	return nil
}

// UnmarshalTransfer reads what a transfer rests on.
func UnmarshalTransfer(d *caddyfile.Dispenser, into *[]transfer.Transfer) error {
	args := d.RemainingArgs()
	if len(args) > 0 && !strings.EqualFold(args[0], "adequacy") {
		known := false
		var names []string
		for _, b := range transfer.Bases() {
			names = append(names, string(b))
			known = known || string(b) == args[0]
		}
		if !known {
			return UnknownWord(d, args[0], names...)
		}
	}
	t, err := transfer.Parse(args)
	if err != nil {
		return d.WrapErr(err)
	}
	*into = append(*into, t)
	return nil
}
