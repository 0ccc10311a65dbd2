import CanonicalJSON
import Kernel
import Ledger
import LedgerFormat

// The protocol: one JSON object a line, both ways.
//
// A client asks for a run of decisions, each an array of drafts as `ingest` takes them:
//
//     {"v":1,"decisions":[[DRAFT,…],[DRAFT,…],…]}
//
// and is answered, when they are durable, with one answer for each in their order:
//
//     {"answers":[{"receipts":[RECEIPT,…],"repeated":false},…]}
//
// An answer may have `lost` and `overrode` besides: places that its drafts lost to a higher class, or took from a lower one.
//
// What follows a decision that fails is not recorded: its answer is the last one.
//
//     {"answers":[…,{"error":{"code":22,"message":"…"}}]}
//
// An error may have `conflicts` besides: the places that an equal class was first to write, with both values.
//
// A line that is no request, or one that cannot be answered at all, is answered with the error alone:
//
//     {"error":{"code":64,"message":"…"}}
//
// Who signs asks before which ledger the server has, and what its last entry is:
//
//     {"tip":true,"v":1}    is answered with    {"tip":RECEIPT}
//
// Codes are those that `bulla` exits with. A connection may bring any number of requests without waiting; they are answered one
// after the other. The server puts `"peer":{"gid":…,"pid":…,"uid":…}` into each entry's context, by the system's account.
enum SocketProtocol {
    /// A line at most, without its line feed, in bytes.
    static let lineByteCountMax = Limits.payload
    /// An answer's line at most: a receipt has less than 256 bytes.
    static let answerByteCountMax = draftCountMax * 512 + (1 << 16) + collisionByteCountMax
    /// What is told of conflicts in one answer's line, in bytes; of others it is told that they are there.
    static let collisionByteCountMax = 1 << 20
    static let draftCountMax = 4096

