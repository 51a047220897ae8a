package observed_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/demo/crm"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/profile/observed"
	"github.com/crmgate/crmgate/internal/profile/trial"
)

// collected is what the exchanges of a folder tell.
func collected(t *testing.T, f *trial.Folder) *observed.Collector {
	t.Helper()
	c := observed.New()
	for i := range f.Cases {
		k := &f.Cases[i]
		req, err := f.ReadRequest(k)
		if err != nil {
			t.Fatal(err)
		}
		r := observed.Recorded{Method: req.Method, URL: req.URL, RequestType: req.Header.Get("Content-Type")}
		if r.Request, err = io.ReadAll(req.Body); err != nil {
			t.Fatal(err)
		}
		if k.Response != nil {
			r.Status, r.Type = k.Response.Status, k.Response.ContentType
			if r.Answer, err = f.ReadFile(k.Response.BodyFile); err != nil {
				t.Fatal(err)
			}
		}
		c.AddRecorded(&r)
	}
	return c
}

// loaded is the profile that is drafted of a collection, after it was saved and read
// again.
func loaded(t *testing.T, c *observed.Collector) *profile.Profile {
	t.Helper()
	path := filepath.Join(t.TempDir(), "site.json")
	if err := c.Save(path); err != nil {
		t.Fatal(err)
	}
	c, err := observed.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	src, err := c.Draft("drafted/1")
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Load(src)
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	return p
}

// recordsNamed counts a folder's records that a profile finds, whatever it calls
// their entity.
func recordsNamed(t *testing.T, f *trial.Folder, p *profile.Profile) (found, all int) {
	t.Helper()
	for i := range f.Cases {
		for _, want := range f.Cases[i].Records {
			one := *f
			one.Cases = []trial.Case{f.Cases[i]}
			one.Cases[0].Records = nil
			for _, e := range p.Entities() {
				one.Cases[0].Records = append(one.Cases[0].Records, trial.Record{Entity: string(e), ID: want.ID})
			}
			rep, err := trial.Run(&one, p)
			if err != nil {
				t.Fatal(err)
			}
			if all++; rep.Total.RecordsFound > 0 {
				found++
			}
		}
	}
	return found, all
}

// unasked is a folder whose requests ask nothing: no parameters, no search. What is
// in its answers can be told even where the draft refuses the question.
func unasked(t *testing.T, f *trial.Folder) *trial.Folder {
	t.Helper()
	dir := t.TempDir()
	out := *f
	out.Cases = nil
	for _, k := range f.Cases {
		k.Request.URL, _, _ = strings.Cut(k.Request.URL, "?")
		for _, file := range []string{k.Request.BodyFile, k.Response.BodyFile} {
			if file == "" {
				continue
			}
			src, err := f.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if file == k.Request.BodyFile && k.Request.Method == http.MethodPost {
				src = []byte("{}")
			}
			if err := os.WriteFile(filepath.Join(dir, file), src, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		out.Cases = append(out.Cases, k)
	}
	raw, err := json.Marshal(&out)
	if err != nil {
		t.Fatal(err)
	}
	p, err := trial.Parse(filepath.Join(dir, trial.ManifestName), raw)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// masks sees that every personal value is masked, or its request refused, and
// returns what was counted.
func masks(t *testing.T, f *trial.Folder, p *profile.Profile) (total trial.Count, served int) {
	t.Helper()
	rep, err := trial.Run(f, p)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rep.Cases {
		c := &rep.Cases[i]
		if c.Refused == "" {
			served++
			if c.ValuesMasked != c.Values {
				t.Errorf("%s: %d of %d personal values are masked: %q", c.ID, c.ValuesMasked, c.Values, c.Differences)
			}
		}
	}
	return rep.Total, served
}

func TestDraftsMaskEveryPersonalValue(t *testing.T) {
	for name, least := range map[string]struct{ served, values, records int }{
		"hubspot": {7, 42, 8}, "pipedrive": {5, 58, 7}, "espocrm": {8, 48, 7}, "twenty": {4, 60, 3},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := trial.Read("../testdata/" + name)
			if err != nil {
				t.Fatal(err)
			}
			p := loaded(t, collected(t, f))
			masks(t, f, p)
			f = unasked(t, f)
			c, served := masks(t, f, p)
			found, all := recordsNamed(t, f, p)
			t.Logf("%d of %d exchanges served; values masked %d; records named %d of %d; masked %d, of them without need %d",
				served, len(f.Cases), c.ValuesMasked, found, all, c.Masked, c.Overmasked)
			if served < least.served || c.ValuesMasked < least.values || found < least.records {
				t.Errorf("less than before: %d exchanges, %d values, %d records; want %+v", served, c.ValuesMasked, found, least)
			}
		})
	}
}

// demo is the demo's CRM, and a folder of what was asked of it.
type demo struct {
	t      *testing.T
	url    string
	dir    string
	folder trial.Folder
}

// personal are the fields of the demo's records that are somebody's.
func personal() map[string]string {
	return map[string]string{
		"first_name": "name", "last_name": "name", "contact_name": "name", "email": "email", "phone": "phone", "mobile": "phone", "street": "address",
		"postal_code": "address", "city": "address", "birth_date": "birthdate", "iban": "bank", "tax_id": "tax_id", "notes": "free_text", "description": "free_text",
	}
}

// ask asks the CRM and notes the exchange with marks on what is personal in it.
func (d *demo) ask(method, path, body string) {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		d.t.Fatal(err)
	}
	answer, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || resp.StatusCode >= 400 {
		d.t.Fatalf("%s %s: %d %v", method, path, resp.StatusCode, err)
	}
	id := fmt.Sprintf("%02d", len(d.folder.Cases))
	k := map[string]any{
		"id": id, "decision": "mask", "request": map[string]any{"method": method, "url": path, "body_file": d.file(id+".request.json", []byte(body))},
		"response": map[string]any{"status": resp.StatusCode, "content_type": resp.Header.Get("Content-Type"), "body_file": d.file(id+".response.json", answer)},
	}
	var marks []map[string]string
	var records []map[string]string
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case []any:
			for i, e := range v {
				walk(fmt.Sprintf("%s/%d", at, i), e)
			}
		case map[string]any:
			if n, ok := v["id"].(float64); ok && v["created_at"] != nil {
				records = append(records, map[string]string{"entity": "x", "id": fmt.Sprintf("%.0f", n)})
			}
			for name, e := range v {
				if text, ok := e.(string); ok && text != "" && personal()[name] != "" {
					marks = append(marks, map[string]string{"at": at + "/" + name, "kind": "value", "category": personal()[name]})
				}
				walk(at+"/"+name, e)
			}
		}
	}
	var doc any
	if json.Unmarshal(answer, &doc) == nil {
		walk("", doc)
	}
	k["personal"], k["records"] = marks, records
	raw, err := json.Marshal(k)
	if err != nil {
		d.t.Fatal(err)
	}
	var c trial.Case
	if err := json.Unmarshal(raw, &c); err != nil {
		d.t.Fatal(err)
	}
	d.folder.Cases = append(d.folder.Cases, c)
}

