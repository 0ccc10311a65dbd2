import PlantedDefects

/// What must notice a planted defect.
enum Catcher: Hashable, Sendable {
    /// Tests whose id matches the pattern, as `swift test --filter` takes it.
    case tests(String)
    /// The first cases of a stage.
    case stage(String, Int)
}

extension PlantedDefect {
    /// One catcher is enough; each also passes when nothing is planted, which `canaries` checks first.
    var catcher: Catcher {
        switch self {
        // Syncs
        case .createUnsynced, .createNameUnsynced, .replaceNameUnsynced, .moveUnsynced, .keptEvidenceUnsynced,
            .keptNameUnsynced, .cutUnsynced:
            .tests("DurableFilesTests.DurabilityTests")
        case .publishedNameUnsynced, .directoryNameUnsynced, .publishedNamesUnsynced: .tests("SyncOrderTests")
        case .replaceUnsynced, .replaceInPlace, .appendUnsynced, .headLeads, .unprovenTrusted, .provenUnsynced,
            .newSegmentNameUnproven, .failedSyncUnlatched, .failedSyncAcknowledged, .rolledSegmentUnsynced, .rolledWithoutHead,
            .rolledSegmentUncut, .idsForgotten, .idsOfThisProcessOnly:
            .stage("schedules", 5000)
        // Evidence
        case .tornTailDestroyed, .tornTailCutFirst, .tornTailUnrecorded, .syncedTooHigh, .tornInAlert, .tearAnywhere:
            .tests("TornTailTests|CommitTests")
        // Files
        case .publishReplaces: .tests("DurableFilesTests.PublishTests")
        case .shortWriteAccepted: .tests("DiskFaultTests")
        case .identityUnchecked, .baseUnchecked, .directoryUnchecked: .tests("DurableFilesTests.DriftTests")
        case .hardLinkAccepted, .foreignOwnerAccepted, .symbolicLinkFollowed, .anyKindAccepted:
            .tests("DurableFilesTests.RefusalTests")
        // Locks
        case .writerLockUntaken: .tests("DurableFilesTests.LockTests")
        case .gateUntaken: .tests("LedgerTests.GateTests")
        case .lockTimeoutIgnored, .lockUnrechecked: .tests("CommandLineTests.LockTests")
        case .continuationUnchecked, .oathsUncheckedBefore, .oathsUncheckedAfter, .foreignHeadOverwritten:
            .tests("LedgerTests.DriftTests")
        // The chain
        case .sealUnchecked, .signatureUnchecked, .terminatorUnchecked, .macUnchecked, .paddedLengthAccepted:
            .tests("LedgerFormatTests.*(CorruptionTests|RefusedFormTests|FrameTests)")
        case .ledgerUnchecked, .seqUnchecked, .linkUnchecked, .syncedUnchecked, .genesisUnchecked, .partUnchecked, .keyUnchecked,
            .laterVersionAccepted, .headUncompared, .shorterThanHeadAccepted, .bytesBehindPaddingIgnored, .paddingAnywhere,
            .incompleteDecisionAccepted:
            .tests("LedgerFormatTests.ChainTests")
        case .introductionUnproven, .keyReintroduced, .headKeyUncompared, .gapUnchecked:
            .tests("LedgerFormatTests.Chain(Turn|Gap)Tests")
        case .retiredKeyDestroyedFirst, .destroyedKeyUnsynced: .tests("LedgerTests.KeyTests")
        case .piecesUnjoined: .tests("LedgerFormatTests.PieceTests")
        case .durableEntryTorn, .anyDamageTorn, .changedFrameTorn: .tests("LedgerFormatTests.*Corruption")
        case .hugeFrameAccepted: .tests("LedgerFormatTests.FrameTests")
        case .hugeDraftAccepted: .tests("LedgerFormatTests.DraftTests")
        case .reservedNamesAccepted: .tests("CommandLineTests.AppendTests|AppendRefusal")
        case .duplicateKeysAccepted: .tests("CanonicalJSONTests.CorruptionTests")
        case .depthUnbounded: .tests("CanonicalJSONTests.DepthTests")
        // Opening and writing
        case .alertCauseForgotten, .oldAlertCauseBelieved, .repairForgetsCause: .tests("AlertCauseTests")
        case .alertIgnored, .alertUnraised, .rebuiltHeadCalm, .ownerUnchecked, .openKeyAccepted: .tests("OpeningTableTests")
        case .headForgotten: .tests("OpeningTableTests|CommitTests")
        case .headLagUnbounded, .failedWriteLeft, .begunSegmentUnlatched: .tests("LedgerTests.FaultTests")
        case .cutUnproven: .tests("LedgerTests.UnsynchronizedCutTests")
        case .idContentUncompared: .tests("IdempotencyTests")
        case .clockStepUnrecorded, .commitUnbounded: .tests("LedgerTests.CommitTests")
        case .submittedAnsweredEarly, .followersOfFailureWritten: .tests("LedgerTests.Submit")
        case .idsBehindDamageForgotten: .tests("DamagedIdsTests")
        case .foreignHeadAdopted, .rebuiltAlertForgotten: .tests("OpeningTableTests")
        case .segmentSwapUnnoticed, .driftOnOpeningForgotten: .tests("SwappedSegmentTests")
        case .doubleIdsAccepted: .tests("IdempotencyTests")
        case .evidenceUnchecked: .tests("ForgedEvidenceTests")
        // Anchor and backup
        case .anchorUncompared, .anchorLeads: .tests("AnchoredWriterTests")
        case .anchorLowered: .tests("LedgerTests.AnchorTests")
        case .backupUnverified: .tests("BackupTests.*damaged")
        case .backupKeysUncompared: .tests("BackupTests.*destroyed")
        case .objectionsUntold, .otherHistoryForgotten: .tests("LedgerTests.RepairAnchorTests")
        case .backupUnsynced, .backupNamesUnsynced, .backupFileUnsynced, .backupKeysUnsynced, .backupEvidenceUnsynced:
            .tests("SyncOrderTests.*backup")
        case .evidenceUncompared: .tests("BackupTests.*evidence")
        case .constructionUnlocked: .tests("DurableFilesTests.PublishTests")
        case .orphanUnguarded: .tests("OrphanTests")
        // Repairing
        case .survivorsForgotten, .everythingProven, .doublesReadmitted: .tests("LedgerTests.Repair")
        case .keyWindowsIgnored, .forkFollowed: .tests("RepairForgeryTests")
        case .pathUnlinked, .prefixUnvouched: .tests("RepairLinkTests")
        case .builtLedgerUnverified, .repairedUnderCalmHead, .repairUnplanned, .oldPlanFollowed:
            .tests("LedgerTests.RepairCrashTests")
        case .builtCopyUnsynced, .builtSegmentUnsynced, .builtTailUnsynced, .builtNamesUnsynced, .builtDirectoryUnsynced,
            .resumedSwapUnsynced, .forgottenPlanUnsynced:
            .tests("LedgerTests.RepairSyncTests")
        case .swapUnsynced, .installUnsynced, .installNameUnsynced: .tests("DurableFilesTests.DurabilityTests")
        // Archiving
        case .baseUnexplained, .baseUncompared: .tests("LedgerFormatTests.ArchiveTests")
        case .archivedBeforeRecorded, .removalUnsynced: .tests("KernelTests.ArchiveTests.*(crashes|order)")
        case .archiveUnverified, .archiveDigestUncompared: .tests("KernelTests.ArchiveTests")
        case .foundCopyUnsynced, .foundCopyNameUnsynced: .tests("KernelTests.ArchiveTests.*foundCopy")
        // Snapshots
        case .sealedObjectUnchecked: .tests("KernelTests.SnapshotTests.*damaged")
        case .snapshotRemovalUnsynced: .tests("KernelTests.SnapshotTests.*forged")
        // Learning
        case .answerForgotten, .anythingAnswered: .tests("KernelTests.LearningTests.*random")
        case .signaturesUnbounded: .tests("KernelTests.LearningTests.*bounded")
        case .failureUntold: .tests("CommandLineTests.LearnTests.*recorded")
        // Patches
        case .handbookUnsynced, .handbookNameUnsynced, .handbookBeforeEntry, .approvedPatchForgotten:
            .tests("KernelTests.PatchTests.*crashes")
        case .lossForgotten: .tests("KernelTests.LostPatchTests.*lost")
        case .signedTextForgotten: .tests("KernelTests.SignedTextTests.*flood")
        case .pendingActArchived: .tests("CommandLineTests.PatchArchiveTests.*pending")
        case .handbookAnywhere: .tests("KernelTests.PatchTests.*(attacks|names)")
        case .handbookBaseUnchecked: .tests("KernelTests.PatchTests.*bases")
        case .otherPatchApproved: .tests("KernelTests.PatchTests.*attacks")
        case .hiddenTextAccepted: .tests("KernelTests.PatchTests.*hidden")
        case .diffContextUnchecked: .tests("KernelTests.UnifiedDiffTests.*misfit")
        case .reviewRepeats: .tests("KernelTests.ReviewTests.*drafted")
        case .approvedTextUnchecked: .tests("AssociateForgeryTests")
        // Lanes
        case .leaseTokenUnchecked, .treesUncompared, .requestedKindTaken, .futureBeatBelieved: .tests("LanePainTests")
        case .evictionForgotten: .tests("LanesTests.ReplayTests")
        case .expiryByWallClock: .tests("LanesTests.StandingTests")
        case .guardAsleep: .tests("LaneGuardTests.*released")
        case .guardInAlert: .tests("LaneGuardTests.*locked")
        case .guardWatcherAsleep: .tests("LaneGuardTests.*stopped")
        case .tokenUnrenewed: .tests("LanePainTests.*helper")
        case .startUnchecked: .tests("LaneGuardTests.*startedLate")
        case .chainOverlooked: .tests("StillnessTests")
        case .foreignProcessesBelieved: .tests("LaneNamespaceTests")
        case .adoptionKeepsProcess: .tests("LaneAdversaryTests.*adopted")
        case .contradictionKept: .tests("LaneRepairTests")
        case .lateEventBelieved: .tests("LanesTests.MendedTests.*late")
        case .clockOffsetBelieved: .tests("LaneClockTests")
        case .mainThreadBelieved, .repairOverlooked: .tests("LaneOutlivedTests")
        case .takeoverPromised, .exportedTwice: .tests("LaneSecondAdversaryTests")
        case .shippedKept, .exportNameReused: .tests("LanesTests.FleetTests")
        case .journalReplacementUnsynced, .journalLineUnsynced, .journalExportUnsynced, .journalNameUnsynced:
            .tests("SyncOrderTests.*journal")
        // Actors
        case .smallOrderKeyAccepted, .mixedOrderKeyAccepted, .keySpellingUnchecked: .tests("LedgerFormatTests.ActorKeyTests")
        case .actorSignatureUnchecked, .unsignedAccepted, .rosterUnstatedAccepted, .rosterUncompared: .tests("ActorForgeryTests")
        case .actorsUnchecked, .oldBaseAccepted, .keyUnderTwoNames, .rosterForgotten: .tests("LedgerTests.ActorTests")
        case .signedIDsForgotten, .readmittedEarly: .tests("ActorForgeryTests")
        case .signedIDsUnjoined: .tests("SignedDraftTests")
        case .archivedReplayAccepted: .tests("ActorCommandTests.*archive")
        case .enrolmentsForgotten, .readmittedUnsigned, .repeatedReadmitted, .openDecisionSpent:
            .tests("LedgerTests.ActorRepairTests")
        case .survivorsJudgedByPlace, .lostStatementsUntold: .tests("LedgerTests.RepairDisplacedTests")
        // Associates
        case .requestOfAnotherLedger, .requestOfAnotherVerb, .requestReplayed, .requestExpiryUnchecked, .strangerSigns,
            .withdrawnSigns, .signatureCountedTwice, .requestSignatureUnchecked, .thresholdUnchecked, .removalBelowThreshold,
            .otherAlertReleased, .releaseRosterUnchecked, .suspensionIgnored, .requestBehindNothing:
            .tests("AssociateForgeryTests")
        case .repairReleases, .repairUnsuspended, .removedAssociateBack, .oldReleaseFinished,
            .looseAdditionCounts:
            .tests("LedgerTests.AssociateRepairTests")
        case .looseRequestsForgotten, .looseRemovalLowers, .repairLowersThreshold, .removedAssociateAccepted,
            .contradictedRequestCounts:
            .tests("LedgerTests.AssociateProofTests")
        case .additionForgetsConstitution: .tests("CommandLineTests.ConstitutionTests")
        case .archivedRosterForgotten, .associatesTakenAway: .tests("AssociateLossTests")
        case .houseNameLent: .tests("HouseNameTests")
        case .proposalsKept: .tests("KernelTests.PatchTests")
        case .tornReleaseDamaged: .tests("LedgerTests.AssociateTests")
        // The constitution
        case .adoptionBeyondSigners, .constitutionOverridden, .releaseConstitutionUnchecked: .tests("ConstitutionForgeryTests")
        case .articlesUncompared, .classesUncompared, .pillarsUnchecked, .unnamedClassEnrolled, .requestLifeUnchecked:
            .tests("LedgerTests.ConstitutionTests")
        case .looseAdoptionLowers, .looseAdoptionLocksOut, .looseExpiredCounts, .releaseConstitutionUnnamed:
            .tests("LedgerTests.ConstitutionRepairTests")
        case .retentionUnchecked: .tests("CommandLineTests.ConstitutionTests.*retention")
        // Conflicts
        case .conflictsUnresolved, .batchUncompared, .unseenUnbounded, .arrivalDecides, .readsUncompared:
            .tests("KernelTests.PlacedDraftTests")
        case .premisesKept, .losersKept, .digestsUncompared: .tests("KernelTests.MergeTests")
        case .groundBelieved: .tests("KernelTests.MergeTests.*histories")
        case .groundUnsought: .tests("KernelTests.MergeTests.*ground")
        case .untoldLosersKept: .tests("KernelTests.ConflictLimitTests")
        case .readmittedLossesForgotten, .displacedBaseTaken: .tests("CommandLineTests.ConflictRepairTests")
        case .idPlacesUncompared: .tests("LedgerTests.IdempotencyTests")
        case .eventsOverlooked: .tests("KernelTests.EventMergeTests")
        // Reading
        case .settlingSkipped, .receiptsUncompared: .tests("LedgerTests.AuditTests")
        case .recoveryUncompared: .tests("ArchiveRepairTests.*cutOff")
        case .leavingUnexplained: .tests("DriftTests.*leftBehind")
        case .archivedSightingAgrees: .tests("LedgerTests.AnchorTests")
        case .targetUnlocked: .tests("KernelTests.ArchiveTests.*twoArchivers")
        case .readmittedRosterForgotten: .tests("ActorCommandTests.*repairedTwice")
        case .strangerUnseen: .tests("KernelTests.ArchiveTests.*stranger")
        case .archiveChosenByName: .tests("ArchiveSelectionTests.*branches")
        case .repairedStateForgotten: .tests("ArchiveSelectionTests.*interrupted")
        case .writesUnbounded: .tests("CommandLineTests.StateTests.*longPaths")
        case .stateFitUntried: .tests("ArchiveDefectTests.*largeState")
        case .targetUntried: .tests("KernelTests.ArchiveTests.*failingTarget")
        case .overtakenBelieved: .tests("KernelTests.ArchiveReaderTests")
        case .mendedBelieved: .tests("LedgerTests.RepairReaderTests")
        case .newKeysOverlooked, .absencesForgotten: .tests("LedgerTests.AbsentKeyTests")
        case .headTipUncompared: .tests("LedgerTests.StatusTests")
        case .forcedLeaseUncompared: .tests("AssociateForgeryTests")
        case .exclusivePassed: .tests("LanesTests.ForceTests")
        }
    }
}

/// A defect, and what must notice it.
struct Canary: Hashable, Sendable {
    var defect: PlantedDefect
    var catcher: Catcher

    /// Each defect is caught, and each stage catches one.
    static let all =
        PlantedDefect.allCases.map { Canary(defect: $0, catcher: $0.catcher) } + [
            Canary(defect: .sealUnchecked, catcher: .stage("bit-flips", 2000)),
            Canary(defect: .macUnchecked, catcher: .stage("judged-flips", 500)),
            Canary(defect: .sealedObjectUnchecked, catcher: .stage("snapshot-flips", 50)),
            Canary(defect: .shorterThanHeadAccepted, catcher: .stage("truncations", 500)),
            Canary(defect: .tornTailCutFirst, catcher: .stage("system-calls", 400)),
            Canary(defect: .appendUnsynced, catcher: .stage("power-cuts", 10)),
            Canary(defect: .writerLockUntaken, catcher: .stage("processes", 2)),
            Canary(defect: .symbolicLinkFollowed, catcher: .stage("races", 20)),
            Canary(defect: .hardLinkAccepted, catcher: .stage("races", 20)),
            Canary(defect: .sealUnchecked, catcher: .stage("fuzzing", 5)),
        ]
}
