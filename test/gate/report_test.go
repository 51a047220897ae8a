package gate_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/report"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// aboutPerson is the form of a report on a person's accesses.
func aboutPerson(as string, records ...string) url.Values {
	return url.Values{"record": {strings.Join(records, "\r\n")}, "purpose": {"request"}, "note": {"file 4711/26"}, "as": {as}}
}

func aboutBreach(as string, more url.Values) url.Values {
	form := url.Values{"since": {time.Now().AddDate(0, 0, -1).Format(time.DateOnly)}, "purpose": {"breach"}, "note": {"file 4711/26"}, "as": {as}}
	maps.Copy(form, more)
	return form
}

// report reads a report that was handed out as JSON.
func (r *reply) report(t *testing.T) *report.Report {
	t.Helper()
	r.want(t, http.StatusOK)
	if !strings.Contains(r.header.Get("Content-Disposition"), ".json") {
		t.Errorf("it isn't a file: %s", r)
	}
	rep := new(report.Report)
	if err := json.Unmarshal(r.body, rep); err != nil || rep.Version != report.Version {
		t.Fatalf("%v: %s", err, r)
	}
	return rep
}

func TestReportsAreEntries(t *testing.T) {
	t.Parallel()
	auditor := signedInWith(t, env.opened, somebody(), "A. Uditor", "sales", "auditor")
	who := pseudonymOf(t, auditor)
	for as, event := range map[string]audit.Event{"page": audit.Searched, "print": audit.Exported, "json": audit.Exported} {
		r := auditor.post(t, desk+"/report/access", aboutPerson(as, "contact/7", "lead/8")).want(t, http.StatusOK)
		r.look(t, who, event, `desk: report access, record "contact/7", record "lead/8", purpose request: file 4711/26, as `+as)
		auditor.post(t, desk+"/report/breach", aboutBreach(as, nil)).want(t, http.StatusOK).look(t, who, event, "desk: report breach, since ")
		auditor.visits(t, desk+"/report/register?as="+as).want(t, http.StatusOK).look(t, who, event, "desk: report register, as "+as)
		if p := r.header.Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || strings.Contains(p, "script-src") {
			t.Errorf("%s: policy %q", as, p)
		}
		if !strings.Contains(r.header.Get("Cache-Control"), "no-store") {
			t.Errorf("%s may be stored", as)
		}
		r.showsNot(t, "file 4711/26</dd>")
	}
	// A form of another site makes none.
	crossed := auditor.do(t, ask{path: desk + "/report/access", method: http.MethodPost, body: aboutPerson("json", "contact/7").Encode(), page: true, header: http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"cross-site"},
	}})
	crossed.want(t, http.StatusForbidden)
}

func TestReportsAreForThoseWithTheRole(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"sales", "council"} {
		b := signedInWith(t, env.audited, somebody(), "V", role)
		for _, path := range []string{"/reports", "/report/register"} {
			b.visits(t, desk+path).want(t, http.StatusForbidden).logged(t).refused(t, "no_auditor")
		}
		b.post(t, desk+"/report/access", aboutPerson("json", "contact/7")).want(t, http.StatusForbidden).logged(t).refused(t, "no_auditor")
		b.post(t, desk+"/report/breach", aboutBreach("json", nil)).want(t, http.StatusForbidden).logged(t).refused(t, "no_auditor")
	}
	newBrowser(env.audited).visits(t, desk+"/report/register").want(t, http.StatusFound)
	auditor := signedInWith(t, env.audited, somebody(), "A", "auditor")
	auditor.visits(t, desk+"/reports").shows(t, "Art. 15", "Art. 33", "Art. 30")
	auditor.visits(t, desk+"/report/access").want(t, http.StatusNotFound) // a form is sent, no address opened
	for _, wrong := range []url.Values{
		{},
		{"record": {"contact/7"}},
		{"record": {"contact"}, "purpose": {"request"}, "note": {"file 4711/26"}},
		{"record": {"contact/7"}, "purpose": {"curiosity"}, "note": {"file 4711/26"}},
	} {
		auditor.post(t, desk+"/report/access", wrong).want(t, http.StatusBadRequest)
	}
	auditor.post(t, desk+"/report/breach", url.Values{"purpose": {"breach"}, "note": {"file 4711/26"}}).want(t, http.StatusBadRequest)
	auditor.visits(t, desk+"/report/register?of=x").want(t, http.StatusNotFound)
}

