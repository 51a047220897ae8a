package link

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

func judge(t testing.TB) *Judge {
	t.Helper()
	j, err := New([]string{"muster-werke.de", "example.de", "example.com"}, []string{"hausbank.example"}, []string{"partner.example", "10.1.2.3", "example.org"})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestSuspiciousAddressesAreRecognised(t *testing.T) {
	j := judge(t)
	for reason, list := range map[Reason][]string{
		Lookalike: {
			"https://examp1e.de/login", "https://exarnple.de", "http://exampIe.de", "https://EXAMP1E.DE", "https://examqle.de", "https://exmaple.de", "https://exampl.de",
			"https://eexample.de", "https://examples.de", "https://example.net", "https://example.co", "https://www.example.shop/x", "https://exаmple.de", "https://еxample.de/a?b=c",
			"https://xn--exmple-4nf.de", "https://ехаmрlе.de", "https://exämple.de", "https://ｅｘａｍｐ1ｅ.de", "https://𝐞xamp1e.de", "https://paypa1.com",
			"https://paypaI.com", "https://pаypal.com", "https://раураl.com", "https://xn--pypal-4ve.com", "https://g00gle.com", "https://gooogle.com", "https://gogle.com", "https://rnicrosoft.com",
			"https://micros0ft.com", "https://microsfot.com", "https://mlcrosoft.com", "https://facebo0k.com", "https://arnazon.de", "https://amazqn.de", "https://lînkedin.com",
			"https://linkedln.com", "https://аррӏе.com", "https://xn--80ak6aa92e.com", "https://sparkassse.de", "https://commerzhank.de", "https://deutsche-bnak.de", "https://te1ekom.de",
			"https://docusing.com", "https://netfIix.com", "https://bookinq.com", "https://hausbanк.example", "https://rnuster-werke.de", "https://musterwerke.de",
			"https://login.examp1e.de", "//exаmple.de/x", `https:\\examp1e.de\x`, "https:/examp1e.de", "https://examp1e.de.", "https://%65xamp1e.de", "https://examp1e.de:8443/",
			"ht\ntps://examp1e\t.de", " https://examp1e.de",
		},
		ExtraWord: {
			"https://example.de.evil.example/login", "https://login.example.de.evil.test", "https://example-de.com", "https://example-login.net", "https://login-example.org.test",
			"https://secure-example-portal.test", "https://examplede.test", "https://examplelogin.test", "https://loginexample.test", "https://www.paypal.com.evil.test", "https://paypal-secure.test",
			"https://secure-paypal.test", "https://paypalsecurity.test", "https://microsoft-login.test", "https://login-microsoft.test", "https://sparkasse-pushtan.test", "https://dhl-paket.test",
			"https://dhl-sendung.test", "https://amazon-de.test", "https://accounts.google.com.test.example", "https://muster-werke-de.test", "https://muster-werke.de.test",
			"https://example-de.evil.test", "https://volksbank-sicherheit.test", "https://gmx-webmail.test", "https://example-sso.test",
		},
		MixedScript: {"https://kreditвank.test", "https://loginг.test", "https://сonсord.test", "https://αbank.test", "https://sub.kontoж.test"},
		Disguised:   {"https://сор.test", "https://сас.com", "https://хор.test", "https://ѕсоре.com", "https://xn--80a1acn3a.com", "https://exa\u2044mple.de\u2044login.evil.test", "https://konto.test\u2215login.evil.test"},
		Credentials: {
			"https://www.bank.test@evil.test/", "https://example.de@evil.test", "https://example.de%2flogin@evil.test", "http://user:password@evil.test", "https://example.de:443@evil.test/x",
			"https://a@b@evil.test",
		},
		IP: {
			"http://203.0.113.7/login", "http://3405803783", "http://0xcb007107/", "http://0xCB.0x00.0x71.0x07", "http://0313.0.0161.07", "http://203.113.7", "http://203.7401479",
			"http://[2001:db8::1]/", "http://[::ffff:203.0.113.7]", "http://２０３.0.113.7", "http://203。0。113。7", "https://192.168.1.5/crm", "http://203.0.113.7.", "http://127.1",
		},
		Unreadable: {"https://abcד.test", "https://xn--a.test", "https://xn--zzzzzzzzzzzzzz.test"},
	} {
		for _, raw := range list {
			v, bad := j.Address(raw)
			if !bad || v.Reason != reason {
				t.Errorf("%q: %t %+v, want %s", raw, bad, v, reason)
			}
		}
	}
}

func TestOrdinaryAddressesAreNot(t *testing.T) {
	j := judge(t)
	for _, raw := range strings.Fields(ordinary) {
		if v, bad := j.Address(raw); bad {
			t.Errorf("%s: %+v", raw, v)
		}
	}
	for _, raw := range []string{"", "mailto:a@b.test", "javascript:alert(1)", "/path", "?q", "#x", "tel:+49", "https:", "https://", "http://%zz/", "http://a b/", "http://999.999.999.999", "http://1.2.3.4.5", "ftp://evil@x", "http:///", "cid:image001@x"} {
		if v, bad := j.Address(raw); bad {
			t.Errorf("%q: %+v", raw, v)
		}
	}
}

const ordinary = `
https://example.de https://www.example.de/kontakt?x=1 https://crm.example.com:8443/#Contact https://a.b.example.de https://partner.example/x https://shop.partner.example http://10.1.2.3/
https://example.org/ https://muster-werke.de https://www.muster-werke.de/
https://www.google.com/maps?q=Berlin https://maps.google.de https://google.fr https://docs.google.com/document/d/1 https://goo.gl/x https://www.youtube.com/watch?v=1 https://youtu.be/1
https://login.microsoftonline.com/common https://teams.microsoft.com/l/meetup-join/19 https://outlook.office365.com https://aka.ms/x https://example.sharepoint.com/sites https://example.atlassian.net
https://www.amazon.com https://amazon.co.uk https://www.amazone.de https://ebay.com https://www.apple.com/de https://icloud.com https://cloud.de https://www.paypal.com/de https://paypal.me/x https://www.klarna.com/de
https://github.com/golang/go https://golang.github.io https://gitlab.com https://gitlab.example.de https://de.wikipedia.org/wiki/M%C3%BCnchen https://www.linkedin.com/in/x https://xing.com https://www.facebook.com/x https://fb.me
https://www.dhl.de/de/privatkunden https://nolp.dhl.de https://www.ups.com/track https://tracking.dpd.de https://www.hermes.de https://gls-group.com
https://www.sparkasse-koelnbonn.de https://www.sparkassen.de https://berliner-sparkasse.de https://www.volksbanken.de https://vr.de https://commerzbank.com https://www.deutsche-bank.de https://db.com https://ing.com https://www.ing-diba.de
https://müller.de https://www.bücher.ch https://xn--mller-kva.de https://schön.test https://straße.de https://café-example.test https://пример.рф https://xn--e1afmkfd.xn--p1ai https://президент.рф https://日本語.jp https://東京タワー.jp https://中文.cn https://한국.kr https://ελλάδα.gr https://παράδειγμα.ελ
https://www.bahn.de https://lufthansa.com https://www.bmw.de https://www.bundestag.de https://elster.de https://www.zoll.de https://gesetze-im-internet.de https://www.bsi.bund.de https://datenschutz.hessen.de https://eur-lex.europa.eu
https://www.telekom.de/hilfe https://vodafone.com https://o2online.de https://www.gmx.de https://web.de https://posteo.de https://mailbox.org https://www.ionos.de https://strato.com
https://zoom.us/j/1 https://us02web.zoom.us/j/1 https://slack.com https://app.slack.com https://example.slack.com https://trello.com https://notion.so https://www.dropbox.com/s/x https://we.tl/t https://wetransfer.com https://calendly.com/x https://docusign.net/x https://eu.docusign.com
https://list-manage.com/track https://click.mailchimp.com https://t.co/x https://bit.ly/x https://lnkd.in/x https://safelinks.protection.outlook.com/?url=https%3A%2F%2Fexamp1e.de
https://intranet/ http://localhost:8080 https://crm https://my_server.local/x https://a--b.test https://stackoverflow.com https://mastodon.social https://heise.de https://www.faz.net https://spiegel.de https://zeit.de https://tagesschau.de
https://beispiel.de https://simple.de https://sample.de https://exempel.de https://muster.de https://stadtwerke.de https://musterwerk.de https://www.werke.de https://postbote.de https://post.de https://hausbank.de https://exams.test https://amble.de https://trample.de https://dell.com https://hp.com https://hotel-sonne.at
https://booking-holdings.test https://github-readme.test https://applebees.test https://pineapple.test https://strip.test https://stripes.test https://zooms.test https://streets.test https://adobe-brick.test https://ionosphere.test https://slackline.test https://officeworks.test https://livestream.com https://live-music.test https://delivery.test https://datevent.test https://singer.de https://webdesign.de https://web-agentur.test https://web-design.de https://ups-usv.test https://zoll-stock.test https://ing-buero.test https://office-furniture.test
`

func TestTextsAreSearched(t *testing.T) {
	j := judge(t)
	for text, want := range map[string]string{
		"Bitte hier anmelden: https://examp1e.de/login.":                    "examp1e.de",
		"(siehe www.examp1e.de)":                                            "www.examp1e.de",
		`<p>Hallo</p><a href="https://examp1e.de/x">https://example.de</a>`: "examp1e.de",
		`<a href='&#104;ttps:&#x2F;&#47;examp1e&#46;de'>x</a>`:              "examp1e.de",
		`<a href="https&colon;&sol;&sol;examp1e.de">`:                       "examp1e.de",
		"HTTPS://EXAMP1E.DE":                                                "examp1e.de",
		"WWW.EXAMP1E.DE":                                                    "www.examp1e.de",
		"https://example.de und https://www.example.de":                     "",
		"kein Link, nur example. de und https":                              "",
		"https://exаmple.de":                                                "xn--exmple-4nf.de",
		"a@b.test https://example.de@evil.test/x":                           "evil.test",
	} {
		got := ""
		left := 1000
		j.Text(text, &left, func(v Verdict) { got += v.Host })
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	n, left := 0, 500
	j.Text(strings.Repeat("https://examp1e.de ", 400), &left, func(Verdict) { n++ })
	if n != 1 || left != 100 {
		t.Errorf("one host is told %d times, %d are left", n, left)
	}
	j.Text(strings.Repeat("https://example.de ", 100)+"https://examp1e.de", &left, func(Verdict) { n++ })
	if n != 1 || left != 0 {
		t.Errorf("more is looked at than is left: %d, %d", n, left)
	}
}

func TestDomainsThatCannotBeProtectedAreRefused(t *testing.T) {
	for _, name := range []string{"", "de", "co.uk", "www.example.de", "https://example.de", "example.de/x", "*.example.de", "10.0.0.1", "exa mple.de", "a@b.de"} {
		if _, err := New([]string{name}, nil, nil); err == nil {
			t.Errorf("own %q is taken", name)
		}
	}
	for _, name := range []string{"", "a/b", "https://x.de", "a@b.de", "x.de:80"} {
		if _, err := New(nil, nil, []string{name}); err == nil {
			t.Errorf("known %q is taken", name)
		}
	}
}

// Whatever is read, the host is one that can be asked for and shown: ASCII, and the same
// that net/url reads where that reads it without a doubt.
func FuzzRead(f *testing.F) {
	for _, raw := range append(strings.Fields(ordinary), "http://0x7f.1", "https://a@b@c", `https:\\x\y`, "http://[::1]:80", "https://ex\u00adample.de", "https://%2565.de") {
		f.Add(raw)
	}
	j := judge(f)
	f.Fuzz(func(t *testing.T, raw string) {
		a, ok := Read(raw)
		left := 100
		j.Text(raw, &left, func(v Verdict) {
			if v.Host == "" || v.Reason == "" {
				t.Errorf("%q: %+v", raw, v)
			}
		})
		if !ok {
			return
		}
		for i := range len(a.Host) {
			if a.Host[i] >= utf8.RuneSelf || a.Host[i] <= ' ' {
				t.Fatalf("%q: host %q", raw, a.Host)
			}
		}
		if a.Unreadable {
			return
		}
		if _, err := netip.ParseAddr(a.Host); (err == nil) != a.IP {
			t.Errorf("%q: %+v", raw, a)
		}
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || strings.ContainsAny(raw, "\\\t\r\n ") || !strings.HasPrefix(raw, "http") || !strings.Contains(raw, "://") || strings.Contains(raw, ":///") || a.IP {
			return
		}
		if want, err := idna.New(idna.MapForLookup(), idna.StrictDomainName(false), idna.Transitional(false)).ToASCII(u.Hostname()); err == nil && !strings.EqualFold(strings.TrimSuffix(want, "."), a.Host) {
			t.Errorf("%q: %q, net/url reads %q", raw, a.Host, want)
		}
	})
}

func BenchmarkText(b *testing.B) {
	j := judge(b)
	text := strings.Repeat("Ein gewöhnlicher Text ohne jede Adresse, wie er in Notizen steht. ", 20) + "https://www.beispiel.de/x"
	for b.Loop() {
		left := 100
		j.Text(text, &left, func(Verdict) {})
	}
}
