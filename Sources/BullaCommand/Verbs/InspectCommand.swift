import ArgumentParser
import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat

struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        .inspect,
        abstract: "Show the raw frames around a place, whatever state they are in.",
        discussion: """
            A number is an entry's seq; @NUMBER is a byte offset in a segment, as messages name it, with --segment where there are \
            several. An entry that a repair re-admitted is shown in the one that holds it now. Takes no lock, needs no key and works on any bytes; it gives no verdict, that is `bulla verify`'s. In the raw \
            bytes, what is not safe to print stands as \\x… or \\u{…}; --hex shows them exactly.

            Examples:
              bulla inspect 1042
              bulla inspect @528384 --segment 00000000000000000001.frames --around 1 --hex
            """)

    @Argument(help: ArgumentHelp("An entry's seq, or @ and a byte offset.", valueName: "seq|@offset"))
    var place: String

    @Option(help: ArgumentHelp("With an offset: the segment's file name, or its first seq.", valueName: "segment"))
    var segment: String?

    @Option(help: ArgumentHelp("How many frames or damaged stretches to show on each side.", valueName: "n"))
    var around = 2

    @Flag(help: "Show all bytes, instead of the first of each frame.")
    var full = false

    @Flag(help: "Show the bytes in hexadecimal too.")
    var hex = false

    @OptionGroup var archives: ArchiveOptions
    @OptionGroup var options: LedgerOptions

    func validate() throws {
        guard (0...1000).contains(around) else { throw ValidationError("--around takes 0 to 1000") }
        _ = try target()
    }

    private func target() throws -> InspectionTarget {
        if place.hasPrefix("@") {
            guard let offset = Int(place.dropFirst()), offset >= 0 else {
                throw ValidationError("behind @ stands a byte offset, such as @528384")
            }
            return .offset(offset, segment: try segmentSeq())
        }
        guard let seq = UInt64(place), seq >= 1 else {
            throw ValidationError("inspect takes a seq from 1 on, such as 1042, or @ and a byte offset, such as @528384")
        }
        if segment != nil { throw ValidationError("--segment goes with an @offset: a seq stands in one segment only") }
        return .seq(seq)
    }

    private func segmentSeq() throws -> UInt64? {
        guard let segment else { return nil }
        if let seq = SegmentName.firstSeq(file: segment) ?? UInt64(segment), seq >= 1 { return seq }
        throw ValidationError("--segment takes a segment's file name or its first seq")
    }

    func run() async throws {
        let target = try target()
        let inspection = try await archives.reading(options) { storage throws(LedgerError) in
            try Inspector(storage, .system).inspect(target, around: around)
        }
        if options.json { Output.line(Printable.json(try json(inspection))) } else { try printText(inspection) }
    }
}

// What a piece is, in words
extension InspectCommand {
    /// How many bytes of a piece are shown without --full.
    private static let textByteCount = 400
    private static let hexByteCount = 256
    /// JSON is made in memory.
    private static let jsonByteCountMax = 16 << 20

    private func printText(_ inspection: Inspection) throws(LedgerError) {
        Output.line("segment \(SegmentName.file(firstSeq: inspection.segment)), \(Format.count(inspection.byteCount)) bytes")
        if inspection.isSeqLost {
            Output.line("no frame that can be read has seq \(place): it must have stood at the place marked >")
        }
        if let readmission = inspection.readmission {
            let proof = readmission.isProven ? "" : ", and nothing proves that it was the ledger's"
            Output.line("entry \(place) was re-admitted by a repair: it stands in entry \(readmission.seq), marked >\(proof)")
        }
        for (index, piece) in inspection.pieces.enumerated() {
            let count = "\(Format.count(piece.range.count)) byte\(piece.range.count == 1 ? "" : "s")"
            Output.line("\n\(index == inspection.target ? ">" : " ") offset \(piece.range.lowerBound), \(count): \(what(piece))")
            if case .frame(let frame) = piece.content {
                Output.line("    " + Printable.text("\(frame.time)  \(Printable.name(frame.actor))  \(frame.action)"))
            }
            if piece.content != .padding || hex { try printBytes(inspection, piece) }
            if piece.range.upperBound == inspection.headEnd {
                Output.line("\n  --- HEAD vouches for what lies before this line ---")
            }
        }
    }

