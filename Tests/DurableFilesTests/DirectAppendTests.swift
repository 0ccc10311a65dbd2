import DurableFiles
import Testing

@Suite("Appends, past the page cache where that is to be had")
struct DirectAppendTests {
    @Test(
        "what is appended, among NULs written ahead, cuts and blocks written again, is what everybody reads",
        arguments: [StorageKind.posix, .memory], 1...12 as ClosedRange<UInt64>)
    func contents(_ kind: StorageKind, seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let bench = try Bench(kind)
        let reader = try bench.another()
        try bench.storage.create(.segment, [UInt8]().span)
        var file = try bench.storage.open(.segment, .readWrite)
        var (expected, end): ([UInt8], Int) = ([], 0)
        for step in 0..<150 {
            let bytes = (0..<Int.random(in: 1...[30, 600, 5_000, 70_000].randomElement(using: &random)!, using: &random)).map {
                _ in
                UInt8.random(in: 1...255, using: &random)
            }
            switch Int.random(in: 0..<20, using: &random) {
            case 0:
                try file.cut(to: end)
                expected = Array(expected.prefix(end))
            case 1: file = try bench.storage.open(.segment, .readWrite)
            case 2 where end > 0:
                // As whoever finds what no HEAD vouches for.
                let start = Int.random(in: 0..<end, using: &random)
                try file.write(expected[start..<end].span, at: start)
                try file.synchronize()
            case 3...5:
                try file.write([UInt8](repeating: 0, count: bytes.count).span, at: expected.count)
                expected += [UInt8](repeating: 0, count: bytes.count)
            default:
                try file.append(bytes.span, at: end)
                expected += [UInt8](repeating: 0, count: max(0, end + bytes.count - expected.count))
                expected.replaceSubrange(end..<end + bytes.count, with: bytes)
                end += bytes.count
            }
            let found = try reader.open(.segment, .read).contents(upTo: expected.count + 1)
            try #require(found == expected, "step \(step)")
        }
    }
}
