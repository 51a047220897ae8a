package crmgate

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/crmgate/crmgate/internal/oidc"
)

// values are the metrics of a family by the value of their label.
func values(t *testing.T, reg prometheus.Gatherer, family string) map[string]float64 {
	t.Helper()
	all, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range all {
		if f.GetName() != family {
			continue
		}
		for _, m := range f.GetMetric() {
			if len(m.GetLabel()) > 1 {
				t.Fatalf("labels %v, want one at most", m.GetLabel())
			}
			value := ""
			for _, l := range m.GetLabel() {
				value = l.GetValue()
			}
			got[value] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return got
}

// Whatever is counted, no label appears that wasn't there at the start.
func TestLabelsOfMetricsAreClosedLists(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	m, err := newMetrics(reg, func() int { return 7 })
	if err != nil {
		t.Fatal(err)
	}
	families := []string{"crmgate_sign_ins_total", "crmgate_refused_total", "crmgate_renewals_total", "crmgate_logouts_total", "crmgate_drift_total"}
	before := map[string]int{}
	for _, f := range families {
		before[f] = len(values(t, reg, f))
	}
	m.SignIn(SignedIn)
	m.SignIn(oidc.ErrNoSecondFactor.Code)
	m.Renewed(RenewalOK)
	m.LoggedOut(LogoutAdmin)
	m.Drifted(DriftRoute)
	m.Refused("step_up")
	for _, foreign := range []string{"vera@example.de", "", "/contacts/1001", strings.Repeat("x", 1000)} {
		m.SignIn(foreign)
		m.Renewed(foreign)
		m.Refused(foreign)
		m.LoggedOut(Logout(foreign))
		m.Drifted(foreign)
	}
	for _, f := range families {
		got := values(t, reg, f)
		if len(got) != before[f] || got[other] != 4 {
			t.Errorf("%s has %d values, before %d; %q counts %v, want 4", f, len(got), before[f], other, got[other])
		}
	}
	for f, one := range map[string]string{
		"crmgate_sign_ins_total": oidc.ErrNoSecondFactor.Code, "crmgate_refused_total": "step_up",
		"crmgate_renewals_total": RenewalOK, "crmgate_logouts_total": string(LogoutAdmin), "crmgate_drift_total": DriftRoute,
	} {
		if got := values(t, reg, f)[one]; got != 1 {
			t.Errorf("%s{%s} = %v, want 1", f, one, got)
		}
	}
	if got := values(t, reg, "crmgate_sessions_active")[""]; got != 7 {
		t.Errorf("crmgate_sessions_active = %v", got)
	}
	var none *Metrics
	none.Refused("log") // a gate without a registry counts nothing, and goes on
}
