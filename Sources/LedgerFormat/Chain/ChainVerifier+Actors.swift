// Who is enrolled and who signs for the house, and whether the entries in their names are theirs (FORMAT.md §4.7, §4.8).
import CanonicalJSON
import PlantedDefects

extension ChainVerifier {
    private var hasActors: Bool { actors?.isEmpty == false }

    /// The last check of an entry: what it spends counts as spent from here on.
    @inline(never)
    mutating func objectionOfActors(to frame: FrameView, _ bytes: Span<UInt8>) -> ChainFailure.Reason? {
        if let reason = objectionOfRoster(to: frame, bytes) ?? objectionOfSuspension(to: frame, bytes) { return reason }
        guard hasActors, let actors else { return nil }
        return actors.objection(to: frame, in: bytes, &signedIDs).map { .actor($0) }
    }

    private func objectionOfRoster(to frame: FrameView, _ bytes: Span<UInt8>) -> ChainFailure.Reason? {
        let isFirst = position.offset == 0
        guard let statement = RosterStatement(frame, bytes) else {
            if isFirst, frame.seq == 1 { return objectionToFounding(frame, bytes) }
            if !isFirst, frame.isTurn, actors?.associates != nil, case .repair = ChainTurn(frame, bytes) {
                return .rosterMisplaced
            }
            return isFirst && hasActors && !planted(.rosterUnstatedAccepted) ? .rosterUnstated : nil
        }
        if statement.isRepair {
            // It may add what the damage took, where whoever writes will find it.
            let isRight = actors.map { isFirst ? statement.roster.isExtension(of: $0) : statement.roster == $0 } ?? true
            guard isRight, statement.roster.ends(before: frame.seq) else { return .rosterOtherwise }
            return objectionOfMending(statement, frame, bytes)
        }
        guard isFirst else { return .rosterMisplaced }
        guard actors == nil || actors == statement.roster || planted(.rosterUncompared), statement.roster.ends(before: frame.seq)
        else { return .rosterOtherwise }
        if case .act(let request) = statement.change {
            guard let associates = statement.roster.associates else { return .associates(.nobody) }
            let objection = associates.objection(
                to: request, in: frame.ledger(in: bytes), at: frame.time, behind: frame.previousHash(in: bytes))
            if let objection { return .associates(objection) }
        }
        return statement.after(frame.seq, .zero) == nil ? .turn(action: statement.action) : nil
    }

    /// Of associates a repair changes nothing but what signatures prove, and who was removed.
    private func objectionOfMending(
        _ statement: RosterStatement, _ frame: FrameView, _ bytes: Span<UInt8>
    ) -> ChainFailure.Reason? {
        if let actors, actors.associates != statement.roster.associates { return .rosterOtherwise }
        guard let associates = statement.roster.associates else { return nil }
        guard position.offset == 0 else { return .rosterMisplaced }
        do throws(AssociateObjection) {
            _ = try associates.mended(
                by: statement.mending, in: frame.ledger(in: bytes), .init(seq: frame.seq, hash: .zero))
            return nil
        } catch {
            return .associates(error)
        }
    }

    /// Behind a repair only what mends the ledger is written, until associates release it.
    private func objectionOfSuspension(to frame: FrameView, _ bytes: Span<UInt8>) -> ChainFailure.Reason? {
        guard let associates = actors?.associates, associates.isSuspended, !planted(.suspensionIgnored) else { return nil }
        let action = bytes.text(frame.action)
        if action == RosterStatement.stated || action == SignedRequest.Verb.release.action { return nil }
        let isMending = ["ledger.", "key.", "snapshot."].contains { action.hasPrefix($0) }
        return isMending ? nil : .suspended(by: associates.act.seq)
    }

    /// What an accepted entry says of actors; nobody is enrolled where the first entry of a segment does not say who is.
    @inline(never)
    mutating func noteActors(_ frame: FrameView, _ bytes: Span<UInt8>) {
        let statement = RosterStatement(frame, bytes)
        if actors == nil, position.offset == 0 { actors = statement?.roster ?? ActorRoster() }
        if actorsAtBeginning == nil { actorsAtBeginning = actors }
        if let statement, actors != nil { actors = statement.after(frame.seq, frame.hash(in: bytes)) }
        if frame.seq == 1, position.offset == 0, let founders = try? Associates.founders(frame, bytes) {
            actors?.associates = founders
        }
        // Inside a segment of which nobody said who is enrolled there is nothing to look for, up to the next one.
        watchesActors = hasActors
    }
}

// The first entry
extension ChainVerifier {
    private func objectionToFounding(_ frame: FrameView, _ bytes: Span<UInt8>) -> ChainFailure.Reason? {
        do throws(AssociateObjection) {
            _ = try Associates.founders(frame, bytes)
            return nil
        } catch {
            return .associates(error)
        }
    }
}

extension Associates {
    /// Those whom the first entry names; nil for any other, and if it names nobody.
    package static func founders(_ frame: FrameView, _ bytes: Span<UInt8>) throws(AssociateObjection) -> Associates? {
        guard bytes.holds("ledger.genesis\"", at: frame.action.lowerBound),
            let body = (try? JSON(parsing: bytes.extracting(frame.body)))?.object
        else { return nil }
        return try Associates(founding: body, act: .init(seq: 1, hash: frame.hash(in: bytes)))
    }
}
