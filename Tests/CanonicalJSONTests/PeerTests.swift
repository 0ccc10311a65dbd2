import CanonicalJSON
import Foundation
import Testing

/// Compares with an independent implementation of RFC 8785, the PyPI package `rfc8785`.
@Suite("Peer")
struct PeerTests {
    @Test(
        "the Python package rfc8785 writes the same bytes",
        .enabled(if: PythonPeer.shared != nil, "no Python with rfc8785"),
        .timeLimit(.minutes(2)), arguments: 0..<4 as Range<UInt64>)
    func sameBytes(seed: UInt64) throws {
        let peer = try #require(PythonPeer.shared)
        var random = RandomDocuments(seed: seed)
        var requests: [String] = []
        var expected: [String] = []
        for _ in 0..<5000 {
            let value = random.generator.chance(3) ? random.number() : random.anyFinite()
            requests.append("number " + String(value.bitPattern, radix: 16))
            expected.append(hex(JSON.number(value).canonicalBytes()))
        }
        for _ in 0..<400 {
            let text = random.value().canonicalBytes()
            requests.append("document " + hex(text))
            expected.append(hex(text))
        }
        let answers = try peer.answers(to: requests)
        try #require(answers.count == expected.count)
        for (request, (answer, own)) in zip(requests, zip(answers, expected)) where answer != own {
            Issue.record("seed \(seed), \(request): the peer says \(answer), we say \(own)")
        }
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
    }
}

/// A Python interpreter that can import `rfc8785`.
private struct PythonPeer {
    let python: [String]

    /// Nil, after a line on standard error that says why, if there is none and none can be made.
    static let shared: PythonPeer? = find()

    /// Answers each line with the peer's bytes in hex. Members are shuffled first, so that sorting them is its own work.
    private static let script = """
        import json, random, struct, sys
        import rfc8785

        def shuffled(pairs):
            random.shuffle(pairs)
            return dict(pairs)

        for line in sys.stdin:
            kind, data = line.split()
            if kind == "number":
                value = struct.unpack(">d", bytes.fromhex(data.zfill(16)))[0]
            else:
                value = json.loads(bytes.fromhex(data), parse_int=float, object_pairs_hook=shuffled)
            print(rfc8785.dumps(value).hex())
        """

    func answers(to requests: [String]) throws -> [String] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "bulla-peer-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // Through files, so that neither side can wait for the other's full pipe.
        let input = folder.appending(path: "requests")
        let output = folder.appending(path: "answers")
        try Data((requests.joined(separator: "\n") + "\n").utf8).write(to: input)
        try Data().write(to: output)
        let status = Self.run(
            python + ["-c", Self.script], input: try FileHandle(forReadingFrom: input),
            output: try FileHandle(forWritingTo: output))
        try #require(status == 0)
        return try String(decoding: Data(contentsOf: output), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private static func find() -> PythonPeer? {
        if run(["python3", "-c", "import rfc8785"]) == 0 { return PythonPeer(python: ["python3"]) }
        // Inside the package's build folder: nobody else can put an interpreter there, and it is kept for the next run.
        let package = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL
        let folder = package.appending(path: ".build/rfc8785").path
        let python = folder + "/bin/python3"
        if run([python, "-c", "import rfc8785"]) == 0 { return PythonPeer(python: [python]) }
        let isMade =
            run(["python3", "-m", "venv", folder]) == 0
            && run([python, "-m", "pip", "install", "--quiet", "rfc8785==0.1.4"]) == 0
        if isMade, run([python, "-c", "import rfc8785"]) == 0 { return PythonPeer(python: [python]) }
        let warning =
            "SKIPPED: the comparison with rfc8785: python3 lacks it, and no venv with it could be made in \(folder)\n"
        FileHandle.standardError.write(Data(warning.utf8))
        return nil
    }

    private static func run(
        _ command: [String], input: FileHandle = .nullDevice, output: FileHandle = .nullDevice
    ) -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        process.standardInput = input
        process.standardOutput = output
        do { try process.run() } catch { return -1 }
        process.waitUntilExit()
        return process.terminationStatus
    }
}
