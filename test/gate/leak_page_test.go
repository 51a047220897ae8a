package gate_test

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
)

// leaksInPages hide values in HTML (51 to 60).
func leaksInPages() []leak {
	page := func(more string) try { return getting("/page/7", htmlAnswer(article+more)) }
	within := func(more string) try {
		return getting("/page/7", htmlAnswer(`<article data-id="7"><dd class="email">`+leakMail+`</dd>`+more+`</article>`))
	}
	md5sum, sha := md5.Sum([]byte(leakMail)), sha256.Sum256([]byte(leakMail))
	return []leak{
		{51, "attribute", masked, "every attribute is searched for the values of the page's records", []try{
			page(`<a href="mailto:` + leakMail + `?subject=x" title="` + leakMail + `" aria-label="An ` + leakMail + `">x</a>`),
			page(`<img alt="` + leakPhone + `" data-mail="ERIKA.Mustermann@Kanarien.Example" srcset="/a?m=erika.mustermann%40kanarien.example 2x"><meta property="og:x" content="` + leakIBAN + `">`),
			page(`<a href="tel:+4915123456789">x</a><a href=tel:015123456789>y</a><p title='DE89 3704 0044 0532 0130 00'>z</p>`),
			page(`<p title="x" TITLE="` + leakMail + `" title='` + leakPhone + `'>z</p>`), within(`<dd class="email" class="nosuch"><span title="a@b" title="` + leakMail + `">x</span></dd>`),
			{
				ask: ask{path: "/page/7"}, check: lacks("gr%fcn.Y%131lmaz"),
				crm: htmlAnswer(`<article data-id="7"><dd class="email">grün.Yılmaz@kanarien.example</dd><dd class="email">` + leakMail + `</dd></article><a href="/x?m=gr%fcn.Y%131lmaz%40kanarien.example">x</a>`),
			},
		}},
		{52, "hidden-text", masked, "comments, templates and hidden fields are texts like others", []try{
			page(`<!-- ` + leakMail + ` --><template><b>` + leakNote + `</b></template><noscript>` + leakPhone + `</noscript><input type=hidden value="` + leakMail + `">`),
			within(`<p hidden>` + leakNote + `</p><p style="display:none">` + leakBorn + `</p>`),
		}},
		{53, "hydration", masked, "documents in scripts are masked inside where the profile names them, else searched", []try{
			page(`<script id="data" type="application/json">{"id":7,"email":"` + leakMail + `","note":"` + leakNote + `"}</script>`),
			page(`<script>window.state={"person":{"mail":"` + leakMail + `","n":"erika.mustermann\u0040kanarien.example"}}</script>`),
			page(`<script type="application/ld+json">{"@type":"Person","email":"mailto:` + leakMail + `"}</script>`),
		}},
		{54, "script-literal", masked, "as 53", []try{
			page(`<button onclick="call('` + leakPhone + `')">x</button><a href="javascript:mail('erika.mustermann%40kanarien.example')">y</a>`),
			page("<script>let a='\\x65rika.mustermann@kanarien.example',b=`" + leakNote + "`</script>"),
		}},
		{55, "foreign-content", masked, "tags are spliced raw, nothing is parsed and rendered again", []try{
			page(`<svg><title>` + leakMail + `</title><text>` + leakNote + `</text><a xlink:href="mailto:` + leakMail + `"/></svg>`),
		}},
		{55, "foreign-rules", withheld, "MathML and CDATA, which browsers read by rules of their own, are refused", []try{page(`<math><mtext>` + leakMail + `</mtext></math>`), page(`<svg><![CDATA[` + leakMail + `]]></svg>`)}},
		{56, "split-text", masked, "within a record every text is masked; elsewhere invisible signs don't hide a value", []try{
			within(`<p><b>erika.mustermann</b>@kanarien.example</p>`),
			page(`<p>erika.mustermann&#64;kanarien.example</p>`), page("<p>erika.muster\u00admann@kanarien.example</p>"), page("<p>erika.mustermann\u200b@kanarien.example</p>"),
			page(`<p>erika.muster&shy;mann@kanarien&period;example</p>`), page("<p>Kanarienvogel\u00a0im Wohnzimmer</p>"),
		}},
		{57, "embedded-page", masked, "srcdoc and data: are searched decoded", []try{
			page(`<iframe srcdoc="&lt;p&gt;` + leakMail + `&lt;/p&gt;"></iframe>`), page(`<iframe srcdoc="&lt;p&gt;erika.mustermann&amp;#64;kanarien.example&lt;/p&gt;"></iframe>`),
			page(`<a href="data:text/html;base64,` + base64Of("<p>"+leakMail) + `">x</a>`),
		}},
		{58, "picture", checked, "a neutral picture stands in a masked one's place", []try{{ask: ask{path: "/photos/7"}, crm: typed("image/png", 200, leakMail), check: has("Content-Type", "image/png")}}},
		{59, "gravatar", masked, "the hash of an address is the address: it is found like the address", []try{
			{ask: ask{path: "/page/7"}, crm: htmlAnswer(article + `<img src="https://www.gravatar.com/avatar/` + hex.EncodeToString(md5sum[:]) + `?d=mp">`), check: lacks(hex.EncodeToString(md5sum[:]))},
			{ask: ask{path: "/page/7"}, crm: htmlAnswer(article + `<img src="https://www.gravatar.com/avatar/` + hex.EncodeToString(sha[:]) + `">`), check: lacks(hex.EncodeToString(sha[:]))},
		}},
		{60, "mail-source", withheld, "MIME is another type", []try{getting("/people/7", typed("message/rfc822", http.StatusOK, "From: x\r\n\r\n"+leakMail))}},
	}
}
