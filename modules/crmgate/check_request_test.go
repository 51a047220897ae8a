package crmgate_test

import "testing"

// Each row changes what was judged before it reaches the CRM.
func TestChangeBehindTheGateIsRefused(t *testing.T) {
	site := func(behind string) string {
		return "crm.example.de {\n fake_gate\n route {\n" + behind + "\n reverse_proxy unix//run/crm.sock\n }\n}"
	}
	for name, row := range map[string]struct{ config, label string }{
		"rewrite":      {site("rewrite /a /b"), "rewrite /b"},
		"query":        {site("rewrite * ?a=b"), "rewrite ?a=b"},
		"method":       {site("method GET"), "rewrite of the method"},
		"strip_prefix": {site("uri strip_prefix /crm"), "rewrite strip_prefix /crm"},
		"uri replace":  {site("uri replace /a /b"), "rewrite of the address"},
		"uri query":    {site("uri query -a"), "rewrite of the address"},
		"try_files":    {site("try_files {path} /index.php"), "rewrite {http.matchers.file.relative}"},
		"body":         {site("request_body {\n set x\n}"), "request_body set"},
		"handle_path": {
			"crm.example.de {\n fake_gate\n handle_path /crm/* {\n reverse_proxy unix//run/crm.sock\n }\n}",
			"rewrite strip_prefix /crm",
		},
		"proxy's own rewrite": {
			"crm.example.de {\n fake_gate\n reverse_proxy unix//run/crm.sock {\n rewrite /x{uri}\n }\n}",
			"reverse_proxy unix//run/crm.sock",
		},
		"proxy's own method": {
			"crm.example.de {\n fake_gate\n reverse_proxy unix//run/crm.sock {\n method GET\n }\n}",
			"reverse_proxy unix//run/crm.sock",
		},
		"rewrite in handle_response": {
			"crm.example.de {\n fake_gate\n reverse_proxy unix//run/crm.sock {\n handle_response {\n rewrite * /x\n respond ok\n }\n }\n}",
			"handle_response[0] › routes[0]: rewrite /x",
		},
	} {
		t.Run(name, func(t *testing.T) {
			wantStop(t, checkCaddyfile(t, row.config), row.label, "changes the request behind the gate")
		})
	}
}

func TestChangeForOneOfManyHostsBehindTheGateIsRefused(t *testing.T) {
	found := checkJSON(t, server(`[
		{"match":[{"host":["crm.example.de"]}],"handle":[{"handler":"fake_gate"}]},
		{"match":[{"host":["*.example.de"]}],"handle":[{"handler":"rewrite","uri":"/x"}]}]`, ""))
	wantStop(t, found, "routes[1] (host *.example.de): rewrite /x")
}

func TestPHPFastCGIIsAccepted(t *testing.T) {
	for name, line := range map[string]string{
		"as it is":       "php_fastcgi unix//run/php.sock",
		"over loopback":  "php_fastcgi 127.0.0.1:9000",
		"with a matcher": "php_fastcgi /crm/* unix//run/php.sock",
		"own try_files":  "php_fastcgi unix//run/php.sock {\n try_files {path} /crm/index.php\n}",
		"own extensions": "php_fastcgi unix//run/php.sock {\n split .php .PHP5\n}",
	} {
		t.Run(name, func(t *testing.T) {
			wantNothing(t, checkCaddyfile(t, "crm.example.de {\n root * /var/www\n fake_gate\n "+line+"\n file_server\n}"))
		})
	}
}

// The exception is for php_fastcgi's own rewrite, not for what looks like it.
func TestRewriteLikePHPFastCGIsIsRefused(t *testing.T) {
	const (
		file  = `"match":[{"file":{"split_path":[".php"]}}]`
		index = `{` + file + `,"handle":[{"handler":"rewrite","uri":"{http.matchers.file.relative}"}]}`
		php   = `{"match":[{"path":["*.php"]}],"handle":[{"handler":"reverse_proxy","transport":{"protocol":"fastcgi","split_path":[".php"]},"upstreams":[{"dial":"unix//run/php.sock"}]}]}`
	)
	behind := func(routes string) string { return server(`[{"handle":[{"handler":"fake_gate"}]},`+routes+`]`, "") }
	wantNothing(t, checkJSON(t, behind(index+","+php)))
	for name, routes := range map[string]string{
		"to somewhere else":        `{` + file + `,"handle":[{"handler":"rewrite","uri":"/admin.php"}]},` + php,
		"with another method":      `{` + file + `,"handle":[{"handler":"rewrite","uri":"{http.matchers.file.relative}","method":"GET"}]},` + php,
		"with another query":       `{` + file + `,"handle":[{"handler":"rewrite","uri":"{http.matchers.file.relative}","query":{"delete":["a"]}}]},` + php,
		"before a proxy over HTTP": index + `,{"match":[{"path":["*.php"]}],"handle":[{"handler":"reverse_proxy","upstreams":[{"dial":"unix//run/crm.sock"}]}]}`,
		"for other files":          index + `,{"handle":[{"handler":"reverse_proxy","transport":{"protocol":"fastcgi","split_path":[".php"]},"upstreams":[{"dial":"unix//run/php.sock"}]}]}`,
		"at a distance":            index + `,{"handle":[{"handler":"vars"}]},` + php,
		"with nothing behind it":   index,
		"without an extension":     `{"match":[{"file":{}}],"handle":[{"handler":"rewrite","uri":"{http.matchers.file.relative}"}]},{"match":[{"path":[]}],"handle":[{"handler":"reverse_proxy","transport":{"protocol":"fastcgi"},"upstreams":[{"dial":"unix//run/php.sock"}]}]}`,
		"without a file":           `{"handle":[{"handler":"rewrite","uri":"{http.matchers.file.relative}"}]},` + php,
		"with two handlers":        `{` + file + `,"handle":[{"handler":"rewrite","uri":"{http.matchers.file.relative}"},{"handler":"vars"}]},` + php,
	} {
		t.Run(name, func(t *testing.T) {
			wantStop(t, checkJSON(t, behind(routes)), "changes the request behind the gate")
		})
	}
}
