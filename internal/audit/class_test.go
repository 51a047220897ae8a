package audit

import "testing"

// What names a person is kept by the retention of accesses, or of what people do with
// their sign-in, whatever the event; what names nobody, as long as the gateway's own.
func TestEntryThatNamesAPersonIsKeptAsSuch(t *testing.T) {
	d, ring := newDisk(), testRing(t)
	l := mustOpen(t, "disk", ring, onDisk(d))
	defer mustClose(t, l)
	someone := l.Employee("https://login.example.de", "vera")
	for _, c := range []struct {
		event    Event
		employee string
		want     Class
	}{
		{Exported, someone, ClassAccess},
		{Exported, "", ClassGateway},
		{PolicyChange, someone, ClassAccess},
		{HoldsConfirmed, "", ClassGateway},
		{Searched, "", ClassAccess},
		{Revealed, someone, ClassAccess},
		{Consent, someone, ClassAccess},
		{SignIn, someone, ClassEmployee},
		{SignOut, "", ClassEmployee},
		{Event("of a later version"), "", ClassAccess},
	} {
		e := &Entry{Kind: Control, Event: c.event, Employee: c.employee}
		if got := e.class(); got != c.want {
			t.Errorf("%s of %q is kept as %s, want %s", c.event, c.employee, got, c.want)
		}
		if !c.event.Valid() {
			continue
		}
		// The key that it is sealed under goes with that retention.
		r := mustAppend(t, l, e)
		id, err := keyID(envelopeOf(t, d, r.Seq))
		if err != nil {
			t.Fatal(err)
		}
		key, err := l.keys.get(id)
		if err != nil {
			t.Fatal(err)
		}
		if key.class != c.want {
			t.Errorf("%s of %q is sealed under a key of %s", c.event, c.employee, key.class)
		}
	}
}
