package desk

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/consent"
	"github.com/crmgate/crmgate/internal/desk"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// consentPlaces are the pages about consents, where some site keeps a ledger.
func (d *Desk) consentPlaces() []place {
	if d.app == nil || !d.app.Consents() {
		return nil
	}
	return []place{
		{desk.ConsentPath, http.MethodGet, officers, page.Text{DE: "Einwilligungen", EN: "Consents"}, d.consents},
		{desk.ConsentPath, http.MethodPost, officers, page.Text{}, d.findConsents},
		{desk.ConsentProofPath, http.MethodGet, officers, page.Text{}, d.proof},
	}
}

func (d *Desk) consents(v crmgate.Visitor) { d.showConsents(v, desk.ConsentView{}, page.Text{}, "") }

func (d *Desk) showConsents(v crmgate.Visitor, view desk.ConsentView, wrong page.Text, rec string) {
	d.show(v, desk.Page{
		Name: "consents", Title: page.Text{DE: "Einwilligungen einer Person", EN: "A person's consents"}, Path: desk.ConsentPath,
		Body: view, Wrong: wrong, Audit: rec,
	})
}

// findConsents looks a person up. The address comes in a form, never in an address, and
// the entry of the look holds its keyed hash alone.
func (d *Desk) findConsents(v crmgate.Visitor) {
	form, ok := v.Form()
	if !ok {
		return
	}
	view := desk.ConsentView{
		Email: strings.TrimSpace(form.Get("email")), Phone: strings.TrimSpace(form.Get("phone")), Record: strings.TrimSpace(form.Get("record")),
	}
	s, ok := view.Subject()
	if !ok {
		d.showConsents(v, view, wrongConsent(), "")
		return
	}
	rec, ok := v.Append(audit.Searched, looking+"consents of a person"+saidRecord(view.Record), d.keyed(s)...)
	if !ok {
		return
	}
	for _, l := range d.app.Ledgers() {
		f, err := l.Find(v.Request().Context(), s)
		if errors.Is(err, consent.ErrChange) {
			view.Found = nil
			d.showConsents(v, view, wrongConsent(), rec)
			return
		}
		if err != nil {
			v.Failed("consents_read", err)
			return
		}
		view.Found = append(view.Found, desk.LedgerFound{Ledger: l.Site, Found: f})
	}
	d.showConsents(v, view, page.Text{}, rec)
}

func saidRecord(record string) string {
	if record == "" {
		return ""
	}
	return ": record " + strconv.Quote(record)
}

// keyed are the hashes by which the log finds who was looked for.
func (d *Desk) keyed(s consent.Subject) []string {
	var all []string
	for _, e := range s.Emails {
		all = append(all, d.services.Log.Keyed("email", e))
	}
	for _, p := range s.Phones {
		all = append(all, d.services.Log.Keyed("phone", p))
	}
	return all
}

func wrongConsent() page.Text {
	return page.Text{
		DE: "Danach lässt sich nicht suchen. Geben Sie eine E-Mail-Adresse, eine Telefonnummer oder einen Datensatz (Art/Kennung, etwa contact/1001) an.",
		EN: "This can't be searched for. Give an e-mail address, a phone number or a record (kind/id, as in contact/1001).",
	}
}

// proof shows one proof: as a page, for print, or as JSON.
func (d *Desk) proof(v crmgate.Visitor) {
	asked := v.Query()
	id, site := asked.Get("id"), asked.Get("ledger")
	var l *consent.Ledger
	for _, one := range d.app.Ledgers() {
		if one.Site == site {
			l = one
		}
	}
	if l == nil || !desk.Plain(id, 64) || id == "" {
		v.NotFound()
		return
	}
	as, event := asked.Get("as"), audit.Searched
	if as == "json" || as == "print" {
		event = audit.Exported
	} else {
		as = "page"
	}
	rec, ok := v.Append(event, looking+"proof of consent "+id+", as "+as)
	if !ok {
		return
	}
	p, err := l.Proof(v.Request().Context(), id)
	if errors.Is(err, consent.ErrNone) {
		v.NotFound()
		return
	}
	if err != nil {
		v.Failed("consents_read", err)
		return
	}
	view, err := desk.NewConsentProofView(site, p)
	if err == nil {
		err = d.checkProof(v.Request().Context(), &view)
	}
	if err != nil {
		v.Failed("consents_read", err)
		return
	}
	if as == "json" {
		d.proofJSON(v, &view, rec)
		return
	}
	view.Print = as == "print"
	d.show(v, desk.Page{
		Name: "consentproof", Title: page.Text{DE: "Nachweis einer Einwilligung", EN: "Proof of a consent"}, Path: desk.ConsentPath,
		Print: view.Print, Audit: rec, Body: view,
	})
}

// checkProof asks the log for the entry of each step.
func (d *Desk) checkProof(ctx context.Context, v *desk.ConsentProofView) error {
	v.Matches = true
	for i := range v.Steps {
		s := &v.Steps[i]
		node, number, _ := strings.Cut(s.Entry, "/")
		seq, err := strconv.ParseUint(number, 10, 62)
		if err != nil {
			v.Matches = false
			continue
		}
		sources, nodes, err := d.sources(ctx, node)
		if err != nil {
			return err
		}
		if len(sources) == 1 {
			if _, err := sources[0].Log.Size(ctx); err != nil {
				return err
			}
			if nodes == nil {
				node = ""
			}
			s.Path = desk.EntryAt(node, seq)
			e, err := desk.One(ctx, sources[0].Log, seq)
			switch {
			case errors.Is(err, desk.ErrNone):
			case err != nil:
				return err
			case strings.Contains(e.Entry.Detail, "proof "+v.Proof.ID+", step "+strconv.Itoa(s.Step)+", sha256="+s.SHA256):
				s.Log = desk.LogSame
			default:
				s.Log = desk.LogOther
			}
		}
		v.Matches = v.Matches && s.Log == desk.LogSame
	}
	return nil
}

// proofJSON writes a proof down for those who check it by themselves.
func (d *Desk) proofJSON(v crmgate.Visitor, view *desk.ConsentProofView, rec string) {
	type checked struct {
		Step  int          `json:"step"`
		Entry string       `json:"entry"`
		Log   desk.StepLog `json:"log"`
		// Hashed is what the step says, as the text that was hashed.
		Hashed string `json:"hashed"`
		SHA256 string `json:"sha256"`
	}
	var log []checked
	for i := range view.Steps {
		s := &view.Steps[i]
		log = append(log, checked{s.Step, s.Entry, s.Log, string(view.Proof.Steps[i].Says), s.SHA256})
	}
	w := v.File("application/json", "consent-"+view.Proof.ID+".json")
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // what a step says stays the bytes that were hashed
	err := e.Encode(map[string]any{
		"made": time.Now(), "entry": rec, "ledger": view.Ledger, "proof": view.Proof, "whole": view.Whole, "log": log,
		"verify": "the SHA-256 of each `hashed` (UTF-8) is its `sha256`; `previous` in it is that of the step before; the entry of the audit log that `entry` names (node/number) holds the same hash in its detail",
	})
	if err != nil {
		d.logger.Info("the client didn't take the whole proof", zap.Error(err))
	}
}
