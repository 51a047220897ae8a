// Package crmgate is the Caddy app that all gates of a server share: it opens
// the keys, the session store and the audit log, hands them to the gates, and
// refuses to start when a way leads around a gate.
package crmgate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/session"
)

func init() { caddy.RegisterModule(App{}) }

// App holds what the gates of a server share. Everything has a safe default:
// without a word of configuration it lives in Caddy's data directory. In JSON it
// is the app `crmgate`, in the Caddyfile the global option of the same name:
//
//	{
//	    crmgate {
//	        data_dir <path>
//	        store    <module> [<options>]
//	        keys     <module> [<options>]
//	        register { … }  # see UnmarshalRegister
//	        log {
//	            node        <name>
//	            segment_mib <number>
//	            local
//	            retain      [access|employee|gateway] <number> months
//	            witness     <url> <key>
//	            witnesses   at_least <number>
//	            anchor      syslog|rfc3161 <address>
//	            sink        <module> [<options>]
//	        }
//	    }
//	}
type App struct {
	// DataDir is the directory for keys, sessions and the audit log. Default:
	// `crmgate` in Caddy's data directory.
	DataDir string `json:"data_dir,omitempty"`
	// StoreRaw is the session store, a module of `crmgate.stores`. Default:
	// SQLite in the data directory.
	StoreRaw json.RawMessage `json:"store,omitempty" caddy:"namespace=crmgate.stores inline_key=module"`
	// KeysRaw is where the master keys are, a module of `crmgate.keys`. Default: a
	// file in the data directory.
	KeysRaw json.RawMessage `json:"keys,omitempty" caddy:"namespace=crmgate.keys inline_key=source"`
	// Log configures the audit log.
	Log LogConfig `json:"log,omitzero"`
	// Details are what the register of processing says of all sites. A site's own go
	// before them.
	Details *RegisterConfig `json:"register,omitempty"`
	// Upgrade is where `crmgate upgrade` finds newer versions. Default: nowhere, it does
	// nothing.
	Upgrade *UpgradeConfig `json:"upgrade,omitempty"`

	ctx    caddy.Context
	logger *zap.Logger
	opener session.Opener
	// storeText is StoreRaw as it was before its module was loaded, which empties it.
	storeText string
	// keyModule is nil for the default.
	keyModule KeySource
	gates     []Gate
	sinks     []configuredSink
	metrics   *Metrics
	held      string // the key of the services in the pool, "" while not started
	// opened are the services while this configuration holds them.
	opened *atomic.Pointer[Services]
	// run runs what goes on in the background until quit.
	run        func(func(context.Context))
	quit       context.CancelFunc
	background *sync.WaitGroup
}

// LogConfig configures the audit log.
type LogConfig struct {
	// Node names this writer in receipts (the header Audit-Id). Default: a
	// random name, made once.
	Node string `json:"node,omitempty"`
	// SegmentMiB is the size of the log's files in MiB. Default 64.
	SegmentMiB int `json:"segment_mib,omitempty"`
	// Local keeps the log in the data directory where the session store would
	// keep it: a node goes on logging to its own disk, and each node's log is read
	// on that node alone.
	Local bool `json:"local,omitempty"`
	// Retain is for how long entries are kept. Default: for good.
	Retain RetainConfig `json:"retain,omitzero"`
	// Witnesses countersign the log's checkpoints, once a minute.
	Witnesses []WitnessConfig `json:"witnesses,omitempty"`
	// AtLeast is how many of them have to, for a checkpoint to be kept as witnessed.
	// Default: one.
	AtLeast int `json:"witnesses_at_least,omitempty"`
	// Anchors are where checkpoints are made known.
	Anchors []AnchorConfig `json:"anchors,omitempty"`
	// SinksRaw are where entries are passed on to, modules of `crmgate.sinks`.
	// Default: nowhere.
	SinksRaw []json.RawMessage `json:"sinks,omitempty" caddy:"namespace=crmgate.sinks inline_key=sink"`
}

// Gate is a gate as the app sees it.
type Gate interface {
	// Start hands the gate what it shares with the others. It is called once,
	// before the gate serves.
	Start(s *Services) error
	// Exceptions are the named ones that the administrator made for this gate.
	Exceptions() Exceptions
	// Describe names the gate for logs: its site's profile and policy.
	Describe() string
}

// Exceptions are the lines that open something, each with a reason.
type Exceptions struct {
	// Ungated lets other proxies of the host stand outside the gate.
	Ungated string
	// PlainHTTP lets the site be served without TLS.
	PlainHTTP string
	// ClearUpstream lets the CRM be reached in clear text over a network, or
	// without checking its certificate.
	ClearUpstream string
	// Certificates says that machines sign in by a client certificate, exempt
	// from the second factor: the server has to verify certificates then.
	Certificates bool
}

