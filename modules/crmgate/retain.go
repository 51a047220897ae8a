package crmgate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/audit"
)

// RetainConfig says for how many whole months the log's entries are kept, by kind.
// 0 is for good.
type RetainConfig struct {
	// Access is for intents, disclosures, and looks into the log.
	Access int `json:"access,omitempty"`
	// Employee is for sign-ins, sign-outs and second factors: they hold names.
	Employee int `json:"employee,omitempty"`
	// Gateway is for what the gateway and its administrators do.
	Gateway int `json:"gateway,omitempty"`
}

// maxMonths is the longest retention: a hundred years.
const maxMonths = 1200

// Months are those of the kinds.
func (c RetainConfig) Months() audit.Retention { return audit.Retention(c) }

func (c RetainConfig) check() error {
	for _, n := range []int{c.Access, c.Employee, c.Gateway} {
		if n < 0 || n > maxMonths {
			return fmt.Errorf("retain: %d months: it takes 1 to %d, or 0 to keep for good", n, maxMonths)
		}
	}
	return nil
}

// retaining are the lines `retain` of a block: for all kinds, and for each.
type retaining map[audit.Class]int

// unmarshal reads `retain [access|employee|gateway] <number> months`.
func (r retaining) unmarshal(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	kind := audit.Class("")
	if len(args) == 3 {
		kind, args = audit.Class(args[0]), args[1:]
		if !kind.Valid() {
			return UnknownWord(d, string(kind), kinds()...)
		}
	}
	if len(args) != 2 || args[1] != "months" && args[1] != "month" {
		return d.Err("retain takes a number of months, for all kinds or for one: retain 36 months, retain employee 12 months")
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 1 || n > maxMonths {
		return d.Errf("%q is no number of months from 1 to %d: write retain 36 months", args[0], maxMonths)
	}
	if _, twice := r[kind]; twice {
		return d.Err("retain stands once for each kind")
	}
	r[kind] = n
	return nil
}

// config is what the lines say: the one for a kind goes before the one for all.
func (r retaining) config() RetainConfig {
	of := func(c audit.Class) int {
		if n, ok := r[c]; ok {
			return n
		}
		return r[""]
	}
	return RetainConfig{Access: of(audit.ClassAccess), Employee: of(audit.ClassEmployee), Gateway: of(audit.ClassGateway)}
}

func kinds() []string {
	names := make([]string, 0, len(audit.Classes()))
	for _, c := range audit.Classes() {
		names = append(names, string(c))
	}
	return names
}

// retainEvery is how often it is looked whether a month is due.
const retainEvery = 10 * time.Minute

// confirmed looks whether the log was restored and nobody has answered for its holds:
// nothing is destroyed then. It is said at each load, and again when it ends.
func (s *Services) confirmed(ctx context.Context, logger *zap.Logger, loading bool) {
	u, err := s.Log.Unconfirmed(ctx)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		logger.Error("whether the holds of the audit log are confirmed can't be read", zap.Error(err))
		return
	case u != nil && (loading || !s.unconfirmed.Load()):
		logger.Warn(audit.ErrUnconfirmed.Error(), zap.Uint64("entry", u.Entry), zap.Time("restored", u.Since), zap.String("from", u.Joint.String()))
	case u == nil && s.unconfirmed.Load():
		logger.Info("the holds of the restored audit log are confirmed")
	}
	s.unconfirmed.Store(u != nil)
}

// retain destroys what is due: in this gateway's log and, where a database has several,
// in those of nodes that are gone, and in the one over all if this process writes it. That
// it can't is said once, and again when it can.
func (s *Services) retain(ctx context.Context, r audit.Retention, logger *zap.Logger) {
	s.confirmed(ctx, logger, false)
	how := audit.Retaining{Retention: r, By: "the gateway", Index: s.index}
	gone, err := s.Log.Retain(ctx, how)
	told := func(node string, gone []*audit.Destroyed) {
		for _, d := range gone {
			logger.Info("a month of the audit log was destroyed", zap.String("node", node), zap.String("month", d.Month), zap.String("kind", string(d.Class)), zap.Uint64("entry", d.Entry))
		}
	}
	told(s.Log.Node(), gone)
	if s.place.Database != nil && ctx.Err() == nil {
		byNode, e := s.retainOthers(ctx, how)
		for node, gone := range byNode {
			told(node, gone)
		}
		err = errors.Join(err, e, s.refresh(ctx))
	}
	if ctx.Err() != nil {
		return
	}
	failing := err != nil
	if s.retaining.Swap(failing) != failing && failing {
		logger.Error("months of the audit log that are due can't be destroyed; it is tried again", zap.Error(err))
	}
}

