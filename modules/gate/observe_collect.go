package gate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/form"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/profile/observed"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// collection is what was seen of a site's CRM, and the file that it is kept in.
type collection struct {
	*observed.Collector
	path string
	// fresh is set from an exchange to the next writing.
	fresh atomic.Bool
}

// collections is a pool so that a reload goes on with what was collected.
var collections = caddy.NewUsagePool()

const saveEvery = 5 * time.Second

// Destruct writes the collection down.
func (c *collection) Destruct() error { return c.Save(c.path) }

// openCollection goes on with what the site collected before.
func (h *Handler) openCollection(s *crmgate.Services) error {
	if !h.observing() {
		return nil
	}
	path := filepath.Join(s.Dir(), "observed", h.siteName()+".json")
	got, _, err := collections.LoadOrNew(path, func() (caddy.Destructor, error) {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, fmt.Errorf("making the folder of what is observed: %w", err)
		}
		c, err := observed.Load(path)
		if errors.Is(err, fs.ErrNotExist) {
			c, err = observed.New(), nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading what was observed (move the file away to begin anew): %w", err)
		}
		return &collection{Collector: c, path: path}, nil
	})
	if err != nil {
		return err
	}
	h.collected, _ = got.(*collection)
	h.app.Every(saveEvery, func(context.Context) {
		if !h.collected.fresh.CompareAndSwap(true, false) {
			return
		}
		if err := h.collected.Save(path); err != nil {
			h.logger.Error("writing down what was observed", zap.Error(err))
		}
	})
	return nil
}

// Cleanup implements caddy.CleanerUpper: the last configuration that lets go of a
// collection writes it down.
func (h *Handler) Cleanup() error {
	if h.collected == nil {
		return nil
	}
	_, err := collections.Delete(h.collected.path)
	return err
}

// siteName names the site in a file's name.
func (h *Handler) siteName() string {
	for _, address := range h.app.ToRegister(h).Redirect {
		if u, err := url.Parse(address); err == nil && u.Host != "" {
			return strings.NewReplacer(":", "_", "*", "_").Replace(u.Host)
		}
	}
	return "site"
}

// collect notes what the exchange looks like. body is the answer's, nil where it
// isn't known.
func (o *watchedRequest) collect(status int, media string, body []byte) {
	c := o.h.collected
	if c == nil {
		return
	}
	e := observed.Exchange{
		Method: o.c.Method, Path: o.c.Path, RequestMedia: o.media, Status: status, Media: media, Known: o.x != nil,
	}
	for _, p := range o.c.Query {
		e.Query = append(e.Query, p.Name)
	}
	e.Request, e.Answer = o.document(), jsonTree(media, body)
	c.Add(e)
	c.fresh.Store(true)
}

// document is the request's body as a tree; nil is none that can be read without a
// profile.
func (o *watchedRequest) document() *doc.Tree {
	switch {
	case o.x != nil && o.x.Body() != nil:
		return o.x.Body()
	case o.media == "application/x-www-form-urlencoded":
		t, _ := form.Parse(o.body, doc.DefaultLimits()) // nil: nothing is said of it
		return t
	}
	return jsonTree(o.media, o.body)
}

// jsonTree reads a document of JSON; nil is none.
func jsonTree(media string, body []byte) *doc.Tree {
	if len(body) == 0 || !strings.Contains(strings.ToLower(media), "json") {
		return nil
	}
	t, err := json.Parse(body, doc.DefaultLimits())
	if err != nil {
		return nil
	}
	return t
}

var _ caddy.CleanerUpper = (*Handler)(nil)
