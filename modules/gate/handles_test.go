package gate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/session"
	"github.com/crmgate/crmgate/modules/crmgate"
	"github.com/crmgate/crmgate/modules/store/sqlite"
)

// keeping is a node's keeper on the store and the keys of a directory.
func keeping(t *testing.T, dir string, now *time.Time) *keeper {
	t.Helper()
	ring, err := keys.Open(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	store, closer, err := (&sqlite.Store{}).OpenStore(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = closer.Close() })
	p, err := profile.Load([]byte(withHandles))
	if err != nil {
		t.Fatal(err)
	}
	k, err := newKeeper(&Handler{profile: p}, store, ring)
	if err != nil {
		t.Fatal(err)
	}
	k.now = func() time.Time { return *now }
	return k
}

const withHandles = `
profile: x/1
evidence: documented
withheld: withheld
entities: {person: {fields: {name: name}}}
routes:
  - {match: GET /people, entity: person, gives: [{handle: page, at: $.next}], records: [{at: "$.people[*]"}]}
  - {match: "GET /people/page/{id}", continues: {page: "{id}"}}
`

var (
	ada   = []string{"x/1", "crm.example", "employee", "https://idp.example", "ada"}
	grace = []string{"x/1", "crm.example", "employee", "https://idp.example", "grace"}
)

func handle(value string) profile.Handle { return profile.Handle{Name: "page", Value: value} }

func (k *keeper) give(t *testing.T, owner []string, value string) {
	t.Helper()
	what := &asked{Method: "GET", Path: "/people", Query: []profile.Param{{Name: "q", Value: "Mustermann"}}, Request: "r-" + value, Entry: "n/1"}
	if err := k.keep(t.Context(), owner, handle(value), what, time.Hour); err != nil {
		t.Fatal(err)
	}
}

// has fails the test unless the owner's handle is known, or isn't.
func (k *keeper) has(t *testing.T, owner []string, value string, want bool) {
	t.Helper()
	a, err := k.first(t.Context(), owner, []profile.Handle{handle(value)})
	if err != nil || (a != nil) != want {
		t.Fatalf("what was asked for %s is %+v, %v, want it: %v", value, a, err, want)
	}
	if want && (a.request().Path != "/people" || a.Query[0].Value != "Mustermann" || a.Request != "r-"+value) {
		t.Errorf("what was asked came back as %+v", a)
	}
}

func TestWhatWasAskedIsKeptOverARestartAndForAllNodes(t *testing.T) {
	now, dir := time.Unix(1_800_000_000, 0), t.TempDir()
	one := keeping(t, dir, &now)
	one.give(t, ada, "c1")
	two := keeping(t, dir, &now) // another process with the same store and keys
	two.has(t, ada, "c1", true)
	two.give(t, ada, "c2")
	one.has(t, ada, "c2", true)
	two.has(t, grace, "c1", false)
	two.has(t, ada, "c3", false)
}

func TestHandleComesBackUntilItHasExpired(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	k := keeping(t, t.TempDir(), &now)
	k.give(t, ada, "c1")
	now = now.Add(time.Hour - time.Second)
	k.has(t, ada, "c1", true)
	now = now.Add(time.Second)
	k.has(t, ada, "c1", false)
	if err := k.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	now = now.Add(-time.Minute)
	k.has(t, ada, "c1", false)
}

func TestWhoFloodsTheStoreWithHandlesForgetsTheirOwn(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	k := newExplainedKeeper()
	bounded := &counting{Keeper: k.store}
	k.store, k.now = bounded, func() time.Time { return now }
	k.give(t, ada, "c1")
	if bounded.most != keptMost {
		t.Errorf("one owner may have %d, want %d", bounded.most, keptMost)
	}
}

// counting notes the bound that a keeper is given. That it holds is the stores'
// contract.
type counting struct {
	session.Keeper
	most int
}

func (c *counting) Keep(ctx context.Context, k session.Kept, most int) error {
	c.most = most
	return c.Keeper.Keep(ctx, k, most)
}

