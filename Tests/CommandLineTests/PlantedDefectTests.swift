import Foundation
import PlantedDefects
import TestSupport
import Testing

/// The planted defects are for the test build alone.
@Suite("No planted defect can be reached in a build for use")
struct PlantedDefectTests {
    private static let variable = "BULLA_PLANTED_DEFECT"
    /// What `make demo` and `make install` build.
    private static let shipped = Program.repository + "/.build-static/release/bulla"
    private static let isBuilt = FileManager.default.isExecutableFile(atPath: shipped)

    /// Exit codes of an `init` with a defect named that does not exist.
    private func code(_ program: String, _ defect: String) throws -> Int32 {
        let directory = TemporaryDirectory()
        return try Program("/usr/bin/env", ["timeout", "60", program, "init", "--ledger", directory.path("L")])
            .run(environment: [Self.variable: defect]).code
    }

    @Test(
        "the shipped binary does not know the variable, and does its work whatever it says",
        .enabled(if: isBuilt, "SKIPPED: the binary for use is not built; `make test` builds it"))
    func release() throws {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: Self.shipped))
        #expect(bytes.range(of: Data(Self.variable.utf8)) == nil)
        #expect(try code(Self.shipped, "no-such-defect") == 0)
        for defect in [PlantedDefect.appendUnsynced, .sealUnchecked, .writerLockUntaken] {
            #expect(try code(Self.shipped, defect.rawValue) == 0)
        }
    }

    #if PlantedDefects
        @Test("the test build does: the same look at it finds the variable, and a name that nobody knows stops it")
        func testBuild() throws {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: Program.bullaPath))
            #expect(bytes.range(of: Data(Self.variable.utf8)) != nil)
            #expect(try code(Program.bullaPath, "no-such-defect") != 0)
            #expect(try code(Program.bullaPath, PlantedDefect.clockStepUnrecorded.rawValue) == 0)
        }
    #endif
}
