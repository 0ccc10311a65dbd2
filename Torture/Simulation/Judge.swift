import Foundation
import TestSupport

/// A process of `tools/judge_many.py`: the independent verifier, asked again and again.
final class Judge {
    private let process = Process()
    private let questions = Pipe()
    private let answers = Pipe()
    private var read: [UInt8] = []

    private static let script = Program.repository + "/tools/judge_many.py"

    /// Why there is none here.
    static var obstacle: String? {
        guard FileManager.default.isReadableFile(atPath: script) else { return "\(script) is not there" }
        let found = try? Program("/usr/bin/env", ["python3", "-V"]).run()
        return found?.code == 0 ? nil : "no python3"
    }

    init() throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", Self.script]
        process.standardInput = questions
        process.standardOutput = answers
        try process.run()
    }

    deinit {
        try? questions.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// The exit code and the verdict line up to the reason.
    func verdict(on directory: String) throws -> String {
        try questions.fileHandleForWriting.write(contentsOf: Data((directory + "\n").utf8))
        while true {
            if let end = read.firstIndex(of: UInt8(ascii: "\n")) {
                defer { read.removeFirst(end + 1) }
                return String(decoding: read[..<end], as: UTF8.self)
            }
            let more = answers.fileHandleForReading.availableData
            if more.isEmpty { throw Silence() }
            read += more
        }
    }

    struct Silence: Error, CustomStringConvertible {
        var description: String { "the judge ended without an answer" }
    }
}
