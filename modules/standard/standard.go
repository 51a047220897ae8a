// Package standard is the list of modules that make the product.
package standard

import (
	// Caddy's own.
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	// What stands in front of the CRM.
	_ "github.com/crmgate/crmgate/modules/command"
	_ "github.com/crmgate/crmgate/modules/consent"
	_ "github.com/crmgate/crmgate/modules/crmgate"
	_ "github.com/crmgate/crmgate/modules/desk"
	_ "github.com/crmgate/crmgate/modules/gate"
	_ "github.com/crmgate/crmgate/modules/keys/age"
	_ "github.com/crmgate/crmgate/modules/keys/file"
	_ "github.com/crmgate/crmgate/modules/keys/systemd"
	_ "github.com/crmgate/crmgate/modules/keys/vault"
	_ "github.com/crmgate/crmgate/modules/sink/alarmmail"
	_ "github.com/crmgate/crmgate/modules/sink/alarmwebhook"
	_ "github.com/crmgate/crmgate/modules/sink/file"
	_ "github.com/crmgate/crmgate/modules/sink/syslog"
	_ "github.com/crmgate/crmgate/modules/sink/webhook"
	_ "github.com/crmgate/crmgate/modules/store/postgres"
	_ "github.com/crmgate/crmgate/modules/store/sqlite"
)
