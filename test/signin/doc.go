// Package signin tries signing in as it is used: the built gate before a small
// CRM, npm's oidc-provider beside it, and people with cookies.
package signin
