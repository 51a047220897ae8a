package sse

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
)

// cut renders the events of a stream that comes in pieces, and what is written of
// them without a change.
func cut(pieces ...string) (events []string, written string, err error) {
	s := NewSplitter(1 << 10)
	emit := func(e *Event) error {
		events = append(events, fmt.Sprintf("%s|%s|%s|%v", e.Name, e.ID, e.Data, e.Silent))
		written += string(e.Append(nil, e.Data, true))
		return nil
	}
	for _, p := range pieces {
		if err := s.Feed([]byte(p), emit); err != nil {
			return events, written, err
		}
	}
	return events, written, s.Close()
}

const stream = ":\n\nretry: 3000\n\nevent: a\r\nid: 7\r\ndata: {\"a\":\r\ndata:\"ä\"}\r\n\r\n:   \ndata\n\nid\ndata: 1\n\nevent: b\n\n"

func TestEventsAreReadAndKeepTheirBytes(t *testing.T) {
	events, written, err := cut(stream)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"|||true", "|||true", "|||true", "a|7|{\"a\":\n\"ä\"}|false", "|||true", "|||false", "||1|false", "b|||false"}
	if !slices.Equal(events, want) {
		t.Errorf("events %q, want %q", events, want)
	}
	if written != stream {
		t.Errorf("written %q", written)
	}
}

func TestEventsAreCutAlikeAtEveryByte(t *testing.T) {
	want, _, err := cut(stream)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(stream) + 1 {
		for j := i; j <= len(stream); j++ {
			got, written, err := cut(stream[:i], stream[i:j], stream[j:])
			if err != nil || !slices.Equal(got, want) || written != stream {
				t.Fatalf("cut at %d and %d: %q, %v", i, j, got, err)
			}
		}
	}
}

func TestEventIsWrittenWithOtherData(t *testing.T) {
	for _, c := range []struct {
		src, with string
		keepID    bool
		want      string
	}{
		{"data: {\"a\":1}\n\n", `{"a":"*"}`, true, "data: {\"a\":\"*\"}\n\n"},
		{"data:{\r\ndata: \"a\":1}\r\n\r\n", "{\n\"a\":2}", true, "data:{\r\ndata: \"a\":2}\r\n\r\n"},
		{"id: 7\ndata:{\ndata: 1,\nevent: a\ndata: 2}\n\n", "{3}", true, "id: 7\ndata:{3}\nevent: a\n\n"},
		{"data:{}\nevent: a\n\n", "{\n1\n}", true, "data:{\ndata:1\ndata:}\nevent: a\n\n"},
		{"data\nid: Erika\n: Erika\n\n", "x", false, "data: x\n:\n\n"},
		{": Erika\n", "", false, ":\n"},
		{":   \n", "", false, ":   \n"},
	} {
		var got string
		s := NewSplitter(100)
		if err := s.Feed([]byte(c.src), func(e *Event) error { got += string(e.Append(nil, []byte(c.with), c.keepID)); return nil }); err != nil {
			t.Fatal(err)
		}
		if got != c.want {
			t.Errorf("%q with %q: %q, want %q", c.src, c.with, got, c.want)
		}
	}
}