// retainOthers destroys what is due in the logs that no node of their own cares for.
func (s *Services) retainOthers(ctx context.Context, how audit.Retaining) (map[string][]*audit.Destroyed, error) {
	byNode := map[string][]*audit.Destroyed{}
	how.Index = nil
	s.root.mu.Lock()
	var err error
	if s.root.log != nil {
		byNode[audit.RootNode], err = s.root.log.Retain(ctx, how)
	}
	s.root.mu.Unlock()
	if how.Retention == (audit.Retention{}) {
		return byNode, err
	}
	how.By = "node " + s.place.Node + ", because its own is gone"
	all, e := audit.GoneNodes(ctx, s.place.Database, s.Log)
	err = errors.Join(err, e)
	for _, g := range all {
		gone, e := g.Retain(ctx, how)
		if byNode[g.Node()] = gone; e != nil && !errors.Is(e, audit.ErrLocked) {
			err = errors.Join(err, fmt.Errorf("node %s: %w", g.Node(), e))
		}
	}
	return byNode, err
}

// refresh takes out of the indexes of other nodes' logs that are here what was destroyed.
func (s *Services) refresh(ctx context.Context) error {
	logs, err := s.Logs(ctx)
	for _, n := range logs {
		if _, e := os.Stat(filepath.Join(IndexDir(s.dir), n.Node)); e == nil && !n.Own {
			err = errors.Join(err, n.index.Refresh(ctx))
		}
	}
	return err
}

// KeepingPath is the route by which a command sees what the log keeps, has it
// destroy what is due, and holds months.
const KeepingPath = "/crmgate/audit/keeping"

// KeepingAsked is what a command asks.
type KeepingAsked struct {
	// DataDir is the directory that is meant.
	DataDir string `json:"data_dir"`
	UID     int    `json:"uid"`
	// Today has what is due destroyed: the date as a person gives it.
	Today string `json:"today,omitempty"`
	// Hold begins a hold, Release ends the one of that entry, of this node or another.
	Hold    *audit.Hold `json:"hold,omitempty"`
	Release *uint64     `json:"release,omitempty"`
	Node    string      `json:"node,omitempty"`
	Reason  string      `json:"reason,omitempty"`
	// Confirm says that the holds which stand are those that have to, after a
	// restoration.
	Confirm bool `json:"confirm,omitempty"`
}

// KeepingAnswer is what a command is answered.
type KeepingAnswer struct {
	// Retention is the configured one.
	Retention audit.Retention    `json:"retention"`
	Kept      []audit.Kept       `json:"kept"`
	Holds     []audit.Standing   `json:"holds"`
	Destroyed []*audit.Destroyed `json:"destroyed,omitempty"`
	// Unconfirmed is the restoration after which nothing is destroyed until somebody
	// has confirmed the holds.
	Unconfirmed *audit.Unconfirmed `json:"unconfirmed,omitempty"`
	// Entry is the Audit-Id of the hold, release or confirmation.
	Entry string `json:"entry,omitempty"`
}

func (q *KeepingAsked) check() error {
	if q.Node != "" && !audit.IsNode(q.Node) {
		return errors.New("a node is named by letters, digits, dots and hyphens")
	}
	if q.Hold != nil {
		return q.Hold.Check()
	}
	return nil
}

