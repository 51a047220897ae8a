package ocsf

import (
	"regexp"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// webResource is a record, or what stands for records that aren't named.
type webResource struct {
	UID  string `json:"uid,omitempty"`
	Name string `json:"name"`
	Type string `json:"type,omitempty"`
	Data any    `json:"data,omitempty"`
}

// asked is what an intent says of a record or an entity: names, never values.
type asked struct {
	Action access.Action `json:"action,omitempty"`
	Route  string        `json:"route,omitempty"`
	Call   string        `json:"call,omitempty"`
	// Fields are those that the request names, by the way in which it does.
	Fields map[access.RefRole][]string `json:"fields,omitempty"`
	// Unnamed counts records that were asked for by what may be no id.
	Unnamed int `json:"unnamed,omitempty"`
}

// treated is what a disclosure says of a record: its categories, and how each was
// shown.
type treated struct {
	Treated map[access.Category]access.Treatment `json:"treated,omitempty"`
	Rows    int                                  `json:"rows,omitempty"`
}

// access fills in a request or its answer.
func (v *event) access(e *audit.Entry) {
	v.ClassUID, v.CategoryUID, v.ClassName = classWebResources, 6, "Web Resources Activity"
	v.ActivityID, v.ActivityName = activityRead, "Read"
	if e.Kind == audit.Intent {
		v.intent(e)
	} else {
		v.disclosure(e)
	}
	if len(v.WebResources) == 0 { // the schema asks for one
		name := e.Gate
		if name == "" {
			name = "crm"
		}
		v.WebResources = []webResource{{Name: name, Type: "site"}}
	}
}

func (v *event) intent(e *audit.Entry) {
	v.StatusID, v.ActionID, v.DispositionID = statusOther, actionAllowed, dispositionAllowed
	v.Message = "asked"
	if len(e.Accesses) > 0 {
		v.ActivityID, v.ActivityName = activity(e.Accesses[0].Action)
	}
	for i := range e.Accesses {
		v.WebResources = append(v.WebResources, resources(&e.Accesses[i], e.Decision != nil && e.Decision.Refused)...)
	}
	d := e.Decision
	if d == nil || !d.Refused {
		return
	}
	v.StatusDetail, v.SeverityID = d.Reason, severityLow
	if d.Observe {
		v.ActionID, v.DispositionID, v.Message = actionObserved, dispositionDetected, "asked; would be refused"
		return
	}
	v.StatusID, v.ActionID, v.DispositionID, v.Message = statusFailure, actionDenied, dispositionBlocked, "refused"
}

// activity is the schema's word for an action.
func activity(a access.Action) (id int, name string) {
	switch a {
	case access.Create:
		return activityCreate, "Create"
	case access.Read:
		return activityRead, "Read"
	case access.Update:
		return activityUpdate, "Update"
	case access.Delete:
		return activityDelete, "Delete"
	case access.Search:
		return activitySearch, "Search"
	case access.Export:
		return activityExport, "Export"
	case access.Contact, access.Reveal:
		return activityOther, string(a)
	}
	return 0, "Unknown"
}

// machineID is the form of an id that no person's data has: a short number, a UUID, a
// long hexadecimal one, one of Salesforce's.
var machineID = regexp.MustCompile(
	`^([0-9]{1,7}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-f]{16,40}|([0-9]|a[0-9])[0-9A-Za-z]{13,14}([0-9A-Za-z]{3})?)$`)

// isID reports whether what a client asked for as a record is certainly an id. Where
// a route takes an id, a client can write anything: a name, a number of a telephone.
// The log has it, sealed; an event hasn't. What an answer holds is the CRM's own id.
func isID(s string) bool {
	digits := strings.Trim(s, "0123456789") == ""
	return machineID.MatchString(s) && (!digits || len(s) <= 7)
}

// known reports whether a field is the profile's: what isn't may be a client's own word.
func known(r *access.Ref) bool {
	return len(r.Categories) > 0 && !slices.Contains(r.Categories, access.Unclassified)
}

// resources are the records that an access asks for, or its entity. An unknown route
// goes by its path, and an unknown call by what the client wrote: both stay in the log.
func resources(a *access.Access, refused bool) []webResource {
	data := asked{Action: a.Action}
	if !strings.Contains(a.Route, "/") {
		data.Route = a.Route
	}
	if !refused {
		data.Call = a.Call
	}
	for i := range a.Refs {
		r := &a.Refs[i]
		if !known(r) {
			continue
		}
		if data.Fields == nil {
			data.Fields = map[access.RefRole][]string{}
		}
		data.Fields[r.Role] = append(data.Fields[r.Role], r.Field)
	}
	var all []webResource
	for _, id := range a.IDs {
		if !isID(id) {
			data.Unnamed++
			continue
		}
		r := webResource{UID: id, Name: a.Type + "/" + id, Type: string(a.Entity)}
		if all == nil { // what was asked is said once
			r.Data = &data
		}
		all = append(all, r)
	}
	if all == nil {
		name := a.Type
		for _, or := range []string{string(a.Entity), data.Route, "crm"} {
			if name == "" {
				name = or
			}
		}
		all = []webResource{{Name: name, Type: string(a.Entity), Data: &data}}
	}
	return all
}

func (v *event) disclosure(e *audit.Entry) {
	v.ActionID, v.DispositionID, v.Message = actionAllowed, dispositionAllowed, "shown"
	if e.Status >= 400 || e.Error != "" {
		v.StatusID = statusFailure
	}
	v.changes(e)
	if e.Disclosure == nil {
		return
	}
	for i := range e.Disclosure.Records {
		r := &e.Disclosure.Records[i]
		v.WebResources = append(v.WebResources, webResource{
			UID: r.ID, Name: r.String(), Type: string(r.Entity), Data: treated{Treated: r.Treated},
		})
		for c, how := range r.Treated {
			if how != access.Clear && c != access.Public {
				v.ActionID = actionModified
			}
		}
	}
	if n := e.Disclosure.Rows; n > 0 {
		v.WebResources = append(v.WebResources, webResource{Name: "rows without an id", Type: "rows", Data: treated{Rows: n}})
	}
	if e.Disclosure.Withheld > 0 {
		v.ActionID = actionModified
	}
}
