package gate_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

const (
	revealBlock = "reveal {\n\t\t\treasons \"a call\" complaint\n\t\t\tlasts 15m\n\t\t\tquota 5\n\t\t\tapproval role lead for bank\n\t\t}"
	revealPath  = "/.crmgate/reveal"
	wishesPath  = revealPath + "/wishes"
)

var numbers atomic.Int64

// called makes a contact with a number of its own, twice, and an IBAN. The number in
// one notation is the canary.
func called(t *testing.T, number string) int {
	t.Helper()
	rec := stored(t, 1003)
	for _, name := range []string{"id", "created_at"} {
		delete(rec, name)
	}
	rec["email"] = fmt.Sprintf("called%d@example.com", contacts.Add(1))
	rec["phone"], rec["mobile"], rec["notes"], rec["owner"] = number, number, "call back: "+number, "sven"
	id := made(t, "/api/contacts", toJSON(t, rec))
	made(t, "/api/leads", fmt.Sprintf(`{"contact_id":%d,"contact_name":"Zoe Canari","company":"x","status":"new"}`, id))
	return id
}

// made makes a record past the gateway.
func made(t *testing.T, path, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, env.crm.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	r, err := newBrowser(env.plain).send(&http.Client{}, req)
	if err != nil {
		t.Fatal(err)
	}
	var rec struct{ ID int }
	if err := json.Unmarshal(r.want(t, http.StatusCreated).body, &rec); err != nil {
		t.Fatal(err)
	}
	return rec.ID
}

func newNumber() string { return fmt.Sprintf("+49 171 %d", 61840000+numbers.Add(1)) }

// wishFor asks for a field as the page does.
func (b *browser) wishFor(t *testing.T, id int, field string) *reply {
	t.Helper()
	return b.post(t, revealPath, url.Values{"do": {"ask"}, "record": {fmt.Sprintf("contact/%d", id)}, "field": {field}, "reason": {"a call"}, "note": {"case 4711"}})
}

// contact opens a contact, so that the log says that its fields were masked.
func (b *browser) contact(t *testing.T, id int) string {
	t.Helper()
	return string(b.get(t, fmt.Sprintf("/api/contacts/%d", id), nil).want(t, http.StatusOK).body)
}

func wishOf(t *testing.T, r *reply) string {
	t.Helper()
	m := regexp.MustCompile(`name="wish" value="([^"]+)"`).FindSubmatch(r.body)
	if m == nil {
		t.Fatalf("no wish: %s", r)
	}
	return string(m[1])
}

