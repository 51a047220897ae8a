package gate_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
)

const overdue = "/.crmgate/desk/overdue"

// aged makes a contact of the test's own, born on a day.
func aged(t *testing.T, word, birth string) (id int, email string) {
	t.Helper()
	rec := stored(t, 1003)
	for _, name := range []string{"id", "created_at"} {
		delete(rec, name)
	}
	email = fmt.Sprintf("%s-%d@example.com", word, contacts.Add(1))
	rec["email"], rec["birth_date"] = email, birth
	return newRecord(t, env.crm, "/api/contacts", rec), email
}

// The site keeps contacts until their birthday of thirty.
func old() string   { return "1950-01-31" }
func young() string { return time.Now().AddDate(-10, 0, 0).Format(time.DateOnly) }

func roled(t *testing.T, roles ...string) *browser {
	t.Helper()
	return signedInWith(t, env.aging, somebody(), "Canary Person", roles...)
}

func TestOverdueRecordsAreMasked(t *testing.T) {
	t.Parallel()
	word := "ort" + strings.ToLower(somebody())
	oldID, oldMail := aged(t, word, old())
	youngID, youngMail := aged(t, word, young())
	emptyID, emptyMail := aged(t, word, "")
	sales, support, officer := roled(t, "sales"), roled(t, "support"), roled(t, "dpo", "master_data")
	exports := roled(t, "master_data")
	for _, c := range []struct {
		name, path string
		who        *browser
	}{
		{"one, as JSON", "/api/contacts/%d", sales},
		{"as a form", "/contacts/%d/edit", sales},
	} {
		for id, shown := range map[int]string{youngID: youngMail, emptyID: emptyMail} {
			c.who.visits(t, fmt.Sprintf(c.path, id)).shows(t, shown)
		}
		c.who.visits(t, fmt.Sprintf(c.path, oldID)).showsNot(t, oldMail)
		officer.visits(t, fmt.Sprintf(c.path, oldID)).shows(t, oldMail)
	}
	for name, path := range map[string]string{
		"a list with the dates": "/api/contacts?limit=500", "a list without": "/api/contacts?q=" + word + "&fields=id,email",
		"a page of a list": "/contacts?q=" + word, "a CSV": "/contacts/export.csv", "a stream": "/api/stream/contacts",
	} {
		r := exports.visits(t, path).want(t, http.StatusOK)
		if strings.Contains(string(r.body), oldMail) {
			t.Errorf("%s shows an overdue record", name)
		}
		if name != "a CSV" && name != "a stream" && !strings.Contains(string(r.body), youngMail) {
			t.Errorf("%s doesn't show a record that is kept: %s", name, r)
		}
	}
	for _, path := range []string{"/contacts/export.csv", "/api/stream/contacts"} {
		if r := exports.visits(t, path); !strings.Contains(string(r.body), youngMail) || strings.Contains(string(r.body), oldMail) {
			t.Errorf("%s: the dates in it don't count", path)
		}
	}
	support.visits(t, fmt.Sprintf("/api/contacts/%d", oldID)).showsNot(t, "Özdemir\"")
	// A save changes nothing that was masked.
	one := fmt.Sprintf("/api/contacts/%d", oldID)
	var rec map[string]any
	if err := json.Unmarshal(sales.get(t, one, nil).want(t, http.StatusOK).body, &rec); err != nil {
		t.Fatal(err)
	}
	rec["company"] = "Neu GmbH"
	patch := func(b *browser, method string, what map[string]any) *reply {
		return b.do(t, ask{path: one, method: method, body: toJSON(t, what), header: http.Header{"Content-Type": {"application/json"}, "Sec-Fetch-Site": {"same-origin"}}})
	}
	patch(sales, "PUT", rec).want(t, http.StatusOK).showsNot(t, oldMail)
	if got := stored(t, oldID); got["email"] != oldMail || got["company"] != "Neu GmbH" {
		t.Errorf("after a save the CRM has %v, %v", got["email"], got["company"])
	}
	patch(sales, "PATCH", map[string]any{"email": "guess@example.com"}).want(t, http.StatusUnprocessableEntity)
	if got := stored(t, oldID); got["email"] != oldMail {
		t.Errorf("a masked value was changed to %v", got["email"])
	}
}

