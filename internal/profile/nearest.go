package profile

import (
	"reflect"
	"strings"
)

// specKeys are all keys of the language, for suggestions.
func specKeys() []string {
	return collectKeys(reflect.TypeFor[spec](), reflect.TypeFor[entitySpec](), reflect.TypeFor[fieldSpec](), reflect.TypeFor[searchSpec]())
}

func collectKeys(types ...reflect.Type) []string {
	seen := map[reflect.Type]bool{}
	var keys []string
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || seen[t] || t.PkgPath() != reflect.TypeFor[spec]().PkgPath() {
			return
		}
		seen[t] = true
		for f := range fields(t) {
			if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" {
				keys = append(keys, name)
			}
			walk(f.Type)
		}
	}
	for _, t := range types {
		walk(t)
	}
	return keys
}

func fields(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for field := range t.Fields() {
			if !yield(field) {
				return
			}
		}
	}
}

// nearest returns the word of the list with the smallest edit distance.
func nearest(word string, list []string) string {
	best, at := "", 1<<30
	for _, l := range list {
		if d := distance(word, l); d < at {
			best, at = l, d
		}
	}
	return best
}

func distance(a, b string) int {
	prev := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur := make([]int, len(b)+1)
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
		}
		prev = cur
	}
	return prev[len(b)]
}
