package batch_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/batch"
)

// crlf writes a text as it goes over the wire.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

const part = "Content-Type: application/http\nContent-Transfer-Encoding: binary\n\n"

// mixed is a batch as clients write it: a request without a body, one that ends with
// its headers, and a change set.
func mixed() string {
	return crlf("--b_1\n" + part + "GET /odata/people(7)?$select=name HTTP/1.1\nAccept: application/json\n\n" +
		"--b_1\n" + part + "GET http://crm.example/odata/people HTTP/1.1\n\n\n" +
		"--b_1\nContent-Type: multipart/mixed; boundary=\"cs-1\"\n\n" +
		"--cs-1\nContent-Type: application/http; msgtype=request\nContent-Transfer-Encoding: binary\nContent-ID: 1\n\nPOST people HTTP/1.1\nContent-Type: application/json\nContent-Length: 12\n\n{\"name\":\"x\"}\n" +
		"--cs-1\n" + strings.Replace(part, "\n\n", "\nContent-ID: 2\n\n", 1) + "PATCH people(7) HTTP/1.1\nIf-Match: *\nContent-Type: application/json\n\n{\"job\":\"y\"}\n" +
		"--cs-1--\n\n--b_1--\n")
}

func requests(t *testing.T, body string) *batch.Batch {
	t.Helper()
	b, err := batch.ParseRequests([]byte(body), "b_1", 10)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func same(b *batch.Batch) []batch.Change {
	changes := make([]batch.Change, len(b.Messages))
	for i, m := range b.Messages {
		changes[i] = batch.Change{Header: m.Header, Body: m.Body}
	}
	return changes
}

func build(t *testing.T, b *batch.Batch, changes []batch.Change) string {
	t.Helper()
	out, err := b.Build(changes)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestRequestsAreReadAndSpliced(t *testing.T) {
	b := requests(t, mixed())
	var got []string
	for _, m := range b.Messages {
		got = append(got, strings.Join([]string{m.Method, m.Target, m.ID, string(m.Body), m.Header.Get("If-Match")}, "|"))
	}
	want := []string{
		"GET|/odata/people(7)?$select=name|||", "GET|http://crm.example/odata/people|||",
		`POST|people|1|{"name":"x"}|`, `PATCH|people(7)|2|{"job":"y"}|*`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") || b.Messages[1].Group != 0 || b.Messages[3].Group != 1 {
		t.Errorf("got %q, want %q", got, want)
	}
	if out := build(t, b, same(b)); strings.ReplaceAll(out, "\r\n", "\n") != strings.Replace(strings.ReplaceAll(mixed(), "\r\n", "\n"), "people HTTP/1.1\n\n\n", "people HTTP/1.1\n\n\n", 1) {
		t.Errorf("nothing was changed, and it is another: %q", out)
	}
	changes := same(b)
	changes[1].Target = "people?x=1"
	changes[2].Body = []byte(`{"name":"another"}`)
	changes[3].Header = http.Header{"If-Match": {"x\r\ny"}}
	out := build(t, b, changes)
	for _, text := range []string{"\r\nGET people?x=1 HTTP/1.1\r\n", "Content-Length: 18\r\n\r\n{\"name\":\"another\"}\r\n--cs-1", "PATCH people(7) HTTP/1.1\r\nIf-Match: x  y\r\n\r\n{\"job\":\"y\"}"} {
		if !strings.Contains(out, text) {
			t.Errorf("%q isn't in %q", text, out)
		}
	}
}

// TestBatchesOfCommonClientsAreRead: how libraries put them together.
func TestBatchesOfCommonClientsAreRead(t *testing.T) {
	for name, lines := range map[string][]string{
		// A request's headers are all of it, and line ends stand before each boundary.
		"DynamicsWebApi": {
			"\r\n--b_1", "Content-Type: application/http", "Content-Transfer-Encoding: binary", "\r\nGET https://crm.example/odata/people HTTP/1.1", "Accept: application/json",
			"\r\n--b_1", "Content-Type: multipart/mixed;boundary=changeset_2", "\r\n--changeset_2", "Content-Type: application/http", "Content-Transfer-Encoding: binary", "Content-ID: 100001",
			"\r\nPOST https://crm.example/odata/people HTTP/1.1", "Content-Type: application/json", "\r\n{\"name\":\"x\"}", "\r\n--changeset_2--", "\r\n--b_1--",
		},
		".NET": {
			"--b_1", "Content-Type: application/http; msgtype=request", "", "GET /odata/people HTTP/1.1", "Host: crm.example", "", "",
			"--b_1", "Content-Type: multipart/mixed; boundary=\"cs_2\"", "", "--cs_2", "Content-Type: application/http; msgtype=request", "Content-Transfer-Encoding: binary", "Content-ID: 1", "",
			"POST /odata/people HTTP/1.1", "Host: crm.example", "Content-Type: application/json; type=entry", "Content-Length: 12", "", "{\"name\":\"x\"}", "--cs_2--", "", "--b_1--", "",
		},
	} {
		b, err := batch.ParseRequests([]byte(strings.Join(lines, "\r\n")), "b_1", 10)
		if err != nil || len(b.Messages) != 2 || b.Messages[0].Body != nil || strings.TrimSpace(string(b.Messages[1].Body)) != `{"name":"x"}` || b.Messages[1].Group != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWhatTwoServersCouldReadInTwoWaysIsRefused changes one thing of a batch.
func TestWhatTwoServersCouldReadInTwoWaysIsRefused(t *testing.T) {
	for _, c := range []struct{ name, old, with string }{
		{"text before", "--b_1\r\nContent-Type: application/http\r\n", "x\r\n--b_1\r\nContent-Type: application/http\r\n"},
		{"text behind", "--b_1--\r\n", "--b_1--\r\nx"},
		{"no last boundary", "--b_1--\r\n", ""},
		{"no last boundary of a change set", "--cs-1--\r\n", ""},
		{"line feed behind a boundary", "--b_1\r\n", "--b_1\n"},
		{"blank behind a boundary", "--b_1\r\n", "--b_1 \r\n"},
		{"longer boundary", "--cs-1\r\nContent-Type: application/http\r\n", "--cs-12\r\nContent-Type: application/http\r\n"},
		{"boundary in a body", `{"job":"y"}`, `{"job":"--b_1"}`},
		{"boundary of line feeds", `{"job":"y"}`, "{\"job\":\"y\"}\n--cs-1\nContent-Type: application/http\n\nDELETE people(8) HTTP/1.1\n\n"},
		{"inner boundary in a body", `{"name":"x"}`, `{"n":"--cs-1"}`},
		{"change set with the batch's boundary", `boundary="cs-1"`, `boundary="b_1"`},
		{"change set without a boundary", `; boundary="cs-1"`, ``},
		{"change set with another parameter", `boundary="cs-1"`, `boundary="cs-1"; x=y`},
		{"change set with two boundaries", `boundary="cs-1"`, `boundary="cs-1"; boundary=b`},
		{"batch in a change set", "msgtype=request", "msgtype=request\r\nX: y"},
		{"multipart in a change set", "application/http; msgtype=request", "multipart/mixed; boundary=x"},
		{"text as a part", "Content-Type: application/http\r\n", "Content-Type: text/plain\r\n"},
		{"part without a type", "Content-Type: application/http\r\n", ""},
		{"folded header of a part", "application/http\r\n", "application/http\r\n ; x=y\r\n"},
		{"header of a part given twice", "Content-Transfer-Encoding: binary\r\n", "Content-Transfer-Encoding: binary\r\nContent-Transfer-Encoding: 8bit\r\n"},
		{"header of a part that isn't known", "Content-Transfer-Encoding: binary\r\n", "Content-Disposition: inline\r\n"},
		{"transfer encoding", "Content-Transfer-Encoding: binary\r\n", "Content-Transfer-Encoding: base64\r\n"},
		{"blank before a colon", "Accept: application", "Accept : application"},
		{"folded header", "Accept: application/json\r\n", "Accept: application/json,\r\n text/html\r\n"},
		{"header given twice", "If-Match: *\r\n", "If-Match: *\r\nif-match: y\r\n"},
		{"line feed in a header", "If-Match: *\r\n", "If-Match: *\nX-Http-Method: DELETE\r\n"},
		{"carriage return in a header", "If-Match: *\r\n", "If-Match: *\rx: y\r\n"},
		{"NUL in a header", "If-Match: *\r\n", "If-Match: \x00\r\n"},
		{"chunked", "If-Match: *\r\n", "Transfer-Encoding: chunked\r\n"},
		{"shorter length", "Content-Length: 12", "Content-Length: 2"},
		{"longer length", "Content-Length: 12", "Content-Length: 100"},
		{"signed length", "Content-Length: 12", "Content-Length: +12"},
		{"id given twice", "Content-ID: 2", "Content-ID: 1"},
		{"id with a path", "Content-ID: 2", "Content-ID: 2/x"},
		{"another version", "people(7) HTTP/1.1", "people(7) HTTP/1.0"},
		{"no version", "PATCH people(7) HTTP/1.1", "PATCH people(7)"},
		{"blank in an address", "PATCH people(7)", "PATCH people(7) x"},
		{"tab in an address", "PATCH people(7)", "PATCH\tpeople(7)"},
		{"lower case method", "PATCH people(7)", "patch people(7)"},
		{"read in a change set", "PATCH people(7)", "GET people(7)"},
		{"letters beyond ASCII", "PATCH people(7)", "PATCH people('ä')"},
		{"header without its line end", "Accept: application/json\r\n\r\n--b_1", "Accept: application/json\r\n--b_1"},
		{"empty part", "--b_1--", "--b_1\r\n\r\n--b_1--"},
		{"part without a request", "--b_1--", "--b_1\r\nContent-Type: application/http\r\n\r\n\r\n--b_1--"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(mixed(), c.old) {
				t.Fatalf("%q isn't there", c.old)
			}
			_, err := batch.ParseRequests([]byte(strings.Replace(mixed(), c.old, c.with, 1)), "b_1", 10)
			if !errors.Is(err, doc.ErrMalformed) {
				t.Errorf("it was read: %v", err)
			}
		})
	}
	if _, err := batch.ParseRequests([]byte(mixed()), "b_1", 3); err == nil {
		t.Error("more requests than may be were read")
	}
	for _, ct := range []string{"multipart/mixed", "multipart/mixed; boundary=\"a b\"", "multipart/mixed; boundary=b; x=y", "multipart/form-data; boundary=b", "multipart/mixed; boundary=b; charset=utf-16"} {
		if b, err := batch.Boundary(ct); err == nil {
			t.Errorf("%s has the boundary %q", ct, b)
		}
	}
}

func answer(status, more string) string {
	return part + "HTTP/1.1 " + status + "\nContent-Type: application/json\n" + more + "\n{}\n"
}

func changeset(answers ...string) string {
	return "Content-Type: multipart/mixed; boundary=ar\n\n--ar\n" + strings.Join(answers, "--ar\n") + "--ar--\n"
}

func withID(id, answer string) string {
	return strings.Replace(answer, "binary\n", "binary\nContent-ID: "+id+"\n", 1)
}

func answers(parts ...string) string {
	return crlf("--r\n" + strings.Join(parts, "--r\n") + "--r--\n")
}

func TestAnswersBelongToTheirRequests(t *testing.T) {
	ok, failed := answer("200 OK", ""), answer("404 Not Found", "")
	for _, c := range []struct {
		name, body, want string
	}{
		{"in order", answers(ok, ok, changeset(ok, ok)), "0 1 2 3"},
		{"change set by ids", answers(ok, ok, changeset(withID("2", ok), withID("1", ok))), "0 1 3 2"},
		{"change set that failed", answers(ok, ok, failed), "0 1 2 2"},
		{"ended by an error", answers(ok, failed), "0 1 -1 -1"},
		{"ended without one", answers(ok, ok), ""},
		{"ended by a change set", answers(changeset(ok, ok)), ""},
		{"one more", answers(ok, ok, changeset(ok, ok), ok), ""},
		{"change set answered by a success", answers(ok, ok, ok), ""},
		{"request answered by a change set", answers(ok, changeset(ok, ok), changeset(ok, ok)), ""},
		{"change set with one less", answers(ok, ok, changeset(ok)), ""},
		{"change set with a foreign id", answers(ok, ok, changeset(withID("1", ok), withID("3", ok))), ""},
		{"change set with an id twice", answers(ok, ok, changeset(withID("1", ok), withID("1", ok))), ""},
		{"change set with one id", answers(ok, ok, changeset(withID("1", ok), ok)), ""},
		{"foreign id", answers(withID("9", ok), ok, changeset(ok, ok)), ""},
		{"without a status", answers(strings.Replace(ok, "HTTP/1.1 200 OK\n", "", 1), ok, changeset(ok, ok)), ""},
		{"early answer", answers(answer("100 Continue", ""), ok, changeset(ok, ok)), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := batch.ParseAnswers([]byte(c.body), "r", 10)
			var of []int
			if err == nil {
				of, err = requests(t, mixed()).Match(a)
			}
			if c.want == "" {
				if err == nil {
					t.Errorf("they match: %v", of)
				}
				return
			}
			var got []string
			for _, n := range of {
				got = append(got, map[int]string{-1: "-1", 0: "0", 1: "1", 2: "2", 3: "3"}[n])
			}
			if err != nil || strings.Join(got, " ") != c.want {
				t.Errorf("%v %v, want %s", got, err, c.want)
			}
		})
	}
}

// TestNothingOfAnAnswerStaysByItself: what isn't handed back in a change is gone.
func TestNothingOfAnAnswerStaysByItself(t *testing.T) {
	body := answers(strings.Replace(answer("404 canary", "X-Name: canary\nContent-Length: 2\n"), "binary\n", "binary\nX-Canary: canary\n", 1),
		strings.Replace(answer("200 OK", "ETag: canary\n"), "application/http", "application/http; x=canary", 1))
	a, err := batch.ParseAnswers([]byte(body), "r", 10)
	if err != nil {
		t.Fatal(err)
	}
	out := build(t, a, []batch.Change{{Body: []byte("masked")}, {Header: http.Header{"Etag": {"other"}}}})
	if strings.Contains(strings.ToLower(out), "canary") {
		t.Errorf("it is still there: %q", out)
	}
	for _, text := range []string{"HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\nmasked", "ETag: other\r\n\r\n\r\n--r--"} {
		if !strings.Contains(out, text) {
			t.Errorf("%q isn't in %q", text, out)
		}
	}
}
