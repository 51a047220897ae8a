package profile

import (
	"github.com/crmgate/crmgate/internal/doc"
)

// handles finds what the client can come back with. An answer that has something else
// in its place isn't released.
func (f *finder) handles(status int) error {
	if status >= 300 {
		return nil
	}
	for i := range f.x.gives {
		g := &f.x.gives[i]
		if g.header != "" {
			continue
		}
		err := f.texts(g.at, func(n int) {
			if text := f.t.Text(n); text != "" && !contains(g.none, text) {
				f.found.Given = append(f.found.Given, g.given(text))
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// texts calls yield for what stands at a place: texts and numbers. What is null or
// false isn't there.
func (f *finder) texts(p path, yield func(node int)) error {
	var err error
	p.each(f.t, doc.Root, func(n int) {
		switch f.t.Nodes[n].Kind {
		case doc.String, doc.Number:
			yield(n)
			f.cover(n)
		case doc.Object, doc.Array:
			err = ErrShape
		default:
		}
	})
	return err
}
