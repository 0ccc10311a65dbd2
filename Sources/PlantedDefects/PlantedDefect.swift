/// A defect that can be planted in the engine, to show that the tests would notice it: each leaves out one sync or one check, or
/// swaps one order. `planted(_:)` stands at the place that it is about.
@usableFromInline
package enum PlantedDefect: String, CaseIterable, Sendable {
    /// A file that is created is not synchronised.
    case createUnsynced = "create-unsynced"
    /// The name of a file that is created is not.
    case createNameUnsynced = "create-name-unsynced"
    /// A replacement is renamed before its contents are on the disk.
    case replaceUnsynced = "replace-unsynced"
    /// A copy in an archive is not synchronised.
    case installUnsynced = "install-unsynced"
    /// The name of a copy in an archive is not.
    case installNameUnsynced = "install-name-unsynced"
    /// The copy in an archive is not verified before the original goes.
    case archiveUnverified = "archive-unverified"
    /// Segments are removed before the entry that explains it is durable.
    case archivedBeforeRecorded = "archived-before-recorded"
    /// The removal of a segment is not durable when the next one is removed.
    case removalUnsynced = "removal-unsynced"
    /// A copy that stands in an archive already is taken for durable.
    case foundCopyUnsynced = "found-copy-unsynced"
    /// The name of a copy that stands in an archive already is taken for durable.
    case foundCopyNameUnsynced = "found-copy-name-unsynced"
    /// The digest of an archived segment is not compared with what the entry says.
    case archiveDigestUncompared = "archive-digest-uncompared"
    /// The renaming of a replacement is not synchronised.
    case replaceNameUnsynced = "replace-name-unsynced"
    /// A file is overwritten where it stands, instead of aside.
    case replaceInPlace = "replace-in-place"
    /// Evidence that stands there already is taken for durable.
    case keptEvidenceUnsynced = "kept-evidence-unsynced"
    /// The name of evidence that stands there already is taken for durable.
    case keptNameUnsynced = "kept-name-unsynced"
    /// The renaming of a file is not synchronised.
    case moveUnsynced = "move-unsynced"
    /// Two directories that changed places are not synchronised.
    case swapUnsynced = "swap-unsynced"
    /// A block is acknowledged before its sync.
    case appendUnsynced = "append-unsynced"
    /// A file that was cut is not synchronised.
    case cutUnsynced = "cut-unsynced"
    /// The name of a new ledger is not synchronised.
    case publishedNameUnsynced = "published-name-unsynced"
    /// A new ledger, backup or archive gets its name before the names in it are synchronised.
    case publishedNamesUnsynced = "published-names-unsynced"
    /// A ledger that is there already is replaced by a new one.
    case publishReplaces = "publish-replaces"
    /// A write that was cut short counts as whole.
    case shortWriteAccepted = "short-write-accepted"
    /// A core file that was replaced is not noticed.
    case identityUnchecked = "identity-unchecked"
    /// A core file may have a second name.
    case hardLinkAccepted = "hard-link-accepted"
    /// A core file may belong to another user.
    case foreignOwnerAccepted = "foreign-owner-accepted"
    /// The last component of a path may be a symbolic link.
    case symbolicLinkFollowed = "symbolic-link-followed"
    /// A core file may be a FIFO, a device or a socket.
    case anyKindAccepted = "any-kind-accepted"
    /// A base that was moved away under its holder is not noticed.
    case baseUnchecked = "base-unchecked"
    /// A directory that was entered once is taken for what its name leads to for ever.
    case directoryUnchecked = "directory-unchecked"
    /// Whoever wants the writer's lock has it.
    case writerLockUntaken = "writer-lock-untaken"
    /// Seals are computed and not compared.
    case sealUnchecked = "seal-unchecked"
    /// Of a seal only the HASH is checked, which needs no key.
    case signatureUnchecked = "signature-unchecked"
    /// An entry of another ledger continues this one.
    case ledgerUnchecked = "ledger-unchecked"
    /// Any seq may follow.
    case seqUnchecked = "seq-unchecked"
    /// `prev_hash` is not compared with the entry before.
    case linkUnchecked = "link-unchecked"
    /// `synced` may say anything.
    case syncedUnchecked = "synced-unchecked"
    /// Any segment may be the first: no entry need explain it.
    case baseUnexplained = "base-unexplained"
    /// Any archive explains any first entry.
    case baseUncompared = "base-uncompared"
    /// Any entry may be the first.
    case genesisUnchecked = "genesis-unchecked"
    /// The entries of a decision need not follow each other.
    case partUnchecked = "part-unchecked"
    /// An entry may name any key.
    case keyUnchecked = "key-unchecked"
    /// An entry of a version that we do not know is taken for one that we know.
    case laterVersionAccepted = "later-version-accepted"
    /// HEAD's tip is not compared with the entry it vouches for.
    case headUncompared = "head-uncompared"
    /// A key that is introduced need not prove itself.
    case introductionUnproven = "introduction-unproven"
    /// A key may be introduced again.
    case keyReintroduced = "key-reintroduced"
    /// HEAD may name any key that it is sealed with.
    case headKeyUncompared = "head-key-uncompared"
    /// A gap may begin anywhere.
    case gapUnchecked = "gap-unchecked"
    /// A retired key's file is removed before the entry that retires it is there.
    case retiredKeyDestroyedFirst = "retired-key-destroyed-first"
    /// The removal of a retired key's file is not synchronised.
    case destroyedKeyUnsynced = "destroyed-key-unsynced"
    /// A ledger may end before the entry that HEAD vouches for.
    case shorterThanHeadAccepted = "shorter-than-head-accepted"
    /// A ledger may end inside a decision.
    case incompleteDecisionAccepted = "incomplete-decision-accepted"
    /// Whatever follows the first NUL is no data.
    case bytesBehindPaddingIgnored = "bytes-behind-padding-ignored"
    /// A segment that is not the last may hold NULs.
    case paddingAnywhere = "padding-anywhere"
    /// Pieces that several threads verified need not continue each other.
    case piecesUnjoined = "pieces-unjoined"
    /// A snapshot, a repair's plan and a position of audits are believed without their MAC.
    case sealedObjectUnchecked = "sealed-object-unchecked"
    /// An answer leaves its trauma open.
    case answerForgotten = "answer-forgotten"
    /// Whatever an answer names is taken for a trauma.
    case anythingAnswered = "anything-answered"
    /// A state of learning remembers every signature.
    case signaturesUnbounded = "signatures-unbounded"
    /// A recorded command that fails leaves no trauma.
    case failureUntold = "failure-untold"
    /// The removal of a snapshot that was put away is not synchronised.
    case snapshotRemovalUnsynced = "snapshot-removal-unsynced"
    /// HEAD is believed without its MAC.
    case macUnchecked = "mac-unchecked"
    /// Damage to what a later entry knew as durable counts as a crash's.
    case durableEntryTorn = "durable-entry-torn"
    /// Damage counts as a crash's whatever it looks like.
    case anyDamageTorn = "any-damage-torn"
    /// A whole frame that does not verify counts as one that was cut short.
    case changedFrameTorn = "changed-frame-torn"
    /// The line feed behind a frame may be any byte.
    case terminatorUnchecked = "terminator-unchecked"
    /// A frame's length may begin with zeros.
    case paddedLengthAccepted = "padded-length-accepted"
    /// A frame may be longer than the format allows.
    case hugeFrameAccepted = "huge-frame-accepted"
    /// A draft may fill a frame to the last byte.
    case hugeDraftAccepted = "huge-draft-accepted"
    /// An entry says that the one before it is durable, whether it is or not.
    case syncedTooHigh = "synced-too-high"
    /// Anybody may write in the house's own name.
    case reservedNamesAccepted = "reserved-names-accepted"
    /// Of two members with the same key one is dropped in silence.
    case duplicateKeysAccepted = "duplicate-keys-accepted"
    /// Drafts may nest as deep as they like.
    case depthUnbounded = "depth-unbounded"
    /// In alert writing goes on.
    case alertIgnored = "alert-ignored"
    /// Tampering is reported, and the house is not locked.
    case alertUnraised = "alert-unraised"
    /// Why the alert was raised is not kept.
    case alertCauseForgotten = "alert-cause-forgotten"
    /// The cause of an earlier alert is taken for this one's.
    case oldAlertCauseBelieved = "old-alert-cause-believed"
    /// What a human says of a damage takes the place of why the alert was raised.
    case repairForgetsCause = "repair-forgets-cause"
    /// A repair takes no sound entry over from behind the damage.
    case survivorsForgotten = "survivors-forgotten"
    /// Whatever a repair takes over counts as proven.
    case everythingProven = "everything-proven"
    /// A repair takes over what any key has sealed, also one that the chain did not call for.
    case keyWindowsIgnored = "key-windows-ignored"
    /// A repair keeps what comes first, also beside the chain that leads to HEAD's tip.
    case forkFollowed = "fork-followed"
    /// Whatever stands before a frame that HEAD proves is proven too.
    case pathUnlinked = "path-unlinked"
    /// A repair leaves in place what neither a seal nor a link from HEAD vouches for.
    case prefixUnvouched = "prefix-unvouched"
    /// What stands twice is taken over twice.
    case doublesReadmitted = "doubles-readmitted"
    /// A repair begins without the alert in HEAD.
    case repairedUnderCalmHead = "repaired-under-calm-head"
    /// A repair begins without its plan on the disk.
    case repairUnplanned = "repair-unplanned"
    /// The plan of a repair that is long over is brought to its end again.
    case oldPlanFollowed = "old-plan-followed"
    /// A whole segment that a repair has copied is not synchronised.
    case builtCopyUnsynced = "built-copy-unsynced"
    /// A segment that a repair has filled is not synchronised.
    case builtSegmentUnsynced = "built-segment-unsynced"
    /// The last segment that a repair writes is not synchronised.
    case builtTailUnsynced = "built-tail-unsynced"
    /// The names of segments that a repair has built are not synchronised.
    case builtNamesUnsynced = "built-names-unsynced"
    /// The name of the directory that a repair has built in is not synchronised.
    case builtDirectoryUnsynced = "built-directory-unsynced"
    /// That two directories changed places is taken for durable by the repair that goes on behind it.
    case resumedSwapUnsynced = "resumed-swap-unsynced"
    /// The removal of a repair's plan is not synchronised.
    case forgottenPlanUnsynced = "forgotten-plan-unsynced"
    /// What a repair has built is not read back.
    case builtLedgerUnverified = "built-ledger-unverified"
    /// A torn tail is cut without being kept.
    case tornTailDestroyed = "torn-tail-destroyed"
    /// A torn tail is cut before it is kept.
    case tornTailCutFirst = "torn-tail-cut-first"
    /// The name of a directory that is made anew, such as `quarantine/`, is not synchronised.
    case directoryNameUnsynced = "directory-name-unsynced"
    /// A cut tail is kept, and no entry names it.
    case tornTailUnrecorded = "torn-tail-unrecorded"
    /// What can be read back behind HEAD is taken for durable.
    case unprovenTrusted = "unproven-trusted"
    /// What stands behind HEAD is written again and not synchronised.
    case provenUnsynced = "proven-unsynced"
    /// A cut that can be seen is taken for durable.
    case cutUnproven = "cut-unproven"
    /// The name of a segment that a killed writer began is taken for durable.
    case newSegmentNameUnproven = "new-segment-name-unproven"
    /// A HEAD that was rebuilt is not in alert.
    case rebuiltHeadCalm = "rebuilt-head-calm"
    /// Whoever waited for the lock does not look whether it is still the ledger's.
    case lockUnrechecked = "lock-unrechecked"
    /// A session goes on in an older state that was put back meanwhile.
    case continuationUnchecked = "continuation-unchecked"
    /// The lock is given back without HEAD being replaced.
    case headForgotten = "head-forgotten"
    /// Any user who can writes.
    case ownerUnchecked = "owner-unchecked"
    /// HEAD vouches for a block before the block is durable.
    case headLeads = "head-leads"
    /// Identities are not checked before a write.
    case oathsUncheckedBefore = "oaths-unchecked-before"
    /// Identities are not checked before an acknowledgement.
    case oathsUncheckedAfter = "oaths-unchecked-after"
    /// HEAD may lag as far as it likes.
    case headLagUnbounded = "head-lag-unbounded"
    /// After a failed sync the session goes on.
    case failedSyncUnlatched = "failed-sync-unlatched"
    /// A failed sync is acknowledged.
    case failedSyncAcknowledged = "failed-sync-acknowledged"
    /// What a failed write left behind the data stays there.
    case failedWriteLeft = "failed-write-left"
    /// HEAD is replaced without a look at what stands there.
    case foreignHeadOverwritten = "foreign-head-overwritten"
    /// A segment is closed without a sync.
    case rolledSegmentUnsynced = "rolled-segment-unsynced"
    /// The next segment begins before HEAD vouches for the old one.
    case rolledWithoutHead = "rolled-without-head"
    /// After a new segment that may be there the session goes on in the old one.
    case begunSegmentUnlatched = "begun-segment-unlatched"
    /// A segment is closed with its NULs.
    case rolledSegmentUncut = "rolled-segment-uncut"
    /// An id that was recorded before is recorded again.
    case idsForgotten = "ids-forgotten"
    /// Only the ids of this opening are known.
    case idsOfThisProcessOnly = "ids-of-this-process-only"
    /// An id that was used for something else counts as a repetition.
    case idContentUncompared = "id-content-uncompared"
    /// A clock that stepped back is not recorded.
    case clockStepUnrecorded = "clock-step-unrecorded"
    /// Any number of bytes becomes durable together.
    case commitUnbounded = "commit-unbounded"
    /// What was submitted is answered before it is durable.
    case submittedAnsweredEarly = "submitted-answered-early"
    /// What was sealed behind a block that failed is written all the same.
    case followersOfFailureWritten = "followers-of-failure-written"
    /// A write that is under way counts as damage.
    case settlingSkipped = "settling-skipped"
    /// What archives hold is not compared with the first entry that a damaged ledger has left.
    case recoveryUncompared = "recovery-uncompared"
    /// A segment that is gone needs no entry that explains why the ledger begins later.
    case leavingUnexplained = "leaving-unexplained"
    /// What was seen and is archived since counts as compared.
    case archivedSightingAgrees = "archived-sighting-agrees"
    /// Two archivers copy to one place at the same time.
    case targetUnlocked = "target-unlocked"
    /// Who is enrolled is not asked of entries that an earlier repair re-admitted.
    case readmittedRosterForgotten = "readmitted-roster-forgotten"
    /// Whether another ledger's archive is there is looked at before the place is locked, and not behind.
    case strangerUnseen = "stranger-unseen"
    /// Of several files with a segment's name the first one is read, whatever history it is of.
    case archiveChosenByName = "archive-chosen-by-name"
    /// A state that was kept at an entry which a repair has moved or lost counts no more.
    case repairedStateForgotten = "repaired-state-forgotten"
    /// A patch's entry names all places that it changes, however long their names are.
    case writesUnbounded = "writes-unbounded"
    /// Whether a state fits into the entry that keeps it is found out when it is written.
    case stateFitUntried = "state-fit-untried"
    /// The active segment is ended before its archive's place was tried.
    case targetUntried = "target-untried"
    /// A reader does not look whether an archive took away what it was to read.
    case overtakenBelieved = "overtaken-believed"
    /// A reader does not look whether a repair ended meanwhile.
    case mendedBelieved = "mended-believed"
    /// A reader takes a key that a rotation brought meanwhile for one that is missing.
    case newKeysOverlooked = "new-keys-overlooked"
    /// An audit in slices forgets that it had not the key for an earlier one.
    case absencesForgotten = "absences-forgotten"
    /// HEAD's tip is not compared with the entry that it names, where the end is only looked at.
    case headTipUncompared = "head-tip-uncompared"
    /// In alert damage may still count as a crash's.
    case tornInAlert = "torn-in-alert"
    /// Damage any distance behind HEAD may count as a crash's.
    case tearAnywhere = "tear-anywhere"
    /// A receipt is found right if its seq is there.
    case receiptsUncompared = "receipts-uncompared"
    /// A key file that others can read is used.
    case openKeyAccepted = "open-key-accepted"
    /// Who waits for the lock does not queue.
    case gateUntaken = "gate-untaken"
    /// A lock that is not to be had is waited for without end.
    case lockTimeoutIgnored = "lock-timeout-ignored"
    /// Damage among the last entries is no reason to stop, and ids behind it count as new.
    case idsBehindDamageForgotten = "ids-behind-damage-forgotten"
    /// A HEAD of another ledger is taken for ours if its key is here.
    case foreignHeadAdopted = "foreign-head-adopted"
    /// An older HEAD that is put back over one that was rebuilt in alert ends the alert.
    case rebuiltAlertForgotten = "rebuilt-alert-forgotten"
    /// Between two looks another file may take a segment's place.
    case segmentSwapUnnoticed = "segment-swap-unnoticed"
    /// One id twice in a decision.
    case doubleIdsAccepted = "double-ids-accepted"
    /// Opening finds that a path changed, and the house is not locked.
    case driftOnOpeningForgotten = "drift-on-opening-forgotten"
    /// Whatever stands in `quarantine/` under the name of evidence is recorded as that.
    case evidenceUnchecked = "evidence-unchecked"
    /// A ledger that stepped back is opened like any other.
    case anchorUncompared = "anchor-uncompared"
    /// The anchor is kept of entries that are not durable yet.
    case anchorLeads = "anchor-leads"
    /// A lower seq replaces a higher one in the anchor.
    case anchorLowered = "anchor-lowered"
    /// A repair's plan does not say what the anchor has against the ledger.
    case objectionsUntold = "objections-untold"
    /// A repair makes another history the one that was seen.
    case otherHistoryForgotten = "other-history-forgotten"
    /// A backup gets its name unread.
    case backupUnverified = "backup-unverified"
    /// A backup is judged by keys that are not in it.
    case backupKeysUncompared = "backup-keys-uncompared"
    /// What is copied is not synchronised.
    case backupUnsynced = "backup-unsynced"
    /// The names of a backup's segments are not.
    case backupNamesUnsynced = "backup-names-unsynced"
    /// A key, a piece of evidence or the constitution in a backup is not.
    case backupFileUnsynced = "backup-file-unsynced"
    /// The names of a backup's keys are not.
    case backupKeysUnsynced = "backup-keys-unsynced"
    /// The names of a backup's evidence are not.
    case backupEvidenceUnsynced = "backup-evidence-unsynced"
    /// Evidence in a backup is not compared with what entries say of it.
    case evidenceUncompared = "evidence-uncompared"
    /// A base that is being made looks like one that was left.
    case constructionUnlocked = "construction-unlocked"
    /// What others may have put there is removed as our own.
    case orphanUnguarded = "orphan-unguarded"
    /// Of the right to a lease only the id is looked at.
    case leaseTokenUnchecked = "lease-token-unchecked"
    /// What expired stands against nobody, and is not taken away when another gets the lane.
    case evictionForgotten = "eviction-forgotten"
    /// Trees of leases are not compared.
    case treesUncompared = "trees-uncompared"
    /// A lease is of the kind that was asked for.
    case requestedKindTaken = "requested-kind-taken"
    /// Leases expire by the wall's clock.
    case expiryByWallClock = "expiry-by-wall-clock"
    /// A beat may lie in the future.
    case futureBeatBelieved = "future-beat-believed"
    /// A lane journal that is written anew is renamed before its contents are on the disk.
    case journalReplacementUnsynced = "journal-replacement-unsynced"
    /// A line of a lane journal is printed before it is on the disk.
    case journalLineUnsynced = "journal-line-unsynced"
    /// A lane journal that is exported is not synchronised.
    case journalExportUnsynced = "journal-export-unsynced"
    /// The name of a lane journal is not.
    case journalNameUnsynced = "journal-name-unsynced"
    /// A guard starts its command and does not look at the lease again.
    case guardAsleep = "guard-asleep"
    /// A guard starts its command, and lets it work on, in a locked house.
    case guardInAlert = "guard-in-alert"
    /// A command is started whatever the time is.
    case startUnchecked = "start-unchecked"
    /// Who dies between two looks counts as never having been.
    case chainOverlooked = "chain-overlooked"
    /// `/proc` is believed to show the processes of this namespace.
    case foreignProcessesBelieved = "foreign-processes-believed"
    /// The process of a holder that handed its lease over stays evidence.
    case adoptionKeepsProcess = "adoption-keeps-process"
    /// What a later grant proves to be gone stays live behind a repair.
    case contradictionKept = "contradiction-kept"
    /// A late event takes a newer one back.
    case lateEventBelieved = "late-event-believed"
    /// What stands beside a guard does nothing when the guard is stopped.
    case guardWatcherAsleep = "guard-watcher-asleep"
    /// A process counts as dead when its main thread is.
    case mainThreadBelieved = "main-thread-believed"
    /// A guard does not look at the history that a repair left.
    case repairOverlooked = "repair-overlooked"
    /// A refusal says that a lease's end opens the way, whoever else stands there.
    case takeoverPromised = "takeover-promised"
    /// What need not rest takes room among what must.
    case shippedKept = "shipped-kept"
    /// A lease of ours that comes back in a journal is another one.
    case exportedTwice = "exported-twice"
    /// A name that an export gives a run may be another run's own.
    case exportNameReused = "export-name-reused"
    /// An adoption that renews the token leaves the old one good.
    case tokenUnrenewed = "token-unrenewed"
    /// The clock since the boot is taken as a namespace of time shows it.
    case clockOffsetBelieved = "clock-offset-believed"
    /// Drafts in enrolled actors' names are not looked at before they are sealed.
    case actorsUnchecked = "actors-unchecked"
    /// Any signature is right.
    case actorSignatureUnchecked = "actor-signature-unchecked"
    /// An entry in an enrolled actor's name needs no signature.
    case unsignedAccepted = "unsigned-accepted"
    /// A signed draft may be as old as it likes.
    case oldBaseAccepted = "old-base-accepted"
    /// Verifiers do not look for signed drafts that come twice.
    case signedIDsForgotten = "signed-ids-forgotten"
    /// Pieces of a ledger are joined, whatever the one repeats of the other.
    case signedIDsUnjoined = "signed-ids-unjoined"
    /// What comes twice counts again behind a repair.
    case repeatedReadmitted = "repeated-readmitted"
    /// An entry may be re-admitted that is still to come.
    case readmittedEarly = "readmitted-early"
    /// A repair takes the drafts of a decision whose end is damaged for spent, and meets them then as their own repetition.
    case openDecisionSpent = "open-decision-spent"
    /// A signed draft may be older than what is left behind an archive.
    case archivedReplayAccepted = "archived-replay-accepted"
    /// Two actors may have the same key.
    case keyUnderTwoNames = "key-under-two-names"
    /// An actor's key may be a point of small order.
    case smallOrderKeyAccepted = "small-order-key-accepted"
    /// An actor's key may be the sum of another one and a point of small order.
    case mixedOrderKeyAccepted = "mixed-order-key-accepted"
    /// An actor's key may be spelt in another way than the canonical one.
    case keySpellingUnchecked = "key-spelling-unchecked"
    /// Segments do not begin with who is enrolled.
    case rosterForgotten = "roster-forgotten"
    /// A verifier does not ask for who is enrolled at the start of a segment.
    case rosterUnstatedAccepted = "roster-unstated-accepted"
    /// Whoever the first entry of a segment names counts as enrolled.
    case rosterUncompared = "roster-uncompared"
    /// A repair forgets who was enrolled behind the damage.
    case enrolmentsForgotten = "enrolments-forgotten"
    /// Behind damage an entry that says who is enrolled counts only where a segment begins.
    case survivorsJudgedByPlace = "survivors-judged-by-place"
    /// A repair says nothing of entries that said who is enrolled, and are lost.
    case lostStatementsUntold = "lost-statements-untold"
    /// What a repair takes over in an enrolled actor's name counts without a signature.
    case readmittedUnsigned = "readmitted-unsigned"
    /// A handbook may be replaced before its new text is on the disk.
    case handbookUnsynced = "handbook-unsynced"
    /// A patch may be told as applied before the handbook's new name is durable.
    case handbookNameUnsynced = "handbook-name-unsynced"
    /// A handbook may lie anywhere.
    case handbookAnywhere = "handbook-anywhere"
    /// A patch may be applied to a handbook that changed.
    case handbookBaseUnchecked = "handbook-base-unchecked"
    /// What associates signed of a patch may be another one.
    case otherPatchApproved = "other-patch-approved"
    /// The handbook is replaced before its approval is recorded.
    case handbookBeforeEntry = "handbook-before-entry"
    /// An approval that a crash left without its handbook is forgotten.
    case approvedPatchForgotten = "approved-patch-forgotten"
    /// What was signed before a repair that lost entries is carried out, or put back, as if nothing had come since.
    case lossForgotten = "loss-forgotten"
    /// A flood of proposals makes forgotten what was signed last for a handbook.
    case signedTextForgotten = "signed-text-forgotten"
    /// An archive takes along what alone holds the text that a handbook is still to have.
    case pendingActArchived = "pending-act-archived"
    /// The text that an approval's entry holds may be another one than was signed.
    case approvedTextUnchecked = "approved-text-unchecked"
    /// A diff's context may differ from what it is applied to.
    case diffContextUnchecked = "diff-context-unchecked"
    /// A patch may add what an approver cannot see.
    case hiddenTextAccepted = "hidden-text-accepted"
    /// A review drafts the same patch again and again.
    case reviewRepeats = "review-repeats"
    /// A request may name another ledger.
    case requestOfAnotherLedger = "request-of-another-ledger"
    /// A request may be signed for another verb.
    case requestOfAnotherVerb = "request-of-another-verb"
    /// A request may be carried out again.
    case requestReplayed = "request-replayed"
    /// A request never expires.
    case requestExpiryUnchecked = "request-expiry-unchecked"
    /// Anybody's signature counts as an associate's.
    case strangerSigns = "stranger-signs"
    /// An associate whose removal was lost signs.
    case withdrawnSigns = "withdrawn-signs"
    /// One key counts as often as it signs.
    case signatureCountedTwice = "signature-counted-twice"
    /// Any signature under a request is right.
    case requestSignatureUnchecked = "request-signature-unchecked"
    /// One signature is enough.
    case thresholdUnchecked = "threshold-unchecked"
    /// Fewer associates may be left than must sign.
    case removalBelowThreshold = "removal-below-threshold"
    /// A release signed for another alert opens this one.
    case otherAlertReleased = "other-alert-released"
    /// A release need not name those who are associates.
    case releaseRosterUnchecked = "release-roster-unchecked"
    /// A release may name any constitution.
    case releaseConstitutionUnchecked = "release-constitution-unchecked"
    /// Behind a repair a release need not name the constitution that holds.
    case releaseConstitutionUnnamed = "release-constitution-unnamed"
    /// A repair releases the alert of a ledger that has associates.
    case repairReleases = "repair-releases"
    /// A repair does not suspend the associates.
    case repairUnsuspended = "repair-unsuspended"
    /// What is written between a repair and its release is not looked at.
    case suspensionIgnored = "suspension-ignored"
    /// An associate whose removal was lost is back behind a repair.
    case removedAssociateBack = "removed-associate-back"
    /// A request without its entry proves no removal, though enough have signed it.
    case looseRequestsForgotten = "loose-requests-forgotten"
    /// A request without its entry adds a key.
    case looseAdditionCounts = "loose-addition-counts"
    /// Who adds an associate takes the constitution away.
    case additionForgetsConstitution = "addition-forgets-constitution"
    /// A request without its entry counts, though sound entries behind it say something else.
    case contradictedRequestCounts = "contradicted-request-counts"
    /// A request without its entry removes a key, and lets fewer sign.
    case looseRemovalLowers = "loose-removal-lowers"
    /// Behind a repair fewer must sign than a lost act had asked for.
    case repairLowersThreshold = "repair-lowers-threshold"
    /// Whoever was removed holds the house again behind a repair, and nobody was asked.
    case removedAssociateAccepted = "removed-associate-accepted"
    /// A request counts behind a lost act of which nothing is known.
    case requestBehindNothing = "request-behind-nothing"
    /// A request without its entry counts, though it had expired before the damage begins.
    case looseExpiredCounts = "loose-expired-counts"
    /// A repair with archives does not ask them who signs for the house.
    case archivedRosterForgotten = "archived-roster-forgotten"
    /// Where nothing says any more who the associates were, a repair goes on without them.
    case associatesTakenAway = "associates-taken-away"
    /// A release that a power cut has torn is damage, which must be repaired, and signed again.
    case tornReleaseDamaged = "torn-release-damaged"
    /// A constitution may ask for more signatures than there are associates.
    case adoptionBeyondSigners = "adoption-beyond-signers"
    /// A change of one key changes how many must sign, whatever the constitution says.
    case constitutionOverridden = "constitution-overridden"
    /// A request without its entry adopts a constitution by which fewer must sign.
    case looseAdoptionLowers = "loose-adoption-lowers"
    /// A constitution whose entry is said to be lost counts, though it locks an enrolled actor out.
    case looseAdoptionLocksOut = "loose-adoption-locks-out"
    /// The articles that are adopted are not compared with their text.
    case articlesUncompared = "articles-uncompared"
    /// A constitution need not name the classes of those who are enrolled.
    case classesUncompared = "classes-uncompared"
    /// Anybody speaks in the house's own name.
    case houseNameLent = "house-name-lent"
    /// Where there is no room for another proposal, none gives way.
    case proposalsKept = "proposals-kept"
    /// Any pillar justifies any action.
    case pillarsUnchecked = "pillars-unchecked"
    /// Somebody may be enrolled as one of a class that the constitution does not name.
    case unnamedClassEnrolled = "unnamed-class-enrolled"
    /// Entries are archived however young they are.
    case retentionUnchecked = "retention-unchecked"
    /// A request may live longer than the constitution lets it.
    case requestLifeUnchecked = "request-life-unchecked"
    /// A release that was interrupted is taken for one of any later alert.
    case oldReleaseFinished = "old-release-finished"
    /// A draft is not compared with what its writer had not seen.
    case conflictsUnresolved = "conflicts-unresolved"
    /// Nor with what was sealed in the same block.
    case batchUncompared = "batch-uncompared"
    /// A draft may have seen nothing for any number of entries.
    case unseenUnbounded = "unseen-unbounded"
    /// Whoever comes first has the place, whatever his class.
    case arrivalDecides = "arrival-decides"
    /// What a draft read may have changed.
    case readsUncompared = "reads-uncompared"
    /// What was built on a place that a higher class writes stays.
    case premisesKept = "premises-kept"
    /// Of what lost a place to a higher class, what lies around that place stays.
    case losersKept = "losers-kept"
    /// A change of the tree does not look at events that came before it.
    case eventsOverlooked = "events-overlooked"
    /// What was lost agrees with nobody, if an entry has only its digest.
    case digestsUncompared = "digests-uncompared"
    /// What others lost to an entry that had no room to name it comes back with a later merge.
    case untoldLosersKept = "untold-losers-kept"
    /// The tree is made again from where its writer had seen it, though something that lost since stands in it there.
    case groundUnsought = "ground-unsought"
    /// And as if nothing of that had lost.
    case groundBelieved = "ground-believed"
    /// A base counts though a repair has left no entry there.
    case displacedBaseTaken = "displaced-base-taken"
    /// Whose entry was re-admitted does not know that it had lost.
    case readmittedLossesForgotten = "readmitted-losses-forgotten"
    /// Who repeats an id may name other places.
    case idPlacesUncompared = "id-places-uncompared"
    /// An entry that associates signed for grants another lease than that.
    case forcedLeaseUncompared = "forced-lease-uncompared"
    /// Associates let pass an exclusive lease too.
    case exclusivePassed = "exclusive-passed"
}