    static let requestStart = Array(#"{"decisions":["#.utf8)
    static let requestEnd = Array(#"],"v":1}"#.utf8)
    static let tipRequest = Array(#"{"tip":true,"v":1}"#.utf8)

    /// Of the house's own namespaces, what others may ask for: the two entries around a command, and its trauma beside the second.
    ///
    /// - Parameter previous: the draft before it in the same decision.
    static func isGranted(_ draft: Draft, behind previous: Draft?) -> Bool {
        guard draft.isReserved else { return true }
        switch draft.action {
        case "record.started", "record.finished": return true
        case Trauma.recorded: return previous?.action == "record.finished"
        default: return false
        }
    }
}

/// What a line asks for.
struct SocketRequest {
    var decisions: [[Draft]] = []
    /// Why the decision behind them is refused.
    var failure: LedgerError?

    /// Who asks goes into each draft's context.
    init(_ line: Span<UInt8>, from peer: Peer) throws(LedgerError) {
        var canonicalizer = Canonicalizer()
        do throws(JSONError) {
            try canonicalizer.rewrite(line, maximumDepth: Self.outerDepth + Limits.draftDepth)
        } catch {
            throw LedgerError(.usage, "the request is no JSON: \(error)")
        }
        let text = canonicalizer.bytes
        let isRequest = text.starts(with: SocketProtocol.requestStart) && text.suffix(8).elementsEqual(SocketProtocol.requestEnd)
        guard isRequest, let ranges = Self.ranges(in: text.span) else {
            throw LedgerError(.usage, #"a request is {"v":1,"decisions":[[DRAFT,…],…]} with nothing else in it"#)
        }
        guard ranges.reduce(0, { $0 + $1.count }) <= SocketProtocol.draftCountMax else {
            throw LedgerError(.usage, "a request has at most \(SocketProtocol.draftCountMax) drafts")
        }
        var reader = DraftReader()
        do throws(LedgerError) {
            for decision in ranges {
                guard !decision.isEmpty else { throw LedgerError(.usage, "a decision has at least one draft") }
                var drafts: [Draft] = []
                for range in decision { drafts.append(try Self.draft(text, range, &reader, behind: drafts.last).asked(by: peer)) }
                decisions.append(drafts)
            }
        } catch {
            failure = error
        }
    }

    /// The containers around a draft.
    private static let outerDepth = 3

    private static func draft(
        _ text: [UInt8], _ range: Range<Int>, _ reader: inout DraftReader, behind previous: Draft?
    ) throws(LedgerError) -> Draft {
        do throws(DraftError) {
            let draft = try reader.read(text.span.extracting(range))
            guard SocketProtocol.isGranted(draft, behind: previous) else { throw .reservedAction(draft.action) }
            guard !draft.borrowsHouseName else { throw .houseName }
            return draft
        } catch {
            throw LedgerError(error, bytes: Array(text[range]), what: "a draft")
        }
    }

    /// Where the drafts of each decision stand in the canonical text of a request; nil when a decision is no array.
    private static func ranges(in text: Span<UInt8>) -> [[Range<Int>]]? {
        let end = text.count - SocketProtocol.requestEnd.count
        var scanner = CanonicalScanner(at: SocketProtocol.requestStart.count)
        var decisions: [[Range<Int>]] = []
        do throws(JSONError) {
            while scanner.position < end {
                if !decisions.isEmpty { scanner.position += 1 }
                guard text[scanner.position] == UInt8(ascii: "[") else { return nil }
                scanner.position += 1
                var drafts: [Range<Int>] = []
                while text[scanner.position] != UInt8(ascii: "]") {
                    if !drafts.isEmpty { scanner.position += 1 }
                    let start = scanner.position
                    try scanner.skipValue(in: text, openContainers: outerDepth)
                    drafts.append(start..<scanner.position)
                }
                scanner.position += 1
                decisions.append(drafts)
            }
        } catch {
            preconditionFailure("what was just made canonical is canonical: \(error)")
        }
        return scanner.position == end ? decisions : nil
    }
}

/// What a line is answered with.
struct SocketAnswer {
    typealias Decision = Result<WriterSession.Answer, LedgerError>

    /// Up to the first that failed.
    var decisions: [Decision]

    init(_ decisions: [Decision]) {
        if let failed = decisions.firstIndex(where: { (try? $0.get()) == nil }) {
            self.decisions = Array(decisions[...failed])
        } else {
            self.decisions = decisions
        }
    }

    /// With the line feed.
    var line: [UInt8] {
        var room = SocketProtocol.collisionByteCountMax
        let answers = decisions.map { decision -> JSON in
            switch decision {
            case .success(let answer): Self.json(answer, &room)
            case .failure(let error): Self.json(error, &room)
            }
        }
        return JSON.object(["answers": .array(answers)]).canonicalBytes() + [0x0A]
    }

    private static func json(_ answer: WriterSession.Answer, _ room: inout Int) -> JSON {
        var object: JSONObject = [
            "receipts": .array(answer.receipts.map(\.json)), "repeated": .bool(answer.isRepetition),
        ]
        for (name, collisions) in [("lost", answer.lost), ("overrode", answer.overrode)] where !collisions.isEmpty {
            var told = JSON.array(collisions.map(\.json))
            room -= told.canonicalBytes().count
            // Who lost must know it, though the entry beside his alone says where.
            if room < 0 { told = [["at": "", "loser": ["actor": ""], "winner": ["actor": "another"]]] }
            object[name] = told
        }
        return .object(object)
    }

    static func line(tip: Receipt) -> [UInt8] { JSON.object(["tip": tip.json]).canonicalBytes() + [0x0A] }

    /// Reads the answer to who asks for the tip; nil for what is none.
    static func tip(parsing line: Span<UInt8>) throws(LedgerError) -> Receipt? {
        guard let json = try? JSON(parsing: line) else { return nil }
        if let error = error(json) { throw error }
        return json["tip"].flatMap { Receipt(json: $0) }
    }

    static func line(_ error: LedgerError) -> [UInt8] { json(error).canonicalBytes() + [0x0A] }

    private static func json(_ error: LedgerError) -> JSON {
        var room = SocketProtocol.collisionByteCountMax
        return json(error, &room)
    }

    private static func json(_ error: LedgerError, _ room: inout Int) -> JSON {
        var object: JSONObject = ["code": .number(Double(error.code.rawValue)), "message": .string(error.message)]
        if !error.collisions.isEmpty {
            let told = JSON.array(error.collisions.map(\.json))
            room -= told.canonicalBytes().count
            if room >= 0 { object["conflicts"] = told }
        }
        return ["error": .object(object)]
    }

    /// Reads a line; throws the error that it is alone, and nil stands for one that is no answer.
    init?(parsing line: Span<UInt8>) throws(LedgerError) {
        guard let object = (try? JSON(parsing: line))?.object else { return nil }
        if let error = Self.error(.object(object)) { throw error }
        guard let answers = object["answers"]?.array else { return nil }
        decisions = []
        for answer in answers {
            if let error = Self.error(answer) {
                decisions.append(.failure(error))
                continue
            }
            guard let items = answer["receipts"]?.array, let isRepetition = answer["repeated"]?.bool else { return nil }
            let receipts = items.compactMap { Receipt(json: $0) }
            guard receipts.count == items.count else { return nil }
            let (lost, overrode) = (Self.collisions(answer["lost"]), Self.collisions(answer["overrode"]))
            decisions.append(
                .success(
                    WriterSession.Answer(receipts: receipts, isRepetition: isRepetition, lost: lost, overrode: overrode)))
        }
    }

    private static func collisions(_ json: JSON?) -> [Collision] { (json?.array ?? []).compactMap { Collision($0) } }

    private static func error(_ json: JSON) -> LedgerError? {
        guard let error = json["error"], let message = error["message"]?.string else { return nil }
        let code = error["code"]?.integer.flatMap { ErrorCode(rawValue: Int32(truncatingIfNeeded: $0)) }
        return LedgerError(code ?? .inputOutput, message, collisions: collisions(error["conflicts"]))
    }
}
