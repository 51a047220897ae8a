package ocsf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strconv"

	"github.com/crmgate/crmgate/internal/audit"
)

// Version is that of the OCSF schema whose events are written.
const Version = "1.7.0"

// The classes of events.
const (
	classWebResources   = 6001
	classAPI            = 6003
	classAuthentication = 3002
)

// Activities of the classes.
const (
	activityCreate  = 1
	activityRead    = 2
	activityUpdate  = 3
	activityDelete  = 4
	activitySearch  = 5
	activityExport  = 7
	activityLogon   = 1
	activityLogoff  = 2
	activityRenewal = 5
	activityOther   = 99
)

// Severities, and what became of it.
const (
	severityInformational = 1
	severityLow           = 2
	severityMedium        = 3
	severityHigh          = 4

	statusSuccess = 1
	statusFailure = 2
	statusOther   = 99

	actionAllowed  = 1
	actionDenied   = 2
	actionObserved = 3
	actionModified = 4

	dispositionAllowed  = 1
	dispositionBlocked  = 2
	dispositionDetected = 15
	dispositionLogged   = 17
)

// event is one entry as an OCSF event. Its id, metadata.uid, is the entry's Audit-Id:
// whoever gets an entry twice knows it by that.
type event struct {
	ActivityID    int            `json:"activity_id"`
	ActivityName  string         `json:"activity_name,omitempty"`
	CategoryUID   int            `json:"category_uid"`
	ClassUID      int            `json:"class_uid"`
	ClassName     string         `json:"class_name"`
	TypeUID       int            `json:"type_uid"`
	Time          int64          `json:"time"`
	SeverityID    int            `json:"severity_id"`
	StatusID      int            `json:"status_id"`
	StatusCode    string         `json:"status_code,omitempty"`
	StatusDetail  string         `json:"status_detail,omitempty"`
	Message       string         `json:"message,omitempty"`
	Duration      int64          `json:"duration,omitempty"`
	Metadata      metadata       `json:"metadata"`
	ActionID      int            `json:"action_id,omitempty"`
	DispositionID int            `json:"disposition_id,omitempty"`
	Policy        *policy        `json:"policy,omitempty"`
	Actor         *actor         `json:"actor,omitempty"`
	User          *user          `json:"user,omitempty"`
	Session       *session       `json:"session,omitempty"`
	Service       *named         `json:"service,omitempty"`
	API           *api           `json:"api,omitempty"`
	Source        *endpoint      `json:"src_endpoint,omitempty"`
	Destination   *endpoint      `json:"dst_endpoint,omitempty"`
	Request       *httpRequest   `json:"http_request,omitempty"`
	Response      *httpResponse  `json:"http_response,omitempty"`
	IsMFA         *bool          `json:"is_mfa,omitempty"`
	WebResources  []webResource  `json:"web_resources,omitempty"`
	Unmapped      map[string]any `json:"unmapped,omitempty"`
}

type metadata struct {
	Version     string   `json:"version"`
	Product     product  `json:"product"`
	Profiles    []string `json:"profiles"`
	UID         string   `json:"uid"`
	Sequence    uint64   `json:"sequence"`
	Correlation string   `json:"correlation_uid,omitempty"`
	EventCode   string   `json:"event_code"`
	LogName     string   `json:"log_name"`
	LogProvider string   `json:"log_provider"`
}

type product struct {
	Name   string `json:"name"`
	Vendor string `json:"vendor_name"`
}

type policy struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	Desc    string `json:"desc,omitempty"`
}

type actor struct {
	User    *user    `json:"user,omitempty"`
	Session *session `json:"session,omitempty"`
	AppName string   `json:"app_name,omitempty"`
}

type user struct {
	UID    string  `json:"uid,omitempty"`
	Name   string  `json:"name,omitempty"`
	TypeID int     `json:"type_id"`
	Groups []named `json:"groups,omitempty"`
}

type session struct {
	UID string `json:"uid"`
}

type named struct {
	Name string `json:"name"`
}

type api struct {
	Operation string `json:"operation"`
}

type endpoint struct {
	IP       string `json:"ip,omitempty"`
	Hostname string `json:"hostname,omitempty"`
	Name     string `json:"name,omitempty"`
}

type httpRequest struct {
	Method string `json:"http_method,omitempty"`
	UID    string `json:"uid,omitempty"`
}

type httpResponse struct {
	Code   int   `json:"code"`
	Length int64 `json:"body_length,omitempty"`
}

