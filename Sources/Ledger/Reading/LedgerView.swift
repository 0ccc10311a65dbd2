package import DurableFiles
package import LedgerFormat
import PlantedDefects

/// A ledger as a reader finds it, without any lock: HEAD first, then the segments, so that what HEAD vouches for is there.
package struct LedgerView: Sendable {
    package let storage: any Storage
    package private(set) var headBytes: [UInt8]
    package private(set) var segments: [UInt64]
    /// The first entry that is there; nil when there is none that has the form of one. Nothing of it is verified.
    package private(set) var genesis: ChainTip?
    /// What it builds on, if earlier segments are not there: archived, if an entry says so. Nothing of it is verified.
    package private(set) var base: ChainBase?
    package private(set) var keyring: Keyring
    /// Of `ledger/`, looked at before HEAD: a repair puts another directory in its place.
    private var directory: FileIdentity?
    /// The keys came from outside, and not from `keys/`.
    private let isKeyringGiven: Bool
    /// HEAD, judged with the key that it names.
    package private(set) var head: Result<Head, HeadFault>

    /// - Parameter given: a key from outside, instead of the ledger's own key files.
    package init(_ storage: any Storage, keyring given: Keyring? = nil) throws(LedgerError) {
        self.storage = storage
        do throws(StorageError) {
            directory = try storage.status(of: Layout.ledger)?.identity
            headBytes = try HeadFinding.bytes(in: storage)
            let (reader, first) = try Self.beginning(in: storage)
            segments = reader.segments
            (genesis, base) = (first?.tip, first?.base)
        } catch {
            throw LedgerError(error, doing: "cannot read the ledger")
        }
        if headBytes.isEmpty, segments.isEmpty {
            throw LedgerError(.usage, "\(storage.basePath) holds no ledger; make one with `bulla init`")
        }
        let needed = [genesis?.key, HeadFinding(headBytes, keys: [:]).head?.key].compactMap(\.self)
        isKeyringGiven = given != nil
        if let given { keyring = given } else { keyring = try Keyring(allIn: storage, needed: Set(needed)) }
        head = Self.judge(headBytes, genesis, keyring)
    }

    /// The segments, and the first frame; looks again where the first segment left for an archive between the two.
    private static func beginning(
        in storage: any Storage
    ) throws(StorageError) -> (SegmentReader, (tip: ChainTip, base: ChainBase?)?) {
        while true {
            let reader = try SegmentReader(storage)
            do throws(StorageError) {
                return (reader, try reader.firstFrame())
            } catch {
                guard error.isNotFound, try reader.isOvertaken() else { throw error }
            }
        }
    }

    private static func judge(_ bytes: [UInt8], _ genesis: ChainTip?, _ keyring: Keyring) -> Result<Head, HeadFault> {
        switch HeadFinding(bytes, keys: keyring.keys) {
        case .faulty(let fault): return .failure(fault)
        case .valid(let head):
            guard let genesis else { return .success(head) }
            guard head.ledger == genesis.ledger else { return .failure(.foreignLedger) }
            return .success(head)
        }
    }

    package var validHead: Head? { try? head.get() }
    /// The seq that is expected at the first segment's start: 1, unless segments were archived.
    package var firstSeq: UInt64 { segments.first ?? 1 }

    /// Which ledger this is: as a HEAD says that our keys prove, which a damaged first entry cannot gainsay; else as that says.
    package var ledger: LedgerID? {
        let head = HeadFinding(headBytes, keys: keyring.keys).head
        if let head, keyring.keys[head.key] != nil || genesis == nil { return head.ledger }
        return genesis?.ledger
    }

    /// Why HEAD, or an entry sealed now, cannot be checked; nil when they can.
    package var keyAbsence: String? {
        guard let key = validHead?.key ?? genesis?.key, keyring.keys[key] == nil else { return nil }
        return keyring.absence(of: key)
    }

    /// Looks at HEAD and the segments again; says whether HEAD changed.
    package mutating func refresh() throws(StorageError) -> Bool {
        directory = try storage.status(of: Layout.ledger)?.identity
        let bytes = try HeadFinding.bytes(in: storage)
        let (reader, first) = try Self.beginning(in: storage)
        if segments.first != reader.segments.first { (genesis, base) = (first?.tip, first?.base) }
        segments = reader.segments
        guard bytes != headBytes else { return false }
        headBytes = bytes
        head = Self.judge(bytes, genesis, keyring)
        return true
    }

    /// Looks for key files again; says whether there are more, as behind a rotation since the last look.
    mutating func findsMoreKeys() throws(LedgerError) -> Bool {
        guard !isKeyringGiven else { return false }
        let count = keyring.keys.count
        try keyring.loadOthers(from: storage)
        head = Self.judge(headBytes, genesis, keyring)
        return keyring.keys.count > count
    }

    /// The entry behind which nobody has vouched yet.
    package func isSettled(_ seq: UInt64) -> Bool { validHead.map { seq <= $0.seq } ?? false }
}

