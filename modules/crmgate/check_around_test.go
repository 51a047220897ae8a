package crmgate_test

import (
	"strings"
	"testing"
)

// Each row is a way around the gate, and what the error has to name.
func TestWayAroundTheGateIsRefused(t *testing.T) {
	for _, row := range []struct {
		name, config string
		words        []string
	}{
		{
			"proxy in handle_errors",
			`crm.example.de {
				fake_gate
				reverse_proxy unix//run/crm.sock
				handle_errors {
					reverse_proxy unix//run/errors.sock
				}
			}`,
			[]string{"server srv0 › errors › routes[0] (host crm.example.de)", "unix//run/errors.sock", "routes for errors", "ungated <reason>"},
		},
		{
			"gate in handle_errors with its own proxy",
			`crm.example.de {
				respond "no CRM"
				handle_errors {
					route {
						fake_gate
					}
				}
			}`,
			[]string{"a gate in routes for errors"},
		},
		{
			"route with the proxy first",
			`crm.example.de {
				route {
					reverse_proxy unix//run/crm.sock
					fake_gate
				}
			}`,
			[]string{"server srv0 › routes[0] (host crm.example.de) › subroute › routes[0]", "reverse_proxy unix//run/crm.sock", "go around the gate"},
		},
		{
			"gate nested under handle",
			`crm.example.de {
				handle /x* {
					fake_gate
				}
				reverse_proxy unix//run/crm.sock
			}`,
			[]string{"reverse_proxy unix//run/crm.sock", "(path /x*)", "crm.example.de"},
		},
		{
			"gate under a matcher in route",
			`crm.example.de {
				route /x* {
					fake_gate
				}
				reverse_proxy unix//run/crm.sock
			}`,
			[]string{"reverse_proxy unix//run/crm.sock", "(path /x*)"},
		},
		{
			"gate under a header matcher",
			`crm.example.de {
				@browser header User-Agent *Mozilla*
				route @browser {
					fake_gate
				}
				reverse_proxy unix//run/crm.sock
			}`,
			[]string{"reverse_proxy unix//run/crm.sock", "(header)"},
		},
		{
			"proxy in a handle beside the gate's",
			`crm.example.de {
				handle /api/* {
					reverse_proxy unix//run/crm.sock
				}
				handle {
					fake_gate
					reverse_proxy unix//run/crm.sock
				}
			}`,
			[]string{"(path /api/*)", "reverse_proxy unix//run/crm.sock"},
		},
		{
			"gate that another handle of the group passes by",
			`crm.example.de {
				handle /x* {
					respond "first"
				}
				handle {
					fake_gate
				}
				reverse_proxy unix//run/crm.sock
			}`,
			[]string{"reverse_proxy unix//run/crm.sock", "go around the gate"},
		},
		{
			"forward_auth before the gate",
			`crm.example.de {
				forward_auth unix//run/auth.sock {
					uri /verify
				}
				fake_gate
				reverse_proxy unix//run/crm.sock
			}`,
			[]string{"reverse_proxy unix//run/auth.sock"},
		},
		{
			"named route with a proxy, invoked beside the gate",
			`&(plain) {
				reverse_proxy unix//run/crm.sock
			}
			crm.example.de {
				route {
					invoke plain
					fake_gate
				}
			}`,
			[]string{"named route plain", "reverse_proxy unix//run/crm.sock"},
		},
		{
			"second site for the same host over HTTP",
			`crm.example.de {
				fake_gate
				reverse_proxy unix//run/crm.sock
			}
			http://crm.example.de {
				reverse_proxy unix//run/other.sock
			}`,
			[]string{"server srv1", "reverse_proxy unix//run/other.sock"},
		},
		{
			"another port without a host to the same upstream",
			`crm.example.de {
				fake_gate
				reverse_proxy unix//run/crm.sock
			}
			:9000 {
				reverse_proxy unix//run/crm.sock
			}`,
			[]string{"server srv1", "reverse_proxy unix//run/crm.sock", "crm.example.de"},
		},
		{
			"host within a gated wildcard",
			`*.example.de {
				fake_gate
				reverse_proxy unix//run/crm.sock
			}
			crm.example.de {
				reverse_proxy unix//run/other.sock
			}`,
			[]string{"(host crm.example.de)", "unix//run/other.sock", "(host *.example.de)"},
		},
		{
			"plain site before a gate for any host",
			`crm.example.de {
				reverse_proxy unix//run/other.sock
			}
			:443 {
				fake_gate
				reverse_proxy unix//run/crm.sock
			}`,
			[]string{"(host crm.example.de)", "unix//run/other.sock"},
		},
		{
			"proxy of handle_response before the gate",
			`crm.example.de {
				route {
					intercept {
						@down status 502
						handle_response @down {
							reverse_proxy unix//run/crm.sock
						}
					}
					fake_gate
				}
			}`,
			[]string{"intercept › handle_response[0] › routes[0]", "reverse_proxy unix//run/crm.sock"},
		},
		{
			"host changed before the gate",
			`crm.example.de {
				request_header Host other.example.de
				fake_gate
				reverse_proxy unix//run/crm.sock
			}`,
			[]string{"headers (Host)", "header_up"},
		},
		{
			"host taken away before the gate",
			`crm.example.de {
				request_header -Host
				fake_gate
				reverse_proxy unix//run/crm.sock
			}`,
			[]string{"headers (Host)", "header_up"},
		},
		{
			"host changed behind the gate",
			`crm.example.de {
				fake_gate
				route {
					request_header Host other.example.de
					reverse_proxy unix//run/crm.sock
				}
			}`,
			[]string{"headers (Host)", "header_up"},
		},
		{
			"files of a PHP application beside the gate",
			`crm.example.de {
				root * /var/www/crm
				handle /upload/* {
					file_server
				}
				handle {
					fake_gate
					php_fastcgi unix//run/php.sock
				}
			}`,
			[]string{"file_server", "uploads"},
		},
		{
			"handler of an unknown module beside the gate",
			`crm.example.de {
				handle /x* {
					plain_guest
				}
				handle {
					fake_gate
					reverse_proxy unix//run/crm.sock
				}
			}`,
			[]string{"plain_guest", "(path /x*)"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			wantStop(t, checkCaddyfile(t, row.config), row.words...)
		})
	}
}

