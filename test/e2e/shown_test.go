package e2e

import (
	"encoding/json"
	"strings"
)

// shownRecord is a record whose id stands in an answer, as somebody reads it who
// knows Tryton but not the profile.
type shownRecord struct{ typ, id string }

// withoutPersons are models of which no record is a person's: their ids are in
// no disclosure.
func withoutPersons(typ string) bool {
	for _, prefix := range []string{
		"ir.ui.", "ir.action", "ir.model", "ir.lang", "country.", "currency.", "product.", "party.category", "res.group",
		"sale.opportunity_", "account.", "stock.", "party.relation.type", "ir.sequence", "ir.export",
	} {
		if strings.HasPrefix(typ, prefix) {
			return true
		}
	}
	return false
}

// shown lists the records of the called model that an answer shows: the ids of a
// search, of a read, and of the objects below a related field.
func shown(request string, response []byte) []shownRecord {
	var call struct {
		Method string
		Params []any
	}
	var answer struct{ Result any }
	if json.Unmarshal([]byte(request), &call) != nil || decode(response, &answer) != nil {
		return nil
	}
	typ, method := "", ""
	if rest, ok := strings.CutPrefix(call.Method, "model."); ok {
		if i := strings.LastIndexByte(rest, '.'); i > 0 {
			typ, method = rest[:i], rest[i+1:]
		}
	}
	list, _ := answer.Result.([]any)
	if typ == "" || withoutPersons(typ) {
		return nil
	}
	var out []shownRecord
	switch method {
	case "search", "create", "copy":
		for _, e := range list {
			if id, ok := e.(json.Number); ok {
				out = append(out, shownRecord{typ, id.String()})
			}
		}
	case "read", "search_read":
		for _, e := range list {
			m, _ := e.(map[string]any)
			if id, ok := m["id"].(json.Number); ok {
				out = append(out, shownRecord{typ, id.String()})
			}
			out = append(out, related(m)...)
		}
	}
	return out
}

// relatedPersons are the fields that lead to records of persons in the models
// that the tests read.
var relatedPersons = map[string]string{
	"party.": "party.party", "from_.": "party.party", "to.": "party.party", "owners.": "party.party",
	"contact_mechanisms.": "party.contact_mechanism", "contact.": "party.contact_mechanism",
	"addresses.": "party.address", "address.": "party.address",
	"identifiers.": "party.identifier", "tax_identifier.": "party.identifier",
	"bank_accounts.": "bank.account", "numbers.": "bank.account.number", "employee.": "company.employee",
}

func related(m map[string]any) []shownRecord {
	var out []shownRecord
	for key, v := range m {
		typ, ok := relatedPersons[key]
		if !ok {
			continue
		}
		list, isList := v.([]any)
		if !isList {
			list = []any{v}
		}
		for _, e := range list {
			r, _ := e.(map[string]any)
			if id, ok := r["id"].(json.Number); ok {
				out = append(out, shownRecord{typ, id.String()})
			}
			out = append(out, related(r)...)
		}
	}
	return out
}

func decode(b []byte, into any) error {
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	return d.Decode(into)
}