// Of a list whose records don't tell their dates, some are looked up, and the rest is
// masked: a list of five hundred isn't five hundred requests.
func TestOverdueLookUpsAreBounded(t *testing.T) {
	t.Parallel()
	base := int(contacts.Add(1000)) * 1000
	sc := newScene(t, nil)
	sc.answer(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		var id int
		if _, err := fmt.Sscanf(r.URL.Path, "/api/contacts/%d", &id); err == nil {
			fmt.Fprintf(w, `{"id":%d,"email":"m%d@example.com","birth_date":%q}`, id, id, young())
			return
		}
		var items []string
		for i := range 500 {
			items = append(items, fmt.Sprintf(`{"id":%d,"email":"m%d@example.com"}`, base+i, base+i))
		}
		fmt.Fprintf(w, `{"items":[%s],"total":500}`, strings.Join(items, ","))
	})
	sales := roled(t, "sales")
	shown := func() int {
		r := sales.do(t, ask{path: "/api/contacts?limit=500", scene: sc}).want(t, http.StatusOK)
		return len(regexp.MustCompile(`"m\d+@example\.com"`).FindAll(r.body, -1))
	}
	if n := shown(); n != 20 || len(sc.requests()) != 21 {
		t.Errorf("%d of 500 are shown after %d requests, want 20 after 21", n, len(sc.requests()))
	}
	if n := shown(); n != 40 || len(sc.requests()) != 42 {
		t.Errorf("then %d after %d requests, want 40 after 42", n, len(sc.requests()))
	}
	officer := roled(t, "dpo", "master_data")
	officer.visits(t, overdue).showsNot(t, fmt.Sprint("contact/", base+400)) // nobody has asked yet how old it is
}

