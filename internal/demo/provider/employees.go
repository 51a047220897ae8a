package provider

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

// Employee is someone who can sign in.
type Employee struct {
	// Subject is the provider's immutable name for the employee; no colon.
	Subject string
	// Login is what the employee types, in lower case, and becomes
	// preferred_username.
	Login, Password string
	Name, Email     string
	Roles           []string
	// TOTPSecret is base32 without padding; "" is no second factor.
	TOTPSecret string
}

// Employees returns the employees of the demo: one for each role of the shipped
// policy, and nina, who has no second factor and is refused by the gate.
func Employees() []Employee {
	employees := []Employee{
		{Login: "vera", Name: "Vera Sommer", Roles: []string{"sales"}},
		{Login: "paula", Name: "Paula Stamm", Roles: []string{"master_data"}},
		{Login: "markus", Name: "Markus Werber", Roles: []string{"marketing"}},
		{Login: "sven", Name: "Sven Hilfreich", Roles: []string{"support"}},
		{Login: "iris", Name: "Iris Neuling", Roles: []string{"intern"}},
		{Login: "dora", Name: "Dora Schutz", Roles: []string{"auditor", "data_protection"}},
		{Login: "nina", Name: "Nina Einfach", Roles: []string{"sales"}},
	}
	for i := range employees {
		e := &employees[i]
		e.Subject = "demo-" + e.Login
		e.Email = e.Login + "@example.com"
		e.Password = e.Login + "-demo"
		if e.Login != "nina" {
			e.TOTPSecret = demoSecret(e.Login)
		}
	}
	return employees
}

// demoSecret is the same at every start, so that an authenticator set up once
// keeps working. It protects nothing.
func demoSecret(login string) string {
	sum := sha256.Sum256([]byte("crmgate demo " + login))
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:20])
}

// Code returns the six digits that an authenticator with this secret shows at
// t, or "" where the secret is not base32.
func Code(secret string, t time.Time) string {
	code, err := totp.GenerateCode(secret, t)
	if err != nil {
		return ""
	}
	return code
}

// codeMatches accepts the code of t and of the 30 seconds before and after.
func codeMatches(secret, code string, t time.Time) bool {
	ok, err := totp.ValidateCustom(strings.ReplaceAll(code, " ", ""), secret, t,
		totp.ValidateOpts{Period: 30, Skew: 1, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	return ok && err == nil
}

func normalLogin(login string) string { return strings.ToLower(strings.TrimSpace(login)) }
