/// The first thing that is wrong in a chain, and where.
package struct ChainFailure: Error, Sendable, Equatable {
    package enum Reason: Sendable, Equatable {
        case frame(FrameFault)
        case endsInsideFrame
        case foreignLedger(found: LedgerID)
        case genesisExpected
        case seq(found: UInt64)
        case link
        case synced(found: UInt64)
        case part
        case key(found: KeyID)
        case hash
        case signature
        case laterVersion(found: UInt64)
        /// The body of an entry that the chain turns at.
        case turn(action: String)
        case keyProof(of: KeyID)
        /// A segment does not begin with who is enrolled.
        case rosterUnstated
        /// An entry says that others are enrolled than are.
        case rosterOtherwise
        /// An entry that says who is enrolled, and is not the first of its segment.
        case rosterMisplaced
        /// Boxed: it is large and rare, and every entry is asked for a reason.
        indirect case actor(ActorObjection)
        /// What associates have not signed, or not so.
        indirect case associates(AssociateObjection)
        /// Behind a repair, and before its release, the house alone writes.
        case suspended(by: UInt64)
        case paddingInSealedSegment
        case bytesAfterPadding
        case segmentName(found: UInt64)
        case segmentMissing
        case incompleteDecision
        case headMismatch
        case headInsideDecision
        case shorterThanHead(vouched: UInt64)
        case head(HeadFault)
    }

    package var place: Place
    package var reason: Reason

    package init(_ reason: Reason, at place: Place) {
        self.reason = reason
        self.place = place
    }
}

extension ChainFailure.Reason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .frame(let fault): fault.description
        case .endsInsideFrame: "the segment ends inside a frame"
        case .foreignLedger(let found): "the entry belongs to another ledger, \(found)"
        case .genesisExpected: "the first entry is no ledger.genesis"
        case .seq(let found): "an entry with seq \(found) stands here"
        case .link: "prev_hash is not the hash of the entry before"
        case .synced(let found): "synced is \(found), which no writer could have known"
        case .part: "the entries of a decision do not follow each other"
        case .key(let found): "the entry names key \(found), which the chain does not call for"
        case .hash: "the hash does not match the entry"
        case .signature: "the sig does not match the entry"
        case .turn(let action): "the body is not what the format asks for of \(action)"
        case .keyProof(let key): "the entry introduces key \(key) and does not prove it"
        case .rosterUnstated: "the segment does not begin with an entry that says who is enrolled"
        case .rosterOtherwise: "the entry says that others are enrolled than are"
        case .rosterMisplaced: "the entry says who is enrolled, and is not the first of its segment"
        case .actor(let objection): objection.description
        case .associates(let objection): objection.description
        case .suspended(let seq): "the house is suspended by the repair in entry \(seq), which its associates have not released"
        case .laterVersion(let found): "the entry is of version \(found), which this verifier does not know"
        case .paddingInSealedSegment: "the segment has NULs where a frame should start, and is not the last"
        case .bytesAfterPadding: "bytes other than NULs follow the end of data"
        case .segmentName(let found): "the next segment begins at seq \(found)"
        case .segmentMissing: "the segment is missing"
        case .incompleteDecision: "the last decision is incomplete"
        case .headMismatch: "the entry is not the one that HEAD vouches for"
        case .headInsideDecision: "HEAD ends inside a decision"
        case .shorterThanHead(let vouched): "the ledger ends here, but HEAD vouches for everything up to seq \(vouched)"
        case .head(let fault): fault.description
        }
    }
}