func TestDeletionTakesTwoPeopleAndLeavesAProof(t *testing.T) {
	t.Parallel()
	id, email := aged(t, "weg"+strings.ToLower(somebody()), old())
	record := fmt.Sprintf("contact/%d", id)
	first, second, other, sales := roled(t, "dpo", "master_data"), roled(t, "council", "master_data"), roled(t, "dpo", "master_data"), roled(t, "sales")
	sales.visits(t, fmt.Sprintf("/contacts/%d/edit", id)).shows(t, "form").showsNot(t, email)
	for _, path := range []string{overdue, overdue + "/record?name=x", overdue + "/proof?name=x"} {
		sales.visits(t, path).want(t, http.StatusForbidden).logged(t).refused(t, "no_officer")
	}
	page := first.visits(t, overdue).shows(t, record, "30 Jahre nach birth_date", "Frist zu Ende mit dem 31.01.1980").showsNot(t, email)
	page.look(t, pseudonymOf(t, first), audit.Searched, "desk: work list of overdue records")
	m := regexp.MustCompile(`href="([^"]+)">` + record + `<`).FindSubmatch(page.body)
	if m == nil {
		t.Fatalf("%s has no page", record)
	}
	at := strings.ReplaceAll(string(m[1]), "&amp;", "&")
	_, name, _ := strings.Cut(at, "name=")
	do := func(b *browser, what, why string) *reply {
		return b.post(t, overdue+"/do", url.Values{"name": {name}, "do": {what}, "why": {why}})
	}
	there := func(want bool) {
		t.Helper()
		found := false
		for _, r := range env.crm.crm.Contacts() {
			found = found || r["id"] == id
		}
		if found != want {
			t.Fatalf("the CRM has the record: %t", found)
		}
	}
	// A hold blocks it, here and in the CRM.
	do(first, "hold", "Rechtsstreit 4711").want(t, http.StatusSeeOther)
	do(first, "ask", "Frist vorbei").want(t, http.StatusConflict)
	first.do(t, ask{path: fmt.Sprintf("/api/contacts/%d", id), method: "DELETE"}).want(t, http.StatusForbidden).logged(t).refused(t, "held")
	first.visits(t, at).shows(t, "gesperrt", "Rechtsstreit 4711")
	do(first, "release", "Vergleich geschlossen").want(t, http.StatusSeeOther)
	// Wishes that can't be.
	do(first, "ask", "x").want(t, http.StatusBadRequest)
	do(first, "ask", strings.Repeat("x", 400)).want(t, http.StatusBadRequest)
	do(first, "confirm", "").want(t, http.StatusConflict)
	do(second, "ask", "Frist vorbei").want(t, http.StatusForbidden)
	do(sales, "ask", "Frist vorbei").want(t, http.StatusForbidden)
	do(first, "delete", "Frist vorbei").want(t, http.StatusBadRequest)
	first.do(t, ask{path: overdue + "/do", method: "POST", body: url.Values{"name": {name}, "do": {"ask"}, "why": {"Frist vorbei"}}.Encode(), header: http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"cross-site"},
	}}).want(t, http.StatusForbidden)
	first.visits(t, overdue+"/do?name="+name+"&do=ask&why=Frist+vorbei").want(t, http.StatusMethodNotAllowed)
	first.post(t, overdue+"/do", url.Values{"name": {strings.Repeat("0", 64)}, "do": {"ask"}, "why": {"Frist vorbei"}}).want(t, http.StatusNotFound)
	first.visits(t, overdue+"/proof?name="+name).want(t, http.StatusNotFound)
	// One asks, another one says no, one asks again.
	do(first, "ask", "Frist vorbei, Akte 12").want(t, http.StatusSeeOther)
	do(first, "ask", "Frist vorbei, Akte 12").want(t, http.StatusConflict)
	do(first, "confirm", "").want(t, http.StatusForbidden).logged(t).refused(t, "no_second_person")
	do(second, "refuse", "").want(t, http.StatusSeeOther)
	do(second, "confirm", "").want(t, http.StatusConflict)
	there(true)
	do(first, "ask", "Frist vorbei, Akte 13").want(t, http.StatusSeeOther)
	// The CRM says no: nothing is gone, and it is on the list again.
	sc := newScene(t, nil)
	sc.answer(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		fmt.Fprintf(w, `{"id":%d,"birth_date":%q,"email":%q}`, id, old(), email)
	})
	yes := func(sc *scene) *reply {
		return second.do(t, ask{path: overdue + "/do", method: "POST", page: true, scene: sc, body: url.Values{"name": {name}, "do": {"confirm"}}.Encode(), header: http.Header{
			"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"},
		}})
	}
	r := yes(sc).want(t, http.StatusConflict).showsNot(t, email)
	if !strings.Contains(string(r.body), "Antwort 403") {
		t.Errorf("what the CRM said isn't said: %s", r)
	}
	// Its date has changed: it isn't overdue any more, and off the list.
	do(first, "ask", "Frist vorbei, Akte 14").want(t, http.StatusSeeOther)
	sc.answer(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"id":%d,"birth_date":%q,"email":%q}`, id, young(), email)
	})
	yes(sc).want(t, http.StatusConflict)
	first.visits(t, at).want(t, http.StatusNotFound)
	for _, got := range sc.requests() {
		if got.method == http.MethodDelete && got.target != fmt.Sprintf("/api/contacts/%d", id) {
			t.Errorf("the CRM received %s", got.target)
		}
	}
	there(true)
	// It is back as soon as somebody sees it, and this time it goes.
	sales.visits(t, fmt.Sprintf("/contacts/%d/edit", id)).want(t, http.StatusOK)
	do(other, "ask", "Frist vorbei, Akte 15").want(t, http.StatusSeeOther)
	done := yes(nil)
	proof := done.header.Get("Location")
	if done.status != http.StatusSeeOther || !strings.HasPrefix(proof, overdue+"/proof") {
		t.Fatalf("the deletion is answered by %s, to %s", done, proof)
	}
	there(false)
	yes(nil).want(t, http.StatusConflict) // pressed once more
	asker, consenter := pseudonymOf(t, other), pseudonymOf(t, second)
	for _, as := range []string{"", "&as=print", "&as=json"} {
		r := first.visits(t, proof+as).shows(t, fmt.Sprint(id), asker, consenter, "Akte 15", "sales").showsNot(t, email, "Canary")
		if as == "&as=json" {
			var out struct {
				Proof struct {
					Gone bool
					Rest []struct {
						What, Audit string
						Status      int
					}
				}
			}
			if err := json.Unmarshal(r.body, &out); err != nil || !out.Proof.Gone || len(out.Proof.Rest) < 4 {
				t.Fatalf("the proof as JSON: %v, %s", err, r.body)
			}
			for _, s := range out.Proof.Rest {
				if s.Audit == "" || s.What == "deleted" && s.Status != http.StatusNoContent {
					t.Errorf("the proof says %+v", s)
				}
			}
		}
	}
	first.visits(t, overdue).shows(t, "ist fort")
	said := map[string]bool{}
	for _, s := range entries(t, env.data()) {
		if e := &s.Entry; len(e.Accesses) == 1 && len(e.Accesses[0].IDs) == 1 && e.Accesses[0].IDs[0] == fmt.Sprint(id) {
			word, _, _ := strings.Cut(e.Detail, ",")
			said[string(e.Kind)+" "+string(e.Event)+": "+word] = true
		}
	}
	for _, want := range []string{
		"control overdue: overdue", "control erasure: holds against deletion: Rechtsstreit 4711", "control erasure: asks to delete: Frist vorbei",
		"control erasure: consents to delete", "intent : the gateway's own deletion", "control erasure: deleted",
	} {
		if !said[want] {
			t.Errorf("the log lacks %q: %v", want, said)
		}
	}
}

// Who deletes an overdue record in the CRM itself leaves it to be looked whether it is
// gone. What a CRM that isn't there answers proves nothing.
func TestADeletionInTheCRMIsLookedAfter(t *testing.T) {
	t.Parallel()
	id, email := aged(t, "selbst", old())
	officer := roled(t, "dpo", "master_data")
	officer.visits(t, fmt.Sprintf("/api/contacts/%d", id)).shows(t, email)
	page := officer.visits(t, overdue+"?as=json").want(t, http.StatusOK)
	if !strings.Contains(string(page.body), fmt.Sprintf(`"id": "%d"`, id)) {
		t.Fatalf("the list lacks it: %s", page)
	}
	m := regexp.MustCompile(fmt.Sprintf(`name=([0-9a-f]{64})">contact/%d<`, id)).FindSubmatch(officer.visits(t, overdue).body)
	if m == nil {
		t.Fatal("the list doesn't lead to it")
	}
	form := url.Values{"name": {string(m[1])}, "do": {"check"}}
	officer.post(t, overdue+"/do", form).want(t, http.StatusConflict) // nobody has deleted it yet
	officer.do(t, ask{path: fmt.Sprintf("/api/contacts/%d", id), method: "DELETE", header: http.Header{"Sec-Fetch-Site": {"same-origin"}}}).want(t, http.StatusNoContent)
	officer.visits(t, overdue+"/record?name="+string(m[1])).shows(t, "im CRM gelöscht: nachsehen")
	down := func(status int) *scene {
		sc := newScene(t, nil)
		sc.answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		return sc
	}
	look := func(sc *scene) *reply {
		return officer.do(t, ask{path: overdue + "/do", method: "POST", page: true, scene: sc, body: form.Encode(), header: http.Header{
			"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"},
		}})
	}
	for _, status := range []int{http.StatusUnauthorized, http.StatusInternalServerError, http.StatusFound} {
		look(down(status)).want(t, http.StatusBadGateway)
		officer.visits(t, overdue+"/proof?name="+string(m[1])).want(t, http.StatusNotFound)
	}
	look(nil).want(t, http.StatusSeeOther)
	officer.visits(t, overdue+"/proof?name="+string(m[1])).shows(t, "Das CRM hat ihn nicht mehr").showsNot(t, email)
}
