package audit

// Class says by which retention an entry is kept. Each class has data keys of its
// own, one a month.
type Class string

// The classes.
const (
	// ClassAccess is who saw what: intents, disclosures, and looks into the log.
	ClassAccess Class = "access"
	// ClassEmployee is what people do with their own sign-in: it holds their names.
	ClassEmployee Class = "employee"
	// ClassGateway is what the gateway and its administrators do. It names nobody.
	ClassGateway Class = "gateway"
)

// Classes lists them.
func Classes() []Class { return []Class{ClassAccess, ClassEmployee, ClassGateway} }

// Valid reports whether c is one of the classes.
func (c Class) Valid() bool { return c == ClassAccess || c == ClassEmployee || c == ClassGateway }

// class is the one that an entry belongs to. What isn't known to name nobody is
// kept no longer than accesses are.
func (e *Entry) class() Class {
	switch e.Event {
	case Start, UncleanStart, Stop, PolicyChange, KeyChange, ClockStep, RetentionRun, Exported, Adopted, NodeCheckpoint, HoldSet, HoldReleased,
		HoldsConfirmed, BackedUp, Restored, Registered, SinkChange:
		if e.Employee == "" {
			return ClassGateway
		}
	case SignIn, Refused, StepUp, SignOut, Revoked, RefreshFailed, Enrolled, FactorRemoved, FactorReset, Invited, RulesKnown:
		return ClassEmployee
	case Searched, Revealed, Consent:
	}
	return ClassAccess
}
