import CanonicalJSON
import LedgerFormat

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What is run, and where: bytes, which need not be UTF-8.
struct Invocation {
    let arguments: [[UInt8]]
    let directory: [UInt8]

    /// The command's name, for messages.
    var name: String { String(decoding: arguments.first ?? [], as: UTF8.self) }

    /// The members `argv` and `cwd`; bytes that are no UTF-8 stand in a base64 member beside the printable form.
    func described(by redactor: Redactor?) -> JSONObject {
        let printable = arguments.map { String(decoding: $0, as: UTF8.self) }
        let shown = redactor?.redact(printable) ?? printable
        var body: JSONObject = [
            "argv": .array(shown.map { .string($0) }), "cwd": .string(String(decoding: directory, as: UTF8.self)),
        ]
        if !RawArguments.isText(directory) { body["cwd_base64"] = .string(Base64.text(directory)) }
        // A redacted argument's bytes would give the secret away.
        let raw = arguments.indices.filter { !RawArguments.isText(arguments[$0]) && shown[$0] == printable[$0] }
        if !raw.isEmpty {
            body["argv_base64"] = .object(JSONObject(raw.map { (String($0), .string(Base64.text(arguments[$0]))) }))
        }
        return body
    }

    /// The working directory's path; empty if it has none any more.
    static func workingDirectory() -> [UInt8] {
        guard let path = unsafe getcwd(nil, 0) else { return [] }
        defer { unsafe free(path) }
        return unsafe Array(UnsafeRawBufferPointer(start: path, count: strlen(path)))
    }
}

extension Redactor {
    private static let label = "bulla/1/redact\n"

    /// Digests are the first 16 digits of an HMAC under the sealing key: equal secrets look equal, and cannot be guessed without it.
    init(_ key: SealingKey) {
        self.init(digest: { String(key.authenticate(label: Self.label, $0).description.prefix(16)) })
    }
}
