import ArgumentParser
import CanonicalJSON
import Ledger
import LedgerFormat

/// What every verb takes that associates sign: without a signature it makes the request, with enough of them it is carried out.
struct RequestOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("A signed request, or - for stdin (may be repeated: signatures are put together).", valueName: "file"))
    var signed: [String] = []

    @Option(help: ArgumentHelp("An associate's private key, to sign here and now (may be repeated).", valueName: "file"))
    var associateKey: [String] = []

    @Option(
        help: ArgumentHelp(
            "How long a new request may be signed and used, such as 12h (default, and at most: as the constitution says, or 7d).",
            valueName: "time"))
    var expires: String?

    func validate() throws {
        guard let expires else { return }
        guard signed.isEmpty else {
            throw ValidationError("--expires is for a new request: one that was given with --signed says until when it lives")
        }
        guard let age = Age(expires),
            (1...Self.hourMicroseconds * Int64(Articles.requestHourRange.upperBound)).contains(age.microseconds)
        else { throw ValidationError("--expires takes a time such as 90m, 12h or 7d, 366d at most") }
    }

    private static let hourMicroseconds: Int64 = 3600 * 1_000_000

    /// Whether it is to be carried out; otherwise it is made, and printed.
    var isSigned: Bool { !signed.isEmpty || !associateKey.isEmpty }

    /// Whether anybody signs it with this command, or is asked to.
    var asksForSignatures: Bool { signed.isEmpty || !associateKey.isEmpty }

    /// The request that was given, or a new one, with the signatures of all that were given and of the keys at hand.
    func request(_ new: () throws(LedgerError) -> SignedRequest) throws(LedgerError) -> SignedRequest {
        var request: SignedRequest?
        for file in signed {
            let other = try RequestFile(file).request()
            guard request?.merge(other) ?? true else {
                throw LedgerError(.usage, "\(file) holds another request than \(signed[0])")
            }
            if request == nil { request = other }
        }
        var whole: SignedRequest
        if let request { whole = request } else { whole = try new() }
        for file in associateKey { whole.sign(with: try ActorKeyFile(file).read()) }
        return whole
    }

    /// What associates are asked for.
    ///
    /// - Parameter time: of the last entry. Where the clock was ahead once, a request would have expired before it was made.
    func new(
        _ verb: SignedRequest.Verb, _ arguments: JSONObject, _ associates: Associates, in ledger: LedgerID,
        behind time: Timestamp?
    ) throws(LedgerError) -> SignedRequest {
        let environment = Environment.system
        let longest = Self.hourMicroseconds * Int64(associates.articles.requestHours)
        let life = expires.flatMap { Age($0)?.microseconds } ?? longest
        guard life <= longest else {
            throw LedgerError(.refused, "\(AssociateObjection.life(associates.articles.requestHours))")
        }
        let request = SignedRequest(
            verb, arguments, in: ledger, base: associates.act.hash,
            nonce: environment.randomText() + environment.randomText(),
            expires: Timestamp(microseconds: max(environment.now(), time ?? environment.now()).microseconds + life))
        guard request.reason.utf8.count <= SignedRequest.reasonByteCountMax else {
            throw LedgerError(.usage, "--reason takes \(SignedRequest.reasonByteCountMax) bytes at most")
        }
        // What could not be carried out, nobody needs to sign.
        if let objection = associates.objectionToChange(of: request) { throw LedgerError(.refused, "\(objection)") }
        guard request.leavesRoom(forSignatures: associates.keys.count) else {
            throw LedgerError(
                .usage,
                "with its signatures the request would have more than \(SignedRequest.byteCountMax) bytes; make it shorter")
        }
        return request
    }

    /// Prints a request that is to be signed, and says how.
    func ask(_ request: SignedRequest, _ associates: Associates, _ options: LedgerOptions, for command: String) {
        Output.line(request.json.canonicalText)
        guard !options.json else { return }
        let count = "\(associates.threshold) of \(associates.signers.count) associates"
        Output.error(
            "bulla: nothing is done yet: keep this line in a file, let \(count) sign it until \(request.expires), each with "
                + "`bulla associate sign FILE --associate-key KEY`, and repeat this command with --signed FILE (\(command))")
    }
}

/// What verbs take besides that ask associates for signatures, and write.
struct SignedVerbOptions: ParsableArguments {
    @OptionGroup var requests: RequestOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    /// Carries out what was signed, and nothing besides.
    func carryOut(_ request: SignedRequest) throws -> Receipt {
        var session = WriterSession(try options.storage(), .system, writer.settings, anchor: options.anchor)
        let result = Result { () throws(LedgerError) in
            try session.acquire()
            defer { session.release() }
            return try session.carryOut(request, as: request.verb)
        }
        session.sayNotices()
        return try result.get()
    }
}

extension RequestOptions {
    /// The request for a verb, if it is signed; otherwise it is made, and printed.
    ///
    /// - Parameters:
    ///   - command: what is repeated with the signatures.
    ///   - arguments: what associates are to sign.
    func signed(
        _ verb: SignedRequest.Verb, _ house: ConstitutionHouse, _ options: LedgerOptions, for command: String,
        _ arguments: (Associates) throws(LedgerError) -> JSONObject
    ) throws(LedgerError) -> SignedRequest? {
        let associates = try house.associates()
        let request = try request { () throws(LedgerError) in
            try new(verb, arguments(associates), associates, in: house.ledger, behind: house.time)
        }
        if let objection = request.objection(as: verb) { throw LedgerError(.refused, "\(objection); nothing was recorded") }
        if isSigned { return request }
        ask(request, associates, options, for: command)
        return nil
    }
}

/// A file that holds one request.
struct RequestFile {
    let path: String

    init(_ path: String) { self.path = path }

    func request() throws(LedgerError) -> SignedRequest {
        let bytes = try InputFile(path).all(upTo: 2 * SignedRequest.byteCountMax)
        guard let json = try? JSON(parsing: bytes, maximumDepth: Limits.depth), let request = SignedRequest(json) else {
            throw LedgerError(
                .usage,
                "\(path == "-" ? "stdin" : path) holds no request, which is one line of JSON that a verb prints which associates "
                    + "sign, such as `bulla associate add` or `bulla alert release`")
        }
        return request
    }
}

extension SignedRequest {
    /// What whoever signs it should read first.
    var summary: [String] {
        var lines = ["\(verb.rawValue) in ledger \(ledger), once, until \(expires)"]
        if verb == .adopt { return lines + constitution }
        for member in arguments.members {
            let value = member.value.string ?? member.value.canonicalText
            lines.append("  \(member.key): \(value)")
        }
        if verb == .release, arguments["constitution"] == nil { lines.append("  constitution: none is named") }
        return lines
    }

    /// The whole text, and what it lays down: `objectionToText` has compared them.
    private var constitution: [String] {
        let threshold = arguments["threshold"]?.integer.map { Int($0) }
        let lines = articles.map { ArticleList($0, threshold: threshold).lines } ?? []
        let text = arguments["text"]?.string ?? ""
        return ["  reason: \(reason)", "  text:"]
            + Printable.lines(text).map { "    | \($0.replacing("\t", with: "    "))" } + ["  which lays down:"]
            + lines.map { "  \($0)" } + (articles.map { ["  and is named as \($0.digest)"] } ?? [])
    }
}
