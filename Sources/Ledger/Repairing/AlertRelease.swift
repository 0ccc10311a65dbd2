import CanonicalJSON
package import DurableFiles
package import LedgerFormat
import PlantedDefects

/// Opens a locked house that has associates: the ledger is whole, and M of them have signed that.
///
/// The entry comes first, then HEAD without the alert. A crash between the two leaves the alert, and an entry behind HEAD that says how it
/// goes on: then the next release, signed or not, writes HEAD.
package struct AlertRelease: Sendable {
    private let environment: Environment
    private let settings: WriterSettings
    private let anchor: (any AnchorStore)?

    package init(
        _ environment: Environment, _ settings: WriterSettings = WriterSettings(), anchor: (any AnchorStore)? = nil
    ) {
        self.environment = environment
        self.settings = settings
        self.anchor = anchor
    }

    /// A locked house whose ledger is whole.
    package struct Standing: Sendable {
        package let ledger: LedgerID
        package let tip: ChainTip
        package let associates: Associates
        /// The release is recorded, and only HEAD does not say so.
        package let receipt: Receipt?
        /// What a power cut has left of a release, right behind HEAD: nobody writes anything else in a locked house.
        let tear: Tear?
        let verifier: ChainVerifier
        let head: Head
    }

    /// How a house stands that may be locked; verifies all of it.
    ///
    /// - Throws: `refused` where nothing is to be released or nobody can sign, `tampered` where a repair comes first.
    package func standing(_ view: LedgerView) throws(LedgerError) -> Standing {
        let ledger = "--ledger \(Checkup.word(view.storage.basePath))"
        guard case .success(let head) = view.head else {
            throw LedgerError(
                .tampered,
                "HEAD of \(view.storage.basePath) is missing or wrong; mend it first, with `bulla repair --yes \(ledger)`")
        }
        var verifier = ChainVerifier(keys: view.keyring.keys, head: head)
        var lastAction = ""
        let end = try doing("cannot read the ledger") { () throws(StorageError) in
            var reader = try SegmentReader(view.storage)
            return try reader.scan(
                &verifier,
                visit: { frame, bytes in
                    lastAction = bytes.text(frame.action)
                    return true
                })
        }
        let tear = try tear(end, verifier, head, view)
        if case .failed(let failure) = end, tear == nil {
            var error = LedgerError(failure)
            error.message =
                "the ledger \(view.storage.basePath) is damaged at \(error.message); mend it first, with `bulla repair --yes \(ledger)`"
            throw error
        }
        if let absence = view.keyAbsence ?? verifier.absentKeys.first.map(view.keyring.absence(of:)) {
            throw LedgerError(.unverifiable, "whether the ledger is whole cannot be verified: \(absence)")
        }
        guard let tip = verifier.tip else { throw LedgerError(verifier.failure(.genesisExpected)) }
        guard let associates = verifier.actors?.associates else {
            throw LedgerError(
                .refused,
                "\(AssociateObjection.nobody); a completed repair releases an alert here: `bulla repair --yes \(ledger)`")
        }
        guard head.alert else {
            throw LedgerError(.refused, "the ledger \(view.storage.basePath) is not in alert: nothing is to be released")
        }
        // Behind the release HEAD vouches for it: an alert that does is another one.
        let isInterrupted =
            lastAction == SignedRequest.Verb.release.action && (head.seq < tip.seq || planted(.oldReleaseFinished))
        return Standing(
            ledger: tip.ledger, tip: tip, associates: associates, receipt: isInterrupted ? Receipt(tip) : nil, tear: tear,
            verifier: verifier,
            head: head)
    }

    private func tear(
        _ end: SegmentReader.End, _ verifier: ChainVerifier, _ head: Head, _ view: LedgerView
    ) throws(LedgerError) -> Tear? {
        guard case .failed(let failure) = end else { return nil }
        let judgement = try doing("cannot read the ledger") { () throws(StorageError) in
            try Judgement(failure, verifier, head: head, SegmentReader(view.storage))
        }
        if case .torn(let tear) = judgement { return tear }
        return nil
    }

    /// Records the release, and lets HEAD say so.
    ///
    /// - Parameter request: may be nil where the release was recorded before.
    package func run(_ storage: any Storage, _ request: SignedRequest?) throws(LedgerError) -> Outcome {
        var session = WriterSession(storage, environment, settings, anchor: anchor)
        try session.takeLock()
        // The anchor was kept, or not, for a reason: `release()` would keep it anyhow.
        defer { session.giveUp() }
        let (receipt, message) = try session.release(standing, request)
        return Outcome(receipt: receipt, notices: session.takeNotices(), anchorMessage: message)
    }

    package struct Outcome: Sendable {
        /// Of `alert.released`.
        package let receipt: Receipt
        /// What a caller should be told that is no error.
        package let notices: [String]
        /// What the anchor says against the ledger, which nobody writes to before a user accepts it by name; nil for nothing.
        package let anchorMessage: String?
    }
}

extension WriterSession {
    fileprivate mutating func release(
        _ standing: (LedgerView) throws(LedgerError) -> AlertRelease.Standing, _ request: SignedRequest?
    ) throws(LedgerError) -> (receipt: Receipt, anchorMessage: String?) {
        let view = try LedgerView(storage)
        let house = try standing(view)
        let reader = try doing("cannot read the ledger") { () throws(StorageError) in try SegmentReader(storage) }
        let head = house.head
        let vouched = Place(segment: head.segment, offset: head.end, seq: head.seq)
        if let receipt = house.receipt {
            try stand(behind: house.verifier, head, view.keyring, provenUpTo: vouched, reader)
            try writeHead(replacing: head, alert: false)
            return (receipt, keepAnchor(behindReleaseWith: view.keyring))
        }
        let time = max(environment.now(), house.tip.time)
        guard let request else { throw LedgerError(.refused, "nobody has signed the release; nothing was recorded") }
        let objection =
            request.objection(as: .release, house.associates, behind: house.tip, at: time)
            ?? house.associates.objectionToOmission(in: request)
        if let objection {
            throw LedgerError(.refused, "\(objection); nothing was recorded, and the alert stays")
        }
        if let tear = house.tear {
            try keepEvidence(of: tear, reader)
            try doing("cannot cut the torn tail") { () throws(StorageError) in
                try reader.open(segment: tear.place.segment, .readWrite).cut(to: tear.place.offset)
            }
        }
        try stand(behind: house.verifier, head, view.keyring, provenUpTo: vouched, reader)
        guard let state else { preconditionFailure("the session stands") }
        let statement = RosterStatement(state.actors, .act(request))
        var members = statement.members
        if let cause = AlertCause(of: view) {
            members["cause"] = .string(cause.text)
            members["raised"] = .string(cause.time.description)
        }
        let draft = try Drafts.refusable(statement.action, .resilience, request.reason, .object(members))
        if state.end > 0 { try roll() }
        let receipt = try beginSegment(with: statement, draft, at: time)
        try writeHead(replacing: self.state?.head, alert: false)
        return (receipt, keepAnchor(behindReleaseWith: view.keyring))
    }
}