// Append appends an entry as a line to b.
func Append(b []byte, s *audit.Stored) ([]byte, error) {
	buf := bytes.NewBuffer(b)
	err := encode(buf, s)
	return buf.Bytes(), err
}

// Write writes an entry as a line.
func Write(w io.Writer, s *audit.Stored) error {
	line, err := Append(nil, s)
	if err != nil {
		return err
	}
	if _, err := w.Write(line); err != nil {
		return fmt.Errorf("writing an event: %w", err)
	}
	return nil
}

func encode(b *bytes.Buffer, s *audit.Stored) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(newEvent(s)); err != nil {
		return fmt.Errorf("encoding entry %d: %w", s.Seq, err)
	}
	return nil
}

// ID is an entry's id in what is exported.
func ID(s *audit.Stored) string { return audit.Receipt{Node: s.Node, Seq: s.Seq}.String() }

func newEvent(s *audit.Stored) *event {
	e := &s.Entry
	v := &event{
		Time: e.Time.UnixMilli(), SeverityID: severityInformational, StatusID: statusSuccess,
		Duration: e.DurationMS, StatusCode: e.Error,
		Metadata: metadata{
			Version: Version, Product: product{"crmgate", "crmgate"}, Profiles: []string{"host", "security_control"},
			UID: ID(s), Sequence: s.Seq, Correlation: e.Request, EventCode: string(e.Kind),
			LogName: "audit", LogProvider: s.Node,
		},
		Unmapped: unmapped(s),
	}
	if e.Event != "" {
		v.Metadata.EventCode = string(e.Event)
	}
	v.request(e)
	switch {
	case e.Kind != audit.Control:
		v.access(e)
	case signsIn(e.Event):
		v.signIn(e)
	default:
		v.control(s)
	}
	v.TypeUID = v.ClassUID*100 + v.ActivityID
	return v
}

// unmapped is what the schema has no place for.
func unmapped(s *audit.Stored) map[string]any {
	e := &s.Entry
	m := map[string]any{"leaf_hash": s.LeafHash.String()}
	set := func(name string, v any, is bool) {
		if is {
			m[name] = v
		}
	}
	set("intent", s.Node+"/"+strconv.FormatUint(e.Intent, 10), e.Kind == audit.Disclosure)
	set("profile", e.Profile, e.Profile != "")
	set("factor", e.Factor, e.Factor != "")
	set("part", e.Part, e.Part != 0)
	set("parts", e.Parts, e.Parts != 0)
	set("piece", e.Piece, e.Piece != 0)
	set("pieces", e.Pieces, e.Pieces != 0)
	set("observed", e.Observed, e.Observed != nil)
	set("unfinished", e.Unfinished, len(e.Unfinished) > 0)
	set("dropped_bytes", e.Dropped, e.Dropped != 0)
	if d := e.Disclosure; d != nil {
		set("rows_without_id", d.Rows, d.Rows != 0)
		set("withheld", d.Withheld, d.Withheld != 0)
		set("unread", d.Unread, d.Unread)
	}
	return m
}

// request is what all events of a request say alike.
func (v *event) request(e *audit.Entry) {
	if e.Employee != "" {
		v.Actor = &actor{User: employee(e)}
	}
	if e.Session != "" && v.Actor != nil {
		v.Actor.Session = &session{e.Session}
	}
	if ip, err := netip.ParseAddr(e.SourceIP); err == nil {
		v.Source = &endpoint{IP: ip.WithZone("").String()}
	}
	if e.Gate != "" {
		v.Destination = &endpoint{Hostname: e.Gate}
	}
	if e.Request != "" {
		v.Request = &httpRequest{UID: e.Request, Method: method(e.Method)}
	}
	if e.Status != 0 {
		v.Response = &httpResponse{Code: e.Status, Length: e.Bytes}
	}
	if d := e.Decision; d != nil && (d.Policy != "" || d.Line != "") {
		v.Policy = &policy{Name: "crmgate policy", Version: d.Policy, Desc: d.Line}
	}
}

// The kinds of users.
const (
	userUnknown = 0
	userPerson  = 1
	userSystem  = 3
	userService = 4
)

func employee(e *audit.Entry) *user {
	u := &user{UID: e.Employee, TypeID: userPerson}
	if isMachine(e) {
		u.TypeID = userService
	}
	for _, r := range e.Roles {
		if r != "" {
			u.Groups = append(u.Groups, named{r})
		}
	}
	return u
}

// method is one that the schema knows, "" for another.
func method(m string) string {
	switch m {
	case "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE":
		return m
	}
	return ""
}