// Services are what the app opens.
type Services struct {
	Ring  *keys.Ring
	Log   *audit.Log
	Store session.Store

	dir    string
	closer io.Closer
	place  *LogPlace
	root   root
	index  *audit.Index
	others others
	// failing says that the index couldn't be written the last time.
	failing atomic.Bool
	// retaining says that what is due couldn't be destroyed the last time.
	retaining atomic.Bool
	// unconfirmed says that the log was restored and nobody has answered for its
	// holds since; at the start, that it was restored.
	unconfirmed atomic.Bool
	// indexed is how many entries the index has taken.
	indexed atomic.Uint64
	growth  growth
	// attest are those who vouch for the log, as the last configuration names them.
	attest atomic.Pointer[attesting]
	sinks  sinks
	// store is the configuration that Store was opened with.
	store string
	// traffic is what was shown, for the register.
	traffic traffics
}

// CheckpointDir is where a data directory keeps the log's checkpoints: beside the
// log, so that it can be a disk of its own, or a link to one.
func CheckpointDir(dataDir string) string { return filepath.Join(dataDir, "checkpoints") }

// Dir is the data directory.
func (s *Services) Dir() string { return s.dir }

// CaddyModule returns the module's information.
func (App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "crmgate", New: func() caddy.Module { return new(App) }}
}

// Provision loads the store's module. It opens nothing: `caddy validate`
// provisions too.
func (a *App) Provision(ctx caddy.Context) error {
	a.ctx, a.logger = ctx, ctx.Logger()
	running, quit := context.WithCancel(ctx)
	a.background = new(sync.WaitGroup)
	a.quit, a.run = quit, func(f func(context.Context)) { a.background.Go(func() { f(running) }) }
	if a.DataDir == "" {
		a.DataDir = filepath.Join(caddy.AppDataDir(), "crmgate")
	}
	err := errors.Join(a.Log.Retain.check(), a.Log.checkAttesting(), a.Upgrade.check())
	if err != nil {
		return err
	}
	if a.DataDir, err = caddy.NewReplacer().ReplaceOrErr(a.DataDir, true, true); err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	if a.StoreRaw == nil {
		a.StoreRaw = json.RawMessage(`{"module":"sqlite"}`)
	}
	if a.storeText, err = plainText(a.StoreRaw); err != nil {
		return fmt.Errorf("reading the session store's configuration: %w", err)
	}
	mod, err := ctx.LoadModule(a, "StoreRaw")
	if err != nil {
		return fmt.Errorf("loading the session store: %w", err)
	}
	opener, ok := mod.(session.Opener)
	if !ok {
		return fmt.Errorf("the session store %T is no store", mod)
	}
	a.opener = opener
	if err := a.loadKeySource(ctx); err != nil {
		return err
	}
	if err := a.provisionSinks(ctx); err != nil {
		return err
	}
	if err := a.checkRegister(); err != nil {
		return err
	}
	if a.metrics, err = newMetrics(ctx.GetMetricsRegistry(), a.active); err != nil {
		return err
	}
	a.opened = new(atomic.Pointer[Services])
	if err := ctx.GetMetricsRegistry().Register(newLogMetrics(a.opened.Load)); err != nil {
		return fmt.Errorf("registering the metrics of the log: %w", err)
	}
	if err := ctx.GetMetricsRegistry().Register(newSinkMetrics(a.sinkStates)); err != nil {
		return fmt.Errorf("registering the metrics of the sinks: %w", err)
	}
	return nil
}

func (a *App) loadKeySource(ctx caddy.Context) error {
	if a.KeysRaw == nil {
		return nil
	}
	mod, err := ctx.LoadModule(a, "KeysRaw")
	if err != nil {
		return fmt.Errorf("loading the source of the master keys: %w", err)
	}
	source, ok := mod.(KeySource)
	if !ok {
		return fmt.Errorf("the source of the master keys %T is none", mod)
	}
	a.keyModule = source
	return nil
}

// Register adds a gate. Gates call it while they are provisioned.
func (a *App) Register(g Gate) { a.gates = append(a.gates, g) }

// services is a pool so that a reload keeps the log, its lock and the store.
var services = caddy.NewUsagePool()

// Destruct closes what was opened when the last configuration lets go of it.
func (s *Services) Destruct() error {
	return errors.Join(s.index.Close(), s.others.close(), s.Log.Close(), s.letGoOfRoot(), s.place.Close(), s.closer.Close())
}

