package gate_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/rules"
)

// ruledBlock is the block of a site whose employees acknowledge the shipped rules.
const ruledBlock = "rules {\n\t\t\texcept role breakglass\n\t\t\tnames role hr\n\t\t}"

// rightAnswers are the right answers of the shipped quiz, in German.
func rightAnswers(t *testing.T) map[string]bool {
	t.Helper()
	f, err := rules.Builtin(rules.BuiltinQuiz)
	if err != nil {
		t.Fatal(err)
	}
	var quiz struct {
		Questions []struct {
			Answers []struct {
				DE    string
				Right bool
			}
		}
	}
	if err := yaml.Unmarshal(f.Raw, &quiz); err != nil {
		t.Fatal(err)
	}
	right := map[string]bool{}
	for _, q := range quiz.Questions {
		for _, a := range q.Answers {
			right[a.DE] = a.Right
		}
	}
	return right
}

var (
	answerInput = regexp.MustCompile(`name="(q\d+)" value="([0-9a-f]+)"(?: required)?> <span>([^<]*)</span>`)
	hiddenInput = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)
)

// answered fills in the form of a page: rightly, but for the question wrong.
func answered(t *testing.T, r *reply, wrong string) url.Values {
	t.Helper()
	form, right, some := url.Values{}, rightAnswers(t), false
	for _, m := range hiddenInput.FindAllStringSubmatch(string(r.body), -1) {
		form.Add(m[1], html.UnescapeString(m[2]))
	}
	for _, m := range answerInput.FindAllStringSubmatch(string(r.body), -1) {
		is, known := right[html.UnescapeString(m[3])]
		if some = true; !known {
			t.Fatalf("%q is no answer", m[3])
		}
		if is != (m[1] == wrong) {
			form.Add(m[1], m[2])
		}
	}
	if !some {
		t.Fatalf("no questions: %s", r)
	}
	return form
}

// barred fails the test if the CRM opens for somebody.
func barred(t *testing.T, b *browser, why string) {
	t.Helper()
	sc := newScene(t, nil)
	if r := b.do(t, ask{path: "/api/contacts/1001", scene: sc}); r.status != http.StatusUnauthorized {
		t.Errorf("%s: the CRM is open: %s", why, r)
	}
	sc.nothing(t)
}

func TestRulesStandBeforeTheCRM(t *testing.T) {
	t.Parallel()
	b := signedInWith(t, env.ruled, somebody(), "R", "sales")
	sc := newScene(t, jsonAnswer(http.StatusOK, row(1001)))
	for path, want := range map[string]string{
		"/contacts": "/.crmgate/rules?to=%2Fcontacts", "/": "/.crmgate/rules", "/contacts?q=a%20b": "/.crmgate/rules?to=%2Fcontacts%3Fq%3Da%2520b",
		"/contacts/" + strings.Repeat("a", 2000): "",
	} {
		r := b.do(t, ask{path: path, page: true, scene: sc})
		if want == "" {
			if r.status < 300 {
				t.Errorf("%.20s: %s", path, r)
			}
			continue
		}
		if at := r.header.Get("Location"); r.status != http.StatusSeeOther || !strings.HasPrefix(at, want) {
			t.Errorf("%s leads to %q by %d, want %q", path, at, r.status, want)
		}
	}
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	frame := http.Header{"Sec-Fetch-Dest": {"iframe"}}
	for name, a := range map[string]ask{
		"an API": {path: "/api/contacts/1001"}, "a write": {path: "/api/contacts/1001", method: "PUT", body: `{"last_name":"` + canary + `"}`},
		"a form": {path: "/contacts", method: "POST", page: true, header: form, body: "q=" + canary}, "HEAD": {path: "/contacts", method: "HEAD", page: true},
		"a frame": {path: "/contacts", page: true, header: frame}, "what holds no data": {path: "/static/app.css"}, "an export": {path: "/api/export/contacts.csv"},
	} {
		a.scene = sc
		r := b.do(t, a)
		if r.status == http.StatusNotFound || r.status == http.StatusForbidden { // what the profile refuses anyway
			continue
		}
		r.want(t, http.StatusUnauthorized).logged(t).refused(t, "rules")
		if strings.Contains(string(r.body), canary) || r.header.Get("Location") != "" {
			t.Errorf("%s: %s", name, r)
		}
	}
	var problem struct {
		Reason string
		Login  string `json:"login_url"`
	}
	r := b.do(t, ask{path: "/api/contacts/1001", scene: sc})
	if err := json.Unmarshal(r.body, &problem); err != nil || problem.Reason != "rules" || problem.Login != rules.Path {
		t.Errorf("a program is told %s", r.body)
	}
	if x := r.logged(t); len(x[0].Entry.Accesses) != 1 || x[0].Entry.Accesses[0].Entity != "contact" {
		t.Errorf("the entry doesn't say what was asked: %s", x)
	}
	sc.nothing(t)
	// The gateway's own pages are open, and so is the desk.
	b.visits(t, "/.crmgate/").shows(t, rules.Path, "noch zu bestätigen")
	b.visits(t, "/.crmgate/sessions").want(t, http.StatusOK)
	b.visits(t, "/.crmgate/mine").want(t, http.StatusOK)
	b.visits(t, rules.PrintPath).shows(t, "Art. 9 DSGVO").showsNot(t, "<form", "<script")
	// A role may be exempt, and a site without the block has no such page.
	signedInWith(t, env.ruled, somebody(), "E", "sales", "breakglass").get(t, "/api/contacts/1001", sc).want(t, http.StatusOK)
	signedInWith(t, env.forged, somebody(), "O", "sales").visits(t, rules.Path).want(t, http.StatusNotFound)
	newBrowser(env.ruled).visits(t, rules.Path).want(t, http.StatusFound)
}

