package crmgate

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/sink"
)

// sinkNamespace holds the sinks.
const sinkNamespace = "crmgate.sinks"

// Sink is a module of `crmgate.sinks`: where a log's entries are passed on to.
type Sink interface {
	caddy.Module
	// Common is what every sink can be told.
	Common() *SinkCommon
	// Target makes the target, and names it in words that hold no secret. It
	// connects to nothing.
	Target() (target sink.Target, to string, err error)
}

// SinkCommon is what every sink can be told. Modules embed it.
type SinkCommon struct {
	// Name is the sink's: its cursor goes by it, and the metrics. 1 to 32 small
	// letters, digits, _ and -. Default: the module's name. A sink with another
	// name is another sink.
	Name string `json:"name,omitempty"`
	// FromStart has a new sink begin with the log's first entry. Default: it
	// begins with the entry that says that it was added.
	FromStart bool `json:"from_start,omitempty"`
}

// Common implements Sink.
func (c *SinkCommon) Common() *SinkCommon { return c }

// SinkWords are the words of every sink's block.
func SinkWords() []string { return []string{"name", "from"} }

// UnmarshalWord reads one of SinkWords.
func (c *SinkCommon) UnmarshalWord(d *caddyfile.Dispenser) error {
	switch d.Val() {
	case "name":
		if c.Name != "" || !d.AllArgs(&c.Name) || !audit.ValidCursor(c.Name) {
			return d.Err("name takes one name of small letters, digits, _ and -, and stands once: name siem")
		}
	case "from":
		var where string
		if !d.AllArgs(&where) || where != "start" {
			return d.Err("from takes `start`: a new sink begins with the log's first entry then, otherwise with the entry that says that it was added")
		}
		c.FromStart = true
	}
	return nil
}

func (l *LogConfig) unmarshalSink(d *caddyfile.Dispenser) error {
	kinds := sinkKinds()
	if !d.NextArg() {
		return d.Errf("sink takes a kind and where it leads: sink file /var/log/crmgate/audit.jsonl (there are: %v)", kinds)
	}
	kind := d.Val()
	if !slices.Contains(kinds, kind) {
		return UnknownWord(d, kind, kinds...)
	}
	module, err := caddyfile.UnmarshalModule(d, sinkNamespace+"."+kind)
	if err != nil {
		return err
	}
	l.SinksRaw = append(l.SinksRaw, caddyconfig.JSONModuleObject(module, "sink", kind, nil))
	return nil
}

// sinkKinds are the sinks that this program has.
func sinkKinds() []string {
	var names []string
	for _, m := range caddy.GetModules(sinkNamespace) {
		names = append(names, m.ID.Name())
	}
	return names
}

// configuredSink is a sink of this configuration.
type configuredSink struct {
	name, kind string
	module     Sink
}

// provisionSinks loads the sinks' modules.
func (a *App) provisionSinks(ctx caddy.Context) error {
	if len(a.Log.SinksRaw) == 0 {
		return nil
	}
	loaded, err := ctx.LoadModule(&a.Log, "SinksRaw")
	if err != nil {
		return fmt.Errorf("loading the sinks of the log: %w", err)
	}
	list, ok := loaded.([]any)
	if !ok {
		return fmt.Errorf("the sinks of the log are %T", loaded)
	}
	for _, mod := range list {
		s, ok := mod.(Sink)
		if !ok {
			return fmt.Errorf("the sink %T is none", mod)
		}
		c := configuredSink{name: s.Common().Name, kind: s.CaddyModule().ID.Name(), module: s}
		if c.name == "" {
			c.name = c.kind
		}
		if !audit.ValidCursor(c.name) {
			return fmt.Errorf("sink %s: the name %q: it takes 1 to 32 small letters, digits, _ and -", c.kind, c.name)
		}
		if slices.ContainsFunc(a.sinks, func(other configuredSink) bool { return other.name == c.name }) {
			return fmt.Errorf("two sinks are named %s: give one a name of its own (name …)", c.name)
		}
		a.sinks = append(a.sinks, c)
	}
	return nil
}

// sinks are those of the services: what a reload keeps of them.
type sinks struct {
	mu  sync.Mutex
	all map[string]*heldSink
}

// heldSink is a sink over reloads. Whoever has its turn passes entries on: the next
// configuration waits until the last one has let go.
type heldSink struct {
	turn   chan struct{}
	status sink.Status
}

func (s *sinks) get(name string) *heldSink {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string]*heldSink{}
	}
	h := s.all[name]
	if h == nil {
		h = &heldSink{turn: make(chan struct{}, 1)}
		s.all[name] = h
	}
	return h
}

