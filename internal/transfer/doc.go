// Package transfer knows what the GDPR asks where personal data are in another country
// (chapter V): which countries belong to the EU and the EEA, for which the Commission
// has decided that they protect data adequately, and on what else a transfer can rest.
// The table is dated, and says itself when it has to be looked through again. A country
// that isn't in it is not adequate.
package transfer
