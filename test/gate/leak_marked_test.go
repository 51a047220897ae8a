package gate_test

import (
	"net/http"
	"strings"
)

// leaksInXML hide values in XML (61 to 65).
func leaksInXML() []leak {
	const list, media, head = "/people.xml", "application/xml", `<?xml version="1.0" encoding="UTF-8"?>`
	xml := func(person string) try {
		return getting(list, typed(media, 200, head+"<people><person><id>7</id>"+person+"</person></people>"))
	}
	whole := func(body string) try { return getting(list, typed(media, 200, body)) }
	fault := func(status int, detail string) try {
		return getting("/soap", typed("text/xml; charset=utf-8", status, `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Server</faultcode>`+detail+`</s:Fault></s:Body></s:Envelope>`))
	}
	soap := func(pairs string) string {
		return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><s:Body><r><list><item><values>` + pairs + `</values></item></list></r></s:Body></s:Envelope>`
	}
	latin := strings.NewReplacer("ä", "\xe4").Replace
	call := func(operation string, actions ...string) try {
		h := http.Header{"Content-Type": {"text/xml; charset=utf-8"}, "Soapaction": actions}
		body := `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>` + operation + `</s:Body></s:Envelope>`
		return try{ask: ask{method: http.MethodPost, path: "/soap", header: h, body: body}, crm: typed("text/xml", 200, soap(`<pair><name>id</name><value>7</value></pair>`))}
	}
	return []leak{
		{10, "filter-in-soap", asked, "as in JSON: the operation is the one in SOAP's body", []try{
			call(`<find><field>email</field><value>%kanarien%</value></find>`), call(`<x:find xmlns:x="urn:x"><x:field>em<![CDATA[ail]]></x:field><x:value/></x:find>`, `"urn:x#find"`),
		}},
		{41, "soap-operation", shut, "an operation, an element or an action that the profile doesn't list isn't forwarded", []try{
			call(`<drop_all/>`), call(`<find><field>name</field><value/></find>`, "drop_all"), call(`<find><field>name</field><value/><sql>1=1</sql></find>`), call(`<find><field>name</field><value/></find><drop_all/>`),
		}},
		{61, "xml-prefix", masked, "names go by namespace and local name, whatever the prefix", []try{
			xml(`<p:email xmlns:p="urn:x">` + leakMail + `</p:email>`), xml(`<email xmlns="urn:x">` + leakMail + `</email>`),
			whole(`<a:people xmlns:a="urn:y"><a:person><b:id xmlns:b="urn:z">7</b:id><a:email>` + leakMail + `</a:email></a:person></a:people>`),
		}},
		{62, "xml-entity", withheld, "document types are refused, and entities with them", []try{
			whole(`<!DOCTYPE people [<!ENTITY e "` + leakMail + `">]><people><person><name>&e;</name></person></people>`), xml(`<name>` + leakMail + `&e;</name>`),
			whole(`<!DOCTYPE people SYSTEM "http://x/` + leakMail + `"><people/>`),
		}},
		{63, "xml-places", masked, "CDATA, references, attributes, comments, instructions and what stands between elements are covered", []try{
			xml(`<email><![CDATA[` + leakMail + `]]></email>`), spelled(xml(`<email>`+strings.Replace(leakMail, "@", "<![CDATA[@]]>", 1)+`</email><x>`+leakMail+`</x>`), "erika"),
			xml(`<email>` + strings.Replace(leakMail, "@", "&#64;", 1) + `</email>`), xml(`<name x="` + leakMail + `">Erika</name>`), xml(`<!-- ` + leakMail + ` -->`), xml(`<?mail ` + leakMail + `?>`),
			xml(leakMail), xml(`<x><y z="` + leakMail + `"/></x>`), xml(`<id>` + leakMail + `</id>`), whole(`<people mail="` + leakMail + `"><person/></people>`),
			whole(`<people><person><id>7</id><name>E</name></person><hint>` + leakMail + `</hint></people><!--` + leakPhone + `-->`),
		}},
		{63, "xml-divided-text", withheld, "a text that a comment divides is read in two ways", []try{xml(`<email>erika.mustermann<!-- -->@kanarien.example</email><label>` + leakMail + `</label>`)}},
		{63, "xml-pairs", masked, "pairs of a name and a value are fields", []try{
			getting("/soap", typed("text/xml", 200, soap(`<pair><name>id</name><value>7</value></pair><pair><name i:type="s">email</name><value i:type="s">`+leakMail+`</value></pair>`))),
			getting("/soap", typed("text/xml", 200, soap(`<pair><name>name</name><name>email</name><value>`+leakMail+`</value></pair>`))),
			getting("/soap", typed("text/xml", 200, soap(`<pair><name/><value>`+leakMail+`</value></pair>`))),
			getting("/soap", typed("text/xml", 200, soap(`<pair><name>`+leakMail+`</name><value>1</value></pair>`))),
		}},
		{64, "soap-fault", withheld, "a fault's texts are withheld; its code stays", []try{fault(500, `<faultstring>`+leakMail+`</faultstring><detail><x y="`+leakPhone+`"/></detail>`)}},
		{64, "soap-fault-in-success", masked, "so are those of one that comes as a success", []try{fault(200, `<faultstring>`+leakMail+`</faultstring>`)}},
		{65, "xml-round-trip", withheld, "what readers take in two ways is refused, and nothing is written anew", []try{
			xml(`<x :a="` + leakMail + `"/>`), xml(`<x a="` + leakMail + `" a="y"/>`), xml(`<x>` + leakMail + `</y>`), xml("<x>" + leakMail + "\x00</x>"), whole(`<people/><person>` + leakMail + `</person>`),
			whole(`<?xml version="1.1"?><people><person><name>` + leakMail + `</name></person></people>`),
		}},
		{65, "xml-charset", masked, "charsets with one byte a character are read and written as they are", []try{
			getting(list, typed("text/xml; charset=iso-8859-1", 200, latin(`<?xml version="1.0" encoding="ISO-8859-1"?><people><person><id>7</id><shoe>ä `+leakMail+`</shoe></person></people>`))),
		}},
		{65, "xml-two-charsets", withheld, "where two are named, all of it has to be ASCII", []try{
			getting(list, typed("text/xml; charset=utf-8", 200, latin(`<?xml version="1.0" encoding="ISO-8859-1"?><people><person><shoe>ä `+leakMail+`</shoe></person></people>`))),
		}},
	}
}

// leaksInLines hide values in vCards, calendars and LDIF (69).
func leaksInLines() []leak {
	card := func(lines ...string) try {
		return getting("/people.vcf", typed("text/vcard", 200, "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:7\r\nFN:Erika\r\n"+strings.Join(lines, "\r\n")+"\r\nEND:VCARD\r\n"))
	}
	event := func(lines ...string) try {
		return getting("/people.ics", typed("text/calendar", 200, "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:7\r\n"+strings.Join(lines, "\r\n")+"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
	}
	entry := func(lines ...string) try {
		return getting("/people.ldif", typed("text/ldif", 200, "dn: uid=7\n"+strings.Join(lines, "\n")+"\n"))
	}
	return []leak{
		{69, "vcard", masked, "folded lines, groups, parameters and nested cards are read; an unknown property is masked", []try{
			card("EMAIL;TYPE=work:" + leakMail), spelled(card("item1.EMAIL:erika.muster\r\n mann@kanarien.example", "X:"+leakMail), "erika"), card("EMAIL:mailto:"+leakMail, "TEL;VALUE=uri:tel:"+leakPhone),
			card("NOTE;X-MAIL=\"" + leakMail + "\":x"), card("X-IBAN:" + leakIBAN), card("BEGIN:VCARD", "EMAIL:"+leakMail, "END:VCARD"), card("BDAY:" + leakBorn),
			card("TEL;TYPE=" + leakPhone[1:4] + ";X=1:" + leakPhone),
		}},
		{69, "calendar", masked, "as vcard", []try{
			event(`ATTENDEE;CN="` + leakMail + `":mailto:x@example.org`), event("ORGANIZER:mailto:" + leakMail), event("DESCRIPTION:" + leakNote), event("BEGIN:VALARM", "DESCRIPTION:"+leakMail, "END:VALARM"),
		}},
		{69, "ldif", masked, "base64 is decoded, comments are covered; change records are refused", []try{
			entry("mail: " + leakMail), spelled(entry("mail;lang-de:: "+base64Of(leakMail), "x: "+leakMail), base64Of(leakMail)), spelled(entry("mail: erika.muster\n mann@kanarien.example", "x: "+leakMail), "erika"), entry("# " + leakMail),
			spelled(entry("description:: "+base64Of(leakNote), "x: "+leakNote), base64Of(leakNote)), spelled(entry("x-photo:: "+base64Of("\xff"+leakMail), "x: "+leakMail), base64Of("\xff" + leakMail)[:40]),
		}},
		{69, "quoted-printable", withheld, "vCard 2.1's encodings are refused", []try{card("NOTE;ENCODING=QUOTED-PRINTABLE:" + leakMail)}},
		{69, "vcard-elsewhere", withheld, "on a route of another type they are refused", []try{
			getting("/people/7", typed("text/vcard", 200, "BEGIN:VCARD\r\nEMAIL:"+leakMail+"\r\nEND:VCARD\r\n")), getting("/people/7", typed("application/xml", 200, "<x>"+leakMail+"</x>")),
			getting("/people.vcf", typed("text/html", 200, "BEGIN:VCARD\r\nEMAIL:"+leakMail+"\r\nEND:VCARD\r\n")), getting("/people.xml", typed("application/xhtml+xml", 200, "<people><person>"+leakMail+"</person></people>")),
		}},
	}
}

// leaksInVariants hide values in what is nearly JSON (30, 36).
func leaksInVariants() []leak {
	return []leak{
		{30, "json-variant", masked, "prefixes, callbacks and lines are read where the profile names them", []try{
			getting("/people.ndjson", typed("application/x-ndjson", 200, person+"\n"+person+"\n")), getting("/feed", typed("application/x-ndjson", 200, person+"\n"+person+"\n")),
			getting("/prefixed", jsonAnswer(200, ")]}'\n"+person)), getting("/script?cb=a.b", typed("text/javascript", 200, "/**/a.b("+person+");")),
		}},
		{30, "json-callback", withheld, "another function than the one asked for is refused", []try{
			getting("/script?cb=a.b", typed("text/javascript", 200, `x="`+leakMail+`";a.b(`+person+`);`)), getting("/script", typed("text/javascript", 200, "f("+person+")")),
		}},
		{30, "callback-name", shut, "a callback that is more than a name isn't forwarded", []try{{ask: ask{path: "/script?cb=alert(1)//"}}}},
		{36, "document-in-base64", masked, "so are documents in base64", []try{
			getting("/people/7", jsonAnswer(200, `{"id":7,"packed":"`+base64Of(`{"email":"`+leakMail+`","x":"`+leakNote+`"}`)+`"}`)),
		}},
	}
}

// spelled says that an answer hasn't a value in a spelling that the suite's own
// reading doesn't know; beside it the value stands as it is, for the control.
func spelled(t try, spelling string) try {
	t.check = lacks(spelling)
	return t
}
