// Package trial runs recorded exchanges with known answers through a profile:
// what was found in them is compared with what stands in them. It goes through
// the same code as the gate: canonical form, classification, places of records
// and fields, masking with its second pass.
package trial

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// ManifestName is the file that lists a folder's exchanges.
const ManifestName = "manifest.json"

// Folder is a folder of recorded exchanges.
type Folder struct {
	// CRM is the name of the CRM: of the profile, too, if none is given.
	CRM string `json:"crm"`
	// Host is the CRM's base address.
	Host string `json:"host"`
	// Cases are the exchanges in the order in which they were made.
	Cases []Case `json:"cases"`

	dir string
}

// Case is one exchange and what has to be found in it. Its bodies stand in files
// beside the manifest, exactly as they went over the wire.
type Case struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	// Request is what was asked.
	Request struct {
		Method   string            `json:"method"`
		URL      string            `json:"url"`
		Headers  map[string]string `json:"headers"`
		BodyFile string            `json:"body_file"`
	} `json:"request"`
	// Response is the CRM's own answer; nil where only the request is known.
	Response *struct {
		Status      int               `json:"status"`
		ContentType string            `json:"content_type"`
		Headers     map[string]string `json:"headers"`
		BodyFile    string            `json:"body_file"`
	} `json:"response"`
	// Decision is what has to become of the exchange; see the words of Decision.
	Decision string `json:"decision"`
	// Records are those that the answer discloses.
	Records []Record `json:"records"`
	// Personal are the places of personal values in the answer.
	Personal []Mark `json:"personal"`
	// Refs are the fields that the request names, by role: a list of Type.field,
	// or true for a search without a field.
	Refs map[string]json.RawMessage `json:"refs"`
}

// Record is a record of a case, by the profile's word for its entity, or the CRM's.
type Record struct {
	Entity string `json:"entity"`
	ID     string `json:"id"`
}

// Mark is a place of a personal value.
type Mark struct {
	// At is a JSON pointer, with `#json` or `#b64json` before the part that lies
	// in a text; or `line N`.
	At string `json:"at"`
	// Kind is value, key (of an object) or text.
	Kind string `json:"kind"`
	// Category is the kind of personal data.
	Category string `json:"category"`
}

// Read reads a folder's manifest: DIR, or the path of the file.
func Read(source string) (*Folder, error) {
	if info, err := os.Stat(source); err == nil && info.IsDir() {
		source = filepath.Join(source, ManifestName)
	}
	raw, err := os.ReadFile(source)
	if err != nil {
		return nil, fmt.Errorf("reading the exchanges: %w", err)
	}
	return Parse(source, raw)
}

// Parse reads a manifest; bodies are looked for beside source.
func Parse(source string, raw []byte) (*Folder, error) {
	f := &Folder{dir: filepath.Dir(source)}
	if err := json.Unmarshal(raw, f); err != nil {
		return nil, fmt.Errorf("reading %s: %w", source, err)
	}
	if len(f.Cases) == 0 {
		return nil, fmt.Errorf("%s lists no cases: write them under the key \"cases\"", source)
	}
	return f, nil
}

// ReadRequest makes a case's request, as a server gets it.
func (f *Folder) ReadRequest(c *Case) (*http.Request, error) {
	raw := Escaped(c.Request.URL)
	if strings.HasPrefix(raw, "/") {
		raw = f.Host + raw
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%s: its address is no URL with a host", c.ID)
	}
	if u.Path == "" {
		u.Path = "/"
	}
	body, err := f.ReadFile(c.Request.BodyFile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.ID, err)
	}
	h := http.Header{}
	for k, v := range c.Request.Headers {
		h.Set(k, v)
	}
	if media := mediaOf(c.Request.BodyFile); media != "" && h.Get("Content-Type") == "" {
		h.Set("Content-Type", media)
	}
	return &http.Request{
		Method: c.Request.Method, URL: &url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}, Host: u.Host, RequestURI: u.RequestURI(),
		Header: h, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

// mediaOf is the type of a request's body where the manifest names none.
func mediaOf(file string) string {
	switch filepath.Ext(file) {
	case ".json":
		return "application/json"
	case ".xml":
		return "text/xml"
	case ".txt":
		return "application/x-www-form-urlencoded"
	}
	return ""
}

// ReadFile reads a body from beside the manifest, and from nowhere else; nil for
// no name.
func (f *Folder) ReadFile(name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	if !filepath.IsLocal(name) {
		return nil, fmt.Errorf("the body file %s lies outside the manifest's folder", name)
	}
	raw, err := os.ReadFile(filepath.Join(f.dir, name))
	if err != nil {
		return nil, fmt.Errorf("reading a body: %w", err)
	}
	return raw, nil
}

// Escaped percent-encodes what a manifest writes for people: spaces, brackets,
// letters that are not ASCII.
func Escaped(url string) string {
	var b strings.Builder
	for i := range len(url) {
		c := url[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}[]", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
