package import LedgerFormat

/// What an audit by a policy found, and where the next one goes on.
package struct AuditFinding: Sendable {
    package var policy: AuditPolicy
    package var report: AuditReport
    /// The first entry that was checked.
    package var firstSeq: UInt64
    /// What is to be sealed as the position; nil where nothing is to be kept.
    package var progress: AuditProgress?
    /// Since the pass began every entry was verified, up to one at least as new as the last one then.
    package var isFull: Bool
    package var microseconds: Int64
    /// What was odd and is no error.
    package var notices: [String]
    /// Where the ledger began when it was walked.
    var ledgerFirstSeq: UInt64 = 1
    /// As it stands where the walk ended.
    var verifier: ChainVerifier

    /// What is done about it under the writer's lock.
    package enum Reaction: Sendable {
        /// The house is locked already, or the key is absent: nothing can be written.
        case none
        /// Verify on from where the walk ended; what fails there, nobody is writing right now.
        case lookAgain
        /// It is as it should be.
        case record
    }

    package var reaction: Reaction {
        if report.head?.alert == true || report.isHeadKeyAbsent { return .none }
        switch report.verdict {
        case .tampered: return .lookAgain
        // Without its key nothing can be sealed, and a later version is another program's matter.
        case .unverifiable: return .none
        case .torn: return policy.strictStream ? .lookAgain : .record
        case .intact: return policy.lock == .tail ? .lookAgain : .record
        case .partial: return .record
        }
    }

    /// Design §4; the alert counts where nothing is worse.
    package var exitCode: Int32 {
        report.exitCode == 0 || report.exitCode == 12 ? (report.head?.alert == true ? 21 : report.exitCode) : report.exitCode
    }
}

extension AuditFinding {
    /// What the lock showed, to whoever tells it.
    package mutating func find(_ error: LedgerError) {
        isFull = false
        // What the walk itself found there says it in fewer words.
        if report.verdict == .tampered, report.reason != nil, error.place == report.place { return }
        report.verdict = .tampered
        report.place = error.place ?? report.place
        report.reason = error.message
    }
}

// Where the next audit goes on
extension AuditFinding {
    /// - Parameters:
    ///   - mark: the last verified frame at which a walk can begin; nil when there is none.
    ///   - goal: the last entry that HEAD vouched for when the audit began.
    mutating func conclude(mark: (place: Place, hash: Digest)?, goal: UInt64, now: Timestamp) {
        isFull = false
        guard var progress, report.verdict != .tampered, report.verdict != .unverifiable, let mark else { return }
        let pass = AuditProgress.Pass(
            began: progress.pass?.began ?? now, goal: progress.pass?.goal ?? goal, place: mark.place, hash: mark.hash,
            base: verifier.isFounded ? nil : verifier.base, absences: verifier.absences)
        isFull = mark.place.seq >= pass.goal
        // Who explains what the first entry builds on did so before that was the first.
        if isFull, let unfounded = verifier.unfounded {
            isFull = false
            report.verdict = .tampered
            report.place = unfounded.place
            report.reason = unfounded.reason.description
            report.resumeSeq = nil
            return
        }
        // The pass has come to its end, and nothing told that the keys which it lacked are needed no more.
        if isFull, let absence = report.keyAbsence {
            isFull = false
            report.verdict = .unverifiable
            report.reason = "\(absence); all that needs no key was checked"
            report.resumeSeq = nil
            return
        }
        progress.pass = isFull ? nil : pass
        self.progress = progress
        guard isFull else { return }
        self.progress?.full = AuditProgress.Full(seq: mark.place.seq, time: now)
        // All that there was when the pass began is verified: what came on top is the next one's.
        guard report.verdict == .partial else { return }
        report.verdict = .intact
        report.reason = nil
        report.resumeSeq = nil
    }
}