// One field of one record is shown to one session, wherever the record is read, and
// nothing else is.
func TestRevealShowsOneFieldToOneSession(t *testing.T) {
	t.Parallel()
	number, who := newNumber(), somebody()
	id, twin := called(t, number), called(t, number)
	me := signedInWith(t, env.reveals, who, "Vera", "sales")
	again := signedInWith(t, env.reveals, who, "Vera", "sales")
	other := signedInWith(t, env.reveals, somebody(), "Max", "sales")
	page, form, list := fmt.Sprintf("/contacts/%d", id), fmt.Sprintf("/contacts/%d/edit", id), "/api/contacts?limit=500"
	for _, b := range []*browser{me, again, other} {
		if strings.Contains(b.contact(t, id)+b.contact(t, twin), number) {
			t.Fatal("the number is shown before anybody asked")
		}
	}
	me.visits(t, revealPath).shows(t, fmt.Sprintf("contact/%d", id), fmt.Sprintf("contact/%d", twin)).showsNot(t, number)
	me.visits(t, revealPath+"?record=contact%2F"+fmt.Sprint(id)).shows(t, `value="phone"`, `value="mobile"`, `value="iban"`, "a call").showsNot(t, number, `value="email"`, `value="tax_id"`)
	me.wishFor(t, id, "phone").want(t, http.StatusSeeOther)
	me.visits(t, revealPath).shows(t, "Jetzt im Klartext", "phone (Telefonnummern)", "case 4711").showsNot(t, number)

	// What depends on the record is decided where it is shown: this one is another's.
	me.wishFor(t, id, "notes").want(t, http.StatusSeeOther)
	r := me.get(t, fmt.Sprintf("/api/contacts/%d", id), nil).want(t, http.StatusOK)
	if got := string(r.body); strings.Count(got, number) != 1 || !strings.Contains(got, `"phone": "`+number) && !strings.Contains(got, `"phone":"`+number) {
		t.Errorf("the record shows %s", got)
	}
	if cc := r.header.Get("Cache-Control"); cc != "private, no-store" {
		t.Errorf("Cache-Control %q", cc)
	}
	x := r.logged(t)
	answer := x[len(x)-1].Entry
	var entry audit.Entry
	at := ""
	for _, s := range entries(t, env.data()) {
		if s.Entry.Event == audit.Revealed && s.Entry.Employee == answer.Employee && strings.Contains(s.Entry.Detail, " phone (") {
			entry, at = s.Entry, fmt.Sprint(s.Seq)
		}
	}
	if !strings.HasPrefix(answer.Detail, "revealed by entry ") || !strings.Contains(answer.Detail, at) || !strings.HasSuffix(answer.Detail, fmt.Sprintf(": contact/%d phone", id)) {
		t.Errorf("the disclosure says %q; the entry is %s", answer.Detail, at)
	}
	if answer.Disclosure.Records[0].Treated[access.Phone] != access.Clear {
		t.Errorf("the disclosure is %+v", answer.Disclosure)
	}
	if entry.Accesses[0].Action != access.Reveal || entry.Accesses[0].IDs[0] != fmt.Sprint(id) || !strings.Contains(entry.Detail, "reveal for 15m0s: phone (phone), reason a call: case 4711; wish ") {
		t.Errorf("the entry is %+v", entry)
	}
	if n := strings.Count(string(me.get(t, list, nil).want(t, http.StatusOK).body), number); n != 1 {
		t.Errorf("the number stands %d times in the list", n)
	}
	for _, path := range []string{page, form} {
		if !strings.Contains(string(me.visits(t, path).want(t, http.StatusOK).body), number) {
			t.Errorf("%s doesn't show the number", path)
		}
	}
	if strings.Contains(me.contact(t, twin), number) {
		t.Error("another record with the same number shows it")
	}
	for _, b := range []*browser{again, other} {
		if strings.Contains(b.contact(t, id)+string(b.visits(t, page).body)+string(b.get(t, list, nil).body), number) {
			t.Error("another session sees it")
		}
	}
	// Asking about it, and saving another one, take what they took before.
	me.get(t, "/api/contacts?phone="+url.QueryEscape(number), nil).want(t, http.StatusForbidden)
	me.get(t, "/api/contacts?sort=phone", nil).want(t, http.StatusForbidden)
	saves := func(body string) int {
		r := me.do(t, ask{method: http.MethodPatch, path: fmt.Sprintf("/api/contacts/%d", id), body: body})
		if strings.Contains(string(r.body), number) {
			t.Errorf("the answer to a save shows the number: %s", r)
		}
		return r.status
	}
	if s := saves(`{"phone":"+49 30 1"}`); s != http.StatusUnprocessableEntity {
		t.Errorf("a revealed field was edited: %d", s)
	}
	if s := saves(`{"first_name":"Neu","phone":"` + number + `"}`); s != http.StatusOK {
		t.Errorf("a save that repeats the number: %d", s)
	}
	me.post(t, revealPath, url.Values{"do": {"end"}, "wish": {strings.TrimSpace(entry.Detail[strings.LastIndex(entry.Detail, " "):])}}).want(t, http.StatusSeeOther)
	if strings.Contains(me.contact(t, id)+string(me.visits(t, page).body), number) {
		t.Error("it is shown after its end")
	}
	if s := saves(`{"first_name":"Alt","phone":"` + number + `"}`); s != http.StatusUnprocessableEntity {
		t.Errorf("after its end, a save with the number: %d", s)
	}
	if rec := stored(t, id); rec["phone"] != number || rec["first_name"] != "Neu" {
		t.Errorf("stored: %v", rec)
	}
	quiet(t, number)
}

