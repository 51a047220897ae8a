package gate_test

import (
	"bytes"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/test/stack"
)

// TestDeskOverAllNodes has the desk of one of two gateways show the logs of both.
func TestDeskOverAllNodes(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	for _, n := range c.nodes {
		n.stop(t)
		file := filepath.Join(n.dir, "Caddyfile")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text = []byte(strings.Replace(string(text), "officers role auditor", "officers role auditor\n\t\t\tconsent role sales", 1))
		text = bytes.Replace(text, []byte("\n\t\t\tnode "), []byte("\n\t\t\tretain 36 months\n\t\t\tnode "), 1)
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		n.start(t)
	}
	sc := newScene(t, jsonAnswer(http.StatusOK, row(4711)))
	vera := map[string]*browser{}
	for name, n := range c.nodes {
		vera[name] = n.site.as(t, "vera")
		vera[name].get(t, "/api/contacts/4711", sc).want(t, http.StatusOK)
	}
	dora := c.nodes["one"].site.as(t, "dora")
	t.Run("a records history is of both", func(t *testing.T) {
		at := desk + "/record?record=contact%2F4711"
		dora.visits(t, at).shows(t, "Knoten <code translate=\"no\">one</code>", "Knoten <code translate=\"no\">two</code>", "2 Antworten enthielten", "node=two\"")
		dora.visits(t, at+"&node=two").shows(t, "Knoten <code translate=\"no\">two</code>", "1 Antwort enthielt").
			showsNot(t, "Knoten <code translate=\"no\">one</code>")
		dora.visits(t, at+"&node=three").want(t, http.StatusBadRequest)
		csv := dora.post(t, desk+"/search.csv", url.Values{"record": {"contact/4711"}}).shows(t, ",one,,\r\n", ",two,,\r\n")
		csv.look2(t, c, "one", `desk: CSV of record "contact/4711"`)
	})
	t.Run("pages stay right while entries come in", func(t *testing.T) { c.pagesStayRight(t, dora, vera) })
	t.Run("a wish at one is consented to at the other", func(t *testing.T) { c.consented(t, dora, vera["two"]) })
	t.Run("volumes are of both", func(t *testing.T) {
		counts := func(path string) (n int) {
			eventually(t, "the accesses are counted", func() bool {
				r := dora.visits(t, desk+path).want(t, http.StatusOK)
				m := regexp.MustCompile(`aria-label="Säulen: ([0-9.]+) Datens`).FindStringSubmatch(html.UnescapeString(string(r.body)))
				if m != nil {
					_, _ = fmt.Sscan(strings.ReplaceAll(m[1], ".", ""), &n)
				}
				return m != nil
			})
			return n
		}
		all, one, two := counts("/volume"), counts("/volume?node=one"), counts("/volume?node=two")
		if one == 0 || two == 0 || all != one+two {
			t.Errorf("%d records at one, %d at two, %d together", one, two, all)
		}
	})
	t.Run("all logs are verified and taken along", func(t *testing.T) { c.verifiedAndExported(t, dora) })
	t.Run("a node whose log cannot be read is named", func(t *testing.T) { c.unreadIsNamed(t, dora) })
	c.nodes["one"].stop(t)
	c.nodes["two"].kill()
}

// look2 checks the entry of a look in a node's log.
func (r *reply) look2(t *testing.T, c *cluster, node, detail string) {
	t.Helper()
	at := r.header.Get("Audit-Id")
	for s, err := range audit.ReadRows(t.Context(), c.database(t).Node(node), c.ring) {
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprintf("%s/%d", node, s.Seq) == at && strings.HasPrefix(s.Entry.Detail, detail) {
			return
		}
	}
	t.Errorf("the look %s isn't an entry %q of node %s", at, detail, node)
}

// pseudonymAt is the visitor's, as the desk says it.
func pseudonymAt(t *testing.T, b *browser) string {
	t.Helper()
	m := regexp.MustCompile(`e-[a-z2-7]{26}`).Find(b.visits(t, desk).want(t, http.StatusOK).body)
	if m == nil {
		t.Fatal("no pseudonym on the page")
	}
	return string(m)
}

// consented has a wish at one node answered at the other: it holds at the first.
func (c *cluster) consented(t *testing.T, dora, vera *browser) {
	who := pseudonymAt(t, dora)
	dora.post(t, desk+"/ask", url.Values{"employee": {who}, "purpose": {"check"}, "note": {"as agreed"}}).want(t, http.StatusSeeOther)
	dora.visits(t, desk+"/employee?employee="+who).want(t, http.StatusSeeOther)
	ask := regexp.MustCompile(`name="ask" value="([^"]+)"`).FindSubmatch(vera.visits(t, desk+"/employees").shows(t, "as agreed").body)
	if ask == nil {
		t.Fatal("the wish isn't shown at the other node")
	}
	vera.post(t, desk+"/decide", url.Values{"ask": {string(ask[1])}, "say": {"yes"}}).want(t, http.StatusSeeOther)
	dora.visits(t, desk+"/employee?employee="+who).shows(t, "as agreed", "Zugriffe, neueste zuerst", "Knoten <code translate=\"no\">one</code>")
}

