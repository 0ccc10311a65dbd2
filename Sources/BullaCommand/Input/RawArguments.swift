import CSystemCalls
import Ledger

/// The command line as the system passed it: bytes, which need not be UTF-8.
enum RawArguments {
    /// All arguments, the program's name first. Not as Swift has them, which reads /proc: in a sandbox without it there would be none,
    /// and whoever asks whether a lease is current would be answered with the help and 0.
    static let all: [[UInt8]] = {
        var arguments: [[UInt8]] = []
        var count: Int32 = 0
        var vector = unsafe csystem_arguments(&count)
        if unsafe vector == nil { unsafe (count, vector) = (CommandLine.argc, CommandLine.unsafeArgv) }
        for index in 0..<Int(count) {
            guard let pointer = unsafe vector?[index] else { break }
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
            if isTerminator(bytes) { return }
            guard isText(bytes) else {
                throw LedgerError(
                    .usage, "argument \(index) is not UTF-8: \(Printable.text(String(decoding: bytes, as: UTF8.self)))")
            }
        }
    }

    /// Whether the answer is to be JSON, also where it is that the rest of the command line cannot be read.
    static var wantJSON: Bool {
        for bytes in all {
            if isTerminator(bytes) { return false }
            if bytes.elementsEqual("--json".utf8) { return true }
        }
        return false
    }

    /// What is said behind the program's name, as text.
    static var texts: [String] { all.dropFirst().map { String(decoding: $0, as: UTF8.self) } }

    /// The last `count` arguments.
    static func last(_ count: Int) -> [[UInt8]] { Array(all.suffix(count)) }

    private static func isTerminator(_ bytes: [UInt8]) -> Bool { bytes.elementsEqual("--".utf8) }

    static func isText(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: UTF8.self) != nil }
}
