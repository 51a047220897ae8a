package profile

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
)

// TestEveryRelationToPersonsIsDeclared: an undeclared one would pass in an
// entity without persons, and could be searched by its display.
func TestEveryRelationToPersonsIsDeclared(t *testing.T) {
	src, err := os.ReadFile("testdata/tryton-relations.txt")
	if err != nil {
		t.Fatal(err)
	}
	p := tryton(t)
	n := 0
	for line := range strings.Lines(string(src)) {
		typ, list, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		for _, one := range append(strings.Split(list, ", "), "create_uid res.user", "write_uid res.user") {
			field, target, _ := strings.Cut(one, " ")
			r := p.resolve(typ, []string{field})
			if r.related == "" || p.entityOf(r.related) != p.entityOf(target) {
				t.Errorf("%s.%s leads to %q, want the entity of %s", typ, field, r.related, target)
			}
			n++
		}
	}
	if n < 150 {
		t.Errorf("only %d relations read", n)
	}
}

// TestCompositeSearchesAreComplete: Tryton searches a record's name in these
// fields (search_rec_name of each module). Whoever asks by the name asks about
// all of them.
func TestCompositeSearchesAreComplete(t *testing.T) {
	p := tryton(t)
	for typ, parts := range map[string]string{
		"party.party":                "code identifiers.code name contact_mechanisms.rec_name bank_accounts.numbers.rec_name",
		"party.address":              "party name street postal_code city country",
		"party.contact_mechanism":    "value value_compact",
		"party.identifier":           "code",
		"party.relation":             "from_ to type",
		"party.relation.all":         "from_ to type",
		"bank":                       "party.rec_name",
		"bank.account":               "bank.rec_name currency.rec_name numbers.rec_name",
		"bank.account.number":        "number",
		"company.company":            "party.rec_name",
		"company.employee":           "party.rec_name",
		"res.user":                   "login name",
		"sale.opportunity":           "number",
		"sale.opportunity.line":      "product.rec_name",
		"sale.sale":                  "number reference",
		"sale.line":                  "sale.rec_name product.rec_name",
		"account.invoice":            "number reference party",
		"account.invoice.line":       "invoice.rec_name product.rec_name account.rec_name",
		"marketing.email":            "email",
		"marketing.email.list":       "name",
		"marketing.email.message":    "title",
		"web.user":                   "email",
		"ir.attachment":              "name",
		"stock.location":             "name code",
		"party.party tax_identifier": "identifiers.code",
	} {
		typ, name, _ := strings.Cut(typ+" rec_name", " ")
		name, _, _ = strings.Cut(name, " ")
		asked := flatten(p.parts(access.RefFilter, p.resolve(typ, []string{name})))
		for part := range strings.FieldsSeq(parts) {
			for _, one := range flatten(p.parts(access.RefFilter, p.resolve(typ, strings.Split(part, ".")))) {
				if !slices.Contains(asked, one) && !strings.HasSuffix(one, ":public") {
					t.Errorf("%s.%s asks %v, not about %s (%s)", typ, name, asked, part, one)
				}
			}
		}
	}
}

func flatten(found []asked) []string {
	var out []string
	for _, a := range found {
		for _, c := range a.categories {
			out = append(out, string(a.entity)+":"+string(c))
		}
	}
	return out
}

// TestPersonalFieldsAreClassified: fields whose values name or describe somebody.
func TestPersonalFieldsAreClassified(t *testing.T) {
	p := tryton(t)
	for typ, fields := range map[string]string{
		"party.party":             "name=name rec_name=name full_name=name phone=phone mobile=phone fax=phone email=email website=online avatar=identity",
		"party.address":           "party_name=name street=address name=address postal_code=address city=address full_address=address rec_name=address+name",
		"party.contact_mechanism": "name=name comment=free_text rec_name=email+name+online+phone value=email+online+phone value_compact=email+online+phone url=email+online+phone",
		"party.identifier":        "code=tax_id rec_name=tax_id",
		"bank.account":            "rec_name=bank",
		"bank.account.number":     "number=bank number_compact=bank rec_name=bank",
		"company.employee":        "rec_name=name",
		"res.user":                "name=name rec_name=name login=online email=email signature=free_text status_bar=name password=credential password_hash=credential sessions=credential avatar=identity",
		"sale.opportunity":        "description=free_text comment=free_text lost_reason=free_text reference=free_text",
		"sale.sale":               "rec_name=free_text description=free_text comment=free_text reference=free_text",
		"sale.line":               "rec_name=free_text description=free_text note=free_text summary=free_text",
		"account.invoice":         "rec_name=free_text description=free_text comment=free_text reference=free_text invoice_report_cache=free_text",
		"ir.note":                 "message=free_text message_wrapped=free_text last_user=name",
		"ir.attachment":           "name=free_text rec_name=free_text description=free_text summary=free_text link=free_text data=free_text last_user=name",
		"ir.avatar":               "image=identity last_user=name",
		"ir.email":                "recipients=email+name recipients_hidden=email+name subject=free_text body=free_text",
		"marketing.email":         "email=email rec_name=email email_token=credential",
		"marketing.email.message": "from_=email+name content=free_text",
		"web.user":                "email=email rec_name=email password_hash=credential reset_password_token=credential",
	} {
		e := p.entityOf(typ)
		for one := range strings.FieldsSeq(fields) {
			name, want, _ := strings.Cut(one, "=")
			if got := names(e.lookup(name, false).categories); got != want {
				t.Errorf("%s.%s is %s, want %s", typ, name, got, want)
			}
		}
	}
}
