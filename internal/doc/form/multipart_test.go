package form

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
)

const disposition = "Content-Disposition: form-data; name=\"a\""

func TestPartsAreRead(t *testing.T) {
	src := body(
		disposition+"\r\n\r\nM\u00fcller\r\n--X",
		"content-disposition:form-data;name=b\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n",
		"Content-Type: image/png\r\nContent-Disposition: form-data; name=\"f\"; filename=\"C: \u00e4 %22.png\"\r\n\r\n\x89PNG\x00\xff",
	)
	tree, err := ParseMultipart([]byte(src), "XX", doc.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	const want = `["a=Müller\r\n--X" "b=" "f=\x89PNG\x00\xff"]`
	if got := members(tree); got != want {
		t.Errorf("reads %s, want %s", got, want)
	}
	if p := PartOf(tree, 3); !p.File || p.FileName != "C: ä %22.png" || p.Type != "image/png" || tree.Nodes[3].Flags != FlagFile {
		t.Errorf("file part %+v", p)
	}
	if p := PartOf(tree, 2); p.File || p.Name != "b" || p.Type != "text/plain; charset=UTF-8" {
		t.Errorf("text part %+v", p)
	}
	if p := PartOf(parse(t, "a=b"), 1); p != (Part{}) {
		t.Errorf("part of another format %+v", p)
	}
}

func TestUnclearPartsAreRefused(t *testing.T) {
	ok := body(disposition + "\r\n\r\nx")
	for name, src := range map[string]string{
		"empty":                     "",
		"preamble":                  "x\r\n" + ok,
		"epilogue":                  ok + "x",
		"second line end":           ok + "\r\n",
		"no end":                    strings.TrimSuffix(ok, "--\r\n"),
		"cut":                       ok[:len(ok)-12],
		"line feeds":                strings.ReplaceAll(ok, "\r\n", "\n"),
		"space behind boundary":     strings.Replace(ok, "--XX\r\n", "--XX \r\n", 1),
		"longer boundary inside":    body(disposition + "\r\n\r\nx\r\n--XXY"),
		"header twice":              body(disposition + "\r\n" + disposition + "\r\n\r\nx"),
		"type twice":                body(disposition + "\r\nContent-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx"),
		"backslash in a name":       body("Content-Disposition: form-data; name=\"a\\b\"\r\n\r\nx"),
		"backslash in a file name":  body(disposition + "; filename=\"a\\b\"\r\n\r\nx"),
		"no name":                   body("Content-Disposition: form-data\r\n\r\nx"),
		"no disposition":            body("Content-Type: text/plain\r\n\r\nx"),
		"no headers":                body("\r\nx"),
		"empty name":                body("Content-Disposition: form-data; name=\"\"\r\n\r\nx"),
		"name twice":                body(disposition + "; name=b\r\n\r\nx"),
		"file name twice":           body(disposition + "; filename=b; filename=c\r\n\r\nx"),
		"extended name":             body(disposition + "; name*=utf-8''b\r\n\r\nx"),
		"extended file name":        body(disposition + "; filename=b; filename*=utf-8''c\r\n\r\nx"),
		"unknown parameter":         body(disposition + "; size=3\r\n\r\nx"),
		"backslash":                 body("Content-Disposition: form-data; name=\"a\\\"; filename=\\\"b\"\r\n\r\nx"),
		"escape in a name":          body("Content-Disposition: form-data; name=\"a%22\"\r\n\r\nx"),
		"unclosed quote":            body("Content-Disposition: form-data; name=\"a\r\n\r\nx"),
		"attachment":                body("Content-Disposition: attachment; name=\"a\"\r\n\r\nx"),
		"folded":                    body("Content-Disposition: form-data;\r\n name=\"a\"\r\n\r\nx"),
		"space before the colon":    body("Content-Disposition : form-data; name=\"a\"\r\n\r\nx"),
		"unknown header":            body(disposition + "\r\nContent-Length: 1\r\n\r\nx"),
		"base64":                    body(disposition + "\r\nContent-Transfer-Encoding: base64\r\n\r\nx"),
		"other charset":             body(disposition + "\r\nContent-Type: text/plain; charset=utf-7\r\n\r\nx"),
		"two charsets":              body(disposition + "\r\nContent-Type: text/plain; charset=utf-8; charset=cp1252\r\n\r\nx"),
		"no media type":             body(disposition + "\r\nContent-Type: text\r\n\r\nx"),
		"not UTF-8":                 body(disposition + "\r\n\r\n\xff"),
		"NUL":                       body(disposition + "\r\n\r\nx\x00"),
		"NUL in a header":           body("Content-Disposition: form-data; name=\"a\x00\"\r\n\r\nx"),
		"header that is not UTF-8":  body("Content-Disposition: form-data; name=\"a\xff\"\r\n\r\nx"),
		"carriage return in header": body("Content-Disposition: form-data; name=\"a\rb\"\r\n\r\nx"),
		"parts in a part":           body(disposition + "\r\nContent-Type: multipart/mixed; boundary=YY\r\n\r\n--YY--"),
		"file with parts":           body(disposition + "; filename=b\r\nContent-Type: Multipart/Mixed; boundary=YY\r\n\r\n--YY--"),
		"message in a part":         body(disposition + "\r\nContent-Type: message/rfc822\r\n\r\nx"),
		"line feed and boundary":    body(disposition + "\r\n\r\nx\n--XX\nContent-Disposition: form-data; name=\"b\"\n\ny"),
		"boundary at once":          body(disposition + "\r\n\r\n--XX--"),
		"boundary in a file":        body(disposition + "; filename=b\r\n\r\nx\r--XX"),
		"boundary within a line":    body(disposition + "\r\n\r\nx --XX y"),
		"longer boundary":           strings.Replace(ok, "--XX\r\n", "--XX-\r\n", 1),
		"single quotes":             body("Content-Disposition: form-data; name='a'\r\n\r\nx"),
		"long headers":              body(disposition + "; filename=" + strings.Repeat("x", 5000) + "\r\n\r\nx"),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseMultipart([]byte(src), "XX", doc.DefaultLimits()); !errors.Is(err, doc.ErrMalformed) {
				t.Errorf("%q: %v, want ErrMalformed", src, err)
			}
		})
	}
	for _, b := range []string{"", "a,b", "a;b", "a'b", "a:b", "a b", "a\r\n", "a\"", strings.Repeat("x", 71), "\xe4"} {
		if _, err := ParseMultipart([]byte(ok), b, doc.DefaultLimits()); !errors.Is(err, doc.ErrMalformed) {
			t.Errorf("boundary %q: %v, want ErrMalformed", b, err)
		}
	}
	many := make([]string, MaxParts+1)
	for i := range many {
		many[i] = disposition + "\r\n\r\n"
	}
	if _, err := ParseMultipart([]byte(body(many...)), "XX", doc.DefaultLimits()); !errors.Is(err, doc.ErrMalformed) {
		t.Errorf("%d parts: %v", len(many), err)
	}
	if _, err := ParseMultipart([]byte(body(many[1:]...)), "XX", doc.DefaultLimits()); err != nil {
		t.Errorf("%d parts: %v", MaxParts, err)
	}
	two := body(disposition+"\r\n\r\nx", disposition+"\r\n\r\ny")
	if _, err := ParseMultipart([]byte(two), "XX", doc.Limits{Nodes: 2}); !errors.Is(err, doc.ErrMalformed) {
		t.Errorf("3 values where 2 are the limit: %v", err)
	}
}