    private func what(_ piece: Inspection.Piece) -> String {
        switch piece.content {
        case .padding: "NULs"
        case .damage(let reason): Printable.text("not a frame: \(reason)")
        case .frame(let frame):
            "seq \(frame.seq), " + ((frame.faults.isEmpty ? ["sound"] : frame.faults) + frame.doubts).joined(separator: "; ")
        }
    }

    private func printBytes(_ inspection: Inspection, _ piece: Inspection.Piece) throws(LedgerError) {
        if piece.content != .padding {
            try each(inspection, piece, upTo: Self.textByteCount) { bytes, _ in Output.line("    " + RawBytes.text(bytes)) }
        }
        guard hex else { return }
        try each(inspection, piece, upTo: Self.hexByteCount) { bytes, offset in
            Output.line(RawBytes.hexDump(bytes, from: offset).map { "    " + $0 }.joined(separator: "\n"))
        }
    }

    /// The bytes of a piece that are shown, a part at a time, and what is left out.
    private func each(
        _ inspection: Inspection, _ piece: Inspection.Piece, upTo limit: Int, _ show: ([UInt8], Int) -> Void
    ) throws(LedgerError) {
        let end = full ? piece.range.upperBound : min(piece.range.upperBound, piece.range.lowerBound + limit)
        var offset = piece.range.lowerBound
        while offset < end {
            var bytes = try inspection.bytes(in: offset..<min(end, offset + Self.partByteCount))
            // It was cut meanwhile.
            if bytes.isEmpty { return }
            if offset + bytes.count < end { bytes.removeLast(bytes.count % RawBytes.hexColumnCount) }
            show(bytes, offset)
            offset += bytes.count
        }
        if end < piece.range.upperBound {
            Output.line("    … \(Format.count(piece.range.upperBound - end)) more bytes; --full shows them")
        }
    }

    private static let partByteCount = 1 << 16
}

// The same as JSON
extension InspectCommand {
    private func json(_ inspection: Inspection) throws(LedgerError) -> JSON {
        var pieces: [JSON] = []
        for (index, piece) in inspection.pieces.enumerated() {
            var object: JSONObject = [
                "offset": .number(Double(piece.range.lowerBound)), "bytes": .number(Double(piece.range.count)),
                "target": .bool(index == inspection.target),
            ]
            switch piece.content {
            case .padding: object["kind"] = "padding"
            case .damage(let reason):
                object["kind"] = "damage"
                object["reason"] = .string(reason)
            case .frame(let frame): add(frame, to: &object)
            }
            try addBytes(inspection, piece, to: &object)
            pieces.append(.object(object))
        }
        return [
            "segment": .string(SegmentName.file(firstSeq: inspection.segment)), "bytes": .number(Double(inspection.byteCount)),
            "head_end": inspection.headEnd.map { .number(Double($0)) } ?? .null, "seq_lost": .bool(inspection.isSeqLost),
            "readmitted": inspection.readmission.map { ["in": .number(Double($0.seq)), "proven": .bool($0.isProven)] } ?? .null,
            "pieces": .array(pieces),
        ]
    }

    private func add(_ frame: InspectedFrame, to object: inout JSONObject) {
        object["kind"] = "frame"
        object["seq"] = .number(Double(frame.seq))
        object["time"] = .string(frame.time.description)
        object["actor"] = .string(frame.actor)
        object["action"] = .string(frame.action)
        object["hash"] = .bool(frame.hashHolds)
        object["sig"] = frame.signatureHolds.map { .bool($0) } ?? .null
        object["link"] = frame.isLinked.map { .bool($0) } ?? .null
        object["faults"] = .array(frame.faults.map { .string($0) })
        object["doubts"] = .array(frame.doubts.map { .string($0) })
    }

    private func addBytes(_ inspection: Inspection, _ piece: Inspection.Piece, to object: inout JSONObject) throws(LedgerError) {
        guard piece.content != .padding else { return }
        let limit = full ? Self.jsonByteCountMax : Self.textByteCount
        let end = min(piece.range.upperBound, piece.range.lowerBound + limit)
        let bytes = try inspection.bytes(in: piece.range.lowerBound..<end)
        object["text"] = .string(RawBytes.text(bytes))
        object["cut"] = .bool(end < piece.range.upperBound)
        if hex { object["hex"] = .string(bytes.map(RawBytes.hex).joined()) }
    }
}
