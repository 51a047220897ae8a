// Package signon says to the CRM who an employee is: by a header's value, or by
// a signed assertion.
//
// The rules are: a value goes out whole and unambiguous, or not at all. What
// could end a header, hide in one, or read as two people is refused, never
// mended: mending makes one person's name of another's.
package signon

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Source is what a header's value is taken from.
type Source string

// The closed list of sources.
const (
	User    Source = "user"
	Email   Source = "email"
	Name    Source = "name"
	Subject Source = "subject"
	Roles   Source = "roles"
)

// Sources lists every source.
func Sources() []Source { return []Source{User, Email, Name, Subject, Roles} }

// Valid reports whether s is in the closed list.
func (s Source) Valid() bool { return slices.Contains(Sources(), s) }

// Person is who the CRM is told of.
type Person struct {
	// Subject is the identity provider's own, or `machine:` and a machine's name.
	Subject string
	// User is the name in the CRM, Email an address that the provider verified.
	User, Email, Name string
	Roles             []string
	// Machine says that no employee is calling.
	Machine bool
}

// MachinePrefix begins the subject of a machine, and of nobody else.
const MachinePrefix = "machine:"

// ErrValue is a value that can't be told to the CRM without doubt. The error
// names the source, never the value.
var ErrValue = errors.New("a value can't be told to the CRM without doubt")

// Check refuses a person whose subject could be taken for a machine's.
func (p Person) Check() error {
	if !p.Machine && strings.HasPrefix(p.Subject, MachinePrefix) {
		return fmt.Errorf("%w: the subject begins with %s", ErrValue, MachinePrefix)
	}
	return nil
}

// Value returns what a header says of a person; "" is a claim that they don't
// have. Identifiers are printable ASCII without a space at either end; a name is
// for display, and whatever isn't a printable ASCII character in it is
// percent-encoded (as is the percent sign): `Jürgen` is `J%C3%BCrgen`. Roles are
// joined by commas.
func (p Person) Value(s Source) (string, error) {
	switch s {
	case User:
		return identifier(s, p.User)
	case Email:
		if strings.Count(p.Email, "@") > 1 || strings.ContainsAny(p.Email, " ,;<>") {
			return "", fmt.Errorf("%w: %s", ErrValue, s) // a@evil.example@acme.example
		}
		return identifier(s, p.Email)
	case Name:
		return encodeName(p.Name), nil
	case Subject:
		if err := p.Check(); err != nil {
			return "", err
		}
		return identifier(s, p.Subject)
	case Roles:
		for _, role := range p.Roles {
			if role == "" || strings.ContainsAny(role, ", ") {
				return "", fmt.Errorf("%w: %s", ErrValue, s)
			}
		}
		return identifier(s, strings.Join(p.Roles, ","))
	}
	return "", fmt.Errorf("%w: unknown source %q", ErrValue, s)
}

// maxValue bounds a header's value: servers cut or refuse longer ones.
const maxValue = 4096

func identifier(s Source, v string) (string, error) {
	if len(v) > maxValue || strings.TrimSpace(v) != v || strings.ContainsFunc(v, unprintable) {
		return "", fmt.Errorf("%w: %s", ErrValue, s)
	}
	return v, nil
}

func unprintable(r rune) bool { return r < ' ' || r > '~' }

// encodeName cuts a name at a whole character: it identifies nobody.
func encodeName(name string) string {
	var b strings.Builder
	for _, r := range strings.TrimSpace(name) {
		next := string(r)
		if unprintable(r) || r == '%' {
			next = url.PathEscape(next)
		}
		if b.Len()+len(next) > maxValue {
			break
		}
		b.WriteString(next)
	}
	return b.String()
}
