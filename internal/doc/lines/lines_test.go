package lines

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
)

// card is a vCard with the lines in the middle.
func card(lines ...string) string {
	return "BEGIN:VCARD\r\nVERSION:4.0\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCARD\r\n"
}

// suite is what SuiteCRM answers: without a version, with parameters without names.
const suite = "BEGIN:VCARD\nN;CHARSET=utf-8:Abston;Changed;;\nFN;CHARSET=utf-8: Changed Abston\nBDAY:\nTEL;WORK;FAX:\nTEL;HOME;CHARSET=utf-8:(749) 402-2354\n" +
	"EMAIL;INTERNET;CHARSET=utf-8:hr24@example.edu\nADR;WORK;CHARSET=utf-8:;;111 Silicon Valley Road;San Francisco;NY;41006;USA\nEND:VCARD"

const calendar = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\nATTENDEE;CN=\"Mustermann, Erika\";ROLE=REQ-PARTICIPANT:mailto:erika@example.org\r\n" +
	"DESCRIPTION:Anruf bei Erika\\, dann\\nweiter; und ein langer Satz der gefaltet w\r\n ird\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

const directory = "version: 1\n# Erika Mustermann, people\ndn: uid=erika,ou=people,\n dc=example\nobjectClass: person\nmail;lang-de: erika@example.org\ncn:: RXJpa2EgTcO8bGxlcg==\njpegPhoto:: /9j/4AAQ\ndescription:\n\n\ndn: uid=max\n"

func mustParse(t testing.TB, src string, k Kind) *doc.Tree {
	t.Helper()
	tree, err := Parse([]byte(src), k, doc.DefaultLimits())
	if err != nil {
		t.Fatalf("%q: %v", src, err)
	}
	return tree
}

func outline(t *doc.Tree, node int) string {
	if t.Nodes[node].Kind == doc.String {
		return fmt.Sprintf("%s=%q", t.Key(node), t.Text(node))
	}
	var parts []string
	for c := range t.Children(node) {
		parts = append(parts, outline(t, c))
	}
	return t.Key(node) + "{" + strings.Join(parts, " ") + "}"
}

func TestDocumentIsATreeOfItsValues(t *testing.T) {
	for _, tt := range []struct {
		kind      Kind
		src, want string
	}{
		{VCard, card("FN:Erika"), `{VCARD{VERSION="4.0" FN="Erika"}}`},
		{VCard, "\ufeff" + card("fn:Erika", "item1.EMAIL:e@x"), `{VCARD{VERSION="4.0" FN="Erika" EMAIL="e@x"}}`},
		{VCard, card("NOTE:a\\nb\\,c\\;d\\\\e", "X-A:"), `{VCARD{VERSION="4.0" NOTE="a\nb,c;d\\e" X-A=""}}`},
		{VCard, card("NOTE:Eri\r\n ka M\r\n\tuster", "NO\r\n TE;TY\r\n PE=ho\r\n me\r\n :x"), `{VCARD{VERSION="4.0" NOTE="Erika Muster" NOTE{@TYPE="home" #text="x"}}}`},
		{VCard, card("N:Mustermann;Erika;;Dr.;", "ADR:;;Weg 1\\;2;Ort;;1;"), `{VCARD{VERSION="4.0" N{#text="Mustermann" #text="Erika" #text="Dr."} ADR{#text="Weg 1;2" #text="Ort" #text="1"}}}`},
		{VCard, card("ORG:Firma", "N:;;;;"), `{VCARD{VERSION="4.0" ORG="Firma" N=";;;;"}}`},
		{VCard, card("TEL;VALUE=uri;TYPE=\"voice,home\":tel:+49-30", `X;A="b:c;d",e;F=^'g^n^^:h`), `{VCARD{VERSION="4.0" TEL{@VALUE="uri" @TYPE="voice,home" #text="+49-30"} X{@A="b:c;d,e" @F="\"g\n^" #text="h"}}}`},
		{VCard, card("PHOTO;ENCODING=b;TYPE=JPEG:/9j/\r\n 4AAQ"), `{VCARD{VERSION="4.0" PHOTO{@ENCODING="b" @TYPE="JPEG" #text="/9j/4AAQ"}}}`},
		{VCard, suite, `{VCARD{N{@CHARSET="utf-8" #text="Abston" #text="Changed"} FN{@CHARSET="utf-8" #text=" Changed Abston"} BDAY="" TEL{@TYPE="WORK" @TYPE="FAX"} ` +
			`TEL{@TYPE="HOME" @CHARSET="utf-8" #text="(749) 402-2354"} EMAIL{@TYPE="INTERNET" @CHARSET="utf-8" #text="hr24@example.edu"} ` +
			`ADR{@TYPE="WORK" @CHARSET="utf-8" #text="111 Silicon Valley Road" #text="San Francisco" #text="NY" #text="41006" #text="USA"}}}`},
		{VCard, "", `{}`},
		{ICal, calendar, `{VCALENDAR{VERSION="2.0" METHOD="REQUEST" VEVENT{UID="1" ATTENDEE{@CN="Mustermann, Erika" @ROLE="REQ-PARTICIPANT" #text="erika@example.org"} ` +
			`DESCRIPTION="Anruf bei Erika, dann\nweiter; und ein langer Satz der gefaltet wird" VALARM{ACTION="DISPLAY"}}}}`},
		{LDIF, directory, `{version="1" #comment=" Erika Mustermann, people" {dn="uid=erika,ou=people,dc=example" objectclass="person" mail="erika@example.org" cn="Erika Müller" jpegphoto="/9j/4AAQ" description=""} {dn="uid=max"}}`},
		{LDIF, "dn:: dWlkPWVyaWth\n2.5.4.3: x\n#c\nsn:  y ", `{{dn="uid=erika" 2.5.4.3="x" #comment="c" sn="y "}}`},
	} {
		if got := outline(mustParse(t, tt.src, tt.kind), doc.Root); got != tt.want {
			t.Errorf("%q\n got %s\nwant %s", tt.src, got, tt.want)
		}
	}
}

