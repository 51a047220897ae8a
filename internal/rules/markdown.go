package rules

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// markdown renders a text. What could be more than text and links (HTML, pictures,
// addresses of another scheme) is an error with its line, and never left out in
// silence: somebody wrote it to be read.
func markdown(src []byte) (rendered, error) {
	md := goldmark.New(goldmark.WithExtensions(extension.Table))
	root := md.Parser().Parse(text.NewReader(src))
	title, err := takeTitle(root, src)
	if err != nil {
		return rendered{}, err
	}
	err = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		if err := taken(n, src); err != nil {
			return ast.WalkStop, fmt.Errorf("line %d: %w", lineOf(n, src), err)
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		return rendered{}, err
	}
	var buf bytes.Buffer
	if err := md.Renderer().Render(&buf, src, root); err != nil {
		return rendered{}, fmt.Errorf("rendering it: %w", err)
	}
	if strings.TrimSpace(buf.String()) == "" {
		return rendered{}, errors.New("it has a title and no text")
	}
	return rendered{title: title, body: template.HTML(buf.String())}, nil //nolint:gosec // of a renderer that lets no HTML through
}

// takeTitle takes the heading off that the text begins with.
func takeTitle(root ast.Node, src []byte) (string, error) {
	h, ok := root.FirstChild().(*ast.Heading)
	if !ok || h.Level != 1 {
		return "", errors.New("line 1: the text has to begin with its title: # Our rules")
	}
	title := strings.TrimSpace(plain(h, src))
	if title == "" {
		return "", errors.New("line 1: the title is empty")
	}
	root.RemoveChild(root, h)
	return title, nil
}

// plain is the text of a node without its marks.
func plain(n ast.Node, src []byte) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			b.Write(c.Segment.Value(src))
			if c.SoftLineBreak() || c.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(c.Value)
		default:
			b.WriteString(plain(c, src))
		}
	}
	return b.String()
}

// taken says why a node isn't.
func taken(n ast.Node, src []byte) error {
	switch n := n.(type) {
	case *ast.HTMLBlock, *ast.RawHTML:
		return errors.New("HTML isn't taken: write Markdown, and `<` in backticks or as &lt;")
	case *ast.Image:
		return errors.New("pictures aren't taken: the page fetches nothing")
	case *ast.Heading:
		if n.Level == 1 {
			return errors.New("a second title: write ## for a section")
		}
	case *ast.Link:
		return link(n, string(n.Destination))
	case *ast.AutoLink:
		return link(n, string(n.URL(src)))
	}
	return nil
}

// link refuses addresses that lead anywhere but to a page, a mailbox or a telephone.
func link(n ast.Node, address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("the link %q is no address", address)
	}
	switch {
	case u.User != nil:
		return fmt.Errorf("the link to %s holds a name before its host", u.Host)
	case slices.Contains([]string{"https", "http"}, u.Scheme) && u.Host != "":
		n.SetAttributeString("rel", []byte("noopener noreferrer"))
		n.SetAttributeString("target", []byte("_blank"))
		return nil
	case slices.Contains([]string{"mailto", "tel"}, u.Scheme) && u.Opaque != "":
		return nil
	case u.Scheme == "" && u.Host == "" && strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//") && !strings.Contains(address, `\`):
		return nil
	case n.Kind() == ast.KindAutoLink && !strings.Contains(address, ":") && strings.Contains(address, "@"):
		return nil // <a@b.example>: rendered with mailto
	}
	return fmt.Errorf("the link to %q isn't taken: it has to begin with https://, http://, mailto:, tel:, or with / for a page of this site", address)
}

// lineOf is the line where a node begins, or the block around it.
func lineOf(n ast.Node, src []byte) int {
	for ; n != nil; n = n.Parent() {
		if n.Type() != ast.TypeInline && n.Lines() != nil && n.Lines().Len() > 0 {
			return 1 + bytes.Count(src[:n.Lines().At(0).Start], []byte("\n"))
		}
	}
	return 1
}
