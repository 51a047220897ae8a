package trial

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/canon"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/profile"
)

// Count is what was to be found and what was.
type Count struct {
	Records      int `json:"records"`
	RecordsFound int `json:"records_found"`
	Values       int `json:"values"`
	ValuesMasked int `json:"values_masked"`
	// SecondPass are those of ValuesMasked that only the second pass found: the
	// profile doesn't know their places.
	SecondPass  int `json:"second_pass"`
	Refs        int `json:"refs"`
	RefsFound   int `json:"refs_found"`
	Decisions   int `json:"decisions"`
	DecisionsOK int `json:"decisions_ok"`
	// Masked are all values that were masked, and Overmasked those of them that
	// no mark names.
	Masked     int `json:"masked"`
	Overmasked int `json:"overmasked"`
}

func (c *Count) add(o *Count) {
	c.Records += o.Records
	c.RecordsFound += o.RecordsFound
	c.Values += o.Values
	c.ValuesMasked += o.ValuesMasked
	c.SecondPass += o.SecondPass
	c.Refs += o.Refs
	c.RefsFound += o.RefsFound
	c.Decisions += o.Decisions
	c.DecisionsOK += o.DecisionsOK
	c.Masked += o.Masked
	c.Overmasked += o.Overmasked
}

// Result is what became of one case.
type Result struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Count
	// Refused says why the profile doesn't let the request through, whatever the
	// policy; empty where it does.
	Refused string `json:"refused,omitempty"`
	// Differences are what differs from the case, one sentence each. They name
	// places and ids, no values.
	Differences []string `json:"differences,omitempty"`
	// Unneeded are the places that were masked though no mark names them.
	Unneeded []string `json:"unneeded,omitempty"`
	// because are the reasons of Unneeded, one for each.
	because []string
}

// Report is what became of a folder.
type Report struct {
	Profile  string   `json:"profile"`
	Evidence string   `json:"evidence"`
	Cases    []Result `json:"cases"`
	Total    Count    `json:"total"`
}

// Differs reports whether any case differs.
func (r *Report) Differs() bool {
	return slices.ContainsFunc(r.Cases, func(c Result) bool { return len(c.Differences) > 0 })
}

// Run runs a folder's cases through a profile, for somebody who may see nothing.
// The error says that a case can't be read; what differs is in the report.
func Run(f *Folder, p *profile.Profile) (*Report, error) {
	rep := &Report{Profile: p.Name, Evidence: p.Evidence}
	kept := memory{}
	for i := range f.Cases {
		t := &trial{f: f, p: p, c: &f.Cases[i], memory: kept, Result: Result{ID: f.Cases[i].ID, Title: f.Cases[i].Title}}
		if err := t.run(); err != nil {
			return nil, err
		}
		rep.Cases = append(rep.Cases, t.Result)
		rep.Total.add(&t.Count)
	}
	return rep, nil
}

// trial is a case on its way.
type trial struct {
	f *Folder
	p *profile.Profile
	c *Case
	x *profile.Exchange
	// parts are the exchanges of a batch.
	parts []*profile.Exchange
	// lines are the categories of the fields that the profile found, by line.
	lines map[int][]access.Category
	// reasons say of places in the answer why the profile masks them.
	reasons map[string]string
	// memory is shared by all cases, and from what it keeps for this one: its own
	// request, or that which it goes on from.
	memory memory
	from   *profile.Request
	Result
}

func (t *trial) differs(format string, args ...any) {
	t.Differences = append(t.Differences, fmt.Sprintf(format, args...))
}

func (t *trial) run() error {
	if err := t.classify(); err != nil {
		return err
	}
	if !t.decided() {
		return nil // nothing is forwarded, nothing disclosed
	}
	t.refs()
	if t.c.Response == nil {
		return nil
	}
	body, err := t.f.ReadFile(t.c.Response.BodyFile)
	if err != nil {
		return fmt.Errorf("%s: %w", t.c.ID, err)
	}
	t.answer(body)
	return nil
}

// classify asks the profile. A refusal is no error.
func (t *trial) classify() error {
	r, err := t.f.ReadRequest(t.c)
	if err != nil {
		return err
	}
	req, refused := canonical(r, t.p)
	if refused != "" {
		t.Refused = refused
		return nil
	}
	if req.Body, err = io.ReadAll(r.Body); err != nil {
		return fmt.Errorf("%s: reading the body: %w", t.c.ID, err)
	}
	if t.x, err = t.ask(req); err == nil && t.x != nil && t.x.Batch() != nil {
		err = t.askParts(r.Host)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", t.c.ID, err)
	}
	return nil
}

// ask classifies one request; nil where it is refused.
func (t *trial) ask(req profile.Request) (*profile.Exchange, error) {
	x, err := t.p.Classify(req)
	if t.from = &req; err == nil && x.Handles() != nil {
		x, err = t.resume(x)
	}
	if no, ok := errors.AsType[*profile.Refusal](err); ok {
		t.Refused = no.Error()
		return nil, nil
	}
	if err == nil && x != nil && x.Batch() == nil && x.Whole() {
		t.Refused = "its answer can't be masked: it is for roles that may see everything"
	}
	return x, err
}

// canonical is the request as the profile sees it, or why the gate refuses it
// before the profile does.
func canonical(r *http.Request, p *profile.Profile) (req profile.Request, refused string) {
	c, err := canon.Request(r, canon.Options{
		HTTPS: true, Lists: p.Lists, SemicolonLiteral: p.Semicolon, LiteralNames: p.LiteralNames,
	})
	if err != nil {
		return req, "the request has no canonical form: " + err.Error()
	}
	req.Method, req.Path = c.Method, c.Path
	for _, q := range c.Query {
		req.Query = append(req.Query, profile.Param(q))
	}
	ct := r.Header.Get("Content-Type")
	if ct == "" {
		return req, ""
	}
	media, params, err := mime.ParseMediaType(ct)
	if err != nil {
		return req, "the type of its body can't be read"
	}
	req.MediaType, req.ContentType, req.SOAPActions = media, ct, append(slices.Clone(r.Header.Values("Soapaction")), params["action"])
	return req, ""
}

