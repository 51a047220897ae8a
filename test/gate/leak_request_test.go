package gate_test

import (
	"net/http"
	"strings"
	"testing"
)

// leaksByRequest say one thing and mean another (85 to 90).
func leaksByRequest() []leak {
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i+1 < len(pairs); i += 2 {
			h[pairs[i]] = append(h[pairs[i]], pairs[i+1])
		}
		return h
	}
	form := header("Content-Type", "application/x-www-form-urlencoded")
	return []leak{
		{85, "other-method", checked, "headers that name another method aren't forwarded", []try{
			{ask: ask{path: "/people/7", header: header("X-Http-Method-Override", "DELETE", "X-Http-Method", "DELETE", "X-Method-Override", "DELETE")}, check: notForwarded("X-Http-Method-Override", "X-Http-Method", "X-Method-Override")},
		}},
		{85, "other-method-in-a-form", shut, "a field that the profile doesn't know isn't written", []try{
			{ask: ask{method: http.MethodPost, path: "/page/7", body: "_method=DELETE&name=x", header: form}},
			{ask: ask{method: http.MethodPost, path: "/page/7", body: "+.METHOD=DELETE&name=x", header: form}, as: "paula", check: status(http.StatusBadRequest)},
			{ask: parted("_method\r\n\r\nDELETE", "name\r\n\r\nx"), as: "paula", check: status(http.StatusBadRequest)},
			getting("/people?_method=DELETE", nil),
		}},
		{86, "other-path", shut, "what a CRM could read as another path is refused", []try{
			getting("//people/7", nil), getting("/static/..%2fpeople/7", nil), getting("/static/%252e%252e/people/7", nil), getting("/people;x=1/7", nil), getting("/people%5c7", nil),
			getting("/People/7", nil), getting("/people/7/", nil), getting("/people/7%00", nil), getting("/index.php/people/7", nil),
		}},
		{87, "parameter-twice", shut, "a parameter that stands twice, or that the profile doesn't list, is refused", []try{
			getting("/people?name=a&name=b", nil), getting("/people?name=a;email=b", nil), getting("/people?na%6De=a&name=b", nil), getting("/people?nope=1", nil),
		}},
		{87, "form-field-twice", shut, "a form whose parts or names two servers could read in two ways isn't forwarded", []try{
			{ask: ask{method: http.MethodPost, path: "/page/7", body: "name=x&Name=y", header: form}, as: "paula", check: status(http.StatusBadRequest)},
			{ask: parted("name\r\n\r\nx\n--F\nContent-Disposition: form-data; name=email\n\ny"), as: "paula", check: status(http.StatusBadRequest)},
			{ask: parted("name; name*=utf-8''email\r\n\r\nx"), as: "paula", check: status(http.StatusBadRequest)},
			{ask: parted("name; name=email\r\n\r\nx"), as: "paula", check: status(http.StatusBadRequest)},
			{ask: parted("\"na%6De\"\r\n\r\nx"), as: "paula", check: status(http.StatusBadRequest)},
			{ask: parted("name\r\nContent-Type: multipart/mixed; boundary=G\r\n\r\n--G--"), as: "paula", check: status(http.StatusBadRequest)},
		}},
		{87, "file-in-a-form", shut, "a file in a field that the profile doesn't have for files isn't forwarded", []try{
			{ask: parted("name; filename=a.txt\r\n\r\nx"), as: "paula", check: status(http.StatusUnsupportedMediaType)}, {ask: parted("nosuch; filename=a.txt\r\n\r\nx"), as: "paula", check: status(http.StatusUnsupportedMediaType)},
		}},
		{88, "smuggled-header", checked, "what is between two hops stays there; nobody takes a header away", []try{
			{ask: ask{path: "/people/7", header: header("Connection", "X-Case, Authorization", "X-Role", "admin", "Keep-Alive", "x", "Te", "trailers")}, check: status(http.StatusOK)},
			{ask: ask{path: "/people/7", header: header("Connection", "Upgrade, HTTP2-Settings", "Upgrade", "h2c", "Http2-Settings", "AAMAAABkAAQAAP__")}},
		}},
		{89, "forged-header", checked, "headers that name another address or person never arrive", []try{
			{ask: ask{path: "/people/7", header: header("X-Original-Url", "/people/8", "X-Rewrite-Url", "/people/8", "X-Forwarded-User", "admin", "X-Remote-User", "admin")}, check: notForwarded("X-Original-Url", "X-Rewrite-Url")},
			{ask: ask{path: "/people/7", header: header("X-Forwarded-Host", "evil.example")}, check: hostStays},
		}},
		{90, "admin-interface", beyond, "Caddy's admin interface is for who administrates: a socket or `admin off`; keys are files, never in the configuration", nil},
	}
}