// What the Caddyfile doesn't write, plain JSON can.
func TestWayAroundTheGateInJSONIsRefused(t *testing.T) {
	const (
		host  = `"match":[{"host":["crm.example.de"]}]`
		gated = `{` + host + `,"handle":[{"handler":"fake_gate"},{"handler":"reverse_proxy","upstreams":[{"dial":"unix//run/crm.sock"}]}]}`
		proxy = `{"handler":"reverse_proxy","upstreams":[{"dial":"unix//run/other.sock"}]}`
	)
	for _, row := range []struct {
		name, config string
		words        []string
	}{
		{
			"proxy for any host before the gate",
			server(`[{"match":[{"path":["/api/*"]}],"handle":[`+proxy+`]},`+gated+`]`, ""),
			[]string{"server srv0 › routes[0] (path /api/*): reverse_proxy unix//run/other.sock", "crm.example.de"},
		},
		{
			"proxy in the gate's own route before it",
			server(`[{`+host+`,"handle":[`+proxy+`,{"handler":"fake_gate"}]}]`, ""),
			[]string{"reverse_proxy unix//run/other.sock"},
		},
		{
			"terminal route for the host before the gate",
			server(`[{`+host+`,"handle":[`+proxy+`],"terminal":true},`+gated+`]`, ""),
			[]string{"routes[0] (host crm.example.de): reverse_proxy unix//run/other.sock"},
		},
		{
			"host in other letters",
			server(`[{"match":[{"host":["CRM.Example.de"]}],"handle":[`+proxy+`]},`+gated+`]`, ""),
			[]string{"reverse_proxy unix//run/other.sock"},
		},
		{
			"host that the environment names",
			server(`[{"match":[{"host":["{env.CRMGATE_TEST_HOST}"]}],"handle":[`+proxy+`]},`+gated+`]`, ""),
			[]string{"reverse_proxy unix//run/other.sock"},
		},
		{
			"wildcard in other letters",
			server(`[{"match":[{"host":["*.EXAMPLE.de"]}],"handle":[`+proxy+`]},`+gated+`]`, ""),
			[]string{"reverse_proxy unix//run/other.sock"},
		},
		{
			"host with a condition that takes most requests out",
			server(`[{"match":[{"host":["crm.example.de"],"method":["POST"]}],"handle":[{"handler":"fake_gate"}]},{"handle":[`+proxy+`]}]`, ""),
			[]string{"routes[1]: reverse_proxy unix//run/other.sock"},
		},
		{
			"host that the request itself names",
			server(`[{"match":[{"host":["{http.request.header.X-Site}"]}],"handle":[{"handler":"fake_gate"}]},{"handle":[`+proxy+`]}]`, ""),
			[]string{"routes[1]: reverse_proxy unix//run/other.sock"},
		},
		{
			"errors of a subroute",
			server(`[{`+host+`,"handle":[{"handler":"subroute","routes":[{"handle":[{"handler":"fake_gate"}]}],"errors":{"routes":[{"handle":[`+proxy+`]}]}}]}]`, ""),
			[]string{"subroute › errors › routes[0]: reverse_proxy unix//run/other.sock"},
		},
		{
			"errors behind the gate",
			server(`[{`+host+`,"handle":[{"handler":"fake_gate"},{"handler":"subroute","routes":[{"handle":[{"handler":"error"}]}],"errors":{"routes":[{"handle":[`+proxy+`]}]}}]}]`, ""),
			[]string{"subroute › errors › routes[0]: reverse_proxy unix//run/other.sock"},
		},
		{
			"gate in handle_response",
			server(`[{`+host+`,"handle":[{"handler":"intercept","handle_response":[{"routes":[{"handle":[{"handler":"fake_gate"}]}]}]},`+proxy+`]}]`, ""),
			[]string{"routes[0] (host crm.example.de): reverse_proxy unix//run/other.sock", "handle_response[0]"},
		},
		{
			"named route with the gate, invoked for one path",
			server(`[{"match":[{"path":["/x"]}],"handle":[{"handler":"invoke","name":"g"}]},{"handle":[`+proxy+`]}]`,
				`,"named_routes":{"g":{"handle":[{"handler":"fake_gate"}]}}`),
			[]string{"routes[1]: reverse_proxy unix//run/other.sock", "named route g"},
		},
		{
			"named route with the gate that nothing invokes",
			server(`[{"handle":[{"handler":"static_response"}]}]`, `,"named_routes":{"g":{"handle":[{"handler":"fake_gate"}]}}`),
			[]string{"the gate of the fake", "no route leads to it"},
		},
		{
			"routes that an unknown module hides",
			server(`[{"handle":[{"handler":"closed_guest","routes":[{"handle":[`+proxy+`]}]}]},`+gated+`]`, ""),
			[]string{"closed_guest", "can't be looked into"},
		},
		{
			"unknown module with a client of its own",
			server(`[{"handle":[{"handler":"client_guest"}]},`+gated+`]`, ""),
			[]string{"routes[0]: client_guest", "go around the gate"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv("CRMGATE_TEST_HOST", "crm.example.de")
			wantStop(t, checkJSON(t, row.config), row.words...)
		})
	}
}

