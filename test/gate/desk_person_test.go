package gate_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
)

func asking(who string) url.Values {
	return url.Values{"employee": {who}, "purpose": {"breach"}, "note": {"file 4711/26"}}
}

// What one person did takes a purpose, and the purpose is an entry.
func TestDeskShowsAPersonForAPurposeOnly(t *testing.T) {
	t.Parallel()
	name := somebody()
	sales := signedInWith(t, env.opened, name, "Sales "+name, "sales")
	who := pseudonymOf(t, sales)
	auditor, other := signedInWith(t, env.opened, somebody(), "A", "auditor", "sales"), signedInWith(t, env.opened, somebody(), "B", "auditor")
	me := pseudonymOf(t, auditor)
	toPerson := desk + "/employee?employee=" + who
	for _, path := range []string{toPerson, desk + "?employee=" + who} {
		r := auditor.visits(t, path).want(t, http.StatusSeeOther)
		if l := r.header.Get("Location"); !strings.HasPrefix(l, desk+"/employee") {
			t.Errorf("%s leads to %s", path, l)
		}
	}
	for _, wrong := range []url.Values{
		{"employee": {who}},
		{"employee": {who}, "purpose": {"breach"}, "note": {"x"}},
		{"employee": {who}, "purpose": {"curiosity"}, "note": {"file 4711/26"}},
		{"employee": {"Sales " + name}, "purpose": {"breach"}, "note": {"file 4711/26"}}, // a name takes another right
	} {
		auditor.post(t, desk+"/ask", wrong).want(t, http.StatusBadRequest)
	}
	auditor.visits(t, toPerson).want(t, http.StatusSeeOther)
	done := auditor.post(t, desk+"/ask", asking(who)).want(t, http.StatusSeeOther)
	if done.header.Get("Location") != toPerson {
		t.Errorf("the ask leads to %s", done.header.Get("Location"))
	}
	page := auditor.visits(t, toPerson).shows(t, who, "file 4711/26", "seq=")
	page.look(t, me, audit.Searched, `desk: employee "`+who+`", by ask `)
	page.showsNot(t, "Sales "+name)
	// What can't be searched for is named as the form does, on the same page, and nothing is said of the log.
	wrong := auditor.visits(t, toPerson+"&since=yesterday").want(t, http.StatusBadRequest).showsNot(t, "seq=", "Dazu steht nichts")
	if !strings.Contains(string(wrong.body), "Danach lässt sich nicht suchen: von.") || !strings.Contains(string(wrong.body), who) {
		t.Errorf("a wrong day is answered by %s", wrong)
	}
	other.visits(t, toPerson).want(t, http.StatusSeeOther) // one person's purpose isn't another's
	asked := false
	for _, s := range entries(t, env.data()) {
		e := s.Entry
		asked = asked || e.Event == audit.Consent && e.Employee == me && e.Detail == "desk asks: employee "+who+", purpose breach: file 4711/26"
	}
	if !asked {
		t.Error("the purpose isn't in the log")
	}
	auditor.post(t, desk+"/name", url.Values{"employee": {who}}).want(t, http.StatusForbidden).showsNot(t, "Sales "+name)
}

