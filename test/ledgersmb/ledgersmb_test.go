package ledgersmb

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/doc"
	doctree "github.com/crmgate/crmgate/internal/doc/html"
	"github.com/crmgate/crmgate/test/stack"
)

// TestLedgerSMB is one walk after the other before one CRM: what each role sees, what
// it may ask, and what its saves leave in the database.
func TestLedgerSMB(t *testing.T) {
	t.Parallel()
	s := start(t)
	vera, paula := s.signIn(t, "vera", "hanna"), s.signIn(t, "paula", "otto")
	for _, step := range []struct {
		name string
		run  func(*testing.T, *site, *employee, *employee)
	}{
		{"pages of its own pass", ownPages},
		{"lists show each role its own", lists},
		{"contacts show each role its own", contacts},
		{"questions about hidden values are refused", questions},
		{"what isn't described is refused", undescribed},
		{"a save keeps what its author can't see", saves},
		{"an address keeps what its author can't see", addresses},
		{"a session is its owner's alone", sessions},
		{"the log names the records", logs},
	} {
		t.Run(step.name, func(t *testing.T) { step.run(t, s, vera, paula) })
	}
	t.Run("no hidden value in any answer", func(t *testing.T) { nothingLeaks(t, s, vera) })
}

func ownPages(t *testing.T, s *site, vera, _ *employee) {
	// Its client shows the gateway's words where a session has ended.
	gone := stack.NewPerson(t, s.Base, s.provider, "vera").Send(t, http.MethodGet, s.Base+s.contacts[0].page(), http.Header{"X-Requested-With": {"XMLHttpRequest"}}, "")
	if gone.Status != http.StatusUnauthorized || gone.Header.Get("X-LedgerSMB-App-Content") != "yes" || !strings.Contains(gone.Body, `href="login.pl" target="_blank"`) {
		t.Errorf("without a session: %d %v\n%.300s", gone.Status, gone.Header, gone.Body)
	}
	// The browser asks for a password where LedgerSMB does.
	if a := vera.Send(t, http.MethodGet, vera.Base+"/login.pl?action=authenticate&company="+s.company, http.Header{}, ""); a.Status != http.StatusUnauthorized || a.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("without a password: %d, %v", a.Status, a.Header)
	}
	for path, has := range map[string]string{
		"/login.pl?action=login&company=" + s.company: "maindiv", "/menu.pl?action=menuitems_json": `"contact.pl"`, "/js-src/lsmb/main.js": "require",
		"/css/ledgersmb.css": "{", "/welcome.html": "LedgerSMB", "/reports.pl?action=start_report&report_name=contact_search&module_name=gl": "name_part",
	} {
		if a := vera.get(t, path); a.Status != http.StatusOK || !strings.Contains(a.Body, has) {
			t.Errorf("%s: %d\n%.300s", path, a.Status, a.Body)
		}
	}
}

const list = "/contact_reports.pl?action=search&entity_class=2&name_part=&email=&order_by=name"

func lists(t *testing.T, s *site, vera, paula *employee) {
	for _, format := range []string{"", "&format=CSV"} {
		sales, all := vera.get(t, list+format), paula.get(t, list+format)
		if sales.Status != http.StatusOK || all.Status != http.StatusOK {
			t.Fatalf("%q: %d, %d\n%.500s", format, sales.Status, all.Status, sales.Body)
		}
		for _, c := range s.contacts {
			has := func(a *stack.Answer, value string) bool {
				return strings.Contains(a.Body, value) || strings.Contains(a.Body, html.EscapeString(value))
			}
			// LedgerSMB shows a person's name with the last one first.
			if name := c.Name; c.Born == "" && (!has(sales, name) || !has(all, name)) {
				t.Errorf("%q: %s is missing", format, name)
			}
			if has(sales, c.Description) || !has(all, c.Description) {
				t.Errorf("%q: the description %q is there for sales: %v, for master data: %v", format, c.Description, has(sales, c.Description), has(all, c.Description))
			}
		}
	}
}

func (c *contact) page() string {
	return "/contact.pl?action=get&entity_class=2&entity_id=" + c.ID + "&meta_number=&credit_id=" + c.Credit
}

