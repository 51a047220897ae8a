package xml

import (
	"bytes"
	stdxml "encoding/xml"
	"fmt"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
)

// contacts is a SOAP answer of about n bytes.
func contacts(n int) []byte {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" ` +
		`xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"><SOAP-ENV:Body><return><entry_list>`)
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "\n<item xsi:type=\"tns:entry_value\"><id xsi:type=\"xsd:string\">%032x</id><first_name>Erika</first_name><last_name>Mustermann %d</last_name>"+
			"<email1>erika%d@example.org</email1><phone>+49 30 %07d</phone><street>Beispielstraße %d &amp; Söhne</street><description>Ruft gern zurück. Bitte nur nachmittags.</description></item>", i, i, i, i, i)
	}
	b.WriteString(`</entry_list></return></SOAP-ENV:Body></SOAP-ENV:Envelope>`)
	return []byte(b.String())
}

func BenchmarkParse(b *testing.B) {
	src := contacts(110 << 10)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(src, Options{}, doc.DefaultLimits()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodingXMLRawToken(b *testing.B) {
	src := contacts(110 << 10)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		dec := stdxml.NewDecoder(bytes.NewReader(src))
		for {
			if _, err := dec.RawToken(); err != nil {
				break
			}
		}
	}
}
