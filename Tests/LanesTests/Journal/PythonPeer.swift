import Foundation
import TestSupport

/// A Python interpreter that answers lines with lines.
struct PythonPeer {
    let python: [String]

    /// The system's; nil, aloud, if there is none.
    static let system: PythonPeer? = {
        if (try? Program("/usr/bin/env", ["python3", "-c", "import json"]).run().code) == 0 {
            return PythonPeer(python: ["python3"])
        }
        skip("comparisons with Python's json, int and str: there is no python3")
        return nil
    }()

    /// One that can import `dos`, the reference package, of a version or of the newest; nil, aloud, if none can be made.
    static func reference(_ version: String?) -> PythonPeer? {
        // Inside the package's build folder: nobody else can put an interpreter there, and it is kept for the next run.
        let folder = Program.repository + "/.build/dos-kernel-" + (version ?? "newest")
        let python = folder + "/bin/python3"
        let isThere = { (try? Program(python, ["-c", "import dos.lane_journal"]).run().code) == 0 }
        if !isThere() {
            let name = "dos-kernel" + (version.map { "==" + $0 } ?? "")
            _ = try? Program("/usr/bin/env", ["python3", "-m", "venv", folder]).run()
            _ = try? Program(python, ["-m", "pip", "install", "--quiet", name]).run()
        }
        if isThere() { return PythonPeer(python: [python]) }
        skip("interchange with \(version ?? "the newest") dos-kernel: no virtual environment with it could be made in \(folder)")
        return nil
    }

    static func skip(_ what: String) { FileHandle.standardError.write(Data("SKIPPED: \(what)\n".utf8)) }

    /// - Parameter script: reads lines and prints one for each.
    func answers(of script: String, to requests: [String]) throws -> [String] {
        let input = Array((requests.joined(separator: "\n") + "\n").utf8)
        let result = try Program("/usr/bin/env", python + ["-c", script]).run(input: input, environment: ["PYTHONUTF8": "1"])
        guard result.code == 0 else { throw Failed(error: result.error) }
        var lines = result.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        lines.removeLast()
        return lines
    }

    struct Failed: Error { let error: String }
}

func hex(_ bytes: [UInt8]) -> String { bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