// What was really shown is what the report says, and nobody is named in it.
func TestAccessReportIsWhatTheGateShowed(t *testing.T) {
	t.Parallel()
	one, two := somebody(), somebody()
	sales := signedInWith(t, env.opened, one, "Sales "+one, "sales", "Team Sales "+one)
	keeper := signedInWith(t, env.opened, two, "Keeper "+two, "master_data")
	auditor := signedInWith(t, env.opened, somebody(), "A", "auditor")
	sc := newScene(t, jsonAnswer(http.StatusOK, row(626262)))
	sales.get(t, "/api/contacts/626262", sc).want(t, http.StatusOK)
	keeper.get(t, "/api/contacts/626262", sc).want(t, http.StatusOK)
	list := newScene(t, jsonAnswer(http.StatusOK, `{"items":[`+row(626261)+","+row(626262)+"]}"))
	sales.get(t, "/api/contacts", list).want(t, http.StatusOK)
	sales.do(t, ask{path: "/api/contacts/626262", method: http.MethodDelete}).want(t, http.StatusForbidden)

	raw := auditor.post(t, desk+"/report/access", aboutPerson("json", "contact/626262"))
	rep := raw.report(t)
	var got []string
	for _, row := range rep.Access.Rows {
		bank := row.Outcome
		for _, s := range row.Shown {
			if s.Category == access.Bank {
				bank = s.Treatment.String()
			}
		}
		got = append(got, strings.Join(row.Roles, " ")+" "+bank)
		if !slices.Equal(row.Records, []string{"contact/626262"}) {
			t.Errorf("a row tells of %q", row.Records)
		}
	}
	if want := []string{"sales hidden", "master_data clear", "sales hidden", "sales refused"}; !slices.Equal(got, want) {
		t.Errorf("the report says %q, want %q", got, want)
	}
	if l := rep.Logs[0]; l.Began == nil || l.Key == "" || !strings.Contains(l.Checkpoint, l.Node) || rep.Entry == "" {
		t.Errorf("the proof is %+v, entry %q", l, rep.Entry)
	}
	for _, as := range []string{"page", "print", "json"} {
		auditor.post(t, desk+"/report/access", aboutPerson(as, "contact/626262")).want(t, http.StatusOK).showsNot(t,
			one, two, pseudonymOf(t, sales), pseudonymOf(t, keeper), canary, "Muster", "626261", "m626262")
	}
}

// What one account did takes what the page on one person takes.
func TestBreachReportOfAnAccountTakesConsent(t *testing.T) {
	t.Parallel()
	name := somebody()
	watched := signedInWith(t, env.audited, name, "W "+name, "sales")
	who := pseudonymOf(t, watched)
	watched.get(t, "/api/contacts/616161", newScene(t, jsonAnswer(http.StatusOK, row(616161)))).want(t, http.StatusOK)
	auditor, other := signedInWith(t, env.audited, somebody(), "A", "auditor"), signedInWith(t, env.audited, somebody(), "B", "auditor")
	council := signedInWith(t, env.audited, somebody(), "C", "council")
	form := aboutBreach("json", url.Values{"employee": {who}, "known": {time.Now().Add(-time.Hour).Format("2006-01-02T15:04")}})
	refused := func(b *browser) {
		t.Helper()
		r := b.post(t, desk+"/report/breach", form).want(t, http.StatusSeeOther)
		if to := r.header.Get("Location"); to != desk+"/employees?employee="+who {
			t.Errorf("it leads to %s", to)
		}
	}
	refused(auditor)
	auditor.post(t, desk+"/ask", asking(who)).want(t, http.StatusSeeOther)
	refused(auditor)
	_, mine, _ := strings.Cut(string(council.visits(t, desk+"/employees").body), who)
	id := askID.FindStringSubmatch(mine)
	if id == nil {
		t.Fatal("the council isn't asked")
	}
	council.post(t, desk+"/decide", url.Values{"ask": {id[1]}, "say": {"yes"}}).want(t, http.StatusSeeOther)
	r := auditor.post(t, desk+"/report/breach", form)
	b := r.report(t).Breach
	if b.Account != who || !slices.ContainsFunc(b.Records, func(x report.BreachRecord) bool { return x.Record == "contact/616161" }) {
		t.Errorf("the report says %+v", b)
	}
	if b.Clock == nil || b.Clock.Overdue() || b.Clock.Left > int64(72*time.Hour/time.Second) {
		t.Errorf("the clock is %+v", b.Clock)
	}
	if e := r.logged(t)[0].Entry; !strings.HasSuffix(e.Detail, ", by ask "+id[1]) {
		t.Errorf("the entry says %q", e.Detail)
	}
	r.showsNot(t, "W "+name, canary, "Muster")
	refused(other)
	form.Set("known", time.Now().Add(-100*time.Hour).Format("2006-01-02T15:04"))
	form.Set("as", "page")
	auditor.post(t, desk+"/report/breach", form).shows(t, "überfällig", "contact/616161").showsNot(t, "W "+name, canary)
}

