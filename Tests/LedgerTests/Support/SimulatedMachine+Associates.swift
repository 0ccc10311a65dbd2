import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

/// Ada, Bob and Carol, two of whom must sign.
let (ada, bob, carol, eve) = (TestActors.ada, TestActors.bob, TestActors.carol, TestActors.eve)

extension SimulatedMachine {
    /// Entries behind the first, which names associates, in small segments.
    static func governed(count: Int = 20, segmentByteCount: Int = 4000, seed: UInt64 = 1) throws -> SimulatedMachine {
        var settings = WriterSettings()
        settings.segmentByteCount = segmentByteCount
        settings.preallocationByteCountMax = 0
        return try SimulatedMachine(seed: seed, count: count, settings: settings, founders: ([ada.key, bob.key, carol.key], 2))
    }

    func associates() throws -> Associates { try #require(try LedgerView(storage()).actors().associates) }

    func request(
        _ verb: SignedRequest.Verb, _ arguments: JSONObject, by signers: [ActorSigner], life: Int64 = 1_000_000_000
    ) throws -> SignedRequest {
        var request = SignedRequest(
            verb, arguments, in: try tip().ledger, base: try associates().act.hash,
            nonce: environment.randomText() + environment.randomText(),
            expires: Timestamp(microseconds: environment.now().microseconds + life))
        for signer in signers { request.sign(with: signer) }
        return request
    }

    func addition(of signer: ActorSigner, by signers: [ActorSigner], life: Int64 = 1_000_000_000) throws
        -> SignedRequest
    {
        try request(.add, SignedRequest.addition(of: signer.key, threshold: 2, reason: "test"), by: signers, life: life)
    }

    func removal(of signer: ActorSigner, threshold: Int = 2, by signers: [ActorSigner]) throws -> SignedRequest {
        try request(.remove, SignedRequest.removal(of: signer.key, threshold: threshold, reason: "test"), by: signers)
    }

    /// - Parameter more: what a text says besides the threshold.
    func adoption(
        _ more: String = "", threshold: Int = 2, by signers: [ActorSigner], life: Int64 = 1_000_000_000
    ) throws -> SignedRequest {
        let proposal = try Proposal(Array("\(more)\n[thresholds]\nsignatures = \(threshold)\n".utf8))
        let arguments = SignedRequest.adoption(
            of: proposal.articles, text: proposal.text, threshold: proposal.threshold, reason: "test")
        return try request(.adopt, arguments, by: signers, life: life)
    }

    func release(by signers: [ActorSigner]) throws -> SignedRequest {
        let arguments = SignedRequest.release(of: try associates(), behind: try tip().hash, reason: "test")
        return try request(.release, arguments, by: signers)
    }

    @discardableResult
    func carryOut(_ request: SignedRequest, as verb: SignedRequest.Verb? = nil) throws -> Receipt {
        try write { session in try session.carryOut(request, as: verb ?? request.verb) }
    }

    @discardableResult
    func open(with request: SignedRequest?) throws -> Receipt {
        try AlertRelease(environment, settings).run(storage(), request).receipt
    }

    /// What a refused release says; nothing but that.
    func releaseRefusal(of request: SignedRequest?) throws -> LedgerError? {
        let before = files
        let storage = try storage()
        let error = ledgerError { () throws(LedgerError) in _ = try AlertRelease(environment, settings).run(storage, request) }
        #expect(files == before)
        return error
    }

    func refusal(of request: SignedRequest, as verb: SignedRequest.Verb? = nil) throws -> String? {
        let before = files
        let error = try write { session in
            ledgerError { () throws(LedgerError) in _ = try session.carryOut(request, as: verb ?? request.verb) }
        }
        guard let error else { return nil }
        #expect(error.code == .refused && files == before, "\(error)")
        return error.message
    }

    func damage(_ seq: UInt64) throws {
        let place = try place(seq)
        disk.flip(1, at: place.offset + 40, of: SegmentReader.path(ofSegment: place.segment))
    }

    /// Nothing that can be read is left of an entry.
    func destroy(_ seq: UInt64) throws {
        let place = try place(seq)
        let bytes = segment(place.segment)
        let end = try #require(bytes[place.offset...].firstIndex(of: 0x0A))
        setSegment(place.segment, bytes[..<place.offset] + bytes[place.offset..<end].map { _ in 0x78 } + bytes[end...])
    }

    func raiseAlert() throws {
        var head = try head()
        head.alert = true
        disk.setBytes(of: Layout.head, to: head.sealed(with: try key()))
    }

    /// Locked, and released by two of those who count.
    func expectReleasable(by signers: [ActorSigner] = [ada, bob], _ note: String = "") async throws {
        #expect(try head().alert && openingError()?.code == .locked, "\(note)")
        #expect(try await audit().verdict == .intact, "\(note)")
        try open(with: release(by: signers))
        #expect(try !head().alert && openingError() == nil, "\(note)")
        try append(90...91)
        let report = try await audit()
        #expect(report.verdict == .intact, "\(note): \(report.verdictLine)")
    }
}
