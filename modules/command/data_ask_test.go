package command

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A gateway that answers no isn't told to be switched off.
func TestRefusalOfARunningGatewayHasNoOtherRemedy(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusConflict) }))
	d := data{dir: "d", admin: strings.TrimPrefix(server.URL, "http://")}
	var answer struct{}
	if err := d.ask("/crmgate/retention", answer, &answer); err == nil || strings.Contains(err.Error(), "admin API") {
		t.Errorf("a refusal is said as %v", err)
	}
	server.Close()
	if err := d.ask("/crmgate/retention", answer, &answer); err == nil || !strings.Contains(err.Error(), "admin API") {
		t.Errorf("a gateway that isn't there is said as %v", err)
	}
}