// A name takes a role of its own and a purpose, and is an entry before it is shown.
func TestDeskNamesAreARightOfTheirOwn(t *testing.T) {
	t.Parallel()
	name := somebody()
	sales := signedInWith(t, env.opened, name, "Sales "+name, "sales")
	who := pseudonymOf(t, sales)
	officer := signedInWith(t, env.opened, somebody(), "O", "dpo", "sales")
	me := pseudonymOf(t, officer)
	officer.post(t, desk+"/name", url.Values{"employee": {who}}).want(t, http.StatusSeeOther).showsNot(t, "Sales "+name)
	r := officer.post(t, desk+"/ask", asking("sales "+strings.ToUpper(name))).want(t, http.StatusSeeOther)
	if l := r.header.Get("Location"); !strings.HasSuffix(l, "="+who) {
		t.Fatalf("the name leads to %q, want %s", l, who)
	}
	officer.visits(t, r.header.Get("Location")).shows(t, who).showsNot(t, "Sales "+name)
	page := officer.post(t, desk+"/name", url.Values{"employee": {who}}).shows(t, "Sales "+name)
	page.look(t, me, audit.Revealed, "desk: name of "+who+", by ask ")
	officer.post(t, desk+"/ask", asking("nobody of that name")).want(t, http.StatusBadRequest)
	var said []string
	for _, s := range entries(t, env.data()) {
		if s.Entry.Event == audit.Revealed && s.Entry.Employee == me {
			said = append(said, s.Entry.Detail)
		}
	}
	if len(said) != 3 || said[0] != "desk: pseudonym of a name: "+who || said[2] != "desk: pseudonym of a name: nobody" {
		t.Errorf("entries %q", said)
	}
	// No other page has a name: not the search, and not the entry of the sign-in.
	officer.visits(t, desk+"?kind=control").want(t, http.StatusOK).showsNot(t, "Sales "+name)
	for _, s := range entries(t, env.data()) {
		if s.Entry.Event == audit.SignIn && s.Entry.Employee == who {
			officer.visits(t, desk+"/entry?seq="+strconv.FormatUint(s.Seq, 10)).shows(t, who, "sign_in").showsNot(t, "Sales "+name)
		}
	}
}

var askID = regexp.MustCompile(`name="ask" value="([^"]+)"`)

// asks are the wishes that a page offers to decide.
func asks(r *reply) []string {
	var ids []string
	for _, m := range askID.FindAllSubmatch(r.body, -1) {
		ids = append(ids, string(m[1]))
	}
	return ids
}

func TestDeskTakesASecondPerson(t *testing.T) {
	t.Parallel()
	name := somebody()
	// This one is looked at, and sits in the council as well.
	watched := signedInWith(t, env.audited, name, "W", "sales", "council")
	who := pseudonymOf(t, watched)
	auditor := signedInWith(t, env.audited, somebody(), "A", "auditor", "council")
	council := signedInWith(t, env.audited, somebody(), "C", "council")
	toPerson := desk + "/employee?employee=" + who
	auditor.post(t, desk+"/ask", asking(who)).want(t, http.StatusSeeOther)
	auditor.visits(t, toPerson).want(t, http.StatusSeeOther)
	auditor.visits(t, desk+"/employees").shows(t, "wartet auf Zustimmung")
	page := council.visits(t, desk+"/employees").shows(t, who, "file 4711/26")
	page.look(t, page.logged(t)[0].Entry.Employee, audit.Searched, "desk: wishes to see one person's accesses")
	_, mine, _ := strings.Cut(string(page.body), who)
	id := ""
	for _, at := range asks(page) {
		if strings.Contains(mine, at) {
			id = at
			break
		}
	}
	yes := url.Values{"ask": {id}, "say": {"yes"}}
	for _, one := range []*browser{auditor, watched} {
		if got := asks(one.visits(t, desk+"/employees")); strings.Contains(strings.Join(got, " "), id) {
			t.Error("somebody is offered to decide on their own")
		}
		one.post(t, desk+"/decide", yes).want(t, http.StatusForbidden).logged(t).refused(t, "no_second_person")
	}
	council.post(t, desk+"/decide", url.Values{"ask": {id}, "say": {"perhaps"}}).want(t, http.StatusBadRequest)
	council.post(t, desk+"/decide", url.Values{"ask": {"another"}, "say": {"yes"}}).want(t, http.StatusBadRequest)
	auditor.visits(t, toPerson).want(t, http.StatusSeeOther)
	council.post(t, desk+"/decide", yes).want(t, http.StatusSeeOther)
	auditor.visits(t, toPerson).shows(t, who, "seq=")
	council.post(t, desk+"/decide", yes).want(t, http.StatusForbidden) // once only
	council.visits(t, toPerson).want(t, http.StatusForbidden)          // who consents sees nothing by that

	auditor.post(t, desk+"/ask", asking(pseudonymOf(t, signedInWith(t, env.audited, somebody(), "X", "sales")))).want(t, http.StatusSeeOther)
	for _, id := range asks(council.visits(t, desk+"/employees")) {
		council.post(t, desk+"/decide", url.Values{"ask": {id}, "say": {"no"}}).want(t, http.StatusSeeOther)
	}
	auditor.visits(t, desk+"/employees").shows(t, "abgelehnt")
}
