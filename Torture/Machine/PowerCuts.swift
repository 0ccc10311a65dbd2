import DurableFiles
import Foundation

/// A real file system that loses its power under real writers.
struct PowerCuts: Stage {
    let name = "power-cuts"
    let subject = "power cuts of an ext4 (shutdown ioctl, journal not flushed) under init, append, ingest and rolling writers"
    let unit = "cuts"
    let mustFire = ["init", "append", "ingest", "roll", "write"].map { "power cut in \($0)" } + ["unsynchronised write lost"]
    let caseCountToFire = 20
    let share = 2.0

    private static let cutsPerImage = 5

    func caseCount(_ setting: Setting) -> Int { (setting.level == .test ? 100 : 5000) / Self.cutsPerImage }

    func obstacle() -> String? {
        if geteuid() != 0 { return "this needs root, to mount a file system" }
        guard let place = try? Workplace() else { return "no directory to work in" }
        let script = """
            truncate -s 24M "$1/image" && mkfs.ext4 -q -F "$1/image" && mkdir "$1/disk" && mount -o loop "$1/image" "$1/disk"
            """
        let tried = try? Child.run("unshare", ["-m", "sh", "-c", script, "sh", place.path])
        if tried?.code == 0 { return nil }
        return "this needs a mount namespace, loop devices and ext4: \(tried?.error.split(separator: "\n").last ?? "no unshare")"
    }

    func worker(_ setting: Setting) -> any Worker { PowerCutWorker(setting: setting, cutsPerImage: Self.cutsPerImage) }
}

private struct PowerCutWorker: Worker {
    let setting: Setting
    let cutsPerImage: Int

    func run(_ number: Int, _ random: inout SeededGenerator, _ tally: inout Tally) async throws {
        let place = try Workplace()
        let image = try Child(
            "unshare",
            [
                "-m", setting.torture, "subject", "cuts", place.path, "--bulla", setting.bulla, "--seed",
                String(setting.seed), "--stream", String(number), "--cuts", String(cutsPerImage),
            ])
        for line in image.remainingLines() {
            if line == "done" { tally.done += 1 }
            if line.hasPrefix("fired ") { tally.fire(String(line.dropFirst("fired ".count))) }
            if line.hasPrefix("failed ") { tally.fail(String(line.dropFirst("failed ".count))) }
        }
        let code = image.wait()
        if code != 0 { tally.fail("the image's process ended with \(code): \(image.complaint)") }
    }
}