func TestRulesAreAcknowledgedByRightAnswersAlone(t *testing.T) {
	t.Parallel()
	b, other := signedInWith(t, env.ruled, somebody(), "R", "sales"), signedInWith(t, env.ruled, somebody(), "O", "sales")
	first := b.visits(t, rules.Path+"?to=%2Fcontacts%3Fq%3Da").shows(t, "Gewerkschaft", `name="q6"`)
	if p := first.header.Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || !strings.Contains(p, "frame-ancestors 'none'") {
		t.Errorf("policy %q", p)
	}
	right := answered(t, first, "")
	with := func(change func(f url.Values)) url.Values {
		f := url.Values{}
		for k, v := range right {
			f[k] = append([]string(nil), v...)
		}
		change(f)
		return f
	}
	for name, c := range map[string]struct {
		form   url.Values
		status int
	}{
		"no answers":         {url.Values{"version": right["version"], "lang": {"de"}}, http.StatusUnprocessableEntity},
		"one wrong":          {answered(t, first, "q3"), http.StatusUnprocessableEntity},
		"one left out":       {with(func(f url.Values) { f.Del("q5") }), http.StatusUnprocessableEntity},
		"an old version":     {with(func(f url.Values) { f.Set("version", strings.Repeat("0", 64)) }), http.StatusConflict},
		"no version":         {with(func(f url.Values) { f.Del("version") }), http.StatusConflict},
		"another's answers":  {answered(t, other.visits(t, rules.Path), ""), http.StatusUnprocessableEntity},
		"a made-up language": {with(func(f url.Values) { f.Set("lang", canary) }), http.StatusBadRequest},
		"two languages":      {with(func(f url.Values) { f.Add("lang", "en") }), http.StatusBadRequest},
		"a very long answer": {with(func(f url.Values) { f.Set("q1", strings.Repeat("a", 1<<20)) }), http.StatusBadRequest},
		"many answers": {with(func(f url.Values) {
			f["q1"] = append(f["q1"], strings.Split(strings.Repeat("a,", 500), ",")...)
			f.Del("q2")
		}), http.StatusUnprocessableEntity},
		"nothing": {url.Values{}, http.StatusBadRequest},
	} {
		r := b.post(t, rules.Path, c.form)
		if r.status != c.status || strings.Contains(string(r.body), canary) || r.header.Get("Audit-Id") != "" {
			t.Errorf("%s: %s, want %d", name, r, c.status)
		}
		barred(t, b, name)
	}
	ct := []string{"application/x-www-form-urlencoded"}
	for _, h := range []http.Header{{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {appOrigin}}, {}} {
		h["Content-Type"] = ct
		b.do(t, ask{path: rules.Path, method: "POST", body: right.Encode(), header: h}).want(t, http.StatusForbidden)
	}
	own := http.Header{"Sec-Fetch-Site": {"same-origin"}, "Content-Type": ct}
	b.do(t, ask{path: rules.Path + "?" + right.Encode(), page: true}).want(t, http.StatusBadRequest) // a parameter twice
	b.do(t, ask{path: rules.Path, method: "HEAD", page: true}).want(t, http.StatusOK)
	b.do(t, ask{path: rules.Path, method: "PUT", body: right.Encode(), header: own}).want(t, http.StatusMethodNotAllowed)
	b.do(t, ask{path: rules.PrintPath, method: "POST", body: right.Encode(), header: own}).want(t, http.StatusMethodNotAllowed)
	b.do(t, ask{path: rules.Path, method: "POST", body: `{"version":"x"}`, header: http.Header{"Sec-Fetch-Site": {"same-origin"}}}).want(t, http.StatusBadRequest)
	barred(t, b, "other methods and sites")
	// Wrong answers are explained, and asked again with the right ones kept.
	again := b.post(t, rules.Path, answered(t, first, "q4")).want(t, http.StatusUnprocessableEntity)
	if s := string(again.body); !strings.Contains(s, "E-Mail ist nicht Telefon") || strings.Contains(s, `type="radio" name="q1"`) || !strings.Contains(s, "1 von 6") {
		t.Errorf("it isn't explained and asked again: %s", again)
	}
	done := b.post(t, rules.Path, answered(t, again, ""))
	if at := done.header.Get("Location"); done.status != http.StatusSeeOther || at != "/contacts?q=a" {
		t.Errorf("it leads to %q: %s", at, done)
	}
	e := done.logged(t)[0].Entry
	if e.Event != audit.RulesKnown || e.Detail != "version "+right.Get("version")+", language de" || e.Employee == "" || e.Session == "" {
		t.Errorf("the entry is %+v", e)
	}
	b.get(t, "/api/contacts/1001", newScene(t, jsonAnswer(http.StatusOK, row(1001)))).want(t, http.StatusOK)
	barred(t, other, "somebody else's acknowledgement")
}

