// Package consent is the way of a consent from a web form to its proof, with a real mail
// server (aiosmtpd; install.sh).
package consent
