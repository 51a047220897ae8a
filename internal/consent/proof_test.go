package consent

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/sealed"
)

// proofs are all of an address.
func (h *house) proofs(address string) []*Proof {
	h.t.Helper()
	f, err := h.l.Find(h.t.Context(), mailOf(address))
	if err != nil {
		h.t.Fatal(err)
	}
	return f.Proofs
}

func TestAProofSaysWhatACourtAsks(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.asks(canary)
	h.pass(time.Hour)
	h.answers(h.link(), Confirmed)
	h.pass(24 * time.Hour)
	h.answers(h.link(), Withdrawn)
	all := h.proofs(canary)
	if len(all) != 1 || !all[0].Whole() || all[0].State != Withdrawn {
		t.Fatalf("the proofs are %+v", all)
	}
	var what []string
	for _, s := range all[0].Steps {
		said, err := s.Said()
		if err != nil {
			t.Fatal(err)
		}
		what = append(what, said.What+" "+said.At.Format(time.RFC3339))
	}
	want := "asked 2026-11-24T10:00:00Z, mailing 2026-11-24T10:00:00Z, mailed 2026-11-24T10:00:00Z, confirmed 2026-11-24T11:00:00Z, withdrawn 2026-11-25T11:00:00Z"
	if got := strings.Join(what, ", "); got != want {
		t.Errorf("the steps are %s\nwant %s", got, want)
	}
	first, err := all[0].first()
	if err != nil {
		t.Fatal(err)
	}
	text := purposes()[0].Texts[0]
	if d := first.Declared; d.Text != text.Text || d.TextSHA256 != text.SHA256() || d.TextVersion != "2026-11" || d.Form != "https://www.example.de/rundbrief" ||
		d.Emails[0] != canary || d.Controller == "" || d.PrivacyNoticeVersion != "2026-10" || d.Channel != Email || d.Purpose != "newsletter" {
		t.Errorf("it declares %+v", d)
	}
	mailing, err := all[0].Steps[1].Said()
	if err != nil || mailing.Mailing == nil || mailing.MessageID != h.box.got[0].MessageID || !strings.Contains(mailing.Copy, hiddenToken) {
		t.Errorf("the mail is %+v, %v", mailing.Mailing, err)
	}
}

// Each step is an entry that holds its hash, and no entry holds an address.
func TestEachStepIsAnEntryWithItsHash(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.asks(canary)
	h.answers(h.link(), Confirmed)
	p := h.proofs(canary)[0]
	for i, s := range p.Steps {
		e := h.log.all[i]
		if !strings.Contains(e.Detail, "sha256="+s.SHA256) || !strings.Contains(e.Detail, p.ID) || s.Entry != "one/"+string(rune('0'+i)) || len(e.Keyed) != 1 {
			t.Errorf("step %d has the entry %+v", i+1, e)
		}
	}
	raw, err := json.Marshal(h.log.all)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{canary, "canary", h.link()} {
		if strings.Contains(strings.ToLower(string(raw)), strings.ToLower(secret)) {
			t.Errorf("the log holds %q", secret)
		}
	}
	proof, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(proof), h.link()) {
		t.Error("the proof holds the token of the link")
	}
}

func TestAChangedProofIsNotWhole(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.asks(canary)
	h.answers(h.link(), Confirmed)
	for name, forge := range map[string]func(p *Proof){
		"another text": func(p *Proof) {
			p.Steps[0].Says = []byte(strings.Replace(string(p.Steps[0].Says), "Rundbrief", "Rundruf", 1))
		},
		"another time":   func(p *Proof) { p.Steps[3].Says = []byte(strings.Replace(string(p.Steps[3].Says), "2026", "2025", 1)) },
		"a step less":    func(p *Proof) { p.Steps = append(p.Steps[:1], p.Steps[2:]...) },
		"another order":  func(p *Proof) { p.Steps[1], p.Steps[2] = p.Steps[2], p.Steps[1] },
		"no entry":       func(p *Proof) { p.Steps[2].Entry = "" },
		"another person": func(p *Proof) { p.ID = "0" },
		"another use":    func(p *Proof) { p.Channel = Phone },
		"nothing":        func(p *Proof) { p.Steps = nil },
	} {
		p := h.proofs(canary)[0]
		if forge(p); p.Whole() {
			t.Errorf("%s: the proof is whole", name)
		}
	}
}

// What lies in the store tells nobody anything.
func TestTheStoreHoldsNoAddressInClear(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var raw strings.Builder
	h.faulty.fail = func(docs []sealed.Doc) error {
		for _, d := range docs {
			raw.Write(d.Sealed)
			raw.Write(d.Key[:])
			raw.Write(d.Group[:])
		}
		return nil
	}
	h.asks(canary)
	token := h.link()
	h.answers(token, Confirmed)
	for _, secret := range []string{canary, "Rundbrief", token, "confirmed"} {
		if strings.Contains(raw.String(), secret) {
			t.Errorf("the store holds %q", secret)
		}
	}
}

func TestATextThatPeopleConsentedToStays(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	cfg := h.l.Config
	cfg.Purposes = purposes()
	if _, err := Open(context.Background(), cfg); err != nil {
		t.Fatal(err)
	}
	cfg.Purposes[0].Texts[0].Text += " Und mehr."
	if _, err := Open(context.Background(), cfg); err == nil || !strings.Contains(err.Error(), "a version of its own") {
		t.Errorf("Open = %v", err)
	}
	cfg.Purposes[0].Texts[0].Version = "2026-12"
	if _, err := Open(context.Background(), cfg); err != nil {
		t.Errorf("a new version: %v", err)
	}
}