func TestUnclearStreamsAreRefused(t *testing.T) {
	for name, src := range map[string]string{
		"a lone carriage return": "data: a\rdata: b\n\n", "two before a line feed": "data: a\r\r\n\r\n", "NUL": "id: \x00\n\n", "bad UTF-8": "data: \xff\n\n",
		"unknown field": "date: 1\n\n", "another case": "Data: 1\n\n", "a blank before": " data: 1\n\n", "byte order mark": "\ufeffdata: 1\n\n",
		"event twice": "event: a\nevent: b\ndata: 1\n\n", "id twice": "id: 1\nid: 2\n\n", "retry twice": "retry: 1\nretry: 2\n\n",
		"retry of words": "retry: Erika\n\n", "retry of nothing": "retry\n\n", "cut in a line": "data: 1", "cut behind a line": "data: 1\n", "JSON": `{"a":1}` + "\n",
	} {
		events, _, err := cut(src)
		if !errors.Is(err, doc.ErrMalformed) || len(events) > 0 {
			t.Errorf("%s: %q, %v", name, events, err)
		}
		if err != nil && strings.Contains(err.Error(), "Erika") {
			t.Errorf("the error quotes the stream: %v", err)
		}
	}
	for _, src := range []string{"data: " + strings.Repeat("x", 1100), strings.Repeat("data: x\n", 200), "data: " + strings.Repeat("x", 1100) + "\n\n"} {
		if events, _, err := cut(src); !errors.Is(err, ErrTooLarge) || len(events) > 0 {
			t.Errorf("%d bytes: %v", len(src), err)
		}
	}
	stop := errors.New("stop")
	s := NewSplitter(100)
	for range 2 {
		if err := s.Feed([]byte("data: 1\n\n"), func(*Event) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("the first error doesn't stay: %v", err)
		}
	}
	if err := s.Close(); !errors.Is(err, stop) {
		t.Errorf("Close = %v", err)
	}
}

func TestPlainIDHoldsNothingElse(t *testing.T) {
	for id, want := range map[string]bool{
		"7": true, "1718031600000-0": true, "3:17": true, "0f8fad5b-d9cb-469f-a165-70867728950e": true,
		"": false, "Erika": false, "7 Erika": false, "e@x.example": false, "7\n8": false, "7-8-9": false, "+49": false, strings.Repeat("1", 21): false,
	} {
		if got := PlainID(id); got != want {
			t.Errorf("%q: %v", id, got)
		}
	}
}

// reference reads a stream by the words of the HTML standard.
func reference(src string) (events []string) {
	name, data, any := "", "", false
	for _, l := range strings.SplitAfter(src, "\n") {
		l = strings.TrimSuffix(strings.TrimSuffix(l, "\n"), "\r")
		field, value, _ := strings.Cut(l, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case l == "":
			if any {
				events = append(events, name+"|"+strings.TrimSuffix(data, "\n"))
			}
			name, data, any = "", "", false
		case field == "event":
			name = value
		case field == "data":
			data, any = data+value+"\n", true
		}
	}
	return events
}

// FuzzEvents holds that events are those of the HTML standard, however the stream
// is cut, that their bytes stay but for comments, and that an event with other data
// reads as such.
func FuzzEvents(f *testing.F) {
	f.Add(stream, uint8(3), "{\n1}")
	f.Add("data: 1\n\n", uint8(0), "")
	f.Add(":\n: x\ndata:a\nevent: b\n\n", uint8(9), "x")
	f.Fuzz(func(t *testing.T, src string, at uint8, with string) {
		if strings.ContainsAny(with, "\r\x00") {
			return
		}
		s := NewSplitter(1 << 16)
		var got, changed []string
		var out, other []byte
		emit := func(e *Event) error {
			if e.HasData {
				got = append(got, e.Name+"|"+string(e.Data))
				changed = append(changed, e.Name+"|"+with)
			}
			out, other = e.Append(out, e.Data, true), e.Append(other, []byte(with), true)
			return nil
		}
		n := min(int(at), len(src))
		err := s.Feed([]byte(src[:n]), emit)
		if err == nil {
			err = s.Feed([]byte(src[n:]), emit)
		}
		if err != nil || s.Close() != nil {
			return
		}
		if want := reference(src); !slices.Equal(got, want) {
			t.Fatalf("%q: %q, want %q", src, got, want)
		}
		if len(out) > len(src) || !bytes.Contains([]byte(src), []byte(":")) && string(out) != src {
			t.Fatalf("%q is written %q", src, out)
		}
		if again := reference(string(out)); !slices.Equal(got, again) {
			t.Fatalf("%q is written %q, which reads %q", src, out, again)
		}
		if strings.HasPrefix(with, " ") || strings.Contains(with, "\n ") {
			return // a reader takes one blank for the separator
		}
		if again := reference(string(other)); !slices.Equal(changed, again) {
			t.Fatalf("%q with %q is written %q, which reads %q", src, with, other, again)
		}
	})
}