func (d *demo) file(name string, src []byte) string {
	d.t.Helper()
	if len(src) == 0 {
		return ""
	}
	if err := os.WriteFile(filepath.Join(d.dir, name), src, 0o600); err != nil {
		d.t.Fatal(err)
	}
	return name
}

// used is a folder of what a client asks the demo's CRM.
func used(t *testing.T) *trial.Folder {
	t.Helper()
	m, err := crm.New(crm.Config{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	t.Cleanup(m.Close)
	d := &demo{t: t, url: server.URL, dir: t.TempDir(), folder: trial.Folder{CRM: "demo", Host: "https://crm.example.com"}}
	for _, path := range []string{
		"/contacts?q=a&sort=-last_name&limit=20&offset=20", "/contacts?city=Berlin&page=1", "/contacts/1001", "/contacts/1002", "/contacts/1017",
		"/leads", "/leads?status=new&sort=value&fields=id,contact_name,email", "/leads/501", "/leads/502",
	} {
		d.ask(http.MethodGet, "/api"+path, "")
	}
	d.ask(http.MethodPatch, "/api/contacts/1003", `{"city":"Köln","notes":"Neu"}`)
	d.ask(http.MethodPost, "/api/contacts", `{"first_name":"Mina","last_name":"Orth","email":"mina.orth@example.org"}`)
	d.ask(http.MethodPost, "/api/leads", `{"contact_name":"Mina Orth","email":"mina.orth@example.org","value":3}`)
	d.ask(http.MethodPatch, "/api/leads/501", `{"description":"Anrufen"}`)
	d.ask(http.MethodDelete, "/api/leads/503", "")
	raw, err := json.Marshal(&d.folder)
	if err != nil {
		t.Fatal(err)
	}
	f, err := trial.Parse(filepath.Join(d.dir, trial.ManifestName), raw)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestDraftOfTheDemoServesItsClientAndMasks(t *testing.T) {
	f := used(t)
	p := loaded(t, collected(t, f))
	c, served := masks(t, f, p)
	found, all := recordsNamed(t, f, p)
	t.Logf("%d of %d exchanges served; values masked %d; records named %d of %d; masked %d, of them without need %d",
		served, len(f.Cases), c.ValuesMasked, found, all, c.Masked, c.Overmasked)
	if served != len(f.Cases) || found != all || c.ValuesMasked < 200 {
		t.Errorf("%d of %d exchanges are served, %d of %d records named, %d values masked", served, len(f.Cases), found, all, c.ValuesMasked)
	}
}

func load(t *testing.T, src []byte) {
	t.Helper()
	if _, err := profile.Load(src); err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
}