// What stands in the store tells a thief nothing, and nobody who can write there can
// give a handle to somebody else.
func TestStoreOfHandlesTellsNothingAndTakesNothing(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	k := keeping(t, t.TempDir(), &now)
	k.give(t, ada, "c1")
	id := k.hash(append(ada, "page", "c1")...)
	kept, err := k.store.LoadKept(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if all := fmt.Sprintf("%s %s %s", kept.ID, kept.Owner, kept.Sealed); strings.Contains(all, "Mustermann") || strings.Contains(all, "ada") || strings.Contains(all, "c1") {
		t.Errorf("the store holds %q", all)
	}
	kept.ID = k.hash(append(grace, "page", "c1")...)
	if err := k.store.Keep(t.Context(), kept, keptMost); err != nil {
		t.Fatal(err)
	}
	k.has(t, grace, "c1", false)
	k.has(t, ada, "c1", true)
}

func TestHandlesOfTwoRequestsAreNoneTogether(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	k := keeping(t, t.TempDir(), &now)
	k.give(t, ada, "c1")
	k.give(t, ada, "c2")
	if a, err := k.first(t.Context(), ada, []profile.Handle{handle("c1"), handle("c2")}); a != nil || err != nil {
		t.Errorf("they are of one request: %+v, %v", a, err)
	}
}

func TestStoreWithoutRoomForHandlesIsRefused(t *testing.T) {
	p, err := profile.Load([]byte(withHandles))
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keys.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newKeeper(&Handler{profile: p}, struct{ session.Store }{}, ring); err == nil || !strings.Contains(err.Error(), "use the store sqlite or postgres") {
		t.Errorf("newKeeper = %v", err)
	}
	if k := (*keeper)(nil); !errors.Is(k.sweep(t.Context()), nil) {
		t.Error("a gate without handles sweeps something")
	}
}

// explained is a gate that is provisioned and not started.
func explained(t *testing.T, name string) *Handler {
	t.Helper()
	ctx, err := caddy.ProvisionContext(&caddy.Config{Logging: &caddy.Logging{Logs: map[string]*caddy.CustomLog{
		"default": {BaseLog: caddy.BaseLog{Level: "PANIC"}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := caddy.NewContext(ctx)
	t.Cleanup(cancel)
	mod, err := ctx.LoadModuleByID("http.handlers.crm_gate", []byte(`{"profile":"`+name+`","policies":["builtin:`+name+`"],"accept":"documented",
		"oidc":{"issuer":"https://login.example.de","provider":"keycloak","client_id":"crm","client_secret":"secret"}}`))
	if err != nil {
		t.Fatal(err)
	}
	return mod.(*Handler)
}

const explainedPage = "/services/data/v62.0/query/01gQy0000000001IAA-2000"

// explainQuery explains a query whose answer says where it goes on, or that page.
func explainQuery(t *testing.T, h *Handler, path string) crmgate.Explanation {
	t.Helper()
	u, err := url.ParseRequestURI(path)
	if err != nil {
		t.Fatal(err)
	}
	e, err := h.Explain(t.Context(), []string{"sales"}, crmgate.Exchange{
		Request: &http.Request{Method: http.MethodGet, URL: u, RequestURI: path, Host: "crm.example.de", Header: http.Header{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody},
		Response: &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(
			`{"nextRecordsUrl":"` + explainedPage + `","records":[{"attributes":{"type":"Contact"},"Id":"003Qyggggg93gO0IAI","LeadSource":"1971-11-02"}]}`))},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const explainedQuery = "/services/data/v62.0/query?q=SELECT+Id,FORMAT(Birthdate)+LeadSource+FROM+Contact"

func TestExplainedExchangeGoesOnFromTheOneBefore(t *testing.T) {
	h := explained(t, "salesforce")
	if e := explainQuery(t, h, explainedPage); !e.Decision.Refused || e.Decision.Reason != "unknown_handle" || e.Forwarded {
		t.Errorf("by itself it is %+v", e)
	}
	for _, path := range []string{explainedQuery, explainedPage} {
		if e := explainQuery(t, h, path); e.Decision.Refused || e.Answer.Status != 200 || strings.Contains(e.Answer.Body, "1971-11-02") || !strings.Contains(e.Answer.Body, "003Qyggggg93gO0IAI") {
			t.Errorf("%s is %+v", path, e)
		}
	}
}

// full is a store that can't keep or read.
type full struct{ session.Keeper }

var errFull = errors.New("the disk is full")

func (full) Keep(context.Context, session.Kept, int) error { return errFull }

func (full) LoadKept(context.Context, [32]byte) (session.Kept, error) { return session.Kept{}, errFull }

func TestWhatCantBeKeptIsNotReleased(t *testing.T) {
	h := explained(t, "salesforce")
	h.explained.store = full{h.explained.store}
	e := explainQuery(t, h, explainedQuery)
	if e.Answer.Status != http.StatusBadGateway || strings.Contains(e.Answer.Body, "003Q") || e.Entries[len(e.Entries)-1].Error != "session_store" {
		t.Errorf("an answer that can't be gone on from is %+v", e)
	}
	if e := explainQuery(t, h, explainedPage); !e.Decision.Refused || e.Answer.Status != http.StatusServiceUnavailable || e.Forwarded {
		t.Errorf("what can't be read is %+v", e)
	}
}

func TestRequestThatIsTooLargeToKeepIsRefusedBeforehand(t *testing.T) {
	h := explained(t, "espocrm")
	for size, want := range map[int]int{keptSize / 2: 0, keptSize: http.StatusRequestEntityTooLarge} {
		body := `{"entityType":"Contact","format":"csv","fieldList":["id"],"ids":["` + strings.Repeat("x", size) + `"]}`
		r := &http.Request{
			Method: http.MethodPost, URL: &url.URL{Path: "/api/v1/Export"}, RequestURI: "/api/v1/Export", Host: "crm.example.de", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		}
		e, err := h.Explain(t.Context(), []string{"master_data"}, crmgate.Exchange{Request: r})
		if err != nil || e.Forwarded == (want != 0) || e.Answer.Status != want {
			t.Errorf("with %d bytes it is %d, forwarded %v, %v", size, e.Answer.Status, e.Forwarded, err)
		}
	}
}
