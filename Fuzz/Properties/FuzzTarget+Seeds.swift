package import Foundation

extension FuzzTarget {
    /// Writes `DIRECTORY/corpus/TARGET/seed-N` and `DIRECTORY/TARGET.dict` for each target, as libFuzzer wants them.
    package static func writeSeeds(to directory: URL) throws {
        for target in allCases {
            let corpus = directory.appendingPathComponent("corpus").appendingPathComponent(target.rawValue)
            try FileManager.default.createDirectory(at: corpus, withIntermediateDirectories: true)
            for (number, seed) in target.seeds.enumerated() {
                try Data(seed).write(to: corpus.appendingPathComponent("seed-\(number)"))
            }
            try Data(target.dictionary.utf8).write(to: directory.appendingPathComponent("\(target.rawValue).dict"))
        }
    }

    /// The words, one a line, with what is no printable ASCII escaped.
    package var dictionary: String {
        words.map { word in
            let text = word.utf8.map { byte in
                switch byte {
                case 0x22: "\\\""
                case 0x5C: "\\\\"
                case 0x20...0x7E: String(UnicodeScalar(byte))
                default: "\\x" + String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
                }
            }
            return "\"" + text.joined() + "\"\n"
        }.joined()
    }
}
