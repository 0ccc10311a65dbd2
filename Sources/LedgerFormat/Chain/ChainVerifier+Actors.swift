// Who is enrolled, and whether the entries in their names are theirs (FORMAT.md §4.7).
import PlantedDefects

extension ChainVerifier {
    private var hasActors: Bool { actors?.isEmpty == false }

    /// The last check of an entry.
    @inline(never)
    func objectionOfActors(to frame: FrameView, _ bytes: Span<UInt8>) -> ChainFailure.Reason? {
        objectionOfRoster(to: frame, bytes) ?? objectionOfSignature(to: frame, bytes)
    }

    private func objectionOfRoster(to frame: FrameView, _ bytes: Span<UInt8>) -> ChainFailure.Reason? {
        let isFirst = position.offset == 0
        guard let statement = RosterStatement(frame, bytes) else {
            return isFirst && hasActors && !planted(.rosterUnstatedAccepted) ? .rosterUnstated : nil
        }
        if statement.isRepair {
            // It may add what the damage took, where whoever writes will find it.
            let isRight = actors.map { isFirst ? statement.roster.isExtension(of: $0) : statement.roster == $0 } ?? true
            return isRight && statement.roster.ends(before: frame.seq) ? nil : .rosterOtherwise
        }
        guard isFirst else { return .rosterMisplaced }
        guard actors == nil || actors == statement.roster || planted(.rosterUncompared), statement.roster.ends(before: frame.seq)
        else { return .rosterOtherwise }
        return statement.after(frame.seq) == nil ? .turn(action: statement.action) : nil
    }

    private func objectionOfSignature(to frame: FrameView, _ bytes: Span<UInt8>) -> ChainFailure.Reason? {
        guard hasActors, let actors else { return nil }
        if let objection = actors.objection(to: frame, in: bytes) { return .actor(objection) }
        // What a repair took over as proven counts as it did: so it is signed as it was.
        guard let readmission = Readmission(frame, of: bytes), readmission.isProven,
            let objection = actors.objection(to: readmission.view, in: readmission.frame.span)
        else { return nil }
        return .actor(objection)
    }

    /// What an accepted entry says of actors; nobody is enrolled where the first entry of a segment does not say who is.
    @inline(never)
    mutating func noteActors(_ frame: FrameView, _ bytes: Span<UInt8>) {
        let statement = RosterStatement(frame, bytes)
        if actors == nil, position.offset == 0 { actors = statement?.roster ?? ActorRoster() }
        if actorsAtBeginning == nil { actorsAtBeginning = actors }
        if let statement, actors != nil { actors = statement.after(frame.seq) }
        // Inside a segment of which nobody said who is enrolled there is nothing to look for, up to the next one.
        watchesActors = hasActors
    }
}
