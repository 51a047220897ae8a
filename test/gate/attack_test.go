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
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// alarmsOf are the alarms of the request that an answer's Audit-Id names.
func alarmsOf(t *testing.T, r *reply) []audit.Stored {
	t.Helper()
	var all []audit.Stored
	for _, s := range r.logged(t) {
		if s.Entry.Event == audit.AlarmRaised {
			all = append(all, s)
		}
	}
	return all
}

// raised checks that a request raised one alarm.
func raised(t *testing.T, r *reply, how, level string) audit.Stored {
	t.Helper()
	all := alarmsOf(t, r)
	if len(all) != 1 || all[0].Entry.Alarm.How != how || all[0].Entry.Alarm.Level != level || all[0].Entry.Employee == "" {
		t.Fatalf("%s raised %s, want one alarm %s, %s", r.url.Redacted(), exchange(all), how, level)
	}
	return all[0]
}

func quietly(t *testing.T, r *reply) {
	t.Helper()
	if all := alarmsOf(t, r); len(all) != 0 {
		t.Errorf("%s raised %s", r.url.Redacted(), exchange(all))
	}
}

func invented(ids ...int) string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = fmt.Sprintf(`{"id":%d,"name":"Lure %d","note":"x"}`, id, id)
	}
	return strings.Join(all, ",")
}

// Whoever asks for a canary gets the answer as ever, and raises an alarm before they have
// it; lists raise a light one, once.
func TestCanaryRaisesAnAlarm(t *testing.T) {
	t.Parallel()
	b := signedInWith(t, env.lured, somebody(), "M", "master_data")
	list := func(ids ...int) *reply {
		return b.get(t, "/people", newScene(t, jsonAnswer(http.StatusOK, `{"list":[`+invented(ids...)+`]}`))).want(t, http.StatusOK)
	}
	one := func(id int) *reply {
		return b.get(t, fmt.Sprintf("/people/%d", id), newScene(t, jsonAnswer(http.StatusOK, invented(id)))).want(t, http.StatusOK)
	}
	plain, lure := one(7), one(5001)
	quietly(t, plain)
	s := raised(t, lure, "alone", "high")
	all := lure.logged(t)
	if all[0].Entry.Kind != audit.Intent || all[1].Seq != s.Seq || all[2].Entry.Kind != audit.Disclosure {
		t.Errorf("the alarm doesn't stand before the answer: %s", all)
	}
	if a := s.Entry.Alarm; a.Entry != lure.header.Get("Audit-Id") || len(a.Records) != 1 || a.Records[0] != (access.Record{Entity: "person", Type: "person", ID: "5001"}) || strings.Contains(s.Entry.Detail, "5001") {
		t.Errorf("the alarm says %+v, %q", a, s.Entry.Detail)
	}
	for name := range lure.header {
		if plain.header.Get(name) == "" {
			t.Errorf("the answer tells by the header %s", name)
		}
	}
	if want := strings.ReplaceAll(string(plain.body), "7", "5001"); string(lure.body) != want {
		t.Errorf("the answer is %s, not %s", lure.body, want)
	}
	raised(t, list(7, 5001, 8), "among", "low")
	quietly(t, list(7, 5001, 8))
	quietly(t, list(7, 8))
	raised(t, list(5001), "shown_alone", "high")
	raised(t, b.get(t, "/stream", newScene(t, jsonAnswer(http.StatusOK, "["+invented(7, 5001)+"]"))).want(t, http.StatusOK), "exported", "medium")
	a := batchOf("/$batch", getPart("/people/5001"))
	a.scene = newScene(t, inParts(told(http.StatusOK, invented(5001))))
	raised(t, b.do(t, a).want(t, http.StatusOK), "alone", "high")
	// Another's list makes an entry of its own.
	b = signedInWith(t, env.lured, somebody(), "N", "master_data")
	raised(t, list(7, 5001, 8), "among", "low")
}

func getPart(path string) string { return partOf("GET " + path + " HTTP/1.1") }

