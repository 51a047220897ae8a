package oidc

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// claims are the decoded claims of a verified token or userinfo answer. Numbers
// are json.Number.
type claims map[string]any

// decodeClaims reads all claims of a token or userinfo answer.
func decodeClaims(from interface{ Claims(v any) error }) (claims, error) {
	var raw json.RawMessage
	if err := from.Claims(&raw); err != nil {
		return nil, fmt.Errorf("%w: reading claims: %w", ErrToken, err)
	}
	return readClaims(raw)
}

func readClaims(raw []byte) (claims, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var c claims
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("%w: claims are no JSON object", ErrToken)
	}
	return c, nil
}

// decodePart reads the claims of a token's middle part.
func decodePart(part string) (claims, error) {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return nil, fmt.Errorf("%w: the claims are not base64url", ErrToken)
	}
	return readClaims(raw)
}

// at finds the value at a name or dotted path. Names may hold dots themselves
// (`https://acme.example/roles`, `resource_access.crm.acme.roles`): the longest
// name that is there is tried first.
func (c claims) at(path string) (any, bool) {
	if v, ok := c[path]; ok {
		return v, true
	}
	for i := len(path) - 1; i > 0; i-- {
		if path[i] != '.' {
			continue
		}
		child, ok := c[path[:i]].(map[string]any)
		if !ok {
			continue
		}
		if v, ok := claims(child).at(path[i+1:]); ok {
			return v, true
		}
	}
	return nil, false
}

// text returns a claim that is a string, or "".
func (c claims) text(name string) string {
	s, _ := c[name].(string)
	return s
}

// words returns a string or an array of strings. Anything else is an error:
// taking it for none would silently change what somebody may see.
func words(v any) ([]string, error) {
	switch v := v.(type) {
	case string:
		if v == "" {
			return nil, nil
		}
		return []string{v}, nil
	case []any:
		list := make([]string, 0, len(v))
		for _, e := range v {
			s, ok := e.(string)
			if !ok || s == "" {
				return nil, fmt.Errorf("an element is no text")
			}
			list = append(list, s)
		}
		return list, nil
	}
	return nil, fmt.Errorf("it is neither text nor a list of texts")
}

// methods returns amr, and a second claim's values where a provider uses one.
// What is odd proves nothing.
func (c claims) methods(also string) []string {
	list, err := words(c["amr"])
	if err != nil {
		list = nil
	}
	if more, err := words(c[also]); also != "" && err == nil {
		list = append(list, more...)
	}
	return list
}

// contexts returns acr and Entra's acrs. One with a space in it can't be
// configured, and proves nothing: an Identity's ACR joins them with spaces, where
// it would be several.
func (c claims) contexts() []string {
	var list []string
	for _, name := range []string{"acr", "acrs"} {
		if v, err := words(c[name]); err == nil {
			list = append(list, v...)
		}
	}
	return slices.DeleteFunc(list, func(v string) bool { return strings.ContainsFunc(v, unicode.IsSpace) })
}

// time returns a claim that is a point in time: seconds since 1970, as a number
// or in a string.
func (c claims) time(name string) (time.Time, bool) {
	var digits string
	switch v := c[name].(type) {
	case json.Number:
		digits = v.String()
	case string:
		digits = v
	default:
		return time.Time{}, false
	}
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil || math.IsNaN(f) || f <= 0 || f > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(int64(f), 0), true
}