// Beside an archive
extension LedgerView {
    /// Asks a ledger from which an archive may take segments meanwhile, and whose key may change: whoever was overtaken begins again
    /// with what is there now.
    ///
    /// - Parameter body: may be called again, and so shows nothing to anybody.
    package static func asking<Answer>(
        _ storage: any Storage, keyring: Keyring? = nil, _ body: (LedgerView) throws(LedgerError) -> Answer
    ) throws(LedgerError) -> Answer {
        var looksLeft = looksMax
        while true {
            let view = try LedgerView(storage, keyring: keyring)
            let answer = Result { () throws(LedgerError) in try body(view) }
            looksLeft -= 1
            let isOvertaken = view.isOvertaken && !planted(.overtakenBelieved)
            guard looksLeft > 0, isOvertaken || view.isMended || view.lacksKeys else { return try answer.get() }
        }
    }

    /// Shows pieces of such a ledger: whoever was overtaken before anything was shown begins again.
    ///
    /// - Parameter body: sets its flag before it shows the first piece.
    package static func showing<Answer>(
        _ storage: any Storage, _ body: (LedgerView, inout Bool) throws(LedgerError) -> Answer
    ) throws(LedgerError) -> Answer {
        var looksLeft = looksMax
        while true {
            let view = try LedgerView(storage)
            var hasShown = false
            do throws(LedgerError) {
                return try body(view, &hasShown)
            } catch {
                looksLeft -= 1
                let isOvertaken = view.isOvertaken && !planted(.overtakenBelieved)
                guard looksLeft > 0, !hasShown, isOvertaken || view.isMended || view.lacksKeys else { throw error }
            }
        }
    }

    private static let looksMax = 100

    /// Whether a rotation has brought a key since this look.
    private var lacksKeys: Bool {
        var view = self
        return (try? view.findsMoreKeys()) == true && !planted(.newKeysOverlooked)
    }

    /// Whether segments left the ledger since this look at it, or while it was taken: HEAD is then that of before.
    var isOvertaken: Bool {
        if let head = validHead, head.seq < firstSeq, (try? HeadFinding.bytes(in: storage)) != headBytes { return true }
        guard let first = try? SegmentReader.segments(in: storage).first else { return false }
        return first > firstSeq
    }

    /// Whether a repair came to its end since this look, or while it was taken: then HEAD and the segments are not of one ledger.
    ///
    /// Another HEAD alone says so only behind one that was in alert or not valid: under such a one nobody but a repair writes, and
    /// otherwise every writer changes it.
    var isMended: Bool {
        guard !planted(.mendedBelieved) else { return false }
        if let now = try? storage.status(of: Layout.ledger)?.identity, now != directory { return true }
        guard validHead?.alert ?? true, let now = try? HeadFinding.bytes(in: storage) else { return false }
        return now != headBytes
    }
}

extension SegmentReader {
    /// Whether the first of its segments left for an archive since they were listed.
    func isOvertaken() throws(StorageError) -> Bool {
        guard let first = segments.first, !planted(.overtakenBelieved) else { return false }
        return try Self.segments(in: storage, directory).first ?? 0 > first
    }
}