func contacts(t *testing.T, s *site, vera, paula *employee) {
	for _, c := range s.contacts {
		sales, all := vera.get(t, c.page()), paula.get(t, c.page())
		if sales.Status != http.StatusOK || all.Status != http.StatusOK {
			t.Fatalf("%s: %d, %d\n%.500s", c.Name, sales.Status, all.Status, sales.Body)
		}
		text, every := stack.Read([]byte(sales.Body)), stack.Read([]byte(all.Body))
		for _, v := range []string{c.Street, c.Code, c.City, c.Mail} {
			if !text.Holds(v) || !every.Holds(v) {
				t.Errorf("%s: %s isn't shown to sales and master data", c.ID, v)
			}
		}
		for _, v := range c.hidden() {
			if text.Holds(v) || !every.Holds(v) {
				t.Errorf("%s: %s is shown to sales: %v, to master data: %v", c.ID, v, text.Holds(v), every.Holds(v))
			}
		}
		if sales.Header.Get("X-LedgerSMB-App-Content") != "yes" {
			t.Errorf("%s: LedgerSMB's client won't show the page: %v", c.ID, sales.Header)
		}
		for _, words := range []string{"Attach to", "Primary Phone", "[Edit]", "Subject", "Germany", "Save Contact", "days"} {
			if !strings.Contains(sales.Body, words) {
				t.Errorf("%s: the page's own %q is gone", c.ID, words)
			}
		}
	}
}

// hidden are a contact's values that sales doesn't see.
func (c *contact) hidden() []string {
	var list []string
	for _, v := range []string{c.Phone, c.IBAN, c.Note, c.Remark, c.Description, c.TaxID} {
		if v != "" {
			list = append(list, v)
		}
	}
	return list
}

func questions(t *testing.T, s *site, vera, paula *employee) {
	c := &s.contacts[0]
	for _, query := range []string{
		"phone=" + url.QueryEscape(c.Phone), "contact=" + url.QueryEscape(c.Phone), "notes=Depression", "name_part=x&phone=1",
		"order_by=credit_description",
	} {
		if a := vera.get(t, "/contact_reports.pl?action=search&entity_class=2&"+query); a.Status != http.StatusForbidden {
			t.Errorf("sales asks %s: %d", query, a.Status)
		}
		if a := paula.get(t, "/contact_reports.pl?action=search&entity_class=2&"+query); a.Status != http.StatusOK {
			t.Errorf("master data asks %s: %d\n%.300s", query, a.Status, a.Body)
		}
	}
	if a := vera.get(t, "/contact_reports.pl?action=search&entity_class=2&city="+url.QueryEscape(c.City)+"&phone=&notes="); a.Status != http.StatusOK {
		t.Errorf("sales asks for a city: %d", a.Status)
	}
}

func undescribed(t *testing.T, s *site, _, paula *employee) {
	c := &s.contacts[0]
	for _, path := range []string{
		"/contact.pl?action=edit&entity_id=" + c.ID + "&iban=" + c.IBAN, "/contact.pl?action=get&entity_id=" + c.ID + "&iban=" + c.IBAN,
		"/contact.pl?entity_id=" + c.ID, "/contact.pl?action=get_pricelist&credit_id=1", "/contact_reports.pl?action=search&format=PDF", "/contact_reports.pl?action=history",
		"/is.pl?action=add", "/file.pl?action=get", "/setup.pl", "/ar.pl", "/user.pl", "/employee.pl", "/journal.pl?action=search", "/contact.pl?action=get&action=add&entity_id=" + c.ID,
		"/contact.pl?action=add&entity_id=" + c.ID, "/contact.pl?action=delete_bank_account&id=1&entity_id=" + c.ID,
	} {
		if a := paula.get(t, path); a.Status < 400 || a.Status == http.StatusUnauthorized {
			t.Errorf("%s: %d\n%.200s", path, a.Status, a.Body)
		}
	}
	for action, form := range map[string]url.Values{
		"get": {"entity_id": {c.ID}}, "save_roles": {"entity_id": {"1"}}, "reset_password": {"entity_id": {"1"}}, "get_by_cc": {"control_code": {"K900"}},
		"save_contact":      {"entity_id": {c.ID}, "old_contact": {c.Phone}, "contact": {"+49 221 4710799"}, "class_id": {"1"}},
		"save_bank_account": {"entity_id": {c.ID}, "bank_account_id": {"1"}, "iban": {"x"}},
	} {
		if a := paula.post(t, action, form); a.Status < 400 {
			t.Errorf("%s: %d\n%.200s", action, a.Status, a.Body)
		}
	}
	twice := url.Values{"entity_id": {c.ID, s.contacts[1].ID}, "legal_name": {"x"}}
	if a := paula.post(t, "save_company", twice); a.Status < 400 {
		t.Errorf("a form with two ids: %d", a.Status)
	}
}

