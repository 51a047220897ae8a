// Package ownfactor_test signs in through the gateway's own second factor, in
// process: before a provider that proves none, and with a real browser.
package ownfactor_test
