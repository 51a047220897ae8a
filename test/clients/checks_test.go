package clients

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/test/stack"
)

// value is what a step returned.
func (o outcomes) value(t *testing.T, step string) string {
	t.Helper()
	got, ok := o[step]
	switch {
	case !ok:
		t.Fatalf("no step %s", step)
	case got.Error != nil:
		t.Fatalf("%s threw %+v", step, *got.Error)
	}
	return string(got.Value)
}

// refused sees that a step threw the client's own error with the gate's message.
func (o outcomes) refused(t *testing.T, step, class, message string) {
	t.Helper()
	got, ok := o[step]
	switch {
	case !ok:
		t.Errorf("no step %s", step)
	case got.Error == nil:
		t.Errorf("%s wasn't refused: %s", step, got.Value)
	case got.Error.Class != class || !strings.Contains(got.Error.Message, message):
		t.Errorf("%s threw %+v, want a %s with %q", step, *got.Error, class, message)
	}
}

// show sees that the steps returned all of the values, which no other test of them
// means anything without.
func (o outcomes) show(t *testing.T, values ...string) {
	t.Helper()
	var all strings.Builder
	for _, got := range o {
		all.Write(got.Value)
	}
	holds(t, "what a role got that sees everything", all.String(), values...)
}

// hide sees that no step returned or threw any of the values.
func (o outcomes) hide(t *testing.T, values ...string) {
	t.Helper()
	for step, got := range o {
		lacks(t, step, string(got.Value), values...)
		if got.Error != nil {
			lacks(t, "the error of "+step, got.Error.Message, values...)
		}
	}
}

// placeholders are what stands in the place of values of the fixtures.
var placeholders = []string{"••", "1900-01-01"}

// unmasked sees that no placeholder reached the CRM, and no credential of the gate's.
func (c *crm) unmasked(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.got {
		target, err := url.PathUnescape(r.target)
		if err != nil {
			t.Errorf("the CRM got %s", r.target)
		}
		lacks(t, "what the CRM got", target+"\n"+r.body, placeholders...)
		if r.header.Get("X-Crmgate-Authorization") != "" {
			t.Errorf("the CRM got the gate's credential with %s %s", r.method, r.target)
		}
	}
}

// only is the one request of those, or the test fails.
func (c *crm) only(t *testing.T, method, path string) received {
	t.Helper()
	list := c.requests(method, path)
	if len(list) != 1 {
		t.Fatalf("the CRM got %s %s %d times", method, path, len(list))
	}
	return list[0]
}

// logged sees that the log names a record that the machine was shown.
func logged(t *testing.T, gate *stack.Gate, id string) {
	t.Helper()
	for _, e := range gate.Entries(t) {
		if e.Entry.Disclosure == nil {
			continue
		}
		for _, r := range e.Entry.Disclosure.Records {
			if r.ID == id {
				return
			}
		}
	}
	t.Errorf("no entry names the record %s", id)
}

// holds sees that a text holds all of the parts.
func holds(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%s is without %q:\n%s", what, p, text)
		}
	}
}

// lacks sees that a text holds none of the parts.
func lacks(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	if i := slices.IndexFunc(parts, func(p string) bool { return strings.Contains(text, p) }); i >= 0 {
		t.Errorf("%s holds %q:\n%s", what, parts[i], text)
	}
}