func TestRulesOnceAcknowledgedStayOpen(t *testing.T) {
	t.Parallel()
	who := somebody()
	b := signedInWith(t, env.ruled, who, "R", "sales")
	for _, hostile := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "/.crmgate/sign-out", rules.Path + "?to=x", "javascript:alert(1)"} {
		r := b.visits(t, rules.Path+"?lang=en&to="+url.QueryEscape(hostile)).shows(t, `name="to" value="/"`, `lang="en"`)
		r.showsNot(t, "evil.example", "alert(1)")
	}
	form := answered(t, b.visits(t, rules.Path), "")
	form.Set("to", "https://evil.example/")
	form.Set("lang", "en")
	done := b.post(t, rules.Path, form).want(t, http.StatusSeeOther)
	if at := done.header.Get("Location"); at != "/" {
		t.Errorf("it leads to %q", at)
	}
	if e := done.logged(t)[0].Entry; !strings.HasSuffix(e.Detail, ", language en") {
		t.Errorf("the entry says %q", e.Detail)
	}
	// A second time is nothing new, and other sessions of the person are open.
	if again := b.post(t, rules.Path, form).want(t, http.StatusSeeOther); again.header.Get("Audit-Id") != "" {
		t.Errorf("a repeated post is an entry: %v", again.header)
	}
	sc := newScene(t, jsonAnswer(http.StatusOK, row(1001)))
	signedInWith(t, env.ruled, who, "R", "sales").get(t, "/api/contacts/1001", sc).want(t, http.StatusOK)
	b.visits(t, rules.Path).shows(t, "haben diese Fassung am", "Zum CRM").showsNot(t, "<form", "<script")
	b.visits(t, "/.crmgate/").shows(t, "bestätigt am")
	b.visits(t, "/.crmgate/mine").shows(t, "Regeln bestätigt")
}

