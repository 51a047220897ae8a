package gate_test

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/test/stack"
)

// The person of the leak suite. Sales (vera) sees the name and the year of birth,
// master_data (paula) everything.
const (
	leakMail  = "erika.mustermann@kanarien.example"
	leakPhone = "+49 151 23456789"
	leakIBAN  = "DE89370400440532013000"
	leakNote  = "Kanarienvogel im Wohnzimmer"
	leakBorn  = "1971-02-03"

	person = `{"id":7,"name":"Erika Mustermann","email":"` + leakMail + `","phone":"` + leakPhone + `","iban":"` + leakIBAN +
		`","born":"` + leakBorn + `","note":"` + leakNote + `"}`
)

// secrets are the values that sales must not read in any answer.
func secrets() []string { return []string{leakMail, leakPhone, leakIBAN, leakNote, leakBorn} }

// verdict is what the gate does about a way to leak.
type verdict string

const (
	// masked: the answer comes, without the secrets; master_data reads them.
	masked verdict = "masked"
	// withheld: the answer doesn't come; without the gate it would have been read.
	withheld verdict = "withheld"
	// asked: the question isn't forwarded; that of master_data is.
	asked verdict = "refused"
	// shut: nobody's request is forwarded; without the gate it would have been.
	shut verdict = "closed"
	// checked: the case says itself what has to be.
	checked verdict = "defended"
	// beyond: nothing that passes the gate can prevent it. The manual says so.
	beyond verdict = "out of reach"
)

// leak is one way in which a masking gateway can leak: its number and what is
// done about it. docs/leaks.md is made of these.
type leak struct {
	n       int
	name    string
	verdict verdict
	says    string
	tries   []try
}

// try is one exchange that would leak.
type try struct {
	ask ask
	// crm answers; nil: with the person as JSON.
	crm http.HandlerFunc
	// as is who asks; "": vera.
	as string
	// check says what else has to be.
	check func(*testing.T, *reply, *scene)
}

// TestLeak tries every way to leak, each with a control that would fail if the
// try proved nothing: who may see the values does see them by the same exchange,
// or the CRM alone would have shown them.
func TestLeak(t *testing.T) {
	t.Parallel()
	for _, l := range leaks() {
		t.Run(fmt.Sprintf("%03d-%s", l.n, l.name), func(t *testing.T) {
			t.Parallel()
			for i := range l.tries {
				l.run(t, &l.tries[i])
			}
		})
	}
}

func (l *leak) run(t *testing.T, try *try) {
	t.Helper()
	if try.crm == nil {
		try.crm = jsonAnswer(http.StatusOK, person)
	}
	if try.as == "" {
		try.as = "vera"
	}
	sc := newScene(t, try.crm)
	try.ask.scene = sc
	r := env.leaky.as(t, try.as).do(t, try.ask)
	text := read(r)
	for _, s := range secrets() {
		if text.Holds(s) {
			t.Errorf("%s %s: %s can read %q in %s", try.ask.method, try.ask.path, try.as, s, r)
		}
	}
	switch l.verdict {
	case masked:
		r.want(t, http.StatusOK)
		try.readable(t, env.leaky.as(t, "paula").do(t, try.ask))
	case withheld:
		if r.status < 400 {
			t.Errorf("%s %s: got %s, want a refusal", try.ask.method, try.ask.path, r)
		}
		try.readable(t, env.alone().do(t, try.ask))
	case asked, shut:
		if r.status < 400 {
			t.Errorf("%s %s: got %s, want a refusal", try.ask.method, try.ask.path, r)
		}
		sc.nothing(t)
		control := env.alone()
		if l.verdict == asked {
			control = env.leaky.as(t, "paula")
		}
		control.do(t, try.ask)
		if len(sc.requests()) == 0 {
			t.Errorf("%s %s: the control didn't reach the CRM either", try.ask.method, try.ask.path)
		}
	}
	if try.check != nil {
		try.check(t, r, sc)
	}
}

// readable fails the test unless a secret can be read in the control's answer.
func (try *try) readable(t *testing.T, r *reply) {
	t.Helper()
	if !slices.ContainsFunc(secrets(), read(r).Holds) {
		t.Errorf("%s %s: the control proves nothing: nobody could read a secret in %s", try.ask.method, try.ask.path, r)
	}
}

// read makes a reading of an answer, its header included.
func read(r *reply) *stack.Reading {
	parts := [][]byte{r.body}
	for name, values := range r.header {
		parts = append(parts, []byte(name))
		for _, v := range values {
			parts = append(parts, []byte(v))
		}
	}
	return stack.Read(parts...)
}

// alone is a client that asks the CRM itself.
func (e *environment) alone() *browser {
	return newBrowser(&site{env: e, url: e.crm.url, host: strings.TrimPrefix(e.crm.url, "http://")})
}

// leaks are all of them, by number.
func leaks() []leak {
	var all []leak
	for _, part := range [][]leak{
		leaksByQuestion(), leaksByCoding(), leaksByShape(), leaksInPages(), leaksInXML(), leaksInXMLRPC(), leaksInFiles(), leaksInLines(), leaksInVariants(), leaksAround(), leaksByRequest(), leaksOverTime(),
	} {
		all = append(all, part...)
	}
	slices.SortStableFunc(all, func(a, b leak) int { return cmp.Compare(a.n, b.n) })
	return all
}

// shows is a check that the answer holds a text.
func shows(texts ...string) func(*testing.T, *reply, *scene) {
	return func(t *testing.T, r *reply, _ *scene) {
		t.Helper()
		for _, want := range texts {
			if !bytes.Contains(r.body, []byte(want)) {
				t.Errorf("got %s, want %q in it", r, want)
			}
		}
	}
}

// get, post and page are the tries of most cases.
func getting(path string, crm http.HandlerFunc) try { return try{ask: ask{path: path}, crm: crm} }

func posting(path, body string) try {
	return try{ask: ask{method: http.MethodPost, path: path, body: body}}
}

func htmlAnswer(body string) http.HandlerFunc {
	return typed("text/html; charset=utf-8", http.StatusOK, "<!doctype html><html><body>"+body+"</body></html>")
}

// article is the person as a page has it.
const article = `<article data-id="7"><dl><dt>Name</dt><dd class="name">Erika Mustermann</dd><dd class="email">` + leakMail +
	`</dd><dd class="phone">` + leakPhone + `</dd><dd class="iban">` + leakIBAN + `</dd><dd class="note">` + leakNote + `</dd></dl></article>`