// Do does what was asked in an open log. Where nothing is due, or nothing was asked,
// it tells what is kept until when. place names the logs of other nodes beside it.
func (q *KeepingAsked) Do(ctx context.Context, log *audit.Log, place *LogPlace, ix *audit.Index, r audit.Retention) (*KeepingAnswer, error) {
	a := &KeepingAnswer{Retention: r, Kept: []audit.Kept{}, Holds: []audit.Standing{}}
	by := fmt.Sprintf("uid %d", q.UID)
	var rec audit.Receipt
	var err error
	switch {
	case q.Hold != nil:
		rec, err = log.Hold(ctx, *q.Hold, by)
	case q.Release != nil:
		rec, err = log.Release(ctx, q.Node, *q.Release, q.Reason, by)
	case q.Confirm:
		rec, err = log.Confirm(ctx, q.Reason, by)
	case q.Today != "" && r == (audit.Retention{}):
		err = errors.New("no retention is configured: write `retain 36 months` into the block log of the global option crmgate")
	case q.Today != "":
		a.Destroyed, err = retainNow(ctx, log, place, audit.Retaining{Retention: r, By: by, Today: q.Today, Index: ix})
	}
	if err != nil {
		return nil, err
	}
	if rec.Node != "" {
		a.Entry = rec.String()
	}
	if a.Kept, err = log.Keeping(ctx, r); err != nil {
		return nil, err
	}
	if err := a.others(ctx, log, place); err != nil {
		return nil, err
	}
	holds, err := log.Holds(ctx)
	if err != nil {
		return nil, err
	}
	a.Holds = append(a.Holds, holds...)
	a.Unconfirmed, err = log.Unconfirmed(ctx)
	return a, err
}

// retainNow destroys what is due in a log, and in those of nodes that are gone.
func retainNow(ctx context.Context, log *audit.Log, place *LogPlace, how audit.Retaining) ([]*audit.Destroyed, error) {
	all, err := log.Retain(ctx, how)
	if err != nil || place.Database == nil {
		return all, err
	}
	gone, err := audit.GoneNodes(ctx, place.Database, log)
	for _, g := range gone {
		more, e := g.Retain(ctx, how)
		if all = append(all, more...); e != nil && !errors.Is(e, audit.ErrLocked) {
			err = errors.Join(err, fmt.Errorf("node %s: %w", g.Node(), e))
		}
	}
	return all, err
}

// others adds what the logs of other nodes keep.
func (a *KeepingAnswer) others(ctx context.Context, log *audit.Log, place *LogPlace) error {
	if place.Database == nil {
		return nil
	}
	for i := range a.Kept {
		a.Kept[i].Node = place.Node
	}
	nodes, err := place.Logs(ctx)
	if err != nil {
		return err
	}
	for _, node := range nodes {
		if node == place.Node {
			continue
		}
		kept, err := log.KeepingOf(ctx, node, a.Retention)
		if err != nil {
			return err
		}
		a.Kept = append(a.Kept, kept...)
	}
	return nil
}

// adminKeeping answers a command.
func adminKeeping(w http.ResponseWriter, r *http.Request) error {
	var q KeepingAsked
	app, err := readAsked(w, r, &q, &q.DataDir, q.check)
	if err != nil {
		return err
	}
	answer, err := app.answerKeeping(context.WithoutCancel(r.Context()), &q)
	if errors.Is(err, audit.ErrHold) || errors.Is(err, audit.ErrDate) || errors.Is(err, audit.ErrUnconfirmed) {
		return caddy.APIError{HTTPStatus: http.StatusConflict, Err: err}
	}
	return sendAnswer(w, "keeping", answer, err)
}

func (a *App) answerKeeping(ctx context.Context, q *KeepingAsked) (answer *KeepingAnswer, err error) {
	s, release, err := a.hold()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	rooted := false
	if q.Confirm {
		if rooted, err = s.confirmRoot(ctx, q.Reason, fmt.Sprintf("uid %d", q.UID)); err != nil {
			return nil, err
		}
	}
	answer, err = q.Do(ctx, s.Log, s.place, s.index, a.Log.Retain.Months())
	if rooted && errors.Is(err, audit.ErrHold) {
		// The node's own were confirmed before this process wrote the log over all.
		looks := *q
		looks.Confirm = false
		answer, err = looks.Do(ctx, s.Log, s.place, s.index, a.Log.Retain.Months())
	}
	if err != nil {
		return nil, err
	}
	s.unconfirmed.Store(answer.Unconfirmed != nil)
	return answer, nil
}

// confirmRoot says the same in the log over all nodes where this process writes it: it
// was put back with its database, and nobody asks for it by name.
func (s *Services) confirmRoot(ctx context.Context, reason, by string) (done bool, err error) {
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	if s.root.log == nil {
		return false, nil
	}
	return s.root.log.Confirm(ctx, reason, by)
}
