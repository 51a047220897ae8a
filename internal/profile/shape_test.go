package profile

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestTextsOfAnswersStayTexts whatever is in them: a name from the request can
// stand in one.
func TestTextsOfAnswersStayTexts(t *testing.T) {
	p := mini(t)
	for _, text := range []string{`plain`, `{id}`, `{text}`, `"{id}"`, `a"],"x":["b`, "line\nbreak", `\`, "ü\u2028", "</script>"} {
		a, ok := p.Refuse(0, text, "7")
		if !ok {
			t.Fatal("no shape")
		}
		var got struct {
			ID    int   `json:"id"`
			Error []any `json:"error"`
		}
		if err := json.Unmarshal(a.Body, &got); err != nil {
			t.Errorf("%q: %s: %v", text, a.Body, err)
			continue
		}
		args, _ := got.Error[1].([]any)
		if got.ID != 7 || len(args) != 3 || args[0] != text {
			t.Errorf("%q becomes %s", text, a.Body)
		}
		if v := a.Headers["X-Reason"]; strings.ContainsAny(v, "\r\n") {
			t.Errorf("header %q", v)
		}
	}
}

func TestAnswersCarryTheCallsOwnID(t *testing.T) {
	p := mini(t)
	for id, want := range map[string]string{"7": "7", "null": "null", `"x"`: `"x"`, "": "null", `1,"a":2`: "null"} {
		a, _ := p.Refuse(0, "t", id)
		if got := string(a.Body); !strings.HasPrefix(got, `{"id":`+want+`,"error":["UserError",["t","",null]]}`) {
			t.Errorf("id %q: %s", id, got)
		}
	}
}

func TestStatusOfAnswersIsTheProfilesUnlessAsked(t *testing.T) {
	p := mini(t)
	if a, _ := p.Refuse(0, "t", "1"); a.Status != 200 || a.Headers["Content-Type"] != "application/json" {
		t.Errorf("%+v", a)
	}
	if a, _ := p.Refuse(422, "t", "1"); a.Status != 422 {
		t.Errorf("%+v", a)
	}
	a, ok := p.SignedOut("bye", "7")
	if !ok || a.Status != 401 || string(a.Body) != `{"id":7,"error":"bye"}` {
		t.Errorf("%+v %s, %v", a, a.Body, ok)
	}
}

// TestPagesOfAnswersStayPages whatever the text is: it can name what was asked for.
func TestPagesOfAnswersStayPages(t *testing.T) {
	src := miniSource(t)
	src = src[:strings.Index(src, "\nerror:")] + "\nerror: {status: 409, headers: {X-Content: yes please}, page: '<html><body><p>{text}</p></body></html>'}\n"
	p, err := Load([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	a, ok := p.Refuse(0, `<script>alert("1")</script> & {text} ü`, "1")
	const want = `<html><body><p>&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt; &amp; {text} ü</p></body></html>`
	if !ok || a.Status != 409 || string(a.Body) != want || a.Headers["Content-Type"] != "text/html; charset=utf-8" || a.Headers["X-Content"] != "yes please" {
		t.Errorf("%v %+v %s", ok, a, a.Body)
	}
	if _, err := Load([]byte(strings.Replace(src, "page: '<", "body: {a: b}, page: '<", 1))); err == nil || !strings.Contains(err.Error(), "both body and page") {
		t.Errorf("with both: %v", err)
	}
}

func TestProfileWithoutShapesHasNone(t *testing.T) {
	src := miniSource(t)
	p, err := Load([]byte(src[:strings.Index(src, "\nerror:")]))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := p.Refuse(0, "t", "1"); ok {
		t.Error("Refuse has a shape")
	}
	if _, ok := p.SignedOut("t", "1"); ok {
		t.Error("SignedOut has a shape")
	}
}

func TestCallsAreKnownByTheirAddress(t *testing.T) {
	p := mini(t)
	for path, want := range map[string]bool{"/crm/": true, "/crm": false, "/": false, "/a/b/": false} {
		if got := p.IsCall("POST", path); got != want {
			t.Errorf("IsCall(POST %s) = %v", path, got)
		}
	}
	if p.IsCall("GET", "/crm/") {
		t.Error("a GET is a call")
	}
}
