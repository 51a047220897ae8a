package json

import (
	"bytes"
	"math"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/doc"
)

// ParseLines reads one JSON value per line (NDJSON) as an Array of them. Blank
// lines are none. It is as strict as Parse: a value that goes on in the next line
// is refused, for it is none in either.
func ParseLines(src []byte, lim doc.Limits) (*doc.Tree, error) {
	if len(src) > math.MaxInt32 {
		return nil, &doc.SyntaxError{Format: "json", Offset: math.MaxInt32, What: "larger than 2 GiB"}
	}
	if !utf8.Valid(src) {
		return nil, &doc.SyntaxError{Format: "json", Offset: invalidAt(src), What: "invalid UTF-8"}
	}
	pooled, _ := nodes.Get().(*[]doc.Node)
	p := parser{nodes: (*pooled)[:0], lim: lim}
	p.nodes = append(p.nodes, doc.Node{Kind: doc.Array, Parent: -1, End: int32(len(src))})
	p.depth = 1 // the lines are within something
	for p.pos < len(src) && p.fault == "" {
		end := len(src)
		if n := bytes.IndexByte(src[p.pos:], '\n'); n >= 0 {
			end = p.pos + n
		}
		p.src = src[:end]
		if p.space(); p.pos < end {
			p.value(doc.Root, 0, 0, 0)
			p.space()
			if p.fault == "" && p.pos < end {
				p.fail("bytes behind the value")
			}
		}
		if p.fault == "" {
			p.pos = min(end+1, len(src))
		}
	}
	if p.fault != "" {
		giveBack(p.nodes)
		return nil, &doc.SyntaxError{Format: "json", Offset: p.pos, What: p.fault}
	}
	p.nodes[doc.Root].Next = int32(len(p.nodes))
	return &doc.Tree{Src: src, Nodes: p.nodes, Format: Format{}, ASCII: p.high == 0}, nil
}