// hidden is the plan of somebody who may see nothing.
func hidden() *access.Plan { return &access.Plan{Action: access.Read} }

// answer judges the CRM's answer.
func (t *trial) answer(body []byte) {
	t.Records += len(t.c.Records)
	t.Values += len(t.c.Personal)
	switch {
	case len(body) == 0:
	case t.x.Type == "sse":
		t.differs("a recorded stream of events can't be tried; mask it with `crmgate explain`")
		return
	case t.x.Pass || t.x.Type == "none": // nothing is masked
		t.compare(body, body, body)
	default:
		if err := t.judge(body); err != nil {
			t.differs("the answer would be withheld as a whole: %v", err)
		}
		return
	}
	t.found(nil)
}

func (t *trial) judge(body []byte) error {
	if t.x.Batch() != nil {
		return t.judgeParts(body)
	}
	d, err := read(t.x, t.c.Response.ContentType, t.c.Response.Status, body)
	if err != nil {
		return err
	}
	t.remember(d.found.Given)
	var records []access.Record
	masked := map[bool][]byte{}
	for _, second := range []bool{false, true} {
		m := &masker{m: mask.New(mask.Config{}), second: second, seen: mask.NewSeen(maxSeen)}
		if masked[second], err = m.document(d); err != nil {
			return err
		}
		records = m.records
	}
	t.found(records)
	t.lines, t.reasons = fieldLines(d.tree, &d.found.Found), because(d)
	t.compare(body, masked[false], masked[true])
	return nil
}

// document is an answer's document, what stands around it and what was found in it.
type document struct {
	before, behind []byte
	tree           *doc.Tree
	found          *profile.Located
}

func read(x *profile.Exchange, contentType string, status int, body []byte) (*document, error) {
	media, charset := contentType, ""
	if m, params, err := mime.ParseMediaType(media); err == nil {
		media, charset = m, params["charset"]
	}
	if !x.Accepts(media) {
		return nil, fmt.Errorf("it is %s, the profile says %s", media, x.Type)
	}
	d := &document{found: &profile.Located{}}
	var src []byte
	d.before, src, d.behind = x.Cut(body)
	var err error
	if d.tree, err = x.Parse(src, charset); err != nil || x.Pass {
		return d, err
	}
	d.found, err = x.Locate(d.tree, max(status, http.StatusOK))
	return d, err
}

// fieldLines says what the fields of each line can hold.
func fieldLines(t *doc.Tree, found *access.Found) map[int][]access.Category {
	lines := map[int][]access.Category{}
	for i := range found.Fields {
		f := &found.Fields[i]
		n := 1 + bytes.Count(t.Src[:t.Nodes[f.Node].Start], []byte{'\n'})
		lines[n] = append(lines[n], f.Categories...)
	}
	return lines
}

// maxSeen is how many masked values are carried from one document of an answer
// to the next.
const maxSeen = 4096

// masker masks an answer's document after those that stand as texts in it.
type masker struct {
	m       *mask.Masker
	second  bool
	seen    *mask.Seen
	records []access.Record
}

func (m *masker) document(d *document) ([]byte, error) {
	out, err := m.mask(d.tree, d.found)
	return slices.Concat(d.before, out, d.behind), err
}

func (m *masker) mask(t *doc.Tree, found *profile.Located) ([]byte, error) {
	f := found.Found
	f.Withheld = slices.Clone(f.Withheld)
	for i := range found.Nested {
		n := &found.Nested[i]
		body, err := m.mask(n.Tree, &n.Located)
		if err != nil {
			return nil, err
		}
		f.Withheld = append(f.Withheld, access.Withheld{Node: n.Node, Text: n.Text(body), Masked: true})
	}
	opts := mask.Options{Scope: "trial", SecondPass: m.second}
	if m.second {
		opts.Seen = m.seen
	}
	res, err := m.m.Apply(t, &f, hidden(), opts)
	if err != nil {
		return nil, err
	}
	for _, r := range res.Disclosure.Records {
		m.records = append(m.records, r.Record)
	}
	return res.Body(nil)
}

// isOf reports whether a record is of what a manifest calls an entity: by the
// profile's word for it, or by one of the CRM's.
func (t *trial) isOf(r access.Record, entity string) bool {
	of, known := t.p.EntityOf(entity)
	return string(r.Entity) == entity || known && r.Entity == of
}

// found compares the records that would be in the log: those that the answer shows,
// and those that the request names by their ids.
func (t *trial) found(records []access.Record) {
	for _, a := range t.accesses() {
		for _, id := range a.IDs {
			records = append(records, access.Record{Entity: a.Entity, ID: id})
		}
	}
	for _, want := range t.c.Records {
		if slices.ContainsFunc(records, func(r access.Record) bool { return t.isOf(r, want.Entity) && r.ID == want.ID }) {
			t.RecordsFound++
			continue
		}
		if i := slices.IndexFunc(records, func(r access.Record) bool { return r.ID == want.ID }); i >= 0 {
			t.differs("the record %s/%s would be in the log as %s/%s: neither the profile's word for it nor a type of that entity is %q", want.Entity, want.ID, records[i].Entity, want.ID, want.Entity)
			continue
		}
		t.differs("the record %s/%s would not be in the log", want.Entity, want.ID)
	}
}