// Servers look for the boundary in ways of their own: what two of them could find
// two boundaries in is refused.
func TestBoundaryIsTheOneThatEveryServerFinds(t *testing.T) {
	for ct, want := range map[string]string{
		"multipart/form-data; boundary=----WebKitFormBoundaryAbC123":      "----WebKitFormBoundaryAbC123",
		"Multipart/Form-Data; charset=UTF-8; Boundary=\"----=_Part_1.2\"": "----=_Part_1.2",
		"multipart/form-data;boundary=----geckoformboundary3f8":           "----geckoformboundary3f8",
		"multipart/form-data":                                                "",
		"multipart/form-data; boundary=":                                     "",
		"multipart/form-data; boundary=a; boundary=b":                        "",
		"multipart/form-data; boundary=a; boundary=a":                        "",
		"multipart/form-data; xboundary=a; boundary=b":                       "",
		"multipart/form-data; boundary*=utf-8''a":                            "",
		"multipart/form-data; boundary*0=a; boundary*1=b":                    "",
		"multipart/form-data; boundary=\"a\\b\"":                             "",
		"multipart/form-data; boundary=\"a,b\"":                              "",
		"multipart/form-data; boundary=\"a b\"":                              "",
		"multipart/form-data; boundary='a'":                                  "",
		"multipart/form-data; charset=utf-16; boundary=a":                    "",
		"multipart/form-data, application/x-www-form-urlencoded; boundary=a": "",
		"multipart/mixed; boundary=a":                                        "",
		"multipart/form-data; boundary=" + strings.Repeat("a", 71):           "",
	} {
		if got, err := Boundary(ct); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v, want %q", ct, got, err, want)
		}
	}
}

