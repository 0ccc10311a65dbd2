import ArgumentParser
import DurableFiles

/// One file system that loses its power again and again under writers; runs in a mount namespace of its own.
///
/// Prints `done`, `fired KIND` and `failed WHY`, a line each.
struct PowerCutSubject: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "cuts")

    /// A directory for the image, in memory: a cut is in ext4, not below it.
    @Argument var place: String
    @Option var bulla: String
    @Option var seed: UInt64
    @Option var stream: UInt64
    @Option var cuts: Int

    func run() throws {
        var random = SeededGenerator(seed: seed, stream: stream)
        let mode = ["data=ordered", "data=journal", "data=writeback"][random.below(3)]
        let disk = try PowerCutDisk(in: place, options: [mode], blockSize: random.coin() ? 1024 : 4096)
        var machine = PowerCutMachine(disk: disk, place: place, bulla: bulla)
        for cut in 1...cuts {
            machine.what = "\(mode), cut \(cut)"
            try machine.cutUnderWriter(&random)
        }
    }
}
