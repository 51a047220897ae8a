package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/test/stack"
)

// handMade is a request that no client makes: test/browser/handlist.mjs says
// what each is about, and hand.json what plain Tryton answers.
type handMade struct {
	Name       string            `json:"name"`
	User       string            `json:"user"`
	Auth       string            `json:"auth"`
	Method     string            `json:"method"`
	Path       string            `json:"path"`
	Headers    map[string]string `json:"headers"`
	Body       string            `json:"body"`
	BodyBase64 string            `json:"body_base64"`
	Chunked    bool              `json:"chunked"`
	First      *struct {
		Body string `json:"body"`
		Take []any  `json:"take"`
	} `json:"first"`
	Plain struct {
		Status  int                            `json:"status"`
		Kind    string                         `json:"kind"`
		Carries map[string]map[string][]string `json:"carries"`
	} `json:"plain"`
}

func handList(t *testing.T, f *facts) []handMade {
	t.Helper()
	raw, err := os.ReadFile(stack.Path(t, "browser", "hand.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list []handMade
	if err := json.Unmarshal(raw, &list); err != nil {
		t.Fatal(err)
	}
	for i := range list {
		if strings.HasPrefix(list[i].Path, "/avatar/") {
			list[i].Path = f.Parties["8"].AvatarURL + "?s=64" // its name is random
		}
	}
	return list
}

func (h *handMade) payload(t *testing.T) []byte {
	t.Helper()
	if h.BodyBase64 == "" {
		return []byte(h.Body)
	}
	b, err := base64.StdEncoding.DecodeString(h.BodyBase64)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestHandMadeRequests sends each hand-made request as each role. Whatever comes
// back is searched for every value that the role must not see; the log has to
// tell before and after what happened; what is refused doesn't reach the CRM.
// What became of each request is a golden file (UPDATE=1 writes it): a person
// reads the difference.
func TestHandMadeRequests(t *testing.T) {
	t.Parallel()
	for role, login := range map[string]string{"sales": "vera", "marketing": "markus", "master_data": "paula"} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			h := newHand(t, role, login)
			var lines []string
			for _, req := range handList(t, h.facts) {
				lines = append(lines, h.ask(t, &req))
			}
			compareGolden(t, "hand-"+role+".txt", lines)
			h.quiet(t)
		})
	}
}

// hand sends hand-made requests as one role.
type hand struct {
	*site
	role    string
	facts   *facts
	secrets []secret
	all     []secret
	cookies string
	logins  map[string]trytonLogins
}

func newHand(t *testing.T, role, login string) *hand {
	t.Helper()
	h := &hand{site: startSite(t), role: role, logins: map[string]trytonLogins{}}
	h.facts = h.crm.facts(t)
	h.secrets, h.all = h.facts.secretsOf(role), h.facts.all()
	h.cookies = h.signIn(t, login).Cookies(t)
	for name, u := range h.facts.Users {
		h.logins[name] = logInAt(t, h.Base+"/", h.cookies, name, u.Password)
	}
	return h
}

// headers are the gate's session and the CRM's.
func (h *hand) headers(req *handMade) map[string]string {
	extra := map[string]string{"Cookie": h.cookies}
	switch req.Auth {
	case "session":
		extra["Authorization"] = h.logins[req.User].session
	case "basic":
		extra["Authorization"] = h.logins[req.User].basic
	}
	return extra
}

// ask sends one request and returns its line of the golden file.
func (h *hand) ask(t *testing.T, req *handMade) string {
	t.Helper()
	addr := strings.TrimPrefix(h.Base, "http://")
	body := req.payload(t)
	if req.First != nil {
		before := send(t, addr, req, []byte(req.First.Body), h.headers(req))
		body = bytes.Replace(body, []byte(`"$first"`), taken(t, before, req.First.Take), 1)
	}
	before := h.relay.count()
	h.relay.watch(func(a arrival) { h.intentComesFirst(t, req, a) })
	a := send(t, addr, req, body, h.headers(req))
	h.relay.watch(nil)
	reached := h.relay.since(before)
	for _, s := range spotted(h.secrets, stack.Read(a.raw, a.body), stack.Read(body, []byte(req.Path))) {
		t.Errorf("%s: %s can read %s in\n%s", req.Name, h.role, s, a.raw)
	}
	x := h.exchanges(t).of(a.header.Get("Audit-Id"))
	h.logAgrees(t, req, a, x, reached)
	return h.line(req, a, x, reached)
}

// taken is a part of an answer, as JSON.
func taken(t *testing.T, a answer, path []any) []byte {
	t.Helper()
	var v any
	if err := json.Unmarshal(a.body, &v); err != nil {
		return []byte("null")
	}
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case float64:
			l, _ := v.([]any)
			if int(s) >= len(l) {
				return []byte("null")
			}
			v = l[int(s)]
		}
	}
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// withoutEntry are the calls that hold no personal data and leave no entry;
// their answers are searched all the same.
func withoutEntry(method string) bool {
	for _, suffix := range []string{
		".fields_get", ".fields_view_get", ".view_toolbar_get", ".get_names", ".list_models", ".get_symbol", ".get_keyword",
		".list_icons", ".get_access", ".autocomplete_city", ".autocomplete_postal_code", ".list_history", ".get_action_value",
		".get_models", ".get_types", ".view_search.get_search", ".view_tree_state.get", ".view_tree_state.set", ".device.renew",
		".get_preferences_fields_view",
	} {
		if strings.HasSuffix(method, suffix) {
			return true
		}
	}
	wizard := strings.HasPrefix(method, "wizard.") && (strings.HasSuffix(method, ".create") || strings.HasSuffix(method, ".delete"))
	return wizard || strings.HasPrefix(method, "common.")
}