var (
	rowPlace = regexp.MustCompile(`href="/\.crmgate/desk/entry\?seq=([0-9]+)&amp;node=(one|two)"`)
	olderAt  = regexp.MustCompile(`href="([^"]+before=[^"]+)">Ältere`)
)

func (c *cluster) pagesStayRight(t *testing.T, dora *browser, vera map[string]*browser) {
	sc := newScene(t, jsonAnswer(http.StatusOK, row(4712)))
	var want []string
	for i := range 70 {
		node := []string{"one", "two"}[i*7%3%2]
		vera[node].get(t, "/api/contacts/4712", sc).want(t, http.StatusOK)
		want = append(want, node)
	}
	slices.Reverse(want)
	var nodes, places []string
	path := desk + "/record?record=contact%2F4712"
	for path != "" {
		r := dora.visits(t, path).want(t, http.StatusOK)
		for _, m := range rowPlace.FindAllStringSubmatch(string(r.body), -1) {
			nodes, places = append(nodes, m[2]), append(places, m[2]+"/"+m[1])
		}
		path = ""
		if m := olderAt.FindStringSubmatch(string(r.body)); m != nil {
			path = html.UnescapeString(m[1])
		}
		for _, b := range vera { // meanwhile
			b.get(t, "/api/contacts/4712", sc).want(t, http.StatusOK)
		}
	}
	if !slices.Equal(nodes, want) {
		t.Errorf("%d rows of %v, want %d of %v", len(nodes), nodes, len(want), want)
	}
	if slices.Sort(places); len(slices.Compact(places)) != len(want) {
		t.Errorf("rows stand on two pages: %v", places)
	}
}

func (c *cluster) verifiedAndExported(t *testing.T, dora *browser) {
	eventually(t, "the root log has begun", func() bool {
		return strings.Contains(string(dora.visits(t, desk+"/log").want(t, http.StatusOK).body), `<option value="root">`)
	})
	dora.visits(t, desk+"/log").shows(t, `<h2><code translate="no">one</code> <span class="soft">dieser Knoten`, `<h2><code translate="no">two</code></h2>`)
	dora.post(t, desk+"/verify", url.Values{}).want(t, http.StatusSeeOther)
	verdict := "Das Protokoll ist, was geschrieben wurde."
	eventually(t, "all logs are verified", func() bool {
		return strings.Count(html.UnescapeString(string(dora.visits(t, desk+"/log").body)), verdict) == 3
	})
	eventually(t, "a checkpoint is signed over what is exported", func() bool {
		file := dora.post(t, desk+"/export", url.Values{}).want(t, http.StatusOK)
		dir := t.TempDir()
		unzip(t, file.body, dir)
		for _, node := range []string{"one", "two", "root"} {
			report, err := audit.VerifyExport(t.Context(), filepath.Join(dir, node), "", audit.Attesters{}, nil)
			if err != nil {
				t.Fatalf("the export of %s: %v", node, err)
			}
			if report.Size == 0 {
				return false
			}
		}
		return true
	})
	dora.post(t, desk+"/export", url.Values{"node": {"three"}}).want(t, http.StatusNotFound)
}

func (c *cluster) unreadIsNamed(t *testing.T, dora *browser) {
	c.Exec(t, c.dsn, "UPDATE crmgate_log_group SET frames = overlay(frames placing '\\x00'::bytea from 200) WHERE node = 'two'")
	named := "Das Protokoll des Knotens <code translate=\"no\">two</code> lässt sich nicht lesen"
	stack.Poll(t, "node two is named", func() bool {
		r := dora.visits(t, desk+"/record?record=contact%2F4711").shows(t, "Knoten <code translate=\"no\">one</code>")
		return strings.Contains(html.UnescapeString(string(r.body)), named)
	})
	dora.post(t, desk+"/verify", url.Values{}).want(t, http.StatusSeeOther)
	eventually(t, "the damage is shown", func() bool {
		body := html.UnescapeString(string(dora.visits(t, desk+"/log").body))
		return strings.Contains(body, "Das Protokoll ist nicht, was geschrieben wurde.") && strings.Contains(body, "Das Protokoll ist, was geschrieben wurde.")
	})
}
