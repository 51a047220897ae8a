package canon

import "testing"

// TestSignInAttacks names the classes of faults of gateways that the tests of
// this package hold, by their numbers.
func TestSignInAttacks(t *testing.T) {
	t.Run("C02-identity-headers-in-other-spellings", TestOwnHeadersAreStrippedInEverySpelling)
	t.Run("C03-connection-names-the-gateways-headers", TestConnectionCannotNameAHeaderForDeletion)
	t.Run("C03-client-deletes-or-shadows-what-is-added", TestClientCannotDeleteOrShadowWhatTheGatewayAdds)
	t.Run("C06-C07-every-spelling-of-a-path", TestEverySpellingIsRefusedOrForwardedAsJudged)
	t.Run("C07-upstream-receives-what-was-judged", TestUpstreamReceivesWhatWasJudged)
	t.Run("C08-host-is-one-spelling", TestHostIsOneSpelling)
	t.Run("C08-two-hosts", TestTwoHostsAreRefused)
	t.Run("C23-ten-thousand-cookies", TestTenThousandCookiesAreStripped)
}
