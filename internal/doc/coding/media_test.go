package coding

import (
	"errors"
	"slices"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
)

func TestContentTypesAreRead(t *testing.T) {
	for _, c := range []struct {
		header, kind, charset, boundary string
	}{
		{"text/html", "text/html", "utf-8", ""},
		{"Text/HTML;charset=UTF-8", "text/html", "utf-8", ""},
		{"text/html; charset=\"utf-8\" ;", "text/html", "utf-8", ""},
		{"text/html;; charset=utf8;charset=UTF-8", "text/html", "utf-8", ""},
		{"text/csv; header=present; charset=cp1252", "text/csv", "windows-1252", ""},
		{"text/csv; charset=latin1", "text/csv", "iso-8859-1", ""},
		{"text/csv; charset=ISO-8859-15", "text/csv", "iso-8859-15", ""},
		{"text/csv; charset=cp1250", "text/csv", "windows-1250", ""},
		{"application/json; charset=us-ascii", "application/json", "us-ascii", ""},
		{`multipart/form-data; boundary="a;b=c"`, "multipart/form-data", "utf-8", "a;b=c"},
	} {
		m, err := ParseMedia(c.header)
		if err != nil {
			t.Errorf("%q: %v", c.header, err)
			continue
		}
		cs, err := m.Charset()
		if err != nil || m.Type != c.kind || cs.Name() != c.charset || m.Boundary != c.boundary {
			t.Errorf("%q: %+v, %q, %v", c.header, m, cs.Name(), err)
		}
	}
}

func TestUnclearContentTypesAreRefused(t *testing.T) {
	for _, header := range []string{
		"", "text", "text/", "/html", "text/html, text/html", "text/html charset=utf-8", "text/html; charset",
		"text/html; charset=", "text/html; charset = utf-8", "text/html; charset=utf 8", `text/html; charset="utf-8`,
		`text/html; charset="ut\f-8"`, `text/html; charset="utf-8"x`, "text/html; charset*=utf-8''x", "text/html; =x",
		"multipart/form-data; boundary=a; boundary=b", "text/html\r\n; charset=utf-8", "text/ht\xe4ml",
	} {
		if m, err := ParseMedia(header); !errors.Is(err, ErrMediaType) {
			t.Errorf("%q: %+v, %v, want ErrMediaType", header, m, err)
		}
	}
}

func TestTwoCharsetsAreAConflict(t *testing.T) {
	m, err := ParseMedia("text/csv; charset=cp1252; charset=utf-8")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Charset(); !errors.Is(err, ErrConflict) {
		t.Errorf("%v, want ErrConflict", err)
	}
	if !slices.Equal(m.Charsets, []string{"cp1252", "utf-8"}) {
		t.Errorf("charsets %q", m.Charsets)
	}
}

func TestCharsetsOutsideTheListAreRefused(t *testing.T) {
	for _, name := range []string{"utf-7", "utf-16", "utf-16le", "iso-2022-jp", "shift_jis", "gbk", "koi8-r", "x-user-defined", "ebcdic", "replacement", "''"} {
		m, err := ParseMedia("text/plain; charset=" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Charset(); !errors.Is(err, ErrCharset) {
			t.Errorf("%q: %v, want ErrCharset", name, err)
		}
	}
}

func TestDocumentsAreTranscodedStrictly(t *testing.T) {
	for _, c := range []struct{ charset, src, want string }{
		{"", "ä", "ä"},
		{"latin1", "\xe4\xa4", "ä¤"},
		{"iso-8859-15", "\xe4\xa4", "ä€"},
		{"cp1252", "\xe4\x80", "ä€"},
		{"cp1250", "\xe8", "č"},
		{"us-ascii", "a", "a"},
	} {
		cs, err := LookupCharset(c.charset)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := cs.UTF8([]byte(c.src)); err != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v, want %q", c.charset, got, err, c.want)
		}
		if back := cs.AppendEncoded(nil, c.want); string(back) != c.src {
			t.Errorf("%s: %q written back is %q", c.charset, c.want, back)
		}
	}
	for charset, src := range map[string]string{
		"utf-8": "a\xff", "us-ascii": "ä", "cp1252": "\x81", "latin1": "\x80", "cp1250": "\x90",
	} {
		cs, err := LookupCharset(charset)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := cs.UTF8([]byte(src)); !errors.Is(err, doc.ErrMalformed) {
			t.Errorf("%s: %q, %v, want ErrMalformed", charset, got, err)
		}
	}
}