func TestCanaryThatStopsShowsNothing(t *testing.T) {
	t.Parallel()
	b := signedInWith(t, env.lured, somebody(), "M", "master_data")
	sc := newScene(t, jsonAnswer(http.StatusOK, invented(5002)))
	r := b.get(t, "/people/5002", sc).want(t, http.StatusForbidden)
	sc.nothing(t)
	if s := raised(t, r, "alone", "high"); !s.Entry.Alarm.Stopped || strings.Contains(string(r.body), "canary") || strings.Contains(string(r.body), "5002") {
		t.Errorf("%+v, answered with %s", s.Entry.Alarm, r)
	}
	r = b.get(t, "/people", newScene(t, jsonAnswer(http.StatusOK, `{"list":[`+invented(5002)+`]}`))).want(t, http.StatusForbidden)
	if s := raised(t, r, "shown_alone", "high"); !s.Entry.Alarm.Stopped || strings.Contains(string(r.body), "Lure") {
		t.Errorf("%+v, answered with %s", s.Entry.Alarm, r)
	}
	r.logged(t).faulted(t, "stopped")
	r = b.get(t, "/people", newScene(t, jsonAnswer(http.StatusOK, `{"list":[`+invented(7, 5002)+`]}`))).want(t, http.StatusOK)
	if s := raised(t, r, "among", "low"); s.Entry.Alarm.Stopped || !strings.Contains(string(r.body), "Lure 5002") {
		t.Errorf("a list is stopped: %+v, %s", s.Entry.Alarm, r)
	}
	sc = newScene(t, nil)
	a := batchOf("/$batch", getPart("/people/7"), getPart("/people/5002"))
	a.scene = sc
	b.do(t, a).want(t, http.StatusForbidden)
	sc.nothing(t)
	a = batchOf("/$batch", getPart("/people"))
	a.scene = newScene(t, inParts(told(http.StatusOK, `{"list":[`+invented(5002)+`]}`)))
	r = b.do(t, a).want(t, http.StatusBadGateway)
	if s := raised(t, r, "shown_alone", "high"); !s.Entry.Alarm.Stopped || strings.Contains(string(r.body), "Lure") {
		t.Errorf("%+v, answered with %s", s.Entry.Alarm, r)
	}
}

func TestAlarmsAreAnsweredForAtTheDesk(t *testing.T) {
	t.Parallel()
	who := signedInWith(t, env.lured, somebody(), "M", "master_data")
	s := raised(t, who.get(t, "/people/5001", newScene(t, jsonAnswer(http.StatusOK, invented(5001)))), "alone", "high")
	id := fmt.Sprintf("%s/%d", s.Node, s.Seq)
	auditor := signedInWith(t, env.lured, somebody(), "A", "auditor")
	auditor.visits(t, desk+"/alarms").shows(t, id, s.Entry.Employee, "person/5001", "hoch", "Quittieren").look(t, auditorOf(t, auditor), audit.Searched, "desk: alarms")
	auditor.visits(t, desk+"/alarms?level=high&state=open").shows(t, id)
	seen := url.Values{"alarm": {id}, "said": {"A drill, <b>agreed</b> before"}}
	for name, r := range map[string]*reply{
		"no word":        auditor.post(t, desk+"/alarms/seen", url.Values{"alarm": {id}, "said": {"x"}}),
		"too long":       auditor.post(t, desk+"/alarms/seen", url.Values{"alarm": {id}, "said": {strings.Repeat("x", 301)}}),
		"no such alarm":  auditor.post(t, desk+"/alarms/seen", url.Values{"alarm": {s.Node + "/0"}, "said": {"nothing there"}}),
		"no id":          auditor.post(t, desk+"/alarms/seen", url.Values{"alarm": {"../x"}, "said": {"nothing there"}}),
		"an entry of it": auditor.post(t, desk+"/alarms/seen", url.Values{"alarm": {s.Entry.Alarm.Entry}, "said": {"nothing there"}}),
	} {
		if r.status != http.StatusBadRequest {
			t.Errorf("%s: %s", name, r)
		}
	}
	foreign := ask{path: desk + "/alarms/seen", method: http.MethodPost, body: seen.Encode(), page: true, header: http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"cross-site"},
	}}
	auditor.do(t, foreign).want(t, http.StatusForbidden)
	who.visits(t, desk+"/alarms").want(t, http.StatusForbidden).showsNot(t, id)
	who.post(t, desk+"/alarms/seen", seen).want(t, http.StatusForbidden)
	newBrowser(env.lured).visits(t, desk+"/alarms").want(t, http.StatusFound)
	auditor.visits(t, desk+"/alarms/seen").want(t, http.StatusNotFound)
	auditor.visits(t, desk+"/alarms").showsNot(t, "drill")
	auditor.post(t, desk+"/alarms/seen", seen).want(t, http.StatusSeeOther)
	auditor.visits(t, desk+"/alarms").shows(t, "A drill, &lt;b&gt;agreed&lt;/b&gt; before", "quittiert")
	auditor.visits(t, desk+"/alarms?state=open").showsNot(t, `value="`+id+`"`)
}

func auditorOf(t *testing.T, b *browser) string {
	t.Helper()
	return b.visits(t, desk).want(t, http.StatusOK).logged(t)[0].Entry.Employee
}

var token = regexp.MustCompile(`http://[^"' ]+/\.crmgate/link\?to=[A-Za-z0-9_-]+`)

