package command

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// har is as much of an HTTP archive (HAR 1.2) as tells an exchange.
type har struct {
	Log struct {
		Entries []harEntry `json:"entries"`
	} `json:"log"`
}

type harEntry struct {
	Request struct {
		Method   string      `json:"method"`
		URL      string      `json:"url"`
		Headers  []harNamed  `json:"headers"`
		PostData harPostData `json:"postData"`
	} `json:"request"`
	Response struct {
		Status  int        `json:"status"`
		Headers []harNamed `json:"headers"`
		Content struct {
			Size     int64   `json:"size"`
			MimeType string  `json:"mimeType"`
			Text     *string `json:"text"`
			Encoding string  `json:"encoding"`
		} `json:"content"`
	} `json:"response"`
}

type harNamed struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type harPostData struct {
	MimeType string     `json:"mimeType"`
	Text     string     `json:"text"`
	Params   []harNamed `json:"params"`
}

// harExchanges reads the entries of an archive, or the one of that number,
// counted from 1.
func harExchanges(file string, raw []byte, which string) ([]*recorded, error) {
	var h har
	if err := json.Unmarshal(raw, &h); err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	entries := h.Log.Entries
	from, to := 0, len(entries)
	if which != "" {
		n, err := strconv.Atoi(which)
		if err != nil || n < 1 || n > len(entries) {
			return nil, fmt.Errorf("%s has the entries 1 to %d; #%s is none of them", file, len(entries), which)
		}
		from, to = n-1, n
	}
	if from == to {
		return nil, fmt.Errorf("%s has no entries", file)
	}
	var list []*recorded
	for i := from; i < to; i++ {
		r, err := entries[i].recorded()
		if err != nil {
			return nil, fmt.Errorf("%s#%d: %w", file, i+1, err)
		}
		r.name = fmt.Sprintf("%s#%d", file, i+1)
		list = append(list, r)
	}
	return list, nil
}

func (e *harEntry) recorded() (*recorded, error) {
	r := &recorded{
		method: e.Request.Method, url: e.Request.URL, header: harHeader(e.Request.Headers),
		answer: harHeader(e.Response.Headers), status: e.Response.Status,
	}
	p := e.Request.PostData
	r.body = []byte(p.Text)
	if p.Text == "" && len(p.Params) > 0 {
		var pairs []string
		for _, f := range p.Params {
			pairs = append(pairs, url.QueryEscape(f.Name)+"="+url.QueryEscape(f.Value))
		}
		r.body = []byte(strings.Join(pairs, "&"))
	}
	if p.MimeType != "" && r.header.Get("Content-Type") == "" {
		r.header.Set("Content-Type", p.MimeType)
	}
	c := e.Response.Content
	if e.Response.Status == 0 || (c.Text == nil && c.Size > 0) {
		return r, nil // blocked, or saved without content
	}
	r.answered = true
	if c.Text != nil {
		r.answerBody = []byte(*c.Text)
	}
	if c.Encoding == "base64" {
		var err error
		if r.answerBody, err = base64.StdEncoding.DecodeString(string(r.answerBody)); err != nil {
			return nil, fmt.Errorf("reading the answer's body: %w", err)
		}
	}
	if r.answer.Get("Content-Type") == "" && c.MimeType != "" {
		r.answer.Set("Content-Type", c.MimeType)
	}
	return r, nil
}

// harHeader leaves out HTTP/2's pseudo headers.
func harHeader(list []harNamed) http.Header {
	h := http.Header{}
	for _, n := range list {
		if !strings.HasPrefix(n.Name, ":") {
			h.Add(n.Name, n.Value)
		}
	}
	return h
}
