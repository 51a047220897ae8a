// Command crmgate is Caddy with the modules that make the product.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	_ "github.com/crmgate/crmgate/modules/standard"
)

func main() { caddycmd.Main() }
