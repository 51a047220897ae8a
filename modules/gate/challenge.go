package gate

import (
	"crypto/ed25519"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/crmgate/crmgate/internal/genuine"
	"github.com/crmgate/crmgate/internal/keys"
)

// prover answers the question whether this is a gateway with its keys. Anybody may
// ask: the answer tells nobody anything who wasn't given the public key.
type prover struct {
	key ed25519.PrivateKey
	now func() time.Time

	mu   sync.Mutex
	left float64
	last time.Time
}

// Signing costs a thirtieth of a millisecond: so many answers a second, and so many at
// once, are no load.
const (
	proofRate  = 5
	proofBurst = 20
)

func newProver(ring *keys.Ring) *prover {
	return &prover{key: genuine.Key(ring.Derive(genuine.Purpose)), now: time.Now, left: proofBurst}
}

// may takes one answer out of what may be given.
func (p *prover) may() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if !p.last.IsZero() {
		p.left = min(proofBurst, p.left+proofRate*now.Sub(p.last).Seconds())
	}
	p.last = now
	if p.left < 1 {
		return false
	}
	p.left--
	return true
}

// prove answers a challenge (see internal/genuine).
func (q *request) prove() {
	q.route = "challenge"
	if q.r.Method != http.MethodPost {
		q.answer(plain{status: http.StatusMethodNotAllowed, reason: "not_found", text: textRequestBody, header: map[string]string{"Allow": http.MethodPost}})
		return
	}
	var asked genuine.Question
	raw, err := io.ReadAll(io.LimitReader(q.r.Body, genuine.Limit+1))
	if err != nil || len(raw) > genuine.Limit || json.Unmarshal(raw, &asked) != nil {
		q.answer(plain{status: http.StatusBadRequest, reason: "request_body", text: textRequestBody})
		return
	}
	if !q.o.prover.may() {
		q.answer(plain{
			status: http.StatusTooManyRequests, reason: "challenge_rate", text: textChallengeRate, header: map[string]string{"Retry-After": "2"},
		})
		return
	}
	proof, ok := genuine.Sign(q.o.prover.key, asked, q.baseURL(), genuine.Channel(q.r.TLS))
	if !ok {
		q.answer(plain{status: http.StatusBadRequest, reason: "request_body", text: textRequestBody})
		return
	}
	answer, err := json.Marshal(proof)
	if err != nil {
		q.unavailable("challenge")
		return
	}
	ownHeaders(q.w.Header())
	q.w.Header().Set("Content-Type", "application/json")
	q.status = http.StatusOK
	q.write(q.status, answer)
}

var textChallengeRate = text{
	"Es kommen gerade zu viele solche Fragen. Versuchen Sie es in einigen Sekunden noch einmal.",
	"There are too many such questions at the moment. Try again in a few seconds.",
}
