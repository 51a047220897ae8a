package observed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/mask/detect"
)

// format is the word by which a collection is known, and its version.
const format = "crmgate-observed/1"

// maxFile is the size of a file that is read.
const maxFile = 256 << 20

type file struct {
	Format    string  `json:"format"`
	Exchanges int     `json:"exchanges"`
	LeftOut   LeftOut `json:"left_out"`
	// Folded are the places in addresses at which words were found to be values.
	Folded []string `json:"folded,omitempty"`
	Routes []*route `json:"routes"`
}

// Save writes the collection to a file that only its owner can read. A file of that
// name is replaced whole or stays as it is.
func (c *Collector) Save(path string) error {
	c.mu.Lock()
	f := file{Format: format, Exchanges: c.exchanges, LeftOut: c.leftOut, Routes: []*route{}}
	c.root.foldedPlaces("", &f.Folded)
	c.eachRoute(func(r *route) { f.Routes = append(f.Routes, r) })
	src, err := json.MarshalIndent(f, "", " ")
	c.mu.Unlock()
	if err != nil {
		return fmt.Errorf("writing the collection: %w", err)
	}
	if err := replace(path, append(src, '\n')); err != nil {
		return fmt.Errorf("writing the collection %s: %w", path, err)
	}
	return nil
}

func replace(path string, src []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp") // mode 0600
	if err != nil {
		return err
	}
	_, err = tmp.Write(src)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

// IsCollection reports whether a file's beginning is that of a collection.
func IsCollection(src []byte) bool {
	return bytes.Contains(src[:min(len(src), 128)], []byte(`"`+format+`"`))
}

// Load reads a collection that Save wrote.
func Load(path string) (*Collector, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the collection: %w", err)
	}
	defer func() { _ = in.Close() }() // only read
	src, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the collection %s: %w", path, err)
	}
	c, err := Parse(src)
	if err != nil {
		return nil, fmt.Errorf("reading the collection %s: %w", path, err)
	}
	return c, nil
}

// Parse reads a collection. Names in it are judged as those of exchanges are.
func Parse(src []byte) (*Collector, error) {
	if len(src) > maxFile {
		return nil, errors.New("it is larger than 256 MiB; begin a new one")
	}
	dec := json.NewDecoder(bytes.NewReader(src))
	dec.DisallowUnknownFields()
	var f file
	if err := dec.Decode(&f); err != nil {
		return nil, fmt.Errorf("it is no collection: %w", err)
	}
	if f.Format != format {
		return nil, fmt.Errorf("its format is %q, not %q", f.Format, format)
	}
	c := New()
	c.exchanges, c.leftOut = f.Exchanges, f.LeftOut
	if len(f.Folded) > maxRoutes {
		return nil, errors.New("too many places are folded")
	}
	for _, path := range f.Folded {
		c.markFolded(c.kept(path))
	}
	for _, r := range f.Routes {
		if r == nil || !plainMethod.MatchString(r.Method) || !strings.HasPrefix(r.Path, "/") {
			return nil, errors.New("a route has no method or no path")
		}
		have := c.route(r.Method, c.kept(r.Path), http.StatusOK)
		if have == nil {
			return nil, fmt.Errorf("it holds more than %d routes", maxRoutes)
		}
		if have.Count > 0 {
			return nil, fmt.Errorf("the route %s %s stands in it twice", r.Method, r.Path)
		}
		for _, root := range []*field{r.Request, r.Answer, r.Failure} {
			if err := root.check(0); err != nil {
				return nil, fmt.Errorf("the route %s %s: %w", r.Method, r.Path, err)
			}
			c.fields += root.size()
		}
		path := have.Path
		*have = *r
		have.Path = path
	}
	if c.fields > 2*maxFields {
		return nil, fmt.Errorf("it holds more than %d fields", 2*maxFields)
	}
	return c, nil
}

// kept are the steps of an address in a file. Those that a Collector wouldn't keep
// as words are variables.
func (c *Collector) kept(path string) []string {
	steps := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, s := range steps {
		if s != "" && s != variable && !versions.MatchString(s) && !c.isName(s, nil) {
			steps[i] = variable
		}
	}
	return steps
}

// check sees that a place holds what a Collector writes.
func (f *field) check(depth int) error {
	if f == nil {
		return nil
	}
	if depth > 2*maxDepth || f.Seen < 0 {
		return errors.New("a field is nested too deeply, or was seen less than never")
	}
	var kinds []string
	for _, k := range detect.Kinds() {
		kinds = append(kinds, string(k))
	}
	for _, m := range []struct {
		counts map[string]int
		known  []string
	}{{f.Found, kinds}, {f.Shapes, shapes()}, {f.Keys, slices.Concat(kinds, shapes())}} {
		for k := range m.counts {
			if !slices.Contains(m.known, k) {
				return fmt.Errorf("there is no form %q", k)
			}
		}
	}
	if err := f.Elements.check(depth + 1); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(f.Members)) {
		if f.Members[name] == nil || len(name) > maxName {
			return errors.New("a member has no name")
		}
		if err := f.Members[name].check(depth + 1); err != nil {
			return err
		}
	}
	return nil
}