// Start opens keys, store and log, checks that no way leads around a gate, and
// hands the services to the gates.
func (a *App) Start() error {
	if err := a.check(); err != nil {
		return err
	}
	got, reloaded, err := services.LoadOrNew(a.DataDir, func() (caddy.Destructor, error) { return a.open() })
	if err != nil {
		return err
	}
	a.held = a.DataDir
	s, ok := got.(*Services)
	if !ok {
		return fmt.Errorf("services of %s are %T", a.DataDir, got)
	}
	if err := s.adopt(a, reloaded); err != nil {
		return errors.Join(err, a.release())
	}
	a.opened.Store(s)
	a.run(func(ctx context.Context) { s.confirmed(ctx, a.logger, true) })
	if err := a.startSinks(s); err != nil {
		return errors.Join(err, a.release())
	}
	a.Every(growthEvery, s.measure)
	a.sweepDocs(s)
	a.Every(retainEvery, func(ctx context.Context) { s.retain(ctx, a.Log.Retain.Months(), a.logger) })
	a.Every(indexEvery, func(ctx context.Context) { s.follow(ctx, a.logger) })
	a.watchTransfers()
	if err := a.startAttesting(s); err != nil {
		return errors.Join(err, a.release())
	}
	a.run(func(ctx context.Context) { s.gather(ctx, a.logger) })
	a.Every(rootEvery, func(ctx context.Context) { s.gather(ctx, a.logger) })
	for _, g := range a.gates {
		if err := g.Start(s); err != nil {
			return errors.Join(err, a.release())
		}
		t := a.ToRegister(g)
		a.logger.Info("gate is open", zap.String("gate", g.Describe()), zap.String("data", a.DataDir),
			zap.Strings("register_redirect_uri", t.Redirect), zap.Strings("register_signed_out_uri", t.SignedOut),
			zap.Strings("register_backchannel_logout_uri", t.BackChannel))
	}
	if err := s.startRegister(a); err != nil {
		return errors.Join(err, a.release())
	}
	return nil
}

func (a *App) open() (*Services, error) {
	src, err := a.KeySource()
	if err != nil {
		return nil, err
	}
	ring, err := OpenKeys(context.Background(), a.DataDir, src, true)
	if err != nil {
		return nil, err
	}
	store, closer, err := a.opener.OpenStore(context.Background(), a.DataDir)
	if err != nil {
		return nil, fmt.Errorf("opening the session store: %w", err)
	}
	place, err := PlaceLog(context.Background(), a.DataDir, a.Log, a.opener)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the audit log: %w", err), closer.Close())
	}
	log, err := audit.Open(context.Background(), place.Dir, ring, place.Options())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the audit log: %w", err), place.Close(), closer.Close())
	}
	s := &Services{
		Ring: ring, Log: log, Store: store, dir: a.DataDir, closer: closer, store: a.storeText,
		place: place, index: place.Index(place.Node, ring),
	}
	restored, err := log.Restored()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the audit log: %w", err), s.Destruct())
	}
	s.unconfirmed.Store(restored)
	return s, nil
}

// Every runs f every so often until the app stops. Gates use it for what goes on
// without a request. The context that f gets ends then, and f is waited for
// before the store and the log are closed.
func (a *App) Every(d time.Duration, f func(context.Context)) {
	a.run(func(ctx context.Context) {
		tick := time.NewTicker(d)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				f(ctx)
			}
		}
	})
}

// Stop lets go of the services; the last configuration that does closes them.
func (a *App) Stop() error { return a.release() }

// Cleanup lets go of the services of a configuration that failed to start.
func (a *App) Cleanup() error { return a.release() }

func (a *App) release() error {
	if a.quit != nil { // nil: never provisioned
		a.quit()
		a.background.Wait()
	}
	if a.held == "" {
		return nil
	}
	key := a.held
	a.held = ""
	a.opened.Store(nil)
	_, err := services.Delete(key)
	return err
}

// httpApp returns the HTTP app, nil where the configuration has none.
func (a *App) httpApp() *caddyhttp.App {
	mod, err := a.ctx.AppIfConfigured("http")
	if err != nil {
		return nil
	}
	app, ok := mod.(*caddyhttp.App)
	if !ok {
		return nil
	}
	return app
}

var (
	_ caddy.Module       = (*App)(nil)
	_ caddy.App          = (*App)(nil)
	_ caddy.Provisioner  = (*App)(nil)
	_ caddy.CleanerUpper = (*App)(nil)
)