// The register is that of the configuration in force, holds no secret of it, and the
// log holds its version from the start on.
func TestRegisterIsTheConfigurationInForce(t *testing.T) {
	t.Parallel()
	auditor := signedInWith(t, env.opened, somebody(), "A", "auditor")
	raw := auditor.visits(t, desk+"/report/register?as=json")
	r := raw.report(t).Register
	if r.Number == 0 || len(r.Versions) == 0 || len(r.Sites) < 2 {
		t.Fatalf("version %d of %d, %d sites", r.Number, len(r.Versions), len(r.Sites))
	}
	kept := false
	for _, s := range entries(t, env.data()) {
		if s.Entry.Event == audit.Registered {
			kept = kept || report.HashLines(s.Entry.Lines) == r.Hash || s.Entry.Pieces > 1
		}
	}
	if !kept {
		t.Error("the log doesn't hold the version in force")
	}
	support := func(x report.RegisterRole) bool { return x.Name == "support" }
	i := slices.IndexFunc(r.Sites, func(s report.RegisterSite) bool {
		return s.Desk["officers"] == "dpo" && s.Desk["consent"] == "" && slices.ContainsFunc(s.Roles, support)
	})
	if i < 0 {
		t.Fatalf("no site has the desk: %+v", r.Sites)
	}
	site := r.Sites[i]
	j := slices.IndexFunc(site.Roles, support)
	k := slices.IndexFunc(site.Roles[j].Sees, func(x report.RegisterSees) bool { return x.Entity == "contact" && x.Action == access.Read })
	sees := site.Roles[j].Sees[k]
	if sees.How[access.Name] != access.Clear || sees.How[access.Phone] != access.Partial || sees.How[access.Bank] != access.Hidden ||
		sees.How[access.FreeText] == access.Clear || sees.If["own"][access.FreeText] != access.Clear {
		t.Errorf("support sees %+v", sees)
	}
	for _, as := range []string{"page", "print", "json", "csv"} {
		auditor.visits(t, desk+"/report/register?as="+as).want(t, http.StatusOK).showsNot(t, clientSecret, "client_secret", canary)
	}
	rows, err := csv.NewReader(bytes.NewReader(auditor.visits(t, desk+"/report/register?as=csv").want(t, http.StatusOK).body)).ReadAll()
	if err != nil || len(rows) < 100 || rows[1][5] == "0" {
		t.Errorf("the CSV has %d rows, %v", len(rows), err)
	}
	sites, located := 0, 0
	for _, s := range r.Sites {
		if len(s.Ways) > 0 && len(s.Served) > 0 && s.Systems[0].Kind == report.SystemCRM {
			sites++
		}
		if s.Traffic != nil && len(s.Systems[0].Places) == 0 {
			located++
		}
	}
	if sites < len(r.Sites)-1 || located != len(r.Sites) || len(r.Counted) != 1 {
		t.Errorf("of %d sites %d say where to, %d have traffic and no country; counted %+v", len(r.Sites), sites, located, r.Counted)
	}
	auditor.visits(t, desk+"/report/register").shows(t, "Rechtsgrundlagen", "support", "Fassung")
}

// A command's report is an entry, too; what takes a second person's consent at some
// desk isn't for a command.
func TestReportOfACommandIsAnEntry(t *testing.T) {
	t.Parallel()
	made := func(q report.Query) *httptest.ResponseRecorder {
		t.Helper()
		body, err := json.Marshal(crmgate.ReportAsked{DataDir: env.data(), UID: 4711, Query: q})
		if err != nil {
			t.Fatal(err)
		}
		routes := new(crmgate.Admin).Routes()
		i := slices.IndexFunc(routes, func(r caddy.AdminRoute) bool { return r.Pattern == crmgate.ReportPath })
		w := httptest.NewRecorder()
		err = routes[i].Handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, crmgate.ReportPath, strings.NewReader(string(body))))
		if refused, ok := errors.AsType[caddy.APIError](err); ok {
			w.Code = refused.HTTPStatus
		} else if err != nil {
			t.Fatal(err)
		}
		return w
	}
	q := report.Query{Kind: report.AccessKind, Records: []string{"contact/717171"}, Purpose: "request", Note: "file " + somebody()}
	w := made(q)
	var answer struct{ Report report.Report }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Report.Access == nil {
		t.Fatalf("%d, %v: %s", w.Code, err, w.Body)
	}
	said := false
	for _, s := range entries(t, env.data()) {
		said = said || s.Entry.Event == audit.Searched && s.Entry.Detail == "audit report by uid 4711: "+q.String() &&
			strings.HasSuffix(answer.Report.Entry, "/"+strconv.FormatUint(s.Seq, 10))
	}
	if !said {
		t.Error("the log doesn't say so")
	}
	q.Purpose = "curiosity"
	if w := made(q); w.Code != http.StatusBadRequest {
		t.Errorf("for curiosity: %d", w.Code)
	}
	account := report.Query{Kind: report.BreachKind, Employee: "e-" + strings.Repeat("a", 26), Purpose: "breach", Note: "file 4711"}
	if w := made(account); w.Code != http.StatusForbidden || w.Body.Len() > 0 {
		t.Errorf("an account without consent: %d %s", w.Code, w.Body)
	}
}