// A proxy is found wherever an unknown module keeps it in a field that can be read.
func TestProxyInAnUnknownModuleIsFound(t *testing.T) {
	const proxy = `{"handler":"reverse_proxy","upstreams":[{"dial":"unix//run/other.sock"}]}`
	for name, row := range map[string]struct{ fields, where string }{
		"in a list of a list":      {`"cases":[{"routes":[]},{"routes":[{"handle":[` + proxy + `]}]}]`, "guest › cases[1] › routes[0]"},
		"in a route":               {`"one":{"handle":[` + proxy + `]}`, "guest › one › routes[0]"},
		"in a map":                 {`"named":{"a":{"handle":[` + proxy + `]}}`, "guest › named[a] › routes[0]"},
		"in routes for errors":     {`"failed":{"routes":[{"handle":[` + proxy + `]}]}`, "guest › failed › errors › routes[0]"},
		"in a subroute":            {`"sub":{"routes":[{"handle":[` + proxy + `]}]}`, "guest › sub › subroute › routes[0]"},
		"as a handler":             {`"any":` + proxy, "guest › Any: reverse_proxy"},
		"in an embedded struct":    {`"deep":[{"handle":[` + proxy + `]}]`, "guest › deep › routes[0]"},
		"as a client":              {`"any":{"handler":"guest","own_client":true}`, "guest › Any: guest: requests to"},
		"in a guest in a subroute": {`"sub":{"routes":[{"handle":[{"handler":"guest","any":` + proxy + `}]}]}`, "guest › sub › subroute › routes[0] › guest › Any: reverse_proxy"},
	} {
		t.Run(name, func(t *testing.T) {
			found := checkJSON(t, server(`[{"handle":[{"handler":"guest",`+row.fields+`},{"handler":"fake_gate"}]}]`, ""))
			for _, f := range found {
				if f.Stops && strings.HasPrefix(f.Error(), "server srv0 › routes[0] › "+row.where) {
					return
				}
			}
			t.Errorf("found %v, want %s", found, row.where)
		})
	}
}

