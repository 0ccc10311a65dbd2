import FuzzProperties
import Foundation

/// Feeds what libFuzzer makes up to the properties of one target.
///
/// `BULLA_FUZZ_TARGET` names the target, because libFuzzer starts itself again with arguments of its own; all arguments are libFuzzer's.
/// `fuzz --seeds DIRECTORY` instead writes, for each target, a directory of seeds and a dictionary.
enum Fuzz {
    private static let target: FuzzTarget = {
        let name = ProcessInfo.processInfo.environment["BULLA_FUZZ_TARGET"] ?? ""
        guard let target = FuzzTarget(rawValue: name) else {
            fatalError("BULLA_FUZZ_TARGET must be one of \(FuzzTarget.allCases.map(\.rawValue))")
        }
        return target
    }()

    static func begin() {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, arguments[1] == "--seeds" else {
            _ = target
            return
        }
        do {
            try FuzzTarget.writeSeeds(to: URL(fileURLWithPath: arguments[2]))
        } catch {
            fatalError("the seeds cannot be written: \(error)")
        }
        exit(0)
    }

    /// A property that does not hold ends the process, and libFuzzer keeps the input.
    static func run(_ input: UnsafeBufferPointer<UInt8>) {
        do throws(BrokenProperty) {
            // A copy of the exact size, so that the address sanitizer would see what is read behind it.
            try target.check(Array(input))
        } catch {
            fatalError("\(target.rawValue): \(error)")
        }
    }
}
