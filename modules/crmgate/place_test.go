package crmgate

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
)

// What a reload can't change of an open log is refused at the reload: going on with
// the old place would be a silent no.
func TestReloadRefusesAnotherPlaceOfTheLog(t *testing.T) {
	dir := t.TempDir()
	ring, err := keys.Open(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	had := LogConfig{Node: "gate1"}
	year := RetainConfig{Access: 12}
	for name, c := range map[string]struct {
		database audit.Database
		config   LogConfig
		says     string
	}{
		"the same":                       {nil, had, ""},
		"another size of files":          {nil, LogConfig{Node: "gate1", SegmentMiB: 8}, ""},
		"a retention":                    {nil, LogConfig{Node: "gate1", Retain: year}, ""},
		"another node":                   {nil, LogConfig{Node: "gate2"}, "stop the gateway and start it anew"},
		"no node":                        {nil, LogConfig{}, "stop the gateway and start it anew"},
		"local":                          {nil, LogConfig{Node: "gate1", Local: true}, "stop the gateway and start it anew"},
		"the same, in a database":        {noDatabase{}, had, ""},
		"a retention, in a database":     {noDatabase{}, LogConfig{Node: "gate1", Retain: year}, ""},
		"out of the database, to a disk": {noDatabase{}, LogConfig{Node: "gate1", Local: true}, "stop the gateway and start it anew"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Services{Ring: ring, place: &LogPlace{Node: "gate1", Database: c.database, config: had}}
			err := s.adopt(&App{DataDir: dir, Log: c.config}, true)
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("the reload says %v, want %q", err, c.says)
			}
		})
	}
}

// noDatabase is one that isn't asked.
type noDatabase struct{}

func (noDatabase) Nodes(context.Context) ([]string, error)   { return nil, nil }
func (noDatabase) Node(string) audit.Rows                    { return nil }
func (noDatabase) Alone(context.Context) (audit.Turn, error) { return nil, nil } //nolint:nilnil // it isn't asked