// The client of remote calls is told in its own way, and a site that only observes
// forwards nothing either.
func TestRulesSpeakTheCRMsLanguage(t *testing.T) {
	t.Parallel()
	b := signedInWith(t, env.ruledRPC, somebody(), "R", "sales")
	sc := newScene(t, nil)
	r := b.do(t, ask{path: "/crm/", method: "POST", scene: sc, body: `{"id":7,"method":"model.party.party.read","params":[[1],["name"],{}]}`})
	var answer struct {
		ID    any
		Error any
	}
	if err := json.Unmarshal(r.body, &answer); err != nil || fmt.Sprint(answer.ID) != "7" || answer.Error == nil {
		t.Errorf("a remote call is answered by %s", r)
	}
	r.logged(t).refused(t, "rules")
	sc.nothing(t)
	o := signedInWith(t, env.ruledObs, somebody(), "R", "sales")
	for _, path := range []string{"/api/contacts/1001", "/api/unheard-of"} {
		o.do(t, ask{path: path, scene: sc}).want(t, http.StatusUnauthorized).logged(t).refused(t, "rules")
	}
	o.do(t, ask{path: "/unheard-of", page: true, scene: sc}).want(t, http.StatusSeeOther)
	sc.nothing(t)
	o.post(t, rules.Path, answered(t, o.visits(t, rules.Path), "")).want(t, http.StatusSeeOther)
	o.get(t, "/api/contacts/1001", newScene(t, jsonAnswer(http.StatusOK, row(1001)))).want(t, http.StatusOK)
}

func TestDeskShowsHowManyAndNamesToTheRoleAlone(t *testing.T) {
	t.Parallel()
	var left []string
	for range 6 {
		who := somebody()
		left = append(left, "Name "+who)
		signedInWith(t, env.ruledRPC, who, "Name "+who, "sales")
	}
	who := somebody()
	b := signedInWith(t, env.ruledRPC, who, "Name "+who, "sales")
	b.post(t, rules.Path, answered(t, b.visits(t, rules.Path), "")).want(t, http.StatusSeeOther)
	auditor, hr := signedInWith(t, env.ruledRPC, somebody(), "A", "auditor"), signedInWith(t, env.ruledRPC, somebody(), "H", "hr")
	const at, names = desk + "/rules", desk + "/rules/names"
	page := auditor.visits(t, at).shows(t, "Personen", "Fassung").showsNot(t, append(left, "Namen zeigen")...)
	if e := page.logged(t)[0].Entry; e.Event != audit.Searched || !strings.HasPrefix(e.Detail, "desk: how many") {
		t.Errorf("the look's entry is %s %q", e.Event, e.Detail)
	}
	asked := hr.visits(t, at).shows(t, "Namen zeigen").showsNot(t, left...)
	site := url.Values{"of": {hiddenInput.FindStringSubmatch(string(asked.body))[2]}}
	auditor.post(t, names, site).want(t, http.StatusForbidden).logged(t).refused(t, "no_auditor")
	hr.visits(t, desk).want(t, http.StatusForbidden)
	hr.visits(t, "/.crmgate/").shows(t, at)
	seen := hr.post(t, names, site).shows(t, left...).showsNot(t, "Name "+who+"<")
	if e := seen.logged(t)[0].Entry; e.Event != audit.Revealed || !strings.HasPrefix(e.Detail, "desk: names of those") {
		t.Errorf("the look's entry is %s %q", e.Event, e.Detail)
	}
	hr.post(t, names, url.Values{"of": {"elsewhere"}}).want(t, http.StatusNotFound)
	hr.visits(t, names).want(t, http.StatusNotFound)
	hr.do(t, ask{path: names, method: "POST", body: site.Encode(), header: http.Header{
		"Sec-Fetch-Site": {"cross-site"}, "Content-Type": {"application/x-www-form-urlencoded"},
	}}).want(t, http.StatusForbidden)
	signedInWith(t, env.ruledRPC, somebody(), "S", "sales").visits(t, at).want(t, http.StatusForbidden)
	signedInWith(t, env.opened, somebody(), "A", "auditor").visits(t, at).want(t, http.StatusOK) // the log is the server's
}