// form is what a browser would send of the one form of a page that the selector fits.
func form(t *testing.T, a *stack.Answer, selector string) url.Values {
	t.Helper()
	tree, err := doctree.Parse([]byte(a.Body), doc.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	sel, err := doctree.CompileSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	forms := sel.Elements(tree, doc.Root)
	if len(forms) != 1 {
		t.Fatalf("%d forms fit %s", len(forms), selector)
	}
	list, err := doctree.Controls(tree, forms[0])
	if err != nil {
		t.Fatal(err)
	}
	out := url.Values{}
	for _, c := range list {
		out.Add(c.Name, c.Value)
	}
	return out
}

func saves(t *testing.T, s *site, vera, paula *employee) {
	c := &s.contacts[0]
	tax := func() string { return s.stored(t, "SELECT tax_id FROM company WHERE entity_id = "+c.ID) }
	name := func() string { return s.stored(t, "SELECT legal_name FROM company WHERE entity_id = "+c.ID) }

	page := form(t, vera.get(t, c.page()), "form#company")
	if got := page.Get("tax_id"); got == "" || got == c.TaxID {
		t.Fatalf("the form shows the tax id as %q", got)
	}
	page.Set("legal_name", "Bäckerei Hefebrink Nachf. GmbH")
	if a := vera.post(t, "save_company", page); a.Status != http.StatusOK || tax() != c.TaxID || name() != "Bäckerei Hefebrink Nachf. GmbH" {
		t.Errorf("saved with a placeholder: %d, tax id %s, name %s\n%.300s", a.Status, tax(), name(), a.Body)
	}

	for _, tried := range []string{"DE994109999", page.Get("tax_id") + "1", c.TaxID} {
		page := form(t, vera.get(t, c.page()), "form#company")
		page.Set("tax_id", tried)
		if a := vera.post(t, "save_company", page); a.Status != http.StatusUnprocessableEntity || tax() != c.TaxID {
			t.Errorf("saved an edited tax id: %d, tax id %s", a.Status, tax())
		}
	}
	page = form(t, vera.get(t, c.page()), "form#company")
	page.Del("tax_id")
	if a := vera.post(t, "save_company", page); a.Status != http.StatusOK || tax() != c.TaxID {
		t.Errorf("saved without the field: %d, tax id %s", a.Status, tax())
	}

	page = form(t, paula.get(t, c.page()), "form#company")
	if page.Get("tax_id") != c.TaxID {
		t.Errorf("master data sees the tax id as %q", page.Get("tax_id"))
	}
	page.Set("tax_id", "DE994199990")
	if a := paula.post(t, "save_company", page); a.Status != http.StatusOK || tax() != "DE994199990" {
		t.Errorf("master data changes the tax id: %d, %s\n%.300s", a.Status, tax(), a.Body)
	}
	page.Set("tax_id", c.TaxID)
	paula.post(t, "save_company", page)

	fresh := form(t, paula.get(t, c.page()), "[name=bank_acct]")
	fresh.Set("iban", "DE02990500007340999999")
	fresh.Set("bic", "MUSTDEFFXXX")
	if a := paula.post(t, "save_bank_account", fresh); a.Status != http.StatusOK || !strings.Contains(a.Body, "DE02990500007340999999") {
		t.Errorf("master data adds a bank account: %d\n%.300s", a.Status, a.Body)
	}
	if a := vera.post(t, "save_bank_account", fresh); a.Status < 400 {
		t.Errorf("sales adds a bank account: %d", a.Status)
	}

	// The page's own link deletes, here an e-mail address.
	count := func() string {
		return s.stored(t, "SELECT count(*) FROM entity_to_contact WHERE entity_id = "+c.ID)
	}
	before, to := count(), deletes.FindStringSubmatch(paula.get(t, c.page()).Body)
	if to == nil || !strings.Contains(to[1], "description=K%e4the") {
		t.Fatalf("the page's links are %q", to)
	}
	path := "/" + html.UnescapeString(to[1])
	// LedgerSMB writes its own links in Latin-1, and doesn't read them so.
	if a := paula.get(t, path); a.Status != http.StatusBadRequest {
		t.Errorf("a link in Latin-1: %d", a.Status)
	}
	path = strings.Replace(path, "K%e4the%20Gr%f6%dfling", "", 1)
	if a := vera.get(t, path); a.Status < 400 || count() != before {
		t.Errorf("sales deletes: %d", a.Status)
	}
	if a := paula.get(t, path); a.Status != http.StatusOK || count() == before {
		t.Errorf("master data deletes: %d\n%.300s", a.Status, a.Body)
	}
}

var deletes = regexp.MustCompile(`href="(contact\.pl\?[^"]*action=delete_contact)"`)

func addresses(t *testing.T, s *site, vera, paula *employee) {
	c := &s.contacts[3]
	edit := fmt.Sprintf("/contact.pl?entity_id=%s&location_id=%s&credit_id=&is_for_credit=&target_div=address_div&location_class=1&action=edit", c.ID, c.Location)
	page := form(t, vera.get(t, edit), "form#location_form")
	if page.Get("line_one") != c.Street || page.Get("location_id") != c.Location {
		t.Fatalf("the address's form holds %v", page)
	}
	page.Set("line_one", "Rotdornbogen 19")
	a := vera.post(t, "save_location", page)
	if got := s.stored(t, "SELECT line_one FROM location JOIN entity_to_location ON location_id = id WHERE entity_id = "+c.ID); a.Status != http.StatusOK || got != "Rotdornbogen 19" {
		t.Errorf("sales changes an address: %d, %q\n%.300s", a.Status, got, a.Body)
	}
	credit := form(t, vera.get(t, c.page()), "form#credit_form")
	credit.Set("creditlimit", "7000")
	credit.Set("id", c.Credit)
	a = vera.post(t, "save_credit", credit)
	if got := s.stored(t, "SELECT description FROM entity_credit_account WHERE id = "+c.Credit); a.Status != http.StatusOK || got != c.Description {
		t.Errorf("sales changes a limit: %d, description %q\n%.300s", a.Status, got, a.Body)
	}
	if a := paula.get(t, edit); a.Status != http.StatusOK {
		t.Errorf("master data opens the address: %d", a.Status)
	}
}

func sessions(t *testing.T, s *site, vera, paula *employee) {
	const cookie = "LedgerSMB-1.6-ds"
	own, theirs := vera.Cookie(t, cookie), paula.Cookie(t, cookie)
	if own == "" || theirs == "" || own == theirs {
		t.Fatalf("the sessions are %q and %q", own, theirs)
	}
	a := vera.Send(t, http.MethodGet, vera.Base+s.contacts[0].page(), http.Header{"Authorization": {paula.basic}, "Cookie": {cookie + "=" + theirs}}, "")
	vera.keep(a)
	if a.Status < 400 {
		t.Errorf("another's session: %d", a.Status)
	}
	vera.SetCookie(t, cookie, own)
	if a := vera.get(t, s.contacts[0].page()); a.Status != http.StatusOK {
		t.Errorf("their own session: %d", a.Status)
	}
	// All of its users' cookies are the same word once they have signed out.
	for _, who := range []*employee{paula, vera} {
		if a := who.get(t, "/login.pl?action=logout&target=_top"); a.Status != http.StatusOK {
			t.Errorf("signing out of LedgerSMB: %d", a.Status)
		}
	}
	for _, who := range []*employee{paula, vera} {
		if a := who.get(t, "/login.pl"); a.Status != http.StatusOK || who.Cookie(t, cookie) != "Login" {
			t.Errorf("the sign-in page after signing out: %d, with the cookie %q", a.Status, who.Cookie(t, cookie))
		}
		if a := who.get(t, "/login.pl?action=authenticate&company="+s.company); a.Status != http.StatusOK {
			t.Errorf("signing in again: %d\n%.200s", a.Status, a.Body)
		}
	}
}

func logs(t *testing.T, s *site, _, _ *employee) {
	named := map[string]bool{}
	updated := false
	for _, stored := range s.Entries(t) {
		e := stored.Entry
		if e.Kind == audit.Intent && !e.Decision.Refused {
			for _, a := range e.Accesses {
				updated = updated || a.Route == "save company" && len(a.IDs) == 1 && a.IDs[0] == s.contacts[0].ID
			}
		}
		if e.Kind != audit.Disclosure || e.Disclosure == nil {
			continue
		}
		for _, r := range e.Disclosure.Records {
			named[r.ID] = true
		}
	}
	for _, c := range s.contacts {
		if !named[c.ID] {
			t.Errorf("no disclosure names contact %s", c.ID)
		}
	}
	if !updated {
		t.Error("no intent names the contact that was saved")
	}
}

var wide = regexp.MustCompile(`%1[0-9a-f]{2}`)

// nothingLeaks searches all that sales ever got, in every encoding: Latin-1 in links,
// numbers of more digits, references.
func nothingLeaks(t *testing.T, s *site, vera *employee) { s.hides(t, string(vera.seen)) }

// hides checks that nothing that sales doesn't see is in all that it got.
func (s *site) hides(t *testing.T, all string) {
	t.Helper()
	links := wide.ReplaceAllStringFunc(all, func(s string) string {
		var r rune
		_, _ = fmt.Sscanf(s, "%%%x", &r)
		return string(r)
	})
	for _, text := range []*stack.Reading{stack.Read([]byte(all)), stack.Read([]byte(percentBytes(links)))} {
		for _, c := range s.contacts {
			for _, v := range append(c.hidden(), c.Mobile, "Depression", c.Born, c.Ident) {
				if v != "" && text.Holds(v) {
					t.Errorf("%s was in an answer to sales", v)
				}
			}
		}
	}
}

// percentBytes decodes each %XX to a byte, be it UTF-8 or not.
func percentBytes(s string) string {
	return regexp.MustCompile(`%[0-9a-fA-F]{2}`).ReplaceAllStringFunc(s, func(e string) string {
		var b byte
		_, _ = fmt.Sscanf(e, "%%%x", &b)
		return string([]byte{b})
	})
}