// intentComesFirst is asked when a request arrives at the CRM's door: its intent
// has to stand on the disk by then.
func (h *hand) intentComesFirst(t *testing.T, req *handMade, a arrival) {
	var call struct{ Method string }
	if a.method == http.MethodPost && json.Unmarshal(a.body, &call) == nil && withoutEntry(call.Method) ||
		a.method == http.MethodGet && !strings.Contains(a.target, "/data/") && !strings.Contains(a.target, "/avatar/") {
		return
	}
	var last audit.Entry
	for _, e := range h.Entries(t) {
		if !ownRead(&e.Entry) || e.Entry.Kind == audit.Intent {
			last = e.Entry
		}
	}
	if last.Kind != audit.Intent || last.Decision.Refused {
		t.Errorf("%s: %s %s reached the CRM, and the log's last entry is no intent but a %s", req.Name, a.method, call.Method, last.Kind)
		return
	}
	if call.Method != "" && !ownRead(&last) && !strings.HasSuffix(call.Method, last.Accesses[0].Call) {
		t.Errorf("%s: %s reached the CRM after an intent for %s", req.Name, call.Method, last.Accesses[0].Call)
	}
}

// logAgrees compares what was answered with what the log says of it.
func (h *hand) logAgrees(t *testing.T, req *handMade, a answer, x *exchange, reached []arrival) {
	t.Helper()
	if x == nil {
		var call struct{ Method string }
		_ = json.Unmarshal([]byte(req.Body), &call)
		if len(reached) > 0 && req.Method == http.MethodPost && !withoutEntry(call.Method) {
			t.Errorf("%s: reached the CRM without an entry", req.Name)
		}
		return
	}
	if x.refused != nil {
		if len(reached) > x.own/2 {
			t.Errorf("%s: was refused and reached the CRM", req.Name)
		}
		return
	}
	if x.intent == nil || x.disclosure == nil {
		t.Errorf("%s: intent %v, disclosure %v", req.Name, x.intent != nil, x.disclosure != nil)
		return
	}
	if !x.released(a.body) && x.disclosure.Bytes > 0 {
		t.Errorf("%s: the disclosure speaks of other bytes than came", req.Name)
	}
	for _, r := range shown(req.Body, a.body) {
		if !x.names(r.typ, r.id) {
			t.Errorf("%s: the answer shows %s/%s, which the disclosure doesn't name", req.Name, r.typ, r.id)
		}
	}
}

// line says what became of a request.
func (h *hand) line(req *handMade, a answer, x *exchange, reached []arrival) string {
	words := []string{fmt.Sprintf("%-40s %d %s", req.Name, a.status, a.kind())}
	switch {
	case x == nil:
		words = append(words, "no entry")
	case x.refused != nil:
		words = append(words, "refused: "+x.refused.Decision.Reason)
	case x.disclosure != nil && x.disclosure.Error != "":
		words = append(words, "withheld: "+x.disclosure.Error)
	case x.disclosure != nil && x.disclosure.Disclosure != nil:
		d := x.disclosure.Disclosure
		words = append(words, fmt.Sprintf("records %d, rows %d, withheld %d", len(d.Records), d.Rows, d.Withheld))
	}
	if len(reached) == 0 {
		words = append(words, "not forwarded")
	}
	if same := h.asPlain(req, a); same != "" {
		words = append(words, same)
	}
	return strings.Join(words, "; ")
}

// asPlain says whether plain Tryton answers so: the same status and kind, with
// the same personal values in it.
func (h *hand) asPlain(req *handMade, a answer) string {
	if a.status != req.Plain.Status || a.kind() != req.Plain.Kind {
		return ""
	}
	var want, got []string
	for id, kinds := range req.Plain.Carries {
		for _, values := range kinds {
			for _, v := range values {
				want = append(want, id+" "+v)
			}
		}
	}
	text := stack.Read(a.raw, a.body)
	for id, p := range h.facts.Parties {
		for _, values := range p.byKind() {
			for _, v := range values {
				if text.Holds(v) {
					got = append(got, id+" "+v)
				}
			}
		}
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			return "less than plain"
		}
	}
	return "as plain"
}

func compareGolden(t *testing.T, name string, lines []string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	got := strings.Join(lines, "\n") + "\n"
	if os.Getenv("UPDATE") != "" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	old := strings.Split(strings.TrimSuffix(string(want), "\n"), "\n")
	for i, line := range lines {
		if i >= len(old) || line != old[i] {
			t.Errorf("now:  %s\nthen: %s", line, at(old, i))
		}
	}
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return "-"
}