func FuzzMedia(f *testing.F) {
	f.Add("text/csv; charset=cp1252; charset=\"utf-8\"; header=present;")
	f.Fuzz(func(t *testing.T, header string) {
		m, err := ParseMedia(header)
		if err != nil {
			return
		}
		cs, err := m.Charset()
		if err == nil && len(m.Charsets) > 0 {
			for _, name := range m.Charsets {
				if other, err := LookupCharset(name); err != nil || other.Name() != cs.Name() {
					t.Fatalf("%q: %q passes beside %q", header, name, cs.Name())
				}
			}
		}
	})
}

func TestKindIsSniffed(t *testing.T) {
	for first, want := range map[string]Kind{
		"": Unknown, "  \n": Unknown, "Erika": Unknown, "a;b": Unknown, ")]}'": Unknown, "<3": Unknown,
		"{}": JSON, "\ufeff [1]": JSON, "<!DOCTYPE html>": HTML, "<!doctype HTML": HTML, " <div class=x>": HTML, "<p>": HTML,
		"<!-- x -->": HTML, "<?xml version=\"1.0\"?>": XML, "<soap:Envelope>": XML, "<feed>": XML, "<svg>": XML,
		"<!DOCTYPE svg": XML, "%PDF-1.7": PDF, "\n%PDF-1.7": PDF, "PK\x03\x04x": Zip, "\x1f\x8b\x08": Gzip,
		"\x28\xb5\x2f\xfd": Zstd, "\x89PNG\r\n\x1a\n": PNG, "\xff\xd8\xff\xe0": JPEG, "GIF89a": GIF,
		"\xff\xfe{\x00": UTF16, "\xfe\xff\x00{": UTF16,
	} {
		if got := Sniff([]byte(first)); got != want {
			t.Errorf("%q is %s, want %s", first, got, want)
		}
	}
}

func TestLiesAboutTheTypeAreFound(t *testing.T) {
	for _, c := range []struct {
		media, first string
		want         bool
	}{
		{"application/json", "{}", true},
		{"application/json", "12", true},
		{"application/json", ")]}'\n{}", true},
		{"application/json", "<html>", false},
		{"application/json", "<a/>", false},
		{"application/json", "\x1f\x8b", false},
		{"application/json", "\xff\xfe{\x00", false},
		{"application/vnd.api+json", "<p>", false},
		{"application/vnd.api+json", "[]", true},
		{"text/html", "<div>", true},
		{"text/html", "Erika", true},
		{"text/html", "%PDF-1.4", false},
		{"text/html", "{}", false},
		{"text/html", "<?xml?>", false},
		{"application/xhtml+xml", "<?xml?>", true},
		{"text/xml", "<a/>", true},
		{"text/xml", "<title>", true},
		{"text/xml", "<html>", false},
		{"image/svg+xml", "<svg>", true},
		{"image/svg+xml", "\n<!DOCTYPE html>", false},
		{"text/csv", "name;mail", true},
		{"text/csv", "<html>", false},
		{"text/csv", "{}", false},
		{"text/csv", "PK\x03\x04", false},
		{"text/comma-separated-values", "\xef\xbb\xbf\"name\",\"mail\"", true},
		{"text/comma-separated-values", "<html>", false},
		{"text/vcard", "BEGIN:VCARD", true},
		{"text/vcard", "<html>", false},
		{"text/calendar", "{}", false},
		{"application/x-ndjson", "{}\n{}", true},
		{"application/jsonl", "<html>", false},
		{"text/plain", "{}", true},
		{"text/plain", "<p>", true},
		{"text/plain", "PK\x03\x04", false},
		{"text/css", "a{}", true},
		{"text/javascript", "<p>", false},
		{"multipart/form-data", "--x", true},
		{"application/x-www-form-urlencoded", "{}", false},
		{"application/pdf", "%PDF-1.4", true},
		{"application/pdf", "<html>", false},
		{"application/pdf", "", true},
		{"image/png", "\xff\xd8\xff", false},
		{"image/webp", "RIFF", true},
		{"image/webp", "<html>", false},
		{"font/woff2", "wOF2", true},
		{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "PK\x03\x04", true},
		{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "a;b", false},
		{"application/octet-stream", "{}", true},
		{"application/vnd.unknown", "x", false},
		{"", "x", false},
	} {
		if got := Agrees(c.media, []byte(c.first)); got != c.want {
			t.Errorf("Agrees(%q, %q) = %v", c.media, c.first, got)
		}
	}
}
