package gate_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

func events(body string) http.HandlerFunc { return typed("text/event-stream", http.StatusOK, body) }

// hear opens the leak suite's stream of events.
func hear(t *testing.T, login string, crm http.HandlerFunc) *http.Response {
	t.Helper()
	b := env.leaky.as(t, login)
	req, err := ask{path: "/events", scene: newScene(t, crm), header: http.Header{"Accept": {"text/event-stream"}}}.request(env.leaky)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := b.client(false, b.h1).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func personEvent(id int) string {
	return fmt.Sprintf("id: %d\ndata: {\"record\":{\"id\":%d,\"name\":\"Muster%d\",\"email\":\"%s\"}}\n\n", id, id, id, leakMail)
}

// The CRM says nothing until the client has the headers, and holds each event back
// until the client has the one before it.
func eventIsReleasedBeforeTheNextIsWritten(t *testing.T) {
	t.Parallel()
	connected, alive, confirmed := make(chan struct{}), make(chan struct{}), make(chan struct{})
	resp := hear(t, "vera", func(w http.ResponseWriter, r *http.Request) {
		wait := func(c chan struct{}) {
			select {
			case <-c:
			case <-r.Context().Done():
			}
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush()
		wait(connected)
		for i, text := range []string{": alive\n\n", personEvent(70_001)} {
			_, _ = io.WriteString(w, text) // the client may be gone
			_ = http.NewResponseController(w).Flush()
			if i == 0 {
				wait(alive)
			}
		}
		wait(confirmed)
		_, _ = io.WriteString(w, personEvent(70_002))
	})
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	close(connected)
	from := bufio.NewReader(resp.Body)
	got := ""
	for !strings.HasSuffix(got, "}\n\n") {
		line, err := from.ReadString('\n')
		if got += line; err != nil {
			t.Fatalf("%q, %v", got, err)
		}
		if got == ":\n" {
			close(alive)
		}
	}
	if strings.Contains(got, leakMail) || strings.Contains(got, "alive") || !strings.Contains(got, "id: 70001\ndata: {\"record\":{\"id\":70001,\"name\":\"Muster70001\"") {
		t.Errorf("the first event is %q", got)
	}
	x := (&reply{header: resp.Header}).logged(t)
	if x.records("person")["70001"].ID == "" || x.records("person")["70002"].ID != "" {
		t.Errorf("entries %s", x)
	}
	if len(x) != 3 { // the intent, the headers, and the event: signs of life are in no entry
		t.Errorf("entries %s", x)
	}
	close(confirmed)
	rest, err := io.ReadAll(from)
	if err != nil || !strings.Contains(string(rest), "Muster70002") || strings.Contains(string(rest), leakMail) {
		t.Errorf("the rest is %q, %v", rest, err)
	}
	eventually(t, "the last part", func() bool {
		last := lastPart(t, resp)
		return last.Parts > 0 && last.Part == last.Parts && last.Error == ""
	})
}

func TestUnknownEventIsLeftOutAndCounted(t *testing.T) {
	t.Parallel()
	const shown = "event: changed\nid: 1-0\nretry: 10\ndata:{\"record\":{\"id\":7,\"name\":\"Erika\"}}\n\n"
	const again = "data:{\"record\":{\"id\":7,\"name\":\"Erika\"}}\n\n"
	resp := hear(t, "vera", events(
		"event: other\ndata: {\"record\":{\"id\":8,\"name\":\"Max\"}}\n\n"+"data: {\"record\":{\"id\":9,\"name\":\"Max\",}}\n\n"+
			"data: {\"rows\":[{\"id\":10,\"name\":\"Max\"}]}\n\n"+"data: Max\n\n"+shown+"id: somebody\n"+again))
	body, err := io.ReadAll(resp.Body)
	if err != nil || string(body) != shown+again {
		t.Errorf("got %q, %v", body, err)
	}
	eventually(t, "the last part", func() bool { return lastPart(t, resp).Parts > 0 })
	x, withheld := (&reply{header: resp.Header}).logged(t), 0
	for _, s := range x {
		if s.Entry.Disclosure != nil {
			withheld += s.Entry.Disclosure.Withheld
		}
	}
	if ids := x.records("person"); withheld != 4 || len(ids) != 1 || ids["7"].ID == "" {
		t.Errorf("%d withheld, entries %s", withheld, x)
	}
}

// Who sees everything gets the CRM's bytes, but for the texts of comments.
func TestEventsOutsideMaskedValuesStay(t *testing.T) {
	t.Parallel()
	body := ":\n\nretry: 3000\r\n\r\nevent: changed\r\nid: 7\r\ndata: {\"record\" :\r\ndata:" + person + "\r\ndata: }\r\n\r\n" + personEvent(7)
	got, err := io.ReadAll(hear(t, "paula", events(body)).Body)
	if err != nil || string(got) != body {
		t.Errorf("got %q, %v, want %q", got, err, body)
	}
}

func TestBrokenEventsAreCut(t *testing.T) {
	t.Parallel()
	for name, rest := range map[string]string{
		"a lone carriage return": "data: {}\rdata: " + leakMail + "\n\n", "a field of nobody": "mail: " + leakMail + "\n\n",
		"too large": "data: " + strings.Repeat(leakMail, 50_000) + "\n\n", "not ended": "data: {\"record\":{\"id\":8,\"email\":\"" + leakMail + "\"}}\n",
	} {
		first := make(chan struct{})
		resp := hear(t, "vera", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, personEvent(7))
			_ = http.NewResponseController(w).Flush()
			<-first
			_, _ = io.WriteString(w, rest)
		})
		close(first)
		body, err := io.ReadAll(resp.Body)
		if err == nil || strings.Contains(string(body), leakMail) {
			t.Errorf("%s: the client has %q, %v", name, body, err)
		}
		eventually(t, "the cut is logged", func() bool {
			last := lastPart(t, resp)
			return last.Error == "cut" && last.Part == last.Parts
		})
	}
}

func TestOtherAnswersToAnEventSourceAreHeldBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		crm  http.HandlerFunc
		want int
	}{
		"json":       {jsonAnswer(http.StatusOK, `{"record":`+person+`}`), http.StatusBadGateway},
		"latin-1":    {typed("text/event-stream; charset=iso-8859-1", http.StatusOK, "data: {}\n\n"), http.StatusBadGateway},
		"an error":   {typed("text/html", http.StatusInternalServerError, leakMail), http.StatusInternalServerError},
		"no content": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, http.StatusNoContent},
		"coded":      {codedEvents, http.StatusBadGateway},
	} {
		resp := hear(t, "vera", c.crm)
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != c.want || strings.Contains(string(body), leakMail) {
			t.Errorf("%s: %d %q, %v", name, resp.StatusCode, body, err)
		}
	}
}

func codedEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	events("data: {\"record\":"+person+"}\n\n")(w, r)
}