func TestWhatReadersDisagreeOnIsRefused(t *testing.T) {
	refused := map[Kind][]string{
		VCard: {
			"x", "FN:x", "BEGIN:VCARD", "BEGIN:VCARD\n", "END:VCARD\n", "BEGIN:VCARD\nEND:VCALENDAR\n", "BEGIN:VCALENDAR\nEND:VCALENDAR\n", "BEGIN:VCARD\nEND:VCARD\nx:y\n",
			"BEGIN;A=b:VCARD\nEND:VCARD\n", "BEGIN:\nEND:\n", " BEGIN:VCARD\nEND:VCARD\n", "BEGIN:VCARD\n\n FN:x\nEND:VCARD\n",
			card("FN"), card(":x"), card("F N:x"), card("FÄ:x"), card("a.b.FN:x"), card(".FN:x"), card("a.:x"), card("FN;:x"), card("FN;=a:x"), card("FN;A=b"), card(`FN;A="b:x`), card(`FN;A=b"c":x`), card(`FN;A="b"c:x`),
			card("FN:a\x00b"), card("FN:a\x1bb"), card("FN:a\x7fb"), card("FN:\xff"), card("FN:a\rb"), "BEGIN:VCARD\rEND:VCARD\r",
			card("FN;ENCODING=QUOTED-PRINTABLE:=45rika"), card("FN;QUOTED-PRINTABLE:=45"), card("FN;ENCODING=\"quoted-printable\":=45"), card("FN;CHARSET=iso-8859-1:x"), card("FN;ENCODING=x-y:x"),
			"BEGIN:VCARD\nVERSION:2.1\nFN:Eri\n ka\nEND:VCARD\n", "BEGIN:VCARD\nFN:Eri\n ka\nEND:VCARD\n", "BEGIN:VCARD\nFN:Eri\n ka\nVERSION:2.1\nEND:VCARD\n",
			strings.Repeat("BEGIN:VCARD\n", 60) + strings.Repeat("END:VCARD\n", 60),
		},
		ICal: {"BEGIN:VCARD\nEND:VCARD\n", "BEGIN:VEVENT\nEND:VEVENT\n", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\nEND:VEVENT\n"},
		LDIF: {
			"x", "mail: x\n", "dn: x\n\nmail: x\n", "dn: x\nmail\n", "dn: x\n: y\n", "dn: x\nm ail: y\n", "dn: x\njpegPhoto:< file:///etc/passwd\n", "dn: x\ncn:: ???\n", "dn: x\ncn:: RXJpa2E\n", "dn: x\ncn:: RXJpa2F=\n",
			"dn: x\nchangetype: modify\n", "dn: x\nChangeType: delete\n", "dn: x\ncontrol: 1.2.3 true\n", "dn: x\nmail: y\n-\n", "dn: x\nadd\n", " dn: x\n", "dn: x\n\ty\n", "dn: x\n\n y\n", "dn: \xff\n", "search: 2\nresult: 0\n",
			"dn: x\n\nversion: 1\n",
		},
	}
	for kind, list := range refused {
		for _, src := range list {
			if _, err := Parse([]byte(src), kind, doc.DefaultLimits()); !errors.Is(err, doc.ErrMalformed) {
				t.Errorf("%s %q: %v, want ErrMalformed", kind, src, err)
			}
		}
	}
	mustParse(t, "BEGIN:VCARD\nVERSION:2.1\nPHOTO;ENCODING=BASE64;JPEG:/9j/\n 4AAQ\n\nEND:VCARD\n", VCard)
}

func TestLimitsHold(t *testing.T) {
	lim := doc.Limits{Depth: 48, Nodes: 20}
	for _, tt := range []struct {
		kind Kind
		src  string
		ok   bool
	}{
		{VCard, card(repeated("A:b", 10)...), true},
		{VCard, card(repeated("A:b", 20)...), false},
		{VCard, card("A" + strings.Repeat(";B=c", 30) + ":d"), false},
		{LDIF, "dn: x\n" + strings.Repeat("a: b\n", 17), true},
		{LDIF, "dn: x\n" + strings.Repeat("a: b\n", 18), false},
		{LDIF, strings.Repeat("#x\n", 30), false},
	} {
		if _, err := Parse([]byte(tt.src), tt.kind, lim); (err == nil) != tt.ok {
			t.Errorf("%.30q: %v", tt.src, err)
		}
	}
}

func repeated(s string, n int) []string { return strings.Split(strings.Repeat(s+"\n", n-1)+s, "\n") }

func TestErrorsQuoteNothing(t *testing.T) {
	for kind, src := range map[Kind]string{VCard: card("secret"), ICal: "secret:x", LDIF: "secret: x"} {
		if _, err := Parse([]byte(src), kind, doc.DefaultLimits()); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func replace(t testing.TB, tree *doc.Tree, node int, v doc.Value) string {
	t.Helper()
	n := tree.Nodes[node]
	out, err := doc.Splice(nil, tree.Src, []doc.Edit{{Start: n.Start, End: n.End, With: tree.Format.Encode(nil, tree, node, v)}})
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestBytesBesideAReplacedValueStay(t *testing.T) {
	for src, kind := range map[string]Kind{suite: VCard, calendar: ICal, directory: LDIF, card("NOTE;X=1:a\r\n b", "N:a;b\r\n ;c;;"): VCard} {
		tree := mustParse(t, src, kind)
		if out, err := doc.Splice(nil, tree.Src, nil); err != nil || string(out) != src {
			t.Fatalf("no edits: %v", err)
		}
		for i, n := range tree.Nodes {
			if n.Kind != doc.String || n.KeyEnd <= n.Start && kind != LDIF {
				continue
			}
			out := replace(t, tree, i, doc.Value{Kind: doc.String, Text: "1900-01-01"})
			if !strings.HasPrefix(out, src[:n.Start]) || !strings.HasSuffix(out, src[n.End:]) {
				t.Errorf("%s: other bytes changed", tree.Key(i))
			}
			if bound(tree, i) || n.Flags&FlagBinary != 0 || n.Flags&FlagComment != 0 {
				continue
			}
			if got := mustParse(t, out, kind).Text(i); got != "1900-01-01" {
				t.Errorf("%s reads %q", tree.Key(i), got)
			}
		}
	}
}

func TestEncodedValueNeverBreaksItsLine(t *testing.T) {
	long := strings.Repeat("Mäßig lang, ", 20)
	for src, kind := range map[string]Kind{card("NOTE:x", "TEL;TYPE=home:1", "N:a;b;c", "PHOTO;ENCODING=b:AA=="): VCard, directory: LDIF, calendar: ICal} {
		tree := mustParse(t, src, kind)
		for _, text := range []string{"", " ", "a\r\nEND:VCARD\r\nb", "\x00\x1b", "\xff", `"`, `";A=b:c`, `a\`, "a,b;c:d", ":<x", "<x", ":x", "x ", "^", long, long + "\n" + long, strings.Repeat("x", 400), "dn: y\n\ndn: z"} {
			for i := range tree.Nodes {
				if bound(tree, i) {
					continue // another value there is another format
				}
				out := replace(t, tree, i, doc.Value{Kind: doc.String, Text: text})
				again, err := Parse([]byte(out), kind, doc.DefaultLimits())
				if err != nil {
					t.Errorf("%q in %s: %v\n%s", text, tree.Key(i), err, out)
					continue
				}
				if tree.Nodes[i].Kind != doc.String || len(again.Nodes) != len(tree.Nodes) {
					continue
				}
				for j := range tree.Nodes {
					if j != i && tree.Text(j) != again.Text(j) {
						t.Errorf("%q in %s changes %s", text, tree.Key(i), tree.Key(j))
					}
				}
				if text == long && tree.Nodes[i].Flags&(FlagBinary|FlagComment) == 0 && again.Text(i) != text {
					t.Errorf("%s reads %q", tree.Key(i), again.Text(i))
				}
				for line := range strings.Lines(out) {
					if len(strings.TrimRight(line, "\r\n")) > 78 && tree.Nodes[i].Flags&FlagParam == 0 && !strings.Contains(src, line) {
						t.Errorf("a line of %d bytes in %s", len(line), tree.Key(i))
					}
				}
			}
		}
	}
}

func TestBase64IsWrittenWhereAReaderNeedsIt(t *testing.T) {
	tree := mustParse(t, directory, LDIF)
	mail := 0
	for i := range tree.Nodes {
		if tree.Key(i) == "mail" {
			mail = i
		}
	}
	for text, want := range map[string]string{
		"x@masked.invalid": "mail;lang-de: x@masked.invalid\n", "••••••": "mail;lang-de:: 4oCi4oCi4oCi4oCi4oCi4oCi\n", "": "mail;lang-de:\n", " x": "mail;lang-de:: IHg=\n",
	} {
		if out := replace(t, tree, mail, doc.Value{Kind: doc.String, Text: text}); !strings.Contains(out, want) {
			t.Errorf("%q: %s", text, out)
		}
	}
	if out := replace(t, tree, mail, doc.Value{Kind: doc.Null}); !strings.Contains(out, "mail;lang-de:\n") {
		t.Errorf("null: %s", out)
	}
	if out := replace(t, tree, mail+2, doc.Value{Kind: doc.String, Text: "iVBORw0="}); !strings.Contains(out, "jpegPhoto:: iVBORw0=\n") {
		t.Errorf("a picture: %s", out)
	}
}

func TestMarkupIsToldFromValues(t *testing.T) {
	tree := mustParse(t, card("TEL;TYPE=home;X-OWNER=Erika;VALUE=\"Erika Mustermann\":1", "METHOD:Erika"), VCard)
	marked, _ := tree.Format.(doc.Marked)
	var got []string
	for i, n := range tree.Nodes {
		if n.Kind == doc.String && marked.Markup(tree, i) {
			got = append(got, tree.Key(i)+"="+tree.Text(i))
		}
	}
	if s := strings.Join(got, " "); s != "VERSION=4.0 @TYPE=home" {
		t.Errorf("markup: %s", s)
	}
}

// contacts are vCards of about n bytes.
func contacts(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:%032x\r\nN:Mustermann%d;Erika;;Dr.;\r\nFN:Dr. Erika Mustermann%d\r\nEMAIL;TYPE=work:erika%d@example.org\r\n"+
			"TEL;TYPE=cell:+49 30 %07d\r\nADR;TYPE=work:;;Beispielstraße %d;Berlin;;10115;Deutschland\r\nNOTE:Ruft gern zurück\\, bitte nur nachmittags und nie am Frei\r\n tag.\r\nEND:VCARD\r\n", i, i, i, i, i, i)
	}
	return b.Bytes()
}

func BenchmarkParseVCard(b *testing.B) { benchmark(b, contacts(110<<10), VCard) }

func BenchmarkParseLDIF(b *testing.B) {
	var src bytes.Buffer
	for i := 0; src.Len() < 110<<10; i++ {
		fmt.Fprintf(&src, "dn: uid=erika%d,ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\ncn:: RXJpa2EgTcO8bGxlcg==\nmail: erika%d@example.org\ntelephoneNumber: +49 30 %07d\n\n", i, i, i)
	}
	benchmark(b, src.Bytes(), LDIF)
}

func BenchmarkParseICal(b *testing.B) {
	var src bytes.Buffer
	src.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")
	for i := 0; src.Len() < 110<<10; i++ {
		fmt.Fprintf(&src, "BEGIN:VEVENT\r\nUID:%d@example.org\r\nDTSTART:20260301T100000Z\r\nATTENDEE;CN=\"Mustermann, Erika\";ROLE=REQ-PARTICIPANT:mailto:erika%d@example.org\r\nSUMMARY:Anruf bei Erika\\, dann weiter\r\nEND:VEVENT\r\n", i, i)
	}
	src.WriteString("END:VCALENDAR\r\n")
	benchmark(b, src.Bytes(), ICal)
}

func benchmark(b *testing.B, src []byte, k Kind) {
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(src, k, doc.DefaultLimits()); err != nil {
			b.Fatal(err)
		}
	}
}
