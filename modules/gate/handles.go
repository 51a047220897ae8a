package gate

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/session"
)

const (
	// keptMost is how much is kept of one employee or machine: who makes the CRM give
	// out more handles forgets their own.
	keptMost = 1000
	// keptSize bounds what a request may ask whose answer gives handles out.
	keptSize = 256 << 10
	// givenMost is how many handles one answer may give out.
	givenMost = 100
	// keptPurpose is what it is sealed for.
	keptPurpose = "asked"
)

// keeper keeps what requests asked whose answers gave handles out. In the store a
// handle is a keyed hash, and what was asked is sealed.
type keeper struct {
	store session.Keeper
	seal  sealing
	key   [32]byte
	now   func() time.Time
}

// sealing is what a key ring does.
type sealing interface {
	Seal(purpose string, plaintext, aad []byte) ([]byte, error)
	Open(purpose string, sealed, aad []byte) ([]byte, error)
}

// asked is what a request asked: all of it that the profile and the policy judge.
type asked struct {
	Method      string          `json:"method"`
	Path        string          `json:"path"`
	Query       []profile.Param `json:"query,omitempty"`
	MediaType   string          `json:"media,omitempty"`
	ContentType string          `json:"type,omitempty"`
	SOAPActions []string        `json:"actions,omitempty"`
	Body        []byte          `json:"body,omitempty"`
	// Request names the request, and Entry its intent in the log.
	Request string `json:"request"`
	Entry   string `json:"entry"`
}

func (a *asked) request() profile.Request {
	return profile.Request{
		Method: a.Method, Path: a.Path, Query: a.Query, MediaType: a.MediaType, ContentType: a.ContentType,
		SOAPActions: a.SOAPActions, Body: a.Body,
	}
}

// newKeeper returns nil where the profile knows no handles.
func newKeeper(h *Handler, store session.Store, ring *keys.Ring) (*keeper, error) {
	if !h.profile.HasHandles() {
		return nil, nil //nolint:nilnil // nothing to keep
	}
	k, ok := store.(session.Keeper)
	if !ok {
		return nil, fmt.Errorf("the profile %s has handles that come back later, and the session store %T can't keep what was asked: "+
			"use the store sqlite or postgres, or a profile without `gives`", h.profile.Name, store)
	}
	return &keeper{store: k, seal: ring, key: ring.Derive("handle"), now: time.Now}, nil
}

// hash is a keyed hash of texts.
func (k *keeper) hash(texts ...string) (sum [32]byte) {
	mac := hmac.New(sha256.New, k.key[:])
	fmt.Fprintf(mac, "%q", texts) // never fails
	mac.Sum(sum[:0])
	return sum
}

// keep keeps what was asked for a handle.
func (k *keeper) keep(ctx context.Context, owner []string, h profile.Handle, what *asked, lasts time.Duration) error {
	plain, err := json.Marshal(what)
	if err != nil {
		return fmt.Errorf("writing what was asked: %w", err)
	}
	now := k.now()
	kept := session.Kept{
		ID: k.hash(append(owner, h.Name, h.Value)...), Owner: k.hash(owner...),
		Made: now, Until: time.Unix(now.Add(lasts).Unix(), 0),
	}
	if kept.Sealed, err = k.seal.Seal(keptPurpose, plain, kept.ID[:]); err != nil {
		return fmt.Errorf("sealing what was asked: %w", err)
	}
	return k.store.Keep(ctx, kept, keptMost)
}

// first is the one request that got all of the handles; nil where there is none, or
// not any more, or it was somebody else's.
func (k *keeper) first(ctx context.Context, owner []string, handles []profile.Handle) (*asked, error) {
	var first *asked
	for _, h := range handles {
		a, err := k.load(ctx, k.hash(append(owner, h.Name, h.Value)...))
		if err != nil || a == nil {
			return nil, err
		}
		if first != nil && first.Request != a.Request {
			return nil, nil //nolint:nilnil // handles of two requests
		}
		first = a
	}
	return first, nil
}

// load returns what is kept, nil where nothing is. What can't be opened is none: the
// keys under which it was sealed are gone, or somebody wrote it into the store.
func (k *keeper) load(ctx context.Context, id [32]byte) (*asked, error) {
	kept, err := k.store.LoadKept(ctx, id)
	if errors.Is(err, session.ErrNone) {
		return nil, nil //nolint:nilnil // nothing is kept
	}
	if err != nil {
		return nil, err
	}
	if !k.now().Before(kept.Until) {
		return nil, nil //nolint:nilnil // it can't come back any more
	}
	plain, err := k.seal.Open(keptPurpose, kept.Sealed, id[:])
	if err != nil {
		return nil, nil //nolint:nilnil,nilerr // see above
	}
	a := &asked{}
	if err := json.Unmarshal(plain, a); err != nil {
		return nil, fmt.Errorf("reading what was asked: %w", err)
	}
	return a, nil
}

func (k *keeper) sweep(ctx context.Context) error {
	if k == nil {
		return nil
	}
	_, err := k.store.SweepKept(ctx, k.now())
	return err
}
