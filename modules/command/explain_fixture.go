package command

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

const manifestName = "manifest.json"

// manifest lists recorded cases; the bodies stand in files beside it, exactly as
// they went over the wire.
type manifest struct {
	// Host is the CRM's base address.
	Host  string        `json:"host"`
	Cases []fixtureCase `json:"cases"`
}

type fixtureCase struct {
	ID      string `json:"id"`
	Request struct {
		Method   string            `json:"method"`
		URL      string            `json:"url"`
		Headers  map[string]string `json:"headers"`
		BodyFile string            `json:"body_file"`
	} `json:"request"`
	Response *struct {
		Status      int               `json:"status"`
		ContentType string            `json:"content_type"`
		Headers     map[string]string `json:"headers"`
		BodyFile    string            `json:"body_file"`
	} `json:"response"`
}

// fixtureExchanges reads the cases of a manifest, or the one of that id.
func fixtureExchanges(file string, raw []byte, which string) ([]*recorded, error) {
	var m manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	var list []*recorded
	var ids []string
	for i := range m.Cases {
		c := &m.Cases[i]
		ids = append(ids, c.ID)
		if which != "" && c.ID != which {
			continue
		}
		r, err := c.recorded(filepath.Dir(file), m.Host)
		if err != nil {
			return nil, fmt.Errorf("%s#%s: %w", file, c.ID, err)
		}
		r.name = file + "#" + c.ID
		list = append(list, r)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s has no case %q; there are: %s", file, which, strings.Join(ids, ", "))
	}
	return list, nil
}

func (c *fixtureCase) recorded(dir, host string) (*recorded, error) {
	r := &recorded{method: c.Request.Method, url: escaped(c.Request.URL), header: headerOf(c.Request.Headers)}
	if strings.HasPrefix(r.url, "/") {
		r.url = host + r.url
	}
	var err error
	if r.body, err = bodyFile(dir, c.Request.BodyFile); err != nil {
		return nil, err
	}
	if c.Response == nil {
		return r, nil
	}
	r.answered, r.status, r.answer = true, c.Response.Status, headerOf(c.Response.Headers)
	if c.Response.ContentType != "" {
		r.answer.Set("Content-Type", c.Response.ContentType)
	}
	r.answerBody, err = bodyFile(dir, c.Response.BodyFile)
	return r, err
}

// bodyFile reads a body from beside the manifest, and from nowhere else.
func bodyFile(dir, name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	if !filepath.IsLocal(name) {
		return nil, fmt.Errorf("the body file %s lies outside the manifest's folder", name)
	}
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil, fmt.Errorf("reading a body: %w", err)
	}
	return raw, nil
}

func headerOf(m map[string]string) http.Header {
	h := http.Header{}
	for k, v := range m {
		h.Set(k, v)
	}
	return h
}

// escaped percent-encodes what a manifest writes for people: spaces, brackets,
// letters that are not ASCII.
func escaped(url string) string {
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
