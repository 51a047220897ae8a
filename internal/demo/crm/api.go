package crm

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
)

// apiMembers is a record as the API shows it. Leads carry their contact.
func (m *CRM) apiMembers(sc *schema, r Record, only []string) []member {
	list := sc.members(r, only)
	if sc.name != "lead" || only != nil && !slices.Contains(only, "contact") {
		return list
	}
	contact, ok := m.store.get("contact", r.ref())
	if !ok {
		return append(list, member{"contact", nil})
	}
	return append(list, member{"contact", []member{
		{"id", contact.id()}, {"name", contact.name()}, {"email", contact["email"]}, {"phone", contact["phone"]},
	}})
}

func (m *CRM) apiList(sc *schema) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q, p := parseQuery(sc, r.URL.Query())
		if p != nil {
			writeProblem(w, p)
			return
		}
		page, total := q.run(sc, m.store.all(sc))
		body := fmt.Appendf(nil, `{"total":%d,"items":[`, total)
		for i, rec := range page {
			if i > 0 {
				body = append(body, ',')
			}
			body = appendObject(body, m.apiMembers(sc, rec, q.only), styleWeb)
		}
		writeJSON(w, http.StatusOK, append(body, "]}"...))
	}
}

func (m *CRM) apiGet(sc *schema) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		rec, p := m.find(sc, r)
		if p != nil {
			writeProblem(w, p)
			return
		}
		writeJSON(w, http.StatusOK, appendObject(nil, m.apiMembers(sc, rec, nil), styleWeb))
	}
}

// apiWrite serves POST (no id in the path), PUT (full) and PATCH (partial).
func (m *CRM) apiWrite(sc *schema, full bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
			writeProblem(w, &problem{status: http.StatusUnsupportedMediaType, text: "send application/json"})
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			writeProblem(w, &problem{status: http.StatusBadRequest, text: "the body can't be read"})
			return
		}
		id, status := 0, http.StatusCreated
		if r.PathValue("id") != "" {
			old, p := m.find(sc, r)
			if p != nil {
				writeProblem(w, p)
				return
			}
			id, status = old.id(), http.StatusOK
		}
		rec, p := m.store.write(sc, id, func(rec Record) *problem { return applyJSON(sc, rec, body, full) })
		if p != nil {
			writeProblem(w, p)
			return
		}
		if id == 0 {
			w.Header().Set("Location", "/api/"+sc.plural+"/"+strconv.Itoa(rec.id()))
		}
		writeJSON(w, status, appendObject(nil, m.apiMembers(sc, rec, nil), styleWeb))
	}
}

func (m *CRM) apiDelete(sc *schema) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		rec, p := m.find(sc, r)
		if p == nil && !m.store.remove(sc.name, rec.id()) {
			p = notFound(sc, r.PathValue("id"))
		}
		if p != nil {
			writeProblem(w, p)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func (m *CRM) find(sc *schema, r *http.Request) (Record, *problem) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil || strconv.Itoa(id) != r.PathValue("id") {
		return nil, notFound(sc, r.PathValue("id"))
	}
	rec, ok := m.store.get(sc.name, id)
	if !ok {
		return nil, notFound(sc, r.PathValue("id"))
	}
	return rec, nil
}

func notFound(sc *schema, id string) *problem {
	return &problem{status: http.StatusNotFound, text: fmt.Sprintf("%s %s not found", sc.name, id)}
}

func writeProblem(w http.ResponseWriter, p *problem) {
	body := struct {
		Error string `json:"error"`
		Field string `json:"field,omitempty"`
	}{p.text, p.field}
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, http.StatusText(p.status), p.status)
		return
	}
	writeJSON(w, p.status, text)
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client went away: nobody to tell
}
