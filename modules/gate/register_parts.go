package gate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/report"
)

// registerConsent adds what the ledger of consents says: Caddy empties the field from
// which it was loaded.
func (h *Handler) registerConsent(all map[string]string) {
	if f := h.ConsentFields; f != nil {
		all["consent_fields"] = strings.TrimSpace(strings.TrimSpace("opt_out "+f.OptOut) + " " + strings.TrimSpace("opt_in "+f.OptIn))
	}
	if h.consent == nil {
		return
	}
	for word, value := range h.consent.Says().Words {
		if value != "" {
			all["consent "+word] = value
		}
	}
}

// registerMail is the mail server that gets the addresses of those who are asked.
func (h *Handler) registerMail() []report.RegisterSystem {
	if h.consent == nil {
		return nil
	}
	s := report.RegisterSystem{Kind: report.SystemMail, At: []string{h.consent.Says().Mail}}
	h.Details.Fill(&s, report.SystemMail)
	return []report.RegisterSystem{s}
}

// registerRetention adds the rules that the gateway keeps to the periods that are stated.
func (h *Handler) registerRetention(stated []report.RegisterStated) []report.RegisterStated {
	all := slices.Clone(stated)
	for _, line := range h.Retain {
		entity, rule, _ := strings.Cut(line, " ")
		all = append(all, report.RegisterStated{Of: entity, Text: "retain " + rule})
	}
	return all
}

// registerParts adds the measures of consent, retention, canaries and links. Of canaries it
// says how many there are: who reads the register mustn't know which.
func (h *Handler) registerParts(add func(what string, values ...string)) {
	if h.consent != nil {
		var purposes []string
		for word := range h.consent.Says().Words {
			if name, ok := strings.CutPrefix(word, "purpose "); ok {
				purposes = append(purposes, name)
			}
		}
		slices.Sort(purposes)
		add("consent_asked", strings.Join(purposes, ", "))
	}
	if o := h.Overdue; o != nil {
		if h.Observe == nil && !o.observes(time.Now()) {
			add("overdue_masked", strings.Join(o.Roles, ", "))
		}
		confirm := o.Confirm
		if len(confirm) == 0 {
			confirm = o.Roles
		}
		add("overdue_deleted", strings.Join(confirm, ", "))
	}
	h.registerCanaries(add)
	if l := h.Links; l != nil {
		said := []string{"own " + strings.Join(l.Own, " ")}
		for _, w := range []struct {
			word  string
			names []string
		}{{"like", l.Like}, {"known", l.Known}} {
			if len(w.names) > 0 {
				said = append(said, w.word+" "+strings.Join(w.names, " "))
			}
		}
		add("links", said...)
	}
}

func (h *Handler) registerCanaries(add func(what string, values ...string)) {
	all, stop := map[string]map[string]bool{}, map[string]map[string]bool{}
	put := func(into map[string]map[string]bool, entity, id string) {
		if into[entity] == nil {
			into[entity] = map[string]bool{}
		}
		into[entity][h.profile.RecordID(id)] = true
	}
	var entities []string
	for _, c := range h.Canaries {
		entities = append(entities, c.Entity)
		for _, id := range c.IDs {
			put(all, c.Entity, id)
			if c.Stop && h.Observe == nil {
				put(stop, c.Entity, id)
			}
		}
	}
	slices.Sort(entities)
	for _, e := range slices.Compact(entities) {
		said := []string{fmt.Sprint(len(all[e]))}
		if n := len(stop[e]); n > 0 {
			said = append(said, fmt.Sprintf("stop %d", n))
		}
		add("canary "+e, said...)
	}
}
