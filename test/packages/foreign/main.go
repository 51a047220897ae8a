// Command foreign is a Caddy that somebody else built with the gateway among its plugins, as xcaddy writes it.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/crmgate/crmgate/modules/standard"
)

func main() { caddycmd.Main() }
