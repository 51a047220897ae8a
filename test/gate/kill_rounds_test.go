package gate_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// killRounds is how often the gateway is killed.
const killRounds = 200

// witnesses note what left the gateway: to the CRM, and to the clients.
type witnesses struct {
	mu       sync.Mutex
	asked    map[string]bool            // records that the CRM was asked for
	received map[string]map[string]bool // records that came, by the answer's Audit-Id
	events   chan struct{}
	next     atomic.Int64
}

func (w *witnesses) event() {
	select {
	case w.events <- struct{}{}:
	default:
	}
}

// crm answers for one record, or with a stream of five.
func (w *witnesses) crm(rw http.ResponseWriter, r *http.Request) {
	first := r.URL.Query().Get("limit")
	if first == "" {
		first = r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	}
	w.mu.Lock()
	w.asked[first] = true
	w.mu.Unlock()
	w.event()
	id, err := strconv.Atoi(first)
	if err != nil {
		http.Error(rw, "which?", http.StatusBadRequest)
		return
	}
	if !strings.HasPrefix(r.URL.Path, strings.TrimSuffix(streamPath, "/")) {
		jsonAnswer(http.StatusOK, row(id))(rw, r)
		return
	}
	rw.Header().Set("Content-Type", "application/json")
	for i := range 5 {
		_, _ = fmt.Fprintf(rw, "%c%s", "[,,,,"[i], row(id+i)) // until killed
		_ = http.NewResponseController(rw).Flush()
		w.event()
	}
	_, _ = rw.Write([]byte("]"))
}

var shownID = regexp.MustCompile(`"id":(\d+)[,}]`)

// client asks until the gateway is gone.
func (w *witnesses) client(ctx context.Context, b *browser, sc *scene, stream bool) {
	for {
		id := w.next.Add(10)
		path := fmt.Sprintf("/api/contacts/%d", id)
		if stream {
			path = fmt.Sprintf("%s?limit=%d", streamPath, id)
		}
		r, err := b.try(ask{path: path, scene: sc, ctx: ctx})
		if err != nil {
			return
		}
		w.mu.Lock()
		for _, m := range shownID.FindAllSubmatch(r.body, -1) {
			at := r.header.Get("Audit-Id")
			if w.received[at] == nil {
				w.received[at] = map[string]bool{}
			}
			w.received[at][string(m[1])] = true
		}
		w.mu.Unlock()
		w.event()
	}
}

// The gateway is killed at any moment, again and again, in a process of its own;
// clients and the CRM are in another. Whatever reached the CRM has an intent, and
// whatever record a client has got a byte of has a disclosure of the same request.
func killedAtAnyMoment(t *testing.T) {
	w := &witnesses{asked: map[string]bool{}, received: map[string]map[string]bool{}, events: make(chan struct{}, 1000)}
	w.next.Store(1_000_000)
	c := newChild(t, env.crm.url, "INFO")
	sc := newScene(t, w.crm)
	b := c.site.as(t, "sven")
	rnd := rand.New(rand.NewPCG(uint64(os.Getpid()), 3))
	for range killRounds {
		// The listener outlives the gateway: who connects after it waits for nobody.
		ctx, gone := context.WithCancel(t.Context())
		var clients sync.WaitGroup
		for i := range 4 {
			clients.Go(func() { w.client(ctx, b, sc, i%2 == 1) })
		}
		for range 1 + rnd.IntN(40) {
			<-w.events
		}
		c.kill()
		gone()
		clients.Wait()
		c.start(t)
	}
	c.stop(t)
	w.compare(t, entries(t, c.data()))
}

// compare looks for what was seen in the log.
func (w *witnesses) compare(t *testing.T, log []audit.Stored) {
	t.Helper()
	for receipt := range w.received {
		node, _, _ := strings.Cut(receipt, "/")
		w.compareAll(t, map[string][]audit.Stored{node: log})
		return
	}
	t.Error("no record reached a client")
}

// compareAll does so in the logs of several nodes.
func (w *witnesses) compareAll(t *testing.T, logs map[string][]audit.Stored) {
	t.Helper()
	intents, requests := map[string]bool{}, map[string]string{}
	disclosed := map[string]map[string]bool{} // by request
	total := 0
	for node, log := range logs {
		total += len(log)
		gather(node, log, intents, requests, disclosed)
	}
	for id := range w.asked {
		if !intents[id] {
			t.Errorf("the CRM was asked for %s, and no intent says so", id)
		}
	}
	got := 0
	for receipt, ids := range w.received {
		for id := range ids {
			got++
			if !disclosed[requests[receipt]][id] {
				t.Errorf("a client has contact/%s by %q, and no disclosure of that request says so", id, receipt)
			}
		}
	}
	if got == 0 || len(w.asked) == 0 {
		t.Errorf("%d records reached clients, %d requests the CRM", got, len(w.asked))
	}
	t.Logf("%d requests reached the CRM, %d records the clients, %d entries", len(w.asked), got, total)
}

// gather notes what the log of a node says: which records were asked for, which
// request each receipt is of, and what was disclosed to it.
func gather(node string, log []audit.Stored, intents map[string]bool, requests map[string]string, disclosed map[string]map[string]bool) {
	limit := regexp.MustCompile(`limit=(\d+)`)
	for _, s := range log {
		switch s.Entry.Kind {
		case audit.Intent:
			requests[fmt.Sprintf("%s/%d", node, s.Seq)] = s.Entry.Request
			for _, a := range s.Entry.Accesses {
				for _, id := range a.IDs {
					intents[id] = true
				}
				if m := limit.FindStringSubmatch(a.Question); m != nil {
					intents[m[1]] = true
				}
			}
		case audit.Disclosure:
			note(disclosed, s.Entry.Request, s.Entry.Disclosure)
		}
	}
}

func note(disclosed map[string]map[string]bool, request string, d *access.Disclosure) {
	if d == nil {
		return
	}
	if disclosed[request] == nil {
		disclosed[request] = map[string]bool{}
	}
	for _, r := range d.Records {
		disclosed[request][r.ID] = true
	}
}
