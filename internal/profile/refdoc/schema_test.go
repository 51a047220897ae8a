package refdoc_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"go.yaml.in/yaml/v3"

	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/profile/refdoc"
)

const schemaFile = "../../../docs/profile.schema.json"

func schema(t *testing.T) []byte {
	t.Helper()
	code := map[string][]byte{}
	files, err := filepath.Glob("../*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		if code[f], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	out, err := refdoc.Schema(sources(t), code)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSchemaIsFresh: the schema says what the types say. UPDATE=1 writes it.
func TestSchemaIsFresh(t *testing.T) {
	want := schema(t)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(schemaFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is stale (%v): run UPDATE=1 go test ./internal/profile/refdoc", schemaFile, err)
	}
}

func validator(t *testing.T) func(yamlText []byte) error {
	t.Helper()
	var s jsonschema.Schema
	if err := json.Unmarshal(schema(t), &s); err != nil {
		t.Fatal(err)
	}
	r, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return func(text []byte) error {
		var v any
		if err := yaml.Unmarshal(text, &v); err != nil {
			return err
		}
		raw, err := json.Marshal(v) // numbers as JSON has them
		if err != nil {
			return err
		}
		if err := json.Unmarshal(raw, &v); err != nil {
			return err
		}
		return r.Validate(v)
	}
}

// TestProfilesFitTheSchema: those that ship, and those of the documentation.
func TestProfilesFitTheSchema(t *testing.T) {
	valid := validator(t)
	shipped, err := filepath.Glob("../builtin/*.yaml")
	if err != nil || len(shipped) == 0 {
		t.Fatalf("no profiles: %v", err)
	}
	for _, f := range append(shipped, "../testdata/mini.yaml") {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := valid(text); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
	page, err := os.ReadFile("../../../docs/profile-author.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?s)```yaml profile\n(.*?)```").FindAllSubmatch(page, -1) {
		if err := valid(m[1]); err != nil {
			t.Errorf("a profile in the documentation: %v\n%s", err, m[1])
		}
	}
}

// TestSchemaRefusesWhatLoadingRefuses: words that aren't in the language.
func TestSchemaRefusesWhatLoadingRefuses(t *testing.T) {
	const good = `
profile: a/1
evidence: documented
withheld: W
entities: {person: {unknown: mask, fields: {name: name, mail: [email, name], tel: {category: phone}}}}
routes:
  - {match: GET /p, type: json, action: search, entity: person, refs: [{role: sort, at: query.s, syntax: csv}], query: [s], records: [{at: $}]}
`
	valid := validator(t)
	if err := valid([]byte(good)); err != nil {
		t.Fatal(err)
	}
	if _, err := profile.Load([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for old, with := range maps.All(map[string]string{
		"unknown: mask": "unknown: hide", "name: name": "name: person", "[email, name]": "[email, nam]", "{category: phone}": "{kind: phone}",
		"type: json": "type: jsn", "action: search": "action: find", "role: sort": "role: order", "syntax: csv": "syntax: comma", "records:": "record:", "withheld:": "withhold:",
	}) {
		text := []byte(strings.Replace(good, old, with, 1))
		if err := valid(text); err == nil {
			t.Errorf("%s fits the schema", with)
		}
		if _, err := profile.Load(text); err == nil {
			t.Errorf("%s is loaded", with)
		}
	}
}