func TestSecondGateForAHostIsRefused(t *testing.T) {
	for name, config := range map[string]string{
		"one after the other": `crm.example.de {
			fake_gate
			fake_gate
			reverse_proxy unix//run/crm.sock
		}`,
		"side by side": `crm.example.de {
			handle /a* {
				fake_gate
				reverse_proxy unix//run/a.sock
			}
			handle {
				fake_gate
				reverse_proxy unix//run/b.sock
			}
		}`,
	} {
		t.Run(name, func(t *testing.T) {
			wantStop(t, checkCaddyfile(t, config), "a second gate for crm.example.de", "A site has one crm_gate")
		})
	}
}

func TestConfigurationWithoutAWayAroundIsAccepted(t *testing.T) {
	for name, config := range map[string]string{
		"plain site": `crm.example.de {
			encode
			fake_gate
			reverse_proxy unix//run/crm.sock
		}`,
		"handle and route behind the gate": `crm.example.de {
			fake_gate
			handle /api/* {
				reverse_proxy unix//run/api.sock
			}
			route {
				reverse_proxy unix//run/crm.sock
			}
		}`,
		"gate in a handle with all that forwards": `crm.example.de {
			handle /robots.txt {
				respond "User-agent: *"
			}
			handle {
				fake_gate
				reverse_proxy unix//run/crm.sock
			}
		}`,
		"plain proxies of other hosts": `crm.example.de {
			fake_gate
			reverse_proxy unix//run/crm.sock
		}
		www.example.de {
			rewrite /old /new
			reverse_proxy unix//run/www.sock
		}
		example.org, *.example.org {
			reverse_proxy unix//run/org.sock
		}`,
		"wildcard site beside the gated one": `crm.example.de {
			fake_gate
			reverse_proxy unix//run/crm.sock
		}
		*.example.de {
			reverse_proxy unix//run/www.sock
		}
		:443 {
			reverse_proxy unix//run/rest.sock
		}`,
		"another service on a port of its own": `crm.example.de {
			fake_gate
			reverse_proxy unix//run/crm.sock
		}
		:9000 {
			reverse_proxy unix//run/monitor.sock
		}`,
		"gates for a host and for the wildcard around it": `crm.example.de {
			fake_gate
			reverse_proxy unix//run/crm.sock
		}
		*.example.de {
			fake_gate
			reverse_proxy unix//run/www.sock
		}`,
		"named route behind the gate": `&(crm) {
			reverse_proxy unix//run/crm.sock
		}
		crm.example.de {
			fake_gate
			invoke crm
		}`,
		"named route that holds gate and proxy": `&(crm) {
			fake_gate
			reverse_proxy unix//run/crm.sock
		}
		crm.example.de {
			invoke crm
		}`,
		"named route with the gate, before the proxy": `&(gate) {
			fake_gate
		}
		crm.example.de {
			route {
				invoke gate
				reverse_proxy unix//run/crm.sock
			}
		}`,
		"redirect from HTTP beside a wildcard over HTTP": `crm.example.de {
			fake_gate
			reverse_proxy unix//run/crm.sock
		}
		http://crm.example.de {
			redir https://{host}{uri}
		}
		http://*.example.de {
			reverse_proxy unix//run/www.sock
		}`,
		"handle_response behind the gate": `crm.example.de {
			fake_gate
			reverse_proxy unix//run/crm.sock {
				@down status 502
				handle_response @down {
					reverse_proxy unix//run/spare.sock
				}
			}
		}`,
		"errors answered from the disk": `crm.example.de {
			fake_gate
			reverse_proxy unix//run/crm.sock
			handle_errors {
				rewrite * /error.html
				file_server
			}
		}`,
		"rewrites before the gate": `crm.example.de {
			rewrite /old /new
			uri strip_prefix /crm
			method /x POST
			fake_gate
			reverse_proxy unix//run/crm.sock
		}`,
		"no gate at all": `{
			crmgate {
			}
		}
		crm.example.de {
			reverse_proxy crm:80
		}`,
	} {
		t.Run(name, func(t *testing.T) { wantNothing(t, checkCaddyfile(t, config)) })
	}
}