// FuzzParts holds that what is taken out is gone and what is added is there, and
// that nothing else changes.
func FuzzParts(f *testing.F) {
	f.Add([]byte(body(disposition+"\r\n\r\nx", disposition+"; filename=\"b\"\r\n\r\n\x00")), uint8(1), "ä\r\n--X")
	f.Add([]byte("--XX--"), uint8(0), "v")
	f.Fuzz(func(t *testing.T, src []byte, out uint8, value string) {
		tree, err := ParseMultipart(src, "XX", doc.DefaultLimits())
		if err != nil {
			return
		}
		var gone []int
		var want []string
		for c := range tree.Children(doc.Root) {
			if out&(1<<(c%8)) != 0 {
				gone = append(gone, c)
			} else {
				want = append(want, tree.Key(c)+"="+tree.Text(c))
			}
		}
		edits := doc.RemoveMembers(tree, doc.Root, gone)
		if tree.Takes(value) {
			want = append(want, "new="+value)
			edits = append(edits, doc.AppendMembers(tree, doc.Root, []doc.Member{{Key: "new", Text: value}})...)
		}
		spliced, err := doc.Splice(nil, src, edits)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseMultipart(spliced, "XX", doc.DefaultLimits())
		if err != nil {
			t.Fatalf("%q becomes %q: %v", src, spliced, err)
		}
		var got []string
		for c := range again.Children(doc.Root) {
			got = append(got, again.Key(c)+"="+again.Text(c))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q becomes %q: %q, want %q", src, spliced, got, want)
		}
	})
}

func TestGoWritersBodiesAreRead(t *testing.T) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.WriteField("name", "Erika"); err != nil {
		t.Fatal(err)
	}
	f, err := w.CreateFormFile("photo", "erika.png")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte{0, 1, 255}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	tree, err := ParseMultipart(b.Bytes(), w.Boundary(), doc.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if got := members(tree); got != `["name=Erika" "photo=\x00\x01\xff"]` {
		t.Errorf("reads %s", got)
	}
}

// FuzzMultipart holds that what is accepted reads as mime/multipart reads it, and
// that a replaced part changes nothing else.
func FuzzMultipart(f *testing.F) {
	f.Add([]byte(body(disposition+"\r\n\r\nx", disposition+"; filename=\"b\"\r\nContent-Type: text/csv\r\n\r\n\x00")), "x\r\n--XX\r\n")
	f.Add([]byte(body("content-disposition:form-data;name=b\r\n\r\n")), "\"%\\")
	f.Add([]byte("--XX--"), "")
	f.Fuzz(func(t *testing.T, src []byte, value string) {
		parse := func(b []byte) (*doc.Tree, error) { return ParseMultipart(b, "XX", doc.DefaultLimits()) }
		tree, err := parse(src)
		if err != nil {
			return
		}
		r := multipart.NewReader(bytes.NewReader(src), "XX")
		for c := range tree.Children(doc.Root) {
			p, err := r.NextRawPart()
			if err != nil {
				t.Fatalf("%q: mime/multipart refuses it: %v", src, err)
			}
			content, err := io.ReadAll(p)
			if err != nil || string(content) != tree.Text(c) || p.FormName() != tree.Key(c) {
				t.Fatalf("%q: part %q %q, %v, want %q %q", src, p.FormName(), content, err, tree.Key(c), tree.Text(c))
			}
			if c < 6 {
				checkReplacement(t, tree, c, value, parse)
			}
		}
		if _, err := r.NextRawPart(); err != io.EOF {
			t.Fatalf("%q: mime/multipart sees more: %v", src, err)
		}
	})
}
