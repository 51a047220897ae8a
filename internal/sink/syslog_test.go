package sink

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	rfc5424 "github.com/leodido/go-syslog/v4/rfc5424"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/syslog"
)

// Each entry is one short message, however many records it names, and names none of
// them.
func TestSyslogGetsASummaryOfEachEntry(t *testing.T) {
	l := openLog(t, t.TempDir())
	add(t, l, 5)
	shown := &audit.Entry{Kind: audit.Disclosure, Request: "r-0", Intent: 1, Status: 200, Disclosure: &access.Disclosure{}}
	for i := range 2000 {
		shown.Disclosure.Records = append(shown.Disclosure.Records, access.DisclosedRecord{
			Record: access.Record{Entity: "contact", Type: "contacts", ID: fmt.Sprintf("record-%d", i)},
		})
	}
	if _, err := l.Append(t.Context(), shown); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var got []string
	var lc net.ListenConfig
	server, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			for in := bufio.NewReader(conn); ; {
				length, err := in.ReadString(' ')
				n, _ := strconv.Atoi(strings.TrimSpace(length))
				b := make([]byte, n)
				if _, readErr := io.ReadFull(in, b); err != nil || readErr != nil {
					break
				}
				mu.Lock()
				got = append(got, string(b))
				mu.Unlock()
			}
		}
	}()
	r := start(t, l, NewSyslog(syslog.New("tcp", server.Addr().String(), nil)))
	r.caughtUp(t)
	all := func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), got...)
	}
	until(t, "all messages come", func() bool { return uint64(len(all())) == size(l) })
	records := 0 // over the pieces of the entry
	for i, text := range all() {
		parsed, err := rfc5424.NewParser().Parse([]byte(text))
		if err != nil || len(text) > 2048 || strings.Contains(text, canary) || strings.Contains(text, "record-") {
			t.Fatalf("message %.300q: %v", text, err)
		}
		m, ok := parsed.(*rfc5424.SyslogMessage)
		if !ok {
			t.Fatalf("%T", parsed)
		}
		entry := (*m.StructuredData)["entry@32473"]
		if entry["seq"] != strconv.Itoa(i) || entry["id"] != fmt.Sprintf("n1/%d", i) || len(entry["leaf"]) != 44 {
			t.Errorf("message %d: %v", i, entry)
		}
		if *m.MsgID == "disclosure" {
			n, _ := strconv.Atoi(entry["records"])
			records += n
		}
	}
	if records != 2000 {
		t.Errorf("%d records are counted", records)
	}
}
