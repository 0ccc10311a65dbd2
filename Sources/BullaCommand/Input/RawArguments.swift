import Ledger

/// The command line as the system passed it: bytes, which need not be UTF-8.
enum RawArguments {
    /// All arguments, the program's name first.
    static let all: [[UInt8]] = {
        var arguments: [[UInt8]] = []
        for index in 0..<Int(CommandLine.argc) {
            guard let pointer = unsafe CommandLine.unsafeArgv[index] else { break }
            var bytes: [UInt8] = []
            var offset = 0
            while unsafe pointer[offset] != 0 {
                unsafe bytes.append(UInt8(bitPattern: pointer[offset]))
                offset += 1
            }
            arguments.append(bytes)
        }
        return arguments
    }()

    /// Refuses arguments that are no UTF-8, but for the command behind `--`, which is passed on and recorded byte for byte.
    static func checkText() throws(LedgerError) {
        for (index, bytes) in all.enumerated() {
            if bytes == Array("--".utf8) { return }
            guard isText(bytes) else {
                throw LedgerError(
                    .usage, "argument \(index) is not UTF-8: \(Printable.text(String(decoding: bytes, as: UTF8.self)))")
            }
        }
    }

    /// Whether the answer is to be JSON, also where it is that the rest of the command line cannot be read.
    static var wantJSON: Bool { all.prefix { $0 != Array("--".utf8) }.contains(Array("--json".utf8)) }

    /// The last `count` arguments.
    static func last(_ count: Int) -> [[UInt8]] { Array(all.suffix(count)) }

    static func isText(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: UTF8.self) != nil }
}
