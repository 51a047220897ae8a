package batch_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/batch"
)

var (
	asked = &batch.List{
		At: "requests", ID: "id", Method: "method", URL: "url", Headers: "headers", Body: "body",
		Members: []string{"dependsOn", "atomicityGroup"}, Beside: []string{"halt"},
	}
	told       = &batch.List{At: "responses", ID: "id", Status: "status", Headers: "headers", Body: "body", Members: []string{"atomicityGroup"}, Beside: []string{"failed"}}
	unnumbered = &batch.List{At: "results", Status: "statusCode", Body: "result", Beside: []string{"hasErrors"}}
)

const listed = `{"halt":true,"requests":[
	{"id":"a","method":"get","url":"people(7)"},
	{"id":"b","method":"PATCH","url":"/odata/people(7)","headers":{"If-Match":"*","content-type":"application/json"},"body":{"job":"y"},"dependsOn":["a"]}]}`

func TestListsAreReadAndSpliced(t *testing.T) {
	b, err := batch.ParseList([]byte(listed), asked, 10)
	if err != nil {
		t.Fatal(err)
	}
	if m := b.Messages[1]; m.Method != "PATCH" || m.ID != "b" || m.Header.Get("If-Match") != "*" || string(m.Body) != `{"job":"y"}` || b.Messages[0].Method != "GET" {
		t.Errorf("%+v", b.Messages)
	}
	if out := build(t, b, same(b)); out != listed {
		t.Errorf("nothing was changed, and it is another: %s", out)
	}
	out := build(t, b, []batch.Change{{Target: `people(7)?"`}, {Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{}`)}})
	if want := `"url":"people(7)?\""},`; !strings.Contains(out, want) || !strings.Contains(out, `"headers":{"content-type":"application/json"},"body":{},`) {
		t.Errorf("got %s", out)
	}
}

func TestListsThatSayMoreAreRefused(t *testing.T) {
	for _, c := range []struct{ name, old, with string }{
		{"another member", `"dependsOn":`, `"if":`},
		{"another member beside", `"halt":true`, `"stop":true`},
		{"an object beside", `"halt":true`, `"halt":{}`},
		{"a text beside", `"halt":true`, `"halt":"a b"`},
		{"a member twice", `"method":"get"`, `"method":"get","method":"DELETE"`},
		{"no id", `"id":"a",`, ``},
		{"an id twice", `"id":"b"`, `"id":"a"`},
		{"an id that is a number", `"id":"a"`, `"id":1`},
		{"no method", `"method":"get",`, ``},
		{"a method that is none", `"get"`, `"GET /x"`},
		{"no address", `,"url":"people(7)"`, ``},
		{"a text as body", `{"job":"y"}`, `"e30="`},
		{"a header with a line end", `"If-Match":"*"`, `"If-Match":"*\r\nX: y"`},
		{"a header's name with a line end", `"If-Match"`, `"If-Match: x\r\nY"`},
		{"a header in two spellings", `"If-Match":"*"`, `"If-Match":"*","if-match":"y"`},
		{"a header that frames", `"If-Match"`, `"Content-Length"`},
		{"a list as header", `"*"`, `["*"]`},
		{"no list", `"requests":[`, `"requests":{"x":[`},
		{"a text as message", `{"id":"a","method":"get","url":"people(7)"}`, `"x"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := strings.Replace(listed, c.old, c.with, 1)
			if body == listed {
				t.Fatal("nothing is changed")
			}
			if _, err := batch.ParseList([]byte(body), asked, 10); !errors.Is(err, doc.ErrMalformed) {
				t.Errorf("it was read: %v", err)
			}
		})
	}
	for _, body := range []string{`{"requests":[]}`, `[]`, `{}`} {
		if _, err := batch.ParseList([]byte(body), asked, 10); err == nil {
			t.Errorf("%s was read", body)
		}
	}
	if _, err := batch.ParseList([]byte(listed), asked, 1); err == nil {
		t.Error("more requests than may be were read")
	}
}

func TestAnswersInAListBelongToTheirRequests(t *testing.T) {
	b, err := batch.ParseList([]byte(listed), asked, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, body string
		list       *batch.List
		want       [2]int
		ok         bool
	}{
		{"by id", `{"responses":[{"id":"b","status":204},{"id":"a","status":200,"body":{}}]}`, told, [2]int{1, 0}, true},
		{"one id twice", `{"responses":[{"id":"b","status":204},{"id":"b","status":200}]}`, told, [2]int{}, false},
		{"a foreign id", `{"responses":[{"id":"b","status":204},{"id":"c","status":200}]}`, told, [2]int{}, false},
		{"one missing", `{"responses":[{"id":"b","status":204}]}`, told, [2]int{}, false},
		{"one missing behind an error", `{"responses":[{"id":"a","status":404}]}`, told, [2]int{0, -1}, true},
		{"no status", `{"responses":[{"id":"b","status":204},{"id":"a"}]}`, told, [2]int{}, false},
		{"a status as text", `{"responses":[{"id":"b","status":204},{"id":"a","status":"200"}]}`, told, [2]int{}, false},
		{"a text as body", `{"responses":[{"id":"b","status":204},{"id":"a","status":200,"body":"x"}]}`, told, [2]int{}, false},
		{"a member that isn't known", `{"responses":[{"id":"b","status":204},{"id":"a","status":200,"note":"x"}]}`, told, [2]int{}, false},
		{"in order", `{"hasErrors":false,"results":[{"statusCode":200,"result":{}},{"statusCode":204,"result":null}]}`, unnumbered, [2]int{0, 1}, true},
		{"in order, one missing", `{"hasErrors":true,"results":[{"statusCode":400,"result":[]}]}`, unnumbered, [2]int{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := batch.ParseList([]byte(c.body), c.list, 10)
			var of []int
			if err == nil {
				of, err = b.Match(a)
			}
			if ok := err == nil; ok != c.ok || ok && [2]int(of) != c.want {
				t.Errorf("%v %v", of, err)
			}
		})
	}
}

// TestReferencesAreFound in whatever part of a message they stand.
func TestReferencesAreFound(t *testing.T) {
	b, err := batch.ParseList([]byte(strings.Replace(listed, `"y"`, `"@\u007Ba.id}"`, 1)), asked, 10)
	if err != nil {
		t.Fatal(err)
	}
	none, all := func(string) bool { return false }, func(string) bool { return true }
	if b.Holds(0, "@{", none) || !b.Holds(1, "@{", none) {
		t.Error("the reference in the second one's body isn't found, or is in the first one's")
	}
	if b.Holds(1, "@{", all) {
		t.Error("a value that is let through counts")
	}
	for segment, want := range map[string]bool{"$a": true, "$1": true, "$77": true, "$metadata": false, "a": false, "$": false, "$c": false} {
		if b.Refers(segment) != want {
			t.Errorf("Refers(%q) is %v", segment, !want)
		}
	}
}

// TestGroups: ids are those of one group, and so are answers.
func TestGroups(t *testing.T) {
	ask := &batch.List{Groups: "graphs", GroupID: "graphId", At: "list", ID: "id", Method: "method", URL: "url", Headers: "headers", Body: "body"}
	told := &batch.List{Groups: "graphs", GroupID: "graphId", At: "told.list", ID: "id", Status: "status", Body: "body", Beside: []string{"done"}}
	const two = `{"graphs":[{"graphId":"1","list":[{"id":"a","method":"GET","url":"/x"},{"id":"b","method":"GET","url":"/y"}]},{"list":[{"id":"a","method":"GET","url":"/z"}],"graphId":"2"}]}`
	b, err := batch.ParseList([]byte(two), ask, 10)
	if err != nil || len(b.Messages) != 3 {
		t.Fatal(err)
	}
	if b.Before(1, "a") != 0 || b.Before(2, "a") != -1 || b.Before(2, "b") != -1 || b.Before(0, "a") != -1 {
		t.Error("a request is known outside of its group, or before it comes")
	}
	a, err := batch.ParseList([]byte(`{"graphs":[{"graphId":"2","told":{"list":[{"id":"a","status":204}]},"done":true},{"graphId":"1","told":{"list":[{"id":"b","status":200,"body":{}},{"id":"a","status":404}]},"done":false}]}`), told, 10)
	if err != nil {
		t.Fatal(err)
	}
	of, err := b.Match(a)
	if err != nil || [3]int(of) != [3]int{2, 1, 0} {
		t.Errorf("%v %v", of, err)
	}
	for _, c := range []string{
		strings.Replace(two, `"graphId":"2"`, `"graphId":"1"`, 1),
		strings.Replace(two, `"graphId":"2"`, `"graphId":2`, 1),
		strings.Replace(two, `,"graphId":"2"`, ``, 1),
		strings.Replace(two, `"graphId":"2"`, `"graphId":"2","note":"x"`, 1),
		strings.Replace(two, `"id":"b"`, `"id":"a"`, 1),
		`{"graphs":[{"graphId":"1"}]}`, `{"graphs":{}}`, `{"graphs":["x"]}`, `{"graphs":[]}`, `{"list":[]}`,
	} {
		if _, err := batch.ParseList([]byte(c), ask, 10); err == nil {
			t.Errorf("%s is read", c)
		}
	}
	for _, c := range []string{
		`{"graphs":[{"graphId":"1","told":{"list":[{"id":"a","status":204}],"note":"x"}}]}`,
		`{"graphs":[{"graphId":"1","told":[]}]}`,
	} {
		if _, err := batch.ParseList([]byte(c), told, 10); err == nil {
			t.Errorf("%s is read", c)
		}
	}
	if a, err = batch.ParseList([]byte(`{"graphs":[{"graphId":"3","told":{"list":[{"id":"a","status":404}]}}]}`), told, 10); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Match(a); err == nil {
		t.Error("an answer of a group that nobody asked for is matched")
	}
}
