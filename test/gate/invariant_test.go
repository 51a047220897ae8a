package gate_test

import "testing"

// TestInvariant shows what the gateway promises of its log, by number: what takes
// a whole gateway. The others are in internal/audit. I01 and I02 are one way of a
// request: each kill of I01 is judged for both.
func TestInvariant(t *testing.T) {
	t.Parallel()
	for _, i := range []struct {
		name  string
		tests []promise
	}{
		{"I01-nothing-disclosed-without-an-entry", []promise{
			{"killed-at-any-moment", killedAtAnyMoment},
			{"disclosure-is-durable-before-the-client-has-it", disclosureIsDurableBeforeTheClientHasIt},
			{"kill-in-a-stream-loses-no-entry", killInAStreamLosesNoEntry},
			{"record-is-released-before-the-next-is-written", recordIsReleasedBeforeTheNextIsWritten},
			{"event-is-released-before-the-next-is-written", eventIsReleasedBeforeTheNextIsWritten},
		}},
		{"I02-nothing-forwarded-without-an-entry", []promise{
			{"intent-is-durable-before-the-crm-is-asked", intentIsDurableBeforeTheCRMIsAsked},
			{"kill-between-intent-and-answer-is-in-the-log", killBetweenIntentAndAnswerIsInTheLog},
		}},
		{"I04-fails-closed-and-heals", []promise{
			{"unwritable-log-stops-requests", unwritableLogStopsRequests},
			{"answer-that-cannot-be-logged-is-not-shown", answerThatCannotBeLoggedIsNotShown},
			{"full-disk-stops-requests", fullDiskStopsRequests},
		}},
		{"I11-every-exchange-has-whole-entries", []promise{
			{"client-that-gives-up-leaves-an-entry", clientThatGivesUpLeavesAnEntry},
			{"client-that-leaves-a-stream-leaves-an-entry", clientThatLeavesAStreamLeavesAnEntry},
			{"errors-and-panics-behind-the-gate-are-its-own-answers", errorsAndPanicsBehindTheGateAreItsOwnAnswers},
			{"broken-stream-is-cut", brokenStreamIsCut},
			{"upgrade-is-refused-with-an-entry", upgradeIsRefusedWithAnEntry},
		}},
		{"I12-no-values-in-clear", []promise{
			{"canaries-are-in-no-log-and-no-file", canariesAreInNoLogAndNoFile},
		}},
	} {
		t.Run(i.name, func(t *testing.T) {
			for _, p := range i.tests {
				t.Run(p.name, p.test)
			}
		})
	}
}

// promise is a test of a part of an invariant.
type promise struct {
	name string
	test func(*testing.T)
}
