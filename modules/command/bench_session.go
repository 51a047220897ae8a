package command

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/session"
)

const (
	benchIssuer = "https://login.bench.invalid"
	benchClient = "bench"
	benchRoles  = "roles"
	benchUser   = "preferred_username"
)

// signIn makes a session for the bench's employee in a data directory that no
// gate has opened yet, and returns its cookie. It takes the parts that a sign-in
// takes, with the directory's own keys: whoever can do this has the keys.
func signIn(ctx context.Context, dir string) (cookie string, err error) {
	ring, err := keys.Open(filepath.Join(dir, "keys"))
	if err != nil {
		return "", fmt.Errorf("making keys: %w", err)
	}
	mod, err := caddy.GetModule("crmgate.stores.sqlite")
	if err != nil {
		return "", fmt.Errorf("finding the session store: %w", err)
	}
	opener, ok := mod.New().(session.Opener)
	if !ok {
		return "", errors.New("the session store is none")
	}
	store, closer, err := opener.OpenStore(ctx, dir)
	if err != nil {
		return "", fmt.Errorf("opening the session store: %w", err)
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	m, err := session.New(session.Config{Store: store, Sealer: ring, Realm: session.Realm(benchIssuer, benchClient, benchRoles, benchUser)})
	if err != nil {
		return "", fmt.Errorf("making a session: %w", err)
	}
	id, _, err := m.Create(ctx, session.SignedIn{StateID: "bench", Identity: session.Identity{
		Issuer: benchIssuer, Subject: "1", Name: "Bench", User: benchEmployee, Roles: []string{"bench"}, RolesFound: true,
		AMR: []string{"pwd", "otp"}, AuthTime: time.Now(),
	}})
	if err != nil {
		return "", fmt.Errorf("making a session: %w", err)
	}
	h := http.Header{}
	session.Cookies{Plain: true}.SetSession(h, id)
	cookie, _, _ = strings.Cut(h.Get("Set-Cookie"), ";")
	return cookie, nil
}
