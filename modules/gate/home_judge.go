package gate

import (
	"slices"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/profile"
)

// keptLink is a link that goes to the client as it stands.
type keptLink struct {
	node int
	text string
}

// judgeLinks withholds the links that lead to nothing here, and returns the others. Names,
// and addresses of records, are judged as what they name. Where a link is a value that is
// masked, the mask stays.
func (l *release) judgeLinks(t *doc.Tree, links []profile.Link, found *profile.Located) []keptLink {
	x := l.q.x
	if x.Pass || len(links) == 0 {
		return nil
	}
	links = slices.DeleteFunc(links, func(link profile.Link) bool { return link.Name || link.Record })
	if len(links) == 0 {
		return nil
	}
	masked := l.maskedNodes(found)
	var kept []keptLink
	for _, link := range links {
		text := t.Text(link.Node)
		if text == "" || text == x.WithheldText() || masked[link.Node] {
			continue
		}
		if l.leadsToRoute(text) {
			kept = append(kept, keptLink{link.Node, text})
			continue
		}
		l.q.noteAstray()
		found.Withheld = append(found.Withheld, access.Withheld{Node: link.Node, Text: x.WithheldText(), Masked: true})
	}
	return kept
}

// maskedNodes are the nodes that aren't always clear.
func (l *release) maskedNodes(found *profile.Located) map[int]bool {
	nodes := map[int]bool{}
	for i := range found.Fields {
		f := &found.Fields[i]
		for _, c := range f.Categories {
			if _, clear := l.q.decision.Plan.AlwaysClear(f.Entity, c); !clear {
				nodes[f.Node] = true
			}
		}
	}
	for i := range found.Withheld {
		nodes[found.Withheld[i].Node] = true
	}
	return nodes
}

// leadsToRoute reports whether who follows a link asks something that the profile
// knows. The site itself is where clients begin.
func (l *release) leadsToRoute(link string) bool {
	_, abs := l.q.atHome(link)
	if abs == nil {
		return false
	}
	if abs.Path == "" || abs.Path == "/" {
		return true
	}
	x, whole := l.classifyLocation(abs)
	return x != nil && (whole || abs.RawQuery == "")
}

// repeats withholds the links that hold a value which is masked elsewhere in the
// answer, and reports whether there are any.
func (l *release) repeats(kept []keptLink, found *profile.Located, sweep *mask.Sweep) bool {
	repeated := false
	for _, link := range kept {
		if _, hit := sweep.Mask(link.text); hit {
			found.Withheld = append(found.Withheld, access.Withheld{Node: link.node, Text: l.q.x.WithheldText(), Masked: true})
			repeated = true
		}
	}
	return repeated
}

// noteAstray says in the process log that a link was withheld.
func (q *request) noteAstray() {
	q.h.logger.Warn("an address in the CRM's answer was withheld: no route of the profile takes what it asks; if clients need it, describe that route in the profile",
		zap.String("request", q.id), zap.String("route", q.route))
}
