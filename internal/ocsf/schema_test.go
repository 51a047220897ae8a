package ocsf

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"testing"
)

// schemaText is the part of the schema that events use, with its source.
//
//go:embed testdata/ocsf-1.7.0.json
var schemaText []byte

type schema struct {
	Version    string           `json:"version"`
	Classes    map[string]shape `json:"classes"`
	Objects    map[string]shape `json:"objects"`
	Categories map[string]int   `json:"categories"`

	profiles []string
	wrong    []string
}

type shape struct {
	UID         int                  `json:"uid"`
	Attributes  map[string]attribute `json:"attributes"`
	Constraints map[string][]string  `json:"constraints"`
}

type attribute struct {
	Type        string            `json:"type"`
	Requirement string            `json:"requirement"`
	Profile     string            `json:"profile"`
	Array       bool              `json:"array"`
	Enum        map[string]string `json:"enum"`
	Deprecated  bool              `json:"deprecated"`
}

func loadSchema(t *testing.T) *schema {
	t.Helper()
	s := new(schema)
	if err := json.Unmarshal(schemaText, s); err != nil {
		t.Fatal(err)
	}
	if s.Version != Version {
		t.Fatalf("the schema is of %s, events say %s", s.Version, Version)
	}
	return s
}

func (s *schema) say(at, format string, args ...any) {
	s.wrong = append(s.wrong, at+": "+fmt.Sprintf(format, args...))
}

// check returns what of an event breaks the schema's rules.
func (s *schema) check(line []byte) []string {
	s.wrong = nil
	var v map[string]any
	if err := json.Unmarshal(line, &v); err != nil {
		return []string{err.Error()}
	}
	var meta struct {
		Metadata struct {
			Profiles []string `json:"profiles"`
		} `json:"metadata"`
		Class    int `json:"class_uid"`
		Category int `json:"category_uid"`
		Activity int `json:"activity_id"`
		Type     int `json:"type_uid"`
	}
	if err := json.Unmarshal(line, &meta); err != nil {
		return []string{err.Error()}
	}
	s.profiles = meta.Metadata.Profiles
	names := map[int]string{6001: "web_resources_activity", 6003: "api_activity", 3002: "authentication"}
	class, ok := s.Classes[names[meta.Class]]
	if !ok {
		return []string{fmt.Sprintf("class %d", meta.Class)}
	}
	if meta.Class/1000 != meta.Category || meta.Class%1000 != class.UID || meta.Type != meta.Class*100+meta.Activity {
		s.say("event", "category %d, class %d, activity %d, type %d", meta.Category, meta.Class, meta.Activity, meta.Type)
	}
	s.object("event", class, v)
	return s.wrong
}

func (s *schema) object(at string, sh shape, v map[string]any) {
	for name, a := range sh.Attributes {
		if _, there := v[name]; a.Requirement == "required" && s.applies(a) && !there {
			s.say(at, "%s is required", name)
		}
	}
	if one := sh.Constraints["at_least_one"]; one != nil && !slices.ContainsFunc(one, func(n string) bool { return v[n] != nil }) {
		s.say(at, "needs one of %v", one)
	}
	for name, x := range v {
		a, ok := sh.Attributes[name]
		switch {
		case !ok || !s.applies(a):
			s.say(at, "%s isn't in the schema, or in a profile that the event doesn't name", name)
		case a.Deprecated:
			s.say(at, "%s is deprecated", name)
		case a.Array:
			list, ok := x.([]any)
			if !ok || len(list) == 0 {
				s.say(at, "%s is no list, or empty", name)
			}
			for i, one := range list {
				s.value(at+"."+name+"["+strconv.Itoa(i)+"]", a, one)
			}
		default:
			s.value(at+"."+name, a, x)
		}
	}
}

func (s *schema) applies(a attribute) bool {
	return a.Profile == "" || slices.Contains(s.profiles, a.Profile)
}

func (s *schema) value(at string, a attribute, v any) {
	text, isText := v.(string)
	number, isNumber := v.(float64)
	_, isBool := v.(bool)
	fits := false
	switch a.Type {
	case "string_t", "hostname_t", "resource_uid_t", "username_t":
		fits = isText && text != ""
	case "ip_t":
		_, err := netip.ParseAddr(text)
		fits = err == nil
	case "integer_t", "long_t":
		fits = isNumber && number == math.Trunc(number)
	case "timestamp_t":
		fits = isNumber && number > 1e12 && number < 1e13 // milliseconds of our time
	case "boolean_t":
		fits = isBool
	case "json_t", "object":
		fits = true
	default:
		o, known := s.Objects[a.Type]
		m, isObject := v.(map[string]any)
		if fits = known && isObject; fits {
			s.object(at, o, m)
		}
	}
	if !fits {
		s.say(at, "%v is no %s", v, a.Type)
	}
	// The schema's own server fills these two lists: check compares the numbers.
	if a.Enum != nil && at != "event.class_uid" && at != "event.category_uid" {
		if _, ok := a.Enum[fmt.Sprint(v)]; !ok {
			s.say(at, "%v isn't in the list", v)
		}
	}
}
