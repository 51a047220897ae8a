package observed_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

// drafted is the profile that is drafted of a collection, loaded.
func drafted(t *testing.T, c *observed.Collector, name string) (*profile.Profile, []byte) {
	t.Helper()
	src, err := c.Draft(name)
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("DRAFTS"); dir != "" {
		_ = os.WriteFile(filepath.Join(dir, filepath.Dir(name)+".yaml"), src, 0o600)
	}
	p, err := profile.Load(src)
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	return p, src
}

// namesRecords counts a folder's records that a profile finds, whatever it calls
// their entity.
func namesRecords(t *testing.T, f *trial.Folder, p *profile.Profile) (found, all int) {
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
			} else {
				fmt.Println("record", f.Cases[i].ID, want)
			}
		}
	}
	return found, all
}

func TestMeasure(t *testing.T) {
	for _, crm := range []string{"hubspot", "pipedrive", "espocrm", "twenty"} {
		dir := "/work/shared/fixtures/" + crm
		f, err := trial.Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		p, _ := drafted(t, collected(t, f), crm+"/1")
		rep, err := trial.Run(f, p)
		if err != nil {
			t.Fatal(err)
		}
		found, all := namesRecords(t, f, p)
		c := rep.Total
		relaxed := relax(t, f)
		if rep, err = trial.Run(relaxed, p); err != nil {
			t.Fatal(err)
		}
		found2, all2 := namesRecords(t, relaxed, p)
		fmt.Printf("%s relaxed: records %d/%d values %d/%d over %d of %d\n", crm, found2, all2, rep.Total.ValuesMasked, rep.Total.Values, rep.Total.Overmasked, rep.Total.Masked)
		fmt.Printf("%s: records %d/%d values %d/%d second %d refs %d/%d masked %d over %d\n", crm, found, all, c.ValuesMasked, c.Values, c.SecondPass, c.RefsFound, c.Refs, c.Masked, c.Overmasked)
		for _, k := range rep.Cases {
			fmt.Println("  ", k.ID, k.ValuesMasked, k.Values, "over", k.Overmasked, "refused:", k.Refused)
			for _, d := range k.Differences {
				fmt.Println("      ", d)
			}
		}
	}
}

// relax is a folder without the questions of its requests.
func relax(t *testing.T, f *trial.Folder) *trial.Folder {
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
			if file == k.Request.BodyFile && k.Request.Method == "POST" {
				src = []byte("{}")
			}
			_ = os.WriteFile(filepath.Join(dir, file), src, 0o600)
		}
		out.Cases = append(out.Cases, k)
	}
	raw, err := json.Marshal(&out)
	if err != nil {
		t.Fatal(err)
	}
	p, err := trial.Parse(filepath.Join(dir, "manifest.json"), raw)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
