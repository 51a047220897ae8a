package crmgate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2"

	"github.com/crmgate/crmgate/internal/audit"
)

func init() { caddy.RegisterModule(Admin{}) }

// LookPath is the route by which a command that reads the log has its look
// written down by the gateway that holds the log's lock.
const LookPath = "/crmgate/audit/look"

// Admin adds the product's routes to Caddy's admin API.
type Admin struct{}

// CaddyModule returns the module's information.
func (Admin) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "admin.api.crmgate", New: func() caddy.Module { return new(Admin) }}
}

// Routes are the routes.
func (*Admin) Routes() []caddy.AdminRoute {
	return []caddy.AdminRoute{
		{Pattern: LookPath, Handler: caddy.AdminHandlerFunc(noteLook)},
		{Pattern: KeepingPath, Handler: caddy.AdminHandlerFunc(adminKeeping)},
		{Pattern: ReportPath, Handler: caddy.AdminHandlerFunc(adminReport)},
		{Pattern: SessionsPath, Handler: caddy.AdminHandlerFunc(adminSessions)},
		{Pattern: FactorsPath, Handler: caddy.AdminHandlerFunc(adminFactors)},
		{Pattern: ConsentsPath, Handler: caddy.AdminHandlerFunc(adminConsents)},
		{Pattern: VersionPath, Handler: caddy.AdminHandlerFunc(adminVersion)},
	}
}

// Look is somebody's look into the log. It names what was searched for the way
// the log itself does: employees by their pseudonyms, records by type and id.
type Look struct {
	// DataDir is the directory that is read: another gateway must not take the
	// look for its own.
	DataDir   string   `json:"data_dir"`
	UID       int      `json:"uid"`
	Record    string   `json:"record,omitempty"`
	Employees []string `json:"employees,omitempty"`
	// Changed is a field whose changes are looked for, Value says that it is those from or
	// to a value, which isn't told.
	Changed string `json:"changed,omitempty"`
	Value   bool   `json:"value,omitempty"`

	Since *time.Time `json:"since,omitempty"`
	Until *time.Time `json:"until,omitempty"`
	Kind  audit.Kind `json:"kind,omitempty"`
	// Node is the one whose log is looked at, "" for all that are there.
	Node string `json:"node,omitempty"`
	// Export says that the whole log is written out, Keys that its data keys are, or,
	// with the format proofs, those of the entries that match.
	Export bool `json:"export,omitempty"`
	Keys   bool `json:"keys,omitempty"`
	// Format says that an export is of the entries that match, and in which form:
	// ocsf, csv or proofs.
	Format string `json:"format,omitempty"`
	// Backup says that the log is backed up.
	Backup bool `json:"backup,omitempty"`
}

// maxRecord is the longest type/id that is written down.
const maxRecord = 500