// parted is a form in parts: each is its name, further headers and its content.
func parted(parts ...string) ask {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("--F\r\nContent-Disposition: form-data; name=" + p + "\r\n")
	}
	return ask{
		method: http.MethodPost, path: "/page/7", body: b.String() + "--F--\r\n",
		header: http.Header{"Content-Type": {"multipart/form-data; boundary=F"}},
	}
}

func hostStays(t *testing.T, _ *reply, sc *scene) {
	t.Helper()
	for _, r := range sc.requests() {
		if got := r.header.Get("X-Forwarded-Host"); strings.Contains(got, "evil") {
			t.Errorf("the CRM got X-Forwarded-Host %q", got)
		}
	}
}

// leaksOverTime come from caches, states, masks and channels (91 to 116).
func leaksOverTime() []leak {
	return []leak{
		{91, "stored-in-the-browser", checked, "nothing of a masked answer is stored", []try{{ask: ask{path: "/people/7"}, check: has("Cache-Control", "private, no-store")}}},
		{91, "service-worker", shut, "a script that could keep answers isn't handed out as a service worker", []try{{ask: ask{path: "/static/app.css", header: http.Header{"Service-Worker": {"script"}}}}}},
		{92, "shared-cache", checked, "as 91, whatever the CRM says", []try{{ask: ask{path: "/people/7"}, crm: withHeader(person, "Cache-Control", "public, max-age=600", "Surrogate-Control", "max-age=600", "Expires", "Thu, 01 Jan 2099 00:00:00 GMT"), check: both(has("Cache-Control", "private, no-store"), without("Surrogate-Control", "Expires"))}}},
		{93, "reload-in-between", checked, "a request keeps the policy it began with: its snapshot is immutable", []try{{ask: ask{path: "/people/7"}, check: status(http.StatusOK)}}},
		{94, "missing-attribute", masked, "a fact that the answer doesn't hold is unknown, and reveals nothing", []try{
			getting("/people/7", jsonAnswer(200, `{"id":7,"rating":"`+leakNote+`"}`)), getting("/people/7", jsonAnswer(200, `{"id":7,"owner":["vera"],"rating":"`+leakNote+`"}`)), getting("/people/7", jsonAnswer(200, `{"id":7,"owner":"","rating":"`+leakNote+`"}`)),
		}},
		{95, "other-site", checked, "no other site reads or embeds an answer", []try{{ask: ask{path: "/people/7"}, check: both(has("Cross-Origin-Resource-Policy", "same-origin"), has("X-Content-Type-Options", "nosniff"))}}},
		{95, "prefetch", shut, "what nobody looks at yet isn't fetched, so that the log shows accesses", []try{{ask: ask{path: "/people/7", header: http.Header{"Sec-Purpose": {"prefetch"}}}}, {ask: ask{path: "/people/7", header: http.Header{"Sec-Purpose": {"prefetch;prerender"}}}}}},
		{96, "timing", beyond, "masking takes longer where there is more to mask; decisions don't depend on values", nil},
		{97, "telling-part", checked, "a part of a short value is nothing of it; domains stay only where everybody has them", []try{{ask: ask{path: "/people/7"}, as: "sven", check: partsTell}}},
		{98, "plain-hash", checked, "pseudonyms are keyed", []try{{ask: ask{path: "/people/7"}, as: "sven", check: lacksHashes("Erika Mustermann")}}},
		{99, "linkable-pseudonym", checked, "pseudonyms are bound to a session", []try{{ask: ask{path: "/people/7"}, as: "sven", check: otherInAnotherSession}}},
		{100, "encryption-oracle", checked, "a placeholder isn't a function of the value", []try{{ask: ask{path: "/people/7"}, check: oneWidth}}},
		{101, "foreign-placeholder", checked, "a placeholder in another field or record isn't saved", []try{
			{ask: ask{method: http.MethodPatch, path: "/people/7", body: `{"name":"••••••"}`}, check: notSaved},
			{ask: ask{method: http.MethodPatch, path: "/people/7", body: `{"email":"` + leakMail + `x"}`}, check: notSaved},
		}},
		{102, "write-then-read", checked, "who doesn't see a value doesn't change it", []try{{ask: ask{method: http.MethodPatch, path: "/people/7", body: `{"email":"me@evil.example"}`}, check: notSaved}}},
		{103, "copied-elsewhere", shut, "copying, merging and mapping are unknown routes", []try{posting("/people/7/copy", `{"map":{"email":"name"}}`), posting("/people/merge", `{"ids":[7,8]}`)}},
		{104, "reveal-in-a-loop", shut, "without the word `reveal` there is no such page; with it, a quota bounds the wishes", []try{{ask: ask{method: http.MethodPost, path: "/.crmgate/reveal", body: `{"record":"person/7"}`}}}},
		{105, "order-preserving", checked, "nothing is encrypted in place of a value", []try{{ask: ask{path: "/people/7"}, check: oneWidth}}},
		{106, "process-log", checked, "no address, header or value is in a log of processes", []try{{ask: ask{path: "/people?q=" + leakNote[:12]}, check: logsAreQuiet}}},
		{107, "preview", beyond, "`crmgate explain` shows recorded exchanges that its user has anyway", nil},
		{108, "assistant", shut, "assistants are unknown routes", []try{posting("/ai/chat", `{"q":"who is 7"}`)}},
		{109, "binary-call", withheld, "unknown types are refused", []try{
			getting("/people/7", typed("application/x-protobuf", 200, "\x0a\x22"+leakMail)), getting("/people/7", typed("application/msgpack", 200, "\x81\xa5email\xd9\x22"+leakMail)),
		}},
		{110, "other-person", shut, "impersonation is an unknown route", []try{posting("/users/3/impersonate", `{}`)}},
		{111, "session-of-another", checked, "where the profile names the CRM's session, it is bound to the gateway session that got it; another's is refused", []try{{ask: ask{path: "/people/7"}, check: othersCRMSession}}},
		{112, "cookie-used-directly", beyond, "the CRM's own cookie is the browser's: the CRM must be reachable through the gateway alone", nil},
		{113, "other-host", checked, "a host that no site has is nobody's", []try{{ask: ask{path: "/people/7", header: http.Header{"Host": {"other.example"}}}, check: nobodys}}},
		{114, "push-message", shut, "subscribing to push messages is an unknown route", []try{posting("/push/subscriptions", `{"endpoint":"https://push.example"}`)}},
		{115, "injected-script", checked, "the CRM's own Content-Security-Policy is kept", []try{
			{ask: ask{path: "/page/7"}, crm: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Security-Policy", "default-src 'self'")
				htmlAnswer(article)(w, r)
			}, check: has("Content-Security-Policy", "default-src 'self'")},
		}},
		{116, "new-in-an-upgrade", shut, "an unknown route is refused", []try{getting("/v2/people/7", nil)}},
		{116, "new-field-in-an-upgrade", masked, "an unknown field is masked", []try{getting("/people/7", jsonAnswer(200, `{"id":7,"contact":{"mail":"`+leakMail+`"},"list":["`+leakPhone+`"]}`))}},
	}
}

// othersCRMSession sends one employee's CRM cookie with another's gateway session;
// its owner reaches the CRM with it.
func othersCRMSession(t *testing.T, _ *reply, _ *scene) {
	t.Helper()
	vera, sven := fresh(t, env.plain, "vera"), fresh(t, env.plain, "sven")
	hers := "kontor_session=" + crmCookie(t, vera)
	for b, want := range map[*browser]int{vera: http.StatusOK, sven: http.StatusForbidden} {
		sc := newScene(t, nil)
		newBrowser(env.plain).do(t, ask{path: "/static/app.css", scene: sc, header: b.signedInWith(hers)}).want(t, want)
		if reached := len(sc.requests()) > 0; reached != (want == http.StatusOK) {
			t.Errorf("status %d, reached the CRM: %v", want, reached)
		}
	}
}
