package crmgate_test

import (
	"strings"
	"testing"
)

func TestUpstreamInClearTextIsRefused(t *testing.T) {
	for name, proxy := range map[string]string{
		"name":                                "reverse_proxy crm:80",
		"address":                             "reverse_proxy http://10.0.0.5",
		"one of several":                      "reverse_proxy 127.0.0.1:8000 10.0.0.5:8000",
		"http/2":                              "reverse_proxy h2c://crm:80",
		"placeholder":                         "reverse_proxy {http.request.host}:80",
		"found at run time":                   "reverse_proxy {\n dynamic a crm 80\n}",
		"found at run time, some without TLS": "reverse_proxy {\n dynamic a crm 443\n transport http {\n tls\n tls_except_ports 80\n }\n}",
		"placeholder for a port without TLS":  "reverse_proxy {http.request.header.X-Crm} {\n transport http {\n tls\n tls_except_ports 80\n }\n}",
		"fastcgi":                             "php_fastcgi php:9000",
		"port without TLS":                    "reverse_proxy crm:80 crm:443 {\n transport http {\n tls\n tls_except_ports 80\n }\n}",
		"no certificate":                      "reverse_proxy https://crm {\n transport http {\n tls_insecure_skip_verify\n }\n}",
		"no certificate near":                 "reverse_proxy https://127.0.0.1 {\n transport http {\n tls_insecure_skip_verify\n }\n}",
	} {
		t.Run(name, func(t *testing.T) {
			site := "crm.example.de {\n fake_gate {\n EXCEPTION\n }\n " + proxy + "\n}"
			wantStop(t, checkCaddyfile(t, strings.Replace(site, "EXCEPTION", "", 1)), "clear_upstream <reason>")
			excused := strings.Replace(site, "EXCEPTION", `clear_upstream "a cable of our own"`, 1)
			wantNote(t, checkCaddyfile(t, excused), "a cable of our own")
		})
	}
}

func TestUpstreamOutOfReachOfTheNetworkIsAccepted(t *testing.T) {
	for name, proxy := range map[string]string{
		"unix socket":              "reverse_proxy unix//run/crm.sock",
		"http/2 on a socket":       "reverse_proxy unix+h2c//run/crm.sock",
		"loopback":                 "reverse_proxy 127.0.0.1:8000",
		"loopback IPv6":            "reverse_proxy [::1]:8000",
		"localhost":                "reverse_proxy localhost:8000",
		"https":                    "reverse_proxy https://crm.internal:8443",
		"https found at run time":  "reverse_proxy {\n dynamic a crm 443\n transport http {\n tls\n }\n}",
		"https at a placeholder":   "reverse_proxy {http.request.header.X-Crm} {\n transport http {\n tls\n }\n}",
		"named by the environment": "reverse_proxy {env.CRMGATE_TEST_UPSTREAM}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("CRMGATE_TEST_UPSTREAM", "127.0.0.1:8000")
			wantNothing(t, checkCaddyfile(t, "crm.example.de {\n fake_gate\n "+proxy+"\n}"))
		})
	}
}

// A transport or a handler of another module may send in clear text.
func TestWayToTheCRMThatCantBeSeenIsRefused(t *testing.T) {
	for name, handler := range map[string]string{
		"transport": `{"handler":"reverse_proxy","transport":{"protocol":"guest"},"upstreams":[{"dial":"127.0.0.1:8000"}]}`,
		"handler":   `{"handler":"client_guest"}`,
	} {
		t.Run(name, func(t *testing.T) {
			wantStop(t, checkJSON(t, server(`[{"handle":[{"handler":"fake_gate"},`+handler+`]}]`, "")), "can't be seen", "clear_upstream <reason>")
			excused := `{"handler":"fake_gate","clear_upstream":"a cable of our own"}`
			wantNote(t, checkJSON(t, server(`[{"handle":[`+excused+`,`+handler+`]}]`, "")), "a cable of our own")
		})
	}
}

// What other sites proxy to in clear text is their affair.
func TestUpstreamOfAnUngatedSiteIsNotJudged(t *testing.T) {
	wantNothing(t, checkCaddyfile(t, "crm.example.de {\n fake_gate\n}\nwww.example.de {\n reverse_proxy www:80\n}"))
}

func TestPlainHTTPListenerIsRefused(t *testing.T) {
	for name, site := range map[string]string{
		"http address":      "http://crm.example.de {\n fake_gate {\n EXCEPTION\n }\n}",
		"port":              ":8080 {\n fake_gate {\n EXCEPTION\n }\n}",
		"own address":       "http://crm.example.de {\n bind 10.0.0.1\n fake_gate {\n EXCEPTION\n }\n}",
		"automatic TLS off": "{\n auto_https off\n}\n:443 {\n fake_gate {\n EXCEPTION\n }\n}",
	} {
		t.Run(name, func(t *testing.T) {
			wantStop(t, checkCaddyfile(t, strings.Replace(site, "EXCEPTION", "", 1)), "without TLS", "plain_http <reason>")
			excused := strings.Replace(site, "EXCEPTION", `plain_http "a tunnel ends here"`, 1)
			wantNote(t, checkCaddyfile(t, excused), "a tunnel ends here")
		})
	}
}

// Caddy speaks plain HTTP on its HTTP port, whatever the server's TLS policies.
func TestHTTPPortOfAServerWithTLSIsRefused(t *testing.T) {
	wantStop(t, checkJSON(t, `{"apps":{"http":{"servers":{"srv0":{"listen":[":443",":80"],"tls_connection_policies":[{}],
		"routes":[{"match":[{"host":["crm.example.de"]}],"handle":[{"handler":"fake_gate"}]}]}}}}}`), "without TLS on :80")
	wantStop(t, checkJSON(t, `{"apps":{"http":{"http_port":8080,"servers":{"srv0":{"listen":[":8079-8081"],"tls_connection_policies":[{}],
		"routes":[{"match":[{"host":["crm.example.de"]}],"handle":[{"handler":"fake_gate"}]}]}}}}}`), "without TLS on :8079-8081")
}

func TestListenerOutOfReachOrWithTLSIsAccepted(t *testing.T) {
	for name, site := range map[string]string{
		"https":             "crm.example.de {\n fake_gate\n}",
		"https on a port":   "https://crm.example.de:8443 {\n fake_gate\n}",
		"own certificate":   ":8443 {\n tls internal\n fake_gate\n}",
		"localhost":         "http://localhost:8080 {\n fake_gate\n}",
		"localhost by name": "http://crm.localhost:8080 {\n fake_gate\n}",
		"loopback":          "http://127.0.0.1:8080 {\n fake_gate\n}",
		"bound to loopback": ":8080 {\n bind 127.0.0.1 ::1\n fake_gate\n}",
		"unix socket":       "http:// {\n bind unix//run/gate.sock\n fake_gate\n}",
		"trusted proxies":   "{\n servers {\n trusted_proxies static 10.0.0.0/8\n }\n}\n:8080 {\n fake_gate\n}",
	} {
		t.Run(name, func(t *testing.T) { wantNothing(t, checkCaddyfile(t, site)) })
	}
}