// isField reports whether a text can be the name of a field.
func isField(s string) bool {
	return len(s) <= maxRecord && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// change says which changes are looked for.
func (l *Look) change() (said []string, err error) {
	if l.Changed != "" {
		if !isField(l.Changed) {
			return nil, errors.New("a field is named as the CRM does, in one line")
		}
		said = append(said, fmt.Sprintf("changed %q", l.Changed))
	}
	if l.Value {
		said = append(said, "by a value")
	}
	return said, nil
}

// Entry is what is written down before anything is shown.
func (l *Look) Entry() (*audit.Entry, error) {
	if l.Node != "" && !audit.IsNode(l.Node) {
		return nil, errors.New("a node is named by letters, digits, dots and hyphens")
	}
	if l.Export && l.Format == "" {
		return &audit.Entry{Kind: audit.Control, Event: audit.Exported, Detail: l.exported()}, nil
	}
	if l.Backup {
		return &audit.Entry{Kind: audit.Control, Event: audit.BackedUp, Detail: fmt.Sprintf("audit backup by uid %d", l.UID)}, nil
	}
	event, what, err := l.event()
	if err != nil {
		return nil, err
	}
	said := []string{what}
	if l.Record != "" {
		if !strings.Contains(l.Record, "/") || len(l.Record) > maxRecord {
			return nil, errors.New("a record is named as type/id: contact/1001")
		}
		said = append(said, fmt.Sprintf("record %q", l.Record))
	}
	change, err := l.change()
	if err != nil {
		return nil, err
	}
	said = append(said, change...)
	for _, e := range l.Employees {
		if !strings.HasPrefix(e, "e-") || strings.ContainsAny(e, " @") {
			return nil, errors.New("an employee is written down by pseudonym only")
		}
		said = append(said, "employee "+e)
	}
	if l.Since != nil {
		said = append(said, "since "+l.Since.UTC().Format(time.RFC3339))
	}
	if l.Until != nil {
		said = append(said, "until "+l.Until.UTC().Format(time.RFC3339))
	}
	if l.Kind != "" {
		said = append(said, "kind "+string(l.Kind))
	}
	if l.Node != "" {
		said = append(said, "node "+l.Node)
	}
	if len(said) == 1 {
		said = append(said, "everything")
	}
	return &audit.Entry{Kind: audit.Control, Event: event, Detail: strings.Join(said, " ")}, nil
}

// event says what kind of look at entries it is.
func (l *Look) event() (audit.Event, string, error) {
	switch l.Format {
	case "":
		return audit.Searched, fmt.Sprintf("audit search by uid %d:", l.UID), nil
	case "ocsf", "csv":
		return audit.Exported, fmt.Sprintf("audit export by uid %d, as %s:", l.UID, l.Format), nil
	case "proofs":
		return audit.Exported, fmt.Sprintf("audit export by uid %d, with proofs, %s:", l.UID, l.withKeys()), nil
	}
	return "", "", errors.New("there are the formats ocsf, csv and proofs")
}

// exported is what the entry of an export says.
func (l *Look) exported() string {
	log := "the whole log"
	if l.Node != "" {
		log += " of node " + l.Node
	}
	return fmt.Sprintf("audit export by uid %d: %s, %s", l.UID, log, l.withKeys())
}

func (l *Look) withKeys() string {
	if l.Keys {
		return "with data keys"
	}
	return "without data keys"
}

// noteLook writes a look down and answers when it is durable.
func noteLook(w http.ResponseWriter, r *http.Request) error {
	var l Look
	var e *audit.Entry
	app, err := readAsked(w, r, &l, &l.DataDir, func() (err error) {
		e, err = l.Entry()
		return err
	})
	if err != nil {
		return err
	}
	rec, err := app.append(r.Context(), e)
	if err != nil {
		return caddy.APIError{HTTPStatus: http.StatusServiceUnavailable, Err: err}
	}
	w.Header().Set("Audit-Id", rec.String())
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// maxAsked bounds what a command asks, in bytes.
const maxAsked = 1 << 20

// readAsked reads what a command asks, and returns the app that is meant: the one
// whose data directory dir names once it is read.
func readAsked(w http.ResponseWriter, r *http.Request, into any, dir *string, check func() error) (*App, error) {
	if r.Method != http.MethodPost {
		return nil, caddy.APIError{HTTPStatus: http.StatusMethodNotAllowed, Err: errors.New("POST what is asked")}
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAsked))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		err = check()
	}
	if err != nil {
		return nil, caddy.APIError{HTTPStatus: http.StatusBadRequest, Err: fmt.Errorf("reading what is asked: %w", err)}
	}
	app, err := running()
	if err != nil {
		return nil, caddy.APIError{HTTPStatus: http.StatusNotFound, Err: err}
	}
	if !sameDir(app.DataDir, *dir) {
		return nil, caddy.APIError{HTTPStatus: http.StatusConflict, Err: fmt.Errorf("this gateway's data directory is %s", app.DataDir)}
	}
	return app, nil
}

// sendAnswer sends the answer to what a command asked.
func sendAnswer(w http.ResponseWriter, name string, answer any, err error) error {
	if err != nil {
		return caddy.APIError{HTTPStatus: http.StatusServiceUnavailable, Err: err}
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(map[string]any{name: answer})
}

// running is the app of the running configuration.
func running() (*App, error) {
	mod, err := caddy.ActiveContext().AppIfConfigured("crmgate")
	if err != nil {
		return nil, fmt.Errorf("no gateway runs here: %w", err)
	}
	app, ok := mod.(*App)
	if !ok {
		return nil, fmt.Errorf("the app crmgate is %T", mod)
	}
	return app, nil
}

// append writes an entry while it holds the services: a reload can't close the
// log under it.
func (a *App) append(ctx context.Context, e *audit.Entry) (rec audit.Receipt, err error) {
	s, release, err := a.hold()
	if err != nil {
		return rec, err
	}
	defer func() { err = errors.Join(err, release()) }()
	return s.Log.Append(ctx, e)
}

// sameDir reports whether two paths name one directory.
func sameDir(a, b string) bool {
	x, errA := os.Stat(a)
	y, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(x, y)
}

var (
	_ caddy.Module      = (*Admin)(nil)
	_ caddy.AdminRouter = (*Admin)(nil)
)
