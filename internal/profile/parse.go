package profile

import (
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
)

func parseJSON(src []byte) (*doc.Tree, error) { return json.Parse(src, doc.DefaultLimits()) }