// quiet checks that a value stands in no file around the gateway: it is in the log
// alone, sealed, if anywhere.
func quiet(t *testing.T, canary string) {
	t.Helper()
	for _, form := range []string{canary, url.QueryEscape(canary), strings.ReplaceAll(canary, " ", "")} {
		for _, dir := range []string{env.logs(), env.data()} {
			err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return nil //nolint:nilerr // files come and go
				}
				if raw, err := os.ReadFile(path); err == nil && strings.Contains(string(raw), form) {
					t.Errorf("%s holds %q", path, form)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
	}
}

// An export and a stream show no more than before.
func TestRevealIsForReadingAlone(t *testing.T) {
	t.Parallel()
	id := called(t, newNumber())
	mail := fmt.Sprint(stored(t, id)["email"])
	me := signedInWith(t, env.reveals, somebody(), "Sven", "support")
	me.contact(t, id)
	me.wishFor(t, id, "phone").want(t, http.StatusForbidden) // partial is no reveal
	me.wishFor(t, id, "email").want(t, http.StatusSeeOther)
	if !strings.Contains(me.contact(t, id), mail) {
		t.Fatal("the address isn't shown")
	}
	for _, path := range []string{"/contacts/export.csv", "/api/stream/contacts"} {
		r := me.get(t, path, nil).want(t, http.StatusOK)
		if len(r.body) == 0 || strings.Contains(string(r.body), mail) {
			t.Errorf("%s shows the address, or nothing", path)
		}
	}
}

func TestRevealTakesARightAndAReason(t *testing.T) {
	t.Parallel()
	id := called(t, newNumber())
	me := signedInWith(t, env.reveals, somebody(), "Vera", "sales")
	form := func(change ...string) url.Values {
		v := url.Values{"do": {"ask"}, "record": {fmt.Sprintf("contact/%d", id)}, "field": {"phone"}, "reason": {"a call"}, "note": {"case 4711"}}
		for i := 0; i < len(change); i += 2 {
			v.Set(change[i], change[i+1])
		}
		return v
	}
	me.post(t, revealPath, form()).want(t, http.StatusBadRequest) // not seen yet
	me.contact(t, id)
	for _, wrong := range []url.Values{
		form("reason", "curiosity"), form("reason", ""), form("note", "x"), form("note", strings.Repeat("x", 400)),
		form("record", "contact/1"), form("record", ""), form("record", "lead/"+fmt.Sprint(id)), form("do", "x"),
		{},
	} {
		me.post(t, revealPath, wrong).want(t, http.StatusBadRequest)
	}
	me.post(t, revealPath, form("note", strings.Repeat("x", 9000))).want(t, http.StatusBadRequest)
	for _, field := range []string{"tax_id", "email", "company", "nosuch", "", "phone.x"} {
		r := me.post(t, revealPath, form("field", field)).want(t, http.StatusForbidden)
		if e := r.logged(t)[0].Entry; e.Decision == nil || e.Decision.Reason != "no_reveal" {
			t.Errorf("%s: %+v", field, e)
		}
	}
	body := form().Encode()
	typed := func(h http.Header) ask {
		h.Set("Content-Type", "application/x-www-form-urlencoded")
		return ask{path: revealPath, method: http.MethodPost, body: body, page: true, header: h}
	}
	me.do(t, typed(http.Header{"Sec-Fetch-Site": {"cross-site"}})).want(t, http.StatusForbidden)
	me.do(t, typed(http.Header{"Sec-Fetch-Site": {"same-site"}})).want(t, http.StatusForbidden)
	me.do(t, ask{path: revealPath, method: http.MethodPost, body: `{"do":"ask"}`, header: http.Header{"Sec-Fetch-Site": {"same-origin"}}}).want(t, http.StatusBadRequest)
	me.do(t, ask{path: revealPath, method: http.MethodPut, header: http.Header{"Sec-Fetch-Site": {"same-origin"}}}).want(t, http.StatusMethodNotAllowed)
	me.do(t, ask{path: revealPath + "?" + body}).want(t, http.StatusOK) // a GET asks for nothing
	me.visits(t, revealPath).want(t, http.StatusOK).showsNot(t, "Jetzt im Klartext")
	marketing := signedInWith(t, env.reveals, somebody(), "M", "marketing")
	marketing.visits(t, revealPath).want(t, http.StatusForbidden)
	marketing.post(t, revealPath, form()).want(t, http.StatusForbidden)
	me.visits(t, wishesPath).want(t, http.StatusForbidden)
	newBrowser(env.reveals).do(t, ask{path: revealPath, method: http.MethodPost, body: body}).want(t, http.StatusUnauthorized)
	for _, s := range []*site{env.plain, env.opened} {
		newBrowser(s).visits(t, revealPath).want(t, http.StatusNotFound)
	}
	// The page finds a record by the address that is pasted, however it is written.
	for address, want := range map[string]int{
		"https://crm.example/#Contact/view/" + fmt.Sprint(id): http.StatusOK, "/contacts%2F" + fmt.Sprint(id) + "?tab=1": http.StatusOK,
		"https://crm.example/": http.StatusBadRequest, strings.Repeat("a", 3000): http.StatusBadRequest, "%zz": http.StatusBadRequest,
	} {
		r := me.post(t, revealPath, url.Values{"do": {"find"}, "address": {address}}).want(t, want)
		if link := `href="/.crmgate/reveal?record=contact%2F` + fmt.Sprint(id); strings.Contains(string(r.body), link) != (want == http.StatusOK) {
			t.Errorf("%.60s: %s", address, r)
		}
	}
}

// Posts at once take no more than the quota.
func TestRevealQuotaIsNotRaced(t *testing.T) {
	t.Parallel()
	me := signedInWith(t, env.reveals, somebody(), "Vera", "sales")
	var ids []int
	for range 8 {
		id := called(t, newNumber())
		me.contact(t, id)
		ids = append(ids, id)
	}
	var took, refused atomic.Int32
	var wait sync.WaitGroup
	for _, id := range append(ids, ids[0], ids[0]) {
		wait.Go(func() {
			switch me.wishFor(t, id, "phone").status {
			case http.StatusSeeOther:
				took.Add(1)
			case http.StatusTooManyRequests:
				refused.Add(1)
			}
		})
	}
	wait.Wait()
	shown := 0
	for _, id := range ids {
		if strings.Contains(me.contact(t, id), fmt.Sprint(stored(t, id)["phone"])) {
			shown++
		}
	}
	if took.Load() != 5 || shown != 5 || refused.Load() == 0 {
		t.Errorf("%d wishes came through, %d were refused, %d fields are shown; the quota is 5", took.Load(), refused.Load(), shown)
	}
}

// What takes a second person is shown when one has said yes, and never by oneself.
func TestRevealTakesASecondPerson(t *testing.T) {
	t.Parallel()
	id, who := called(t, newNumber()), somebody()
	iban := fmt.Sprint(stored(t, id)["iban"])
	me := signedInWith(t, env.reveals, who, "Vera V"+who, "sales")
	myself := signedInWith(t, env.reveals, who, "Vera V"+who, "sales", "lead")
	lead := signedInWith(t, env.reveals, somebody(), "Lena", "lead", "dpo")
	me.contact(t, id)
	me.wishFor(t, id, "iban").want(t, http.StatusSeeOther)
	mine := me.visits(t, revealPath).shows(t, "wartet auf eine zweite Person").showsNot(t, "Jetzt im Klartext")
	wish := wishOf(t, mine)
	if strings.Contains(me.contact(t, id), iban) {
		t.Fatal("it is shown before anybody decided")
	}
	me.post(t, revealPath, url.Values{"do": {"begin"}, "wish": {wish}}).want(t, http.StatusBadRequest)
	decides := func(b *browser, do string) *reply {
		return b.post(t, wishesPath, url.Values{"do": {do}, "wish": {wish}})
	}
	decides(me, "allow").want(t, http.StatusForbidden)
	myself.visits(t, wishesPath).want(t, http.StatusOK).showsNot(t, wish)
	if e := decides(myself, "allow").want(t, http.StatusForbidden).logged(t)[0].Entry; e.Decision.Reason != "no_second_person" {
		t.Errorf("%+v", e)
	}
	lead.do(t, ask{path: wishesPath, method: http.MethodPost, body: "do=allow&wish=" + wish, page: true, header: http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"cross-site"},
	}}).want(t, http.StatusForbidden)
	lead.visits(t, wishesPath).shows(t, wish, "Vera V"+who, fmt.Sprintf("contact/%d", id), "iban (Bankverbindungen", "a call: case 4711").showsNot(t, iban)
	decides(lead, "x").want(t, http.StatusBadRequest)
	decides(lead, "allow").want(t, http.StatusSeeOther)
	decides(lead, "refuse").want(t, http.StatusBadRequest) // once
	if strings.Contains(me.contact(t, id), iban) {
		t.Error("it is shown before it begins")
	}
	me.visits(t, revealPath).shows(t, "erlaubt", "Jetzt anzeigen")
	me.post(t, revealPath, url.Values{"do": {"begin"}, "wish": {wish}}).want(t, http.StatusSeeOther)
	if !strings.Contains(me.contact(t, id), iban) || strings.Contains(lead.do(t, ask{path: fmt.Sprintf("/api/contacts/%d", id)}).String(), iban) {
		t.Error("it isn't shown to whom it was allowed, or to who allowed it")
	}
	// The officer finds the reveals, each step by who took it.
	lead.visits(t, desk+"?kind=control&action=reveal").shows(t, fmt.Sprintf("contact/%d", id), "reveal allowed to ", "reveal for 15m0s, allowed by ").showsNot(t, iban, "Vera V"+who)
	lead.visits(t, desk+"/record?record=contact%2F"+fmt.Sprint(id)).shows(t, "reveal asked: iban (bank)")
	me.signOut(t)
	me = signedInWith(t, env.reveals, who, "Vera V"+who, "sales")
	if strings.Contains(me.contact(t, id), iban) {
		t.Error("it outlives the session")
	}
	me.wishFor(t, id, "iban").want(t, http.StatusSeeOther)
	wish = wishOf(t, lead.visits(t, wishesPath))
	decides(lead, "refuse").want(t, http.StatusSeeOther)
	me.visits(t, revealPath).shows(t, "abgelehnt").showsNot(t, "Jetzt anzeigen")
	me.post(t, revealPath, url.Values{"do": {"begin"}, "wish": {wish}}).want(t, http.StatusBadRequest)
}