// take waits for the turn.
func (h *heldSink) take(ctx context.Context) error {
	select {
	case h.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *heldSink) release() { <-h.turn }

// startSinks begins to pass entries on, behind the log.
func (a *App) startSinks(s *Services) error {
	for _, c := range a.sinks {
		target, to, err := c.module.Target()
		if err != nil {
			return fmt.Errorf("sink %s: %w", c.name, err)
		}
		held := s.sinks.get(c.name)
		r := &sink.Runner{
			Name: c.name, To: c.kind + " " + to, Log: s.Log, Target: target, Status: &held.status,
			FromStart: c.module.Common().FromStart, Tell: a.sinkNews(c),
		}
		a.run(func(ctx context.Context) {
			if held.take(ctx) == nil {
				r.Run(ctx, held.release)
			}
		})
	}
	a.run(func(ctx context.Context) { a.forgetSinks(ctx, s) })
	return nil
}

// forgetEvery is how often it is tried to forget sinks that were removed, where that
// failed.
const forgetEvery = time.Minute

// forgetSinks forgets the cursors of sinks that this configuration doesn't have. The
// last one lets go of them when this one stands.
func (a *App) forgetSinks(ctx context.Context, s *Services) {
	for {
		err := a.forgetOnce(ctx, s)
		if err == nil || ctx.Err() != nil {
			return
		}
		a.logger.Warn("a sink that was removed can't be forgotten; it is tried again", zap.Error(err))
		select {
		case <-time.After(forgetEvery):
		case <-ctx.Done():
			return
		}
	}
}

func (a *App) forgetOnce(ctx context.Context, s *Services) error {
	cursors, err := s.Log.Cursors()
	if err != nil {
		return err
	}
	for name := range cursors {
		if slices.ContainsFunc(a.sinks, func(c configuredSink) bool { return c.name == name }) {
			continue
		}
		held := s.sinks.get(name)
		if err := held.take(ctx); err != nil {
			return err
		}
		err = errors.Join(err, s.forgetSink(ctx, name))
		held.release()
	}
	return err
}

// forgetSink writes down that a sink was removed, and how far it had come.
func (s *Services) forgetSink(ctx context.Context, name string) error {
	cursors, err := s.Log.Cursors()
	c, ok := cursors[name]
	if err != nil || !ok {
		return err
	}
	size, _ := s.Log.Head()
	detail := fmt.Sprintf("sink %s was removed: it had passed on all before entry %d, to %s", name, c.Next, c.To)
	if c.Next < size {
		detail += fmt.Sprintf("; %d were left", size-c.Next)
	}
	if l := c.Lost; l != nil {
		detail += fmt.Sprintf("; %d of those from %d to %d were destroyed before", l.Count, l.First, l.Last)
	}
	if _, err := s.Log.Append(ctx, &audit.Entry{Kind: audit.Control, Event: audit.SinkChange, Detail: detail}); err != nil {
		return err
	}
	return s.Log.ForgetCursor(name)
}

// sinkNews logs what a sink tells.
func (a *App) sinkNews(c configuredSink) func(sink.News) {
	logger := a.logger.With(zap.String("sink", c.name), zap.String("kind", c.kind))
	return func(n sink.News) {
		switch {
		case n.Lost.Count > 0:
			logger.Error("entries of the audit log were destroyed before the sink had passed them on",
				zap.Uint64("entries", n.Lost.Count), zap.Uint64("first", n.Lost.First), zap.Uint64("last", n.Lost.Last))
		case n.Err == nil:
			logger.Info("the sink passes entries on again", zap.Duration("after", n.For))
		case n.Alarm:
			logger.Error("the sink has passed nothing on for long; entries wait in the audit log",
				zap.String("reason", n.Reason), zap.Duration("for", n.For), zap.Error(n.Err))
		default:
			logger.Warn("the sink can't pass entries on; it tries again", zap.String("reason", n.Reason), zap.Error(n.Err))
		}
	}
}

// SinkState is how a sink does.
type SinkState struct {
	Name, Kind string
	sink.State
	// Lag is how many entries it has not passed on.
	Lag uint64
}

// sinkStates are those of this configuration's sinks.
func (a *App) sinkStates() []SinkState {
	s := a.opened.Load()
	if s == nil {
		return nil
	}
	size, _ := s.Log.Head()
	var all []SinkState
	for _, c := range a.sinks {
		state := SinkState{Name: c.name, Kind: c.kind, State: s.sinks.get(c.name).status.State(time.Now())}
		if state.Known {
			state.Lag = size - min(size, state.Next)
		}
		all = append(all, state)
	}
	return all
}

// SinkStates says how the log's sinks do, in the order of the configuration.
func (a *App) SinkStates() []SinkState { return a.sinkStates() }

// TrustedRoots are the certificates in a file (PEM); nil, which stands for those of
// the system, where none is named.
func TrustedRoots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("trust: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("trust: %s holds no certificate (PEM)", file)
	}
	return pool, nil
}

// BesideCaddyfile is a path that is taken from the Caddyfile's folder where it is a
// relative one: whole, since the gateway may run elsewhere than who adapts the file.
func BesideCaddyfile(d *caddyfile.Dispenser, path string) string {
	if path == "" || filepath.IsAbs(path) || strings.HasPrefix(path, "{") {
		return path
	}
	path = filepath.Join(filepath.Dir(d.File()), path)
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
