package command

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/crmgate/crmgate/internal/profile/trial"
)

// fixtureExchanges reads the cases of a manifest, or the one of that id.
func fixtureExchanges(file string, raw []byte, which string) ([]*recorded, error) {
	f, err := trial.Parse(file, raw)
	if err != nil {
		return nil, err
	}
	var list []*recorded
	var ids []string
	for i := range f.Cases {
		c := &f.Cases[i]
		ids = append(ids, c.ID)
		if which != "" && c.ID != which {
			continue
		}
		r, err := fixtureExchange(f, c)
		if err != nil {
			return nil, fmt.Errorf("%s#%w", file, err)
		}
		r.name = file + "#" + c.ID
		list = append(list, r)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s has no case %q; there are: %s", file, which, strings.Join(ids, ", "))
	}
	return list, nil
}

func fixtureExchange(f *trial.Folder, c *trial.Case) (*recorded, error) {
	req, err := f.ReadRequest(c)
	if err != nil {
		return nil, err
	}
	u := *req.URL
	u.Scheme, u.Host = "https", req.Host
	r := &recorded{method: req.Method, url: u.String(), header: req.Header}
	if r.body, err = io.ReadAll(req.Body); err != nil {
		return nil, fmt.Errorf("%s: reading the body: %w", c.ID, err)
	}
	if c.Response == nil {
		return r, nil
	}
	r.answered, r.status, r.answer = true, c.Response.Status, http.Header{}
	for k, v := range c.Response.Headers {
		r.answer.Set(k, v)
	}
	if c.Response.ContentType != "" {
		r.answer.Set("Content-Type", c.Response.ContentType)
	}
	if r.answerBody, err = f.ReadFile(c.Response.BodyFile); err != nil {
		return nil, fmt.Errorf("%s: %w", c.ID, err)
	}
	return r, nil
}