func TestSuspiciousLinkOpensThroughAWarning(t *testing.T) {
	t.Parallel()
	b := signedInWith(t, env.lured, somebody(), "M", "master_data")
	before, after := `<!doctype html><html><body><article data-id="7"><dd class="note">See <A target=_blank HREF='`,
		`' class=x>https://www.example.de</a></dd></article><p contenteditable><a href="https://examp1e.de/edited">x</a></p><a href="https://www.example.de/ok?a=1&amp;b">ok</a><textarea><a href="https://examp1e.de/text"></textarea></body></html>`
	const evil = "https://examp1e.de/login?user=erika&amp;next=https://www.example.de"
	r := b.get(t, "/page/7", newScene(t, typed("text/html; charset=utf-8", http.StatusOK, before+evil+after))).want(t, http.StatusOK)
	all := token.FindAllString(string(r.body), -1)
	if len(all) != 1 || string(r.body) != before+all[0]+after {
		t.Fatalf("the page is %s", r)
	}
	s := raised(t, r, "lookalike", "medium")
	if s.Entry.Alarm.Host != "examp1e.de" || strings.Contains(s.Entry.Detail, "examp1e") {
		t.Errorf("%+v %q", s.Entry.Alarm, s.Entry.Detail)
	}
	if strings.Contains(all[0], "examp1e") || strings.Contains(all[0], "erika") {
		t.Errorf("the address tells: %s", all[0])
	}
	path := strings.TrimPrefix(all[0], env.lured.url)
	b.visits(t, path).shows(t, "examp1e.de", "example.de", "verdächtig", `href="https://examp1e.de/login?user=erika&amp;next=https://www.example.de"`)
	opened := 0
	for _, s := range entries(t, env.data()) {
		if a := s.Entry.Alarm; a != nil && a.How == "opened" && s.Entry.Employee == r.logged(t)[0].Entry.Employee {
			opened++
		}
	}
	if opened != 1 {
		t.Errorf("%d openings are in the log", opened)
	}
	// The token is this employee's, and nobody can make one.
	signedInWith(t, env.lured, somebody(), "N", "master_data").visits(t, path).want(t, http.StatusNotFound).showsNot(t, "examp1e")
	for _, bad := range []string{"/.crmgate/link", "/.crmgate/link?to=", "/.crmgate/link?to=https%3A%2F%2Fevil.test", path[:len(path)-2], path + "AA"} {
		b.visits(t, bad).want(t, http.StatusNotFound).showsNot(t, "evil")
	}
	b.do(t, ask{path: path, method: http.MethodPost, page: true}).want(t, http.StatusNotFound)
	newBrowser(env.lured).visits(t, path).want(t, http.StatusFound)
	b.at(env.audited).visits(t, path).want(t, http.StatusNotFound)
	// Saved, it would stay: nothing is forwarded.
	for _, body := range []string{`{"note":"see ` + all[0] + `"}`, `{"note":"see \/.crmgate\/link\u003fto=x"}`} {
		sc := newScene(t, jsonAnswer(http.StatusOK, invented(7)))
		no := b.do(t, ask{path: "/people/7", method: "PATCH", body: body, scene: sc}).want(t, http.StatusUnprocessableEntity)
		no.logged(t).faulted(t, "link")
		for _, got := range sc.requests() {
			if got.method == "PATCH" {
				t.Errorf("%s was forwarded", body)
			}
		}
	}
}

// What a text of JSON holds is told of, and stays as the CRM sent it.
func TestSuspiciousLinkInATextStays(t *testing.T) {
	t.Parallel()
	b := signedInWith(t, env.lured, somebody(), "M", "master_data")
	note := `<p>See <a href="https:\/\/login.example.de.evil-%s.test\/x">https:\/\/example.de<\/a> and https:\/\/www.example.de<\/p>`
	for i, path := range []string{"/people/7", "/stream", "/people"} {
		text := fmt.Sprintf(note, string(rune('a'+i)))
		body := map[string]string{"/people/7": `{"id":7,"note":%q}`, "/stream": `[{"id":7,"note":%q}]`, "/people": `{"list":[{"id":7,"note":%q}]}`}[path]
		body = strings.Replace(body, "%q", `"`+strings.ReplaceAll(text, `"`, `\"`)+`"`, 1)
		if !json.Valid([]byte(body)) {
			t.Fatal(body)
		}
		r := b.get(t, path, newScene(t, jsonAnswer(http.StatusOK, body))).want(t, http.StatusOK)
		if string(r.body) != body {
			t.Errorf("%s became %s", body, r.body)
		}
		raised(t, r, "extra_word", "medium")
		quietly(t, b.get(t, path, newScene(t, jsonAnswer(http.StatusOK, body))).want(t, http.StatusOK))
	}
	// Who writes a text doesn't decide how long a request takes: it tells of 20 hosts.
	var many strings.Builder
	for i := range 30 {
		fmt.Fprintf(&many, "https://example-login.h%d.test ", i)
	}
	for _, want := range []int{20, 10, 0} {
		r := b.get(t, "/people/7", newScene(t, jsonAnswer(http.StatusOK, `{"id":7,"note":"`+many.String()+`"}`))).want(t, http.StatusOK)
		if n := len(alarmsOf(t, r)); n != want {
			t.Errorf("%d alarms, want %d", n, want)
		}
	}
	for _, name := range []string{"process.log", "access.log"} {
		raw, err := os.ReadFile(filepath.Join(env.logs(), name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for _, s := range []string{"evil-a.test", "examp1e.de", "Lure 5001", "person/5001"} {
			if name == "process.log" && strings.Contains(string(raw), s) {
				t.Errorf("%s is in %s", s, name)
			}
		}
	}
}
