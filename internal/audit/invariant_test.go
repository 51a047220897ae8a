package audit

import "testing"

// TestInvariant shows what the log promises, by number: what has to hold in every
// test and under every fault. Those that take a whole gateway are in test/gate.
func TestInvariant(t *testing.T) {
	for _, i := range []struct {
		name  string
		tests []promise
	}{
		{"I03-acknowledged-stays-as-it-was", []promise{
			{"killed-process-loses-nothing", killedProcessLosesNothing},
			{"root-is-that-of-a-plain-tree", rootIsThatOfAPlainTree},
			{"log-is-read-while-it-is-written", logIsReadWhileItIsWritten},
			{"close-waits-for-what-was-accepted", closeWaitsForWhatWasAccepted},
			{"unknown-commit-is-asked-for", unknownCommitIsAskedFor},
			{"unknown-disclosure-closes-its-intent", unknownDisclosureClosesItsIntent},
		}},
		{"I04-fails-closed-and-heals", []promise{
			{"failing-disk-refuses-and-heals-by-itself", failingDiskRefusesAndHealsByItself},
			{"full-disk-refuses-intents-before-disclosures", fullDiskRefusesIntentsBeforeDisclosures},
			{"full-disk-at-the-first-start-is-an-error", fullDiskAtTheFirstStartIsAnError},
			{"hanging-disk-refuses-in-time", hangingDiskRefusesInTime},
			{"log-without-checkpoints-refuses-intents", logWithoutCheckpointsRefusesIntents},
			{"failed-sync-is-not-retried-on-the-same-file", failedSyncIsNotRetriedOnTheSameFile},
			{"log-keeps-its-node-and-keys", logKeepsItsNodeAndKeys},
			{"database-that-lost-entries-is-refused", databaseThatLostEntriesIsRefused},
		}},
		{"I05-power-loss-takes-nothing-acknowledged", []promise{
			{"acknowledged-survives-power-loss-at-every-step", acknowledgedSurvivesPowerLossAtEveryStep},
			{"recovery-itself-may-be-cut", recoveryItselfMayBeCut},
			{"recovery-makes-durable-what-it-finds", recoveryMakesDurableWhatItFinds},
			{"torn-tail-is-dropped-and-counted", tornTailIsDroppedAndCounted},
			{"loss-is-noticed-without-each-sync", lossIsNoticedWithoutEachSync},
		}},
		{"I06-tampering-is-named", []promise{
			{"tampered-entry-is-named", tamperedEntryIsNamed},
			{"swapped-entries-are-named", swappedEntriesAreNamed},
			{"inserted-or-removed-entry-is-named", insertedOrRemovedEntryIsNamed},
			{"entry-within-a-group-is-named", entryWithinAGroupIsNamed},
			{"damage-in-the-middle-stops-the-start", damageInTheMiddleStopsTheStart},
			{"root-mismatch-stops-the-start", rootMismatchStopsTheStart},
			{"changed-byte-in-the-last-group-stops-the-start", changedByteInTheLastGroupStopsTheStart},
			{"missing-or-exchanged-segment-is-named", missingOrExchangedSegmentIsNamed},
			{"entries-taken-out-and-committed-anew-are-named", entriesTakenOutAndCommittedAnewAreNamed},
			{"adoption-may-be-cut-at-every-step", adoptionMayBeCutAtEveryStep},
			{"edited-index-is-named", editedIndexIsNamed},
			{"month-taken-out-of-the-index-is-named", monthTakenOutOfTheIndexIsNamed},
			{"log-cut-at-its-end-is-refused", logCutAtItsEndIsRefused},
			{"log-and-checkpoints-have-to-belong-together", logAndCheckpointsHaveToBelongTogether},
			{"log-written-anew-with-the-keys-is-named", logWrittenAnewWithTheKeysIsNamed},
			{"checkpoints-of-earlier-days-stay-and-are-verified", checkpointsOfEarlierDaysStayAndAreVerified},
			{"forged-cosignature-is-named", forgedCosignatureIsNamed},
			{"log-shorter-than-a-witness-saw-is-refused", logShorterThanAWitnessSawIsRefused},
			{"log-written-anew-is-not-countersigned", logWrittenAnewIsNotCountersigned},
			{"export-carries-cosignatures", exportCarriesCosignatures},
			{"stale-time-stamp-is-named", staleTimeStampIsNamed},
		}},
		{"I07-the-index-is-the-log", []promise{
			{"index-finds-what-the-log-has", indexFindsWhatTheLogHas},
			{"index-finds-what-was-acknowledged", indexFindsWhatWasAcknowledged},
			{"index-is-never-ahead-of-the-log", indexIsNeverAheadOfTheLog},
			{"index-that-is-damaged-is-made-anew", indexThatIsDamagedIsMadeAnew},
			{"index-of-a-twin-is-made-anew", indexOfATwinIsMadeAnew},
			{"index-goes-on-where-it-was-cut", indexGoesOnWhereItWasCut},
		}},
		{"I08-the-clock-orders-nothing", []promise{
			{"wrong-clock-never-destroys-too-early", wrongClockNeverDestroysTooEarly},
			{"believed-clock-goes-forward-by-running-alone", believedClockGoesForwardByRunningAlone},
			{"clock-that-jumps-is-an-entry-and-orders-nothing", clockThatJumpsIsAnEntryAndOrdersNothing},
		}},
		{"I09-destroyed-key-erases-its-month-alone", []promise{
			{"months-have-keys-of-their-own", monthsHaveKeysOfTheirOwn},
			{"destroyed-month-is-gone-and-the-rest-is-proved", destroyedMonthIsGoneAndTheRestIsProved},
			{"destroyed-key-is-overwritten", destroyedKeyIsOverwritten},
			{"holds-keep-what-they-name", holdsKeepWhatTheyName},
			{"months-that-were-not-seen-take-a-word", monthsThatWereNotSeenTakeAWord},
			{"months-of-a-gone-node-are-judged-by-another", monthsOfAGoneNodeAreJudgedByAnother},
			{"destruction-may-be-cut-at-every-step", destructionMayBeCutAtEveryStep},
			{"loss-of-a-destruction-is-noticed-without-each-sync", lossOfADestructionIsNoticedWithoutEachSync},
			{"taken-key-is-not-taken-for-a-destroyed-one", takenKeyIsNotTakenForADestroyedOne},
			{"restored-backup-has-lost-what-was-destroyed", restoredBackupHasLostWhatWasDestroyed},
			{"restored-log-destroys-nothing-unconfirmed", restoredLogDestroysNothingUnconfirmed},
			{"log-of-one-key-a-month-goes-on", logOfOneKeyAMonthGoesOn},
			{"export-says-what-was-destroyed", exportSaysWhatWasDestroyed},
		}},
		{"I10-one-writer-one-tree", []promise{
			{"second-process-is-locked-out", secondProcessIsLockedOut},
			{"no-fork-is-ever-signed", noForkIsEverSigned},
			{"restored-log-goes-on-under-another-name", restoredLogGoesOnUnderAnotherName},
			{"restored-log-keeps-its-cursors", restoredLogKeepsItsCursors},
			{"restoration-may-be-cut-at-every-step", restorationMayBeCutAtEveryStep},
			{"backup-put-back-by-hand-is-no-log", backupPutBackByHandIsNoLog},
			{"joint-needs-its-entry", jointNeedsItsEntry},
		}},
		{"I11-every-exchange-has-whole-entries", []promise{
			{"client-that-hangs-up-is-logged", clientThatHangsUpIsLogged},
			{"large-entry-is-told-in-pieces", largeEntryIsToldInPieces},
			{"too-large-entry-is-an-error-and-no-more", tooLargeEntryIsAnErrorAndNoMore},
			{"crash-names-intents-without-disclosure", crashNamesIntentsWithoutDisclosure},
			{"many-unfinished-intents-do-not-stop-the-start", manyUnfinishedIntentsDoNotStopTheStart},
		}},
		{"I12-no-values-in-clear", []promise{
			{"index-tells-nothing-without-its-keys", indexTellsNothingWithoutItsKeys},
			{"nothing-personal-is-readable-in-the-directory", nothingPersonalIsReadableInTheDirectory},
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