func TestUngatedExceptionTurnsTheErrorIntoAWarning(t *testing.T) {
	found := checkCaddyfile(t, `crm.example.de {
		handle /static/* {
			reverse_proxy unix//run/static.sock
		}
		handle {
			fake_gate {
				ungated "style sheets only"
			}
			reverse_proxy unix//run/crm.sock
		}
	}`)
	wantNote(t, found, "reverse_proxy unix//run/static.sock", "style sheets only")
}

func TestUngatedExceptionOfOneHostLeavesAnotherClosed(t *testing.T) {
	found := checkCaddyfile(t, `a.example.de {
		fake_gate {
			ungated "nothing to see"
		}
	}
	b.example.de {
		fake_gate
	}
	http:// {
		reverse_proxy unix//run/crm.sock
	}
	http://a.example.de, http://b.example.de {
		reverse_proxy unix//run/crm.sock
	}`)
	if len(found) != 2 || found[0].Stops == found[1].Stops {
		t.Fatalf("found %v, want one refusal and one exception", found)
	}
}

func TestSameUpstreamUnderAnotherHostIsNamed(t *testing.T) {
	found := checkCaddyfile(t, `crm.example.de {
		fake_gate
		reverse_proxy unix//run/crm.sock
	}
	www.example.de {
		reverse_proxy unix//run/crm.sock
	}`)
	wantNote(t, found, "www.example.de", "unix//run/crm.sock", "reached without it")
}

func TestUnknownModuleOnTheWayToTheGateIsNamed(t *testing.T) {
	found := checkCaddyfile(t, `crm.example.de {
		plain_guest
		fake_gate
		reverse_proxy unix//run/crm.sock
	}`)
	wantNote(t, found, "plain_guest", "before the gate")
}

func TestUnknownModuleBehindTheGateIsNamed(t *testing.T) {
	found := checkCaddyfile(t, `crm.example.de {
		fake_gate
		route {
			plain_guest
			reverse_proxy unix//run/crm.sock
		}
	}`)
	wantNote(t, found, "plain_guest", "behind the gate")
}
