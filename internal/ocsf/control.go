package ocsf

import (
	"strings"

	"github.com/crmgate/crmgate/internal/audit"
)

// signsIn reports whether an event is about somebody's sign-in.
func signsIn(e audit.Event) bool {
	switch e {
	case audit.SignIn, audit.Refused, audit.StepUp, audit.SignOut, audit.Revoked, audit.RefreshFailed:
		return true
	}
	return false
}

func isMachine(e *audit.Entry) bool { return strings.HasPrefix(e.Factor, "machine ") }

// signIn fills in a sign-in, a sign-out, or what became of a session. The names
// that the entry holds stay out.
func (v *event) signIn(e *audit.Entry) {
	v.ClassUID, v.CategoryUID, v.ClassName = classAuthentication, 3, "Authentication"
	v.ActivityID, v.ActivityName = activityLogon, "Logon"
	v.ActionID, v.DispositionID = actionAllowed, dispositionAllowed
	switch e.Event {
	case audit.Refused:
		v.StatusID, v.SeverityID, v.ActionID, v.DispositionID = statusFailure, severityLow, actionDenied, dispositionBlocked
	case audit.StepUp:
		v.ActivityID, v.ActivityName = activityOther, "Step up"
	case audit.SignOut, audit.Revoked:
		v.ActivityID, v.ActivityName = activityLogoff, "Logoff"
	case audit.RefreshFailed:
		v.ActivityID, v.ActivityName = activityRenewal, "Service Ticket Renew"
		v.StatusID, v.SeverityID, v.ActionID, v.DispositionID = statusFailure, severityLow, actionDenied, dispositionBlocked
	}
	v.User = &user{Name: "unknown", TypeID: userUnknown}
	if e.Employee != "" {
		v.User = employee(e)
	}
	if e.Session != "" {
		v.Session = &session{e.Session}
	}
	service := e.Gate
	if service == "" {
		service = "crmgate"
	}
	v.Service, v.Message = &named{service}, e.Detail
	if v.StatusID == statusSuccess && v.ActivityID != activityLogoff && !isMachine(e) {
		factor := true // nobody gets a session without one
		v.IsMFA = &factor
	}
}

// control fills in what the gateway, its administrators or its auditors did.
func (v *event) control(s *audit.Stored) {
	e := &s.Entry
	v.ClassUID, v.CategoryUID, v.ClassName = classAPI, 6, "API Activity"
	v.ActivityID, v.ActivityName = operation(e.Event)
	v.API = &api{string(e.Event)}
	v.ActionID, v.DispositionID = actionAllowed, dispositionLogged
	if !typed(e.Event) {
		// A record that was searched for is what somebody typed, too.
		v.Message, _, _ = strings.Cut(e.Detail, ` record "`)
		v.Message, _, _ = strings.Cut(v.Message, ` changed "`)
	}
	if e.Event == audit.UncleanStart || e.Event == audit.Adopted || e.Event == audit.ClockStep {
		v.SeverityID = severityMedium
	}
	if a := e.Alarm; a != nil && e.Event == audit.AlarmRaised {
		v.SeverityID = alarmSeverity(a.Level)
	}
	if v.Actor == nil {
		v.Actor = &actor{AppName: "crmgate", User: &user{Name: "crmgate", TypeID: userSystem}}
	}
	if v.Source == nil { // the schema asks for one
		v.Source = &endpoint{Name: s.Node}
	}
}

// alarmSeverity is the schema's word for an alarm's level.
func alarmSeverity(level string) int {
	switch level {
	case "low":
		return severityLow
	case "medium":
		return severityMedium
	}
	return severityHigh
}

// typed reports whether an event's detail holds what a person typed: it stays in the
// log.
func typed(e audit.Event) bool {
	return e == audit.Consent || e == audit.HoldSet || e == audit.HoldReleased || e == audit.AlarmSeen
}

// operation is the schema's word for an event.
func operation(e audit.Event) (id int, name string) {
	switch e {
	case audit.Searched, audit.Exported, audit.Revealed, audit.BackedUp:
		return activityRead, "Read"
	case audit.Enrolled, audit.Invited, audit.HoldSet:
		return activityCreate, "Create"
	case audit.PolicyChange, audit.KeyChange, audit.Consent, audit.SinkChange:
		return activityUpdate, "Update"
	case audit.RetentionRun, audit.FactorRemoved, audit.FactorReset, audit.HoldReleased:
		return activityDelete, "Delete"
	}
	return activityOther, strings.ReplaceAll(string(e), "_", " ")
}
