import DurableFiles
import LedgerFormat
import TestSupport
import Testing

@Suite("Actors' keys")
struct ActorKeyTests {
    private static func fault(_ text: String) -> ActorKeyFault? {
        do throws(ActorKeyFault) {
            _ = try ActorKey(text)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "RFC 8032 §7.1: seeds and their public keys",
        arguments: [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
            ),
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
            ),
            (
                "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"
            ),
        ])
    func vectors(seed: String, key: String) throws {
        let digits = Array(seed.utf8)
        let bytes = Hex.bytes(of: digits.span)
        let signer = ActorSigner(seed: try #require(bytes))
        #expect(signer.key.description == key)
        #expect(Self.fault(key) == nil)
    }

    /// All points whose order divides 8, with both signs of x.
    private static let lowPoints = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ]

    @Test("points of small order are refused", arguments: lowPoints)
    func smallOrder(text: String) { #expect(Self.fault(text) == .smallOrder) }

    /// The first key of `vectors` plus each multiple of the point `26e8…fc05`, whose order is 8; by FORMAT.md's verifier.
    private static let mixedPoints = [
        "3b5b475c4b82dd1572799fc546f4c6c03e478c6654aa4c7f945b347ea32af60d",
        "40c7570f4dd54835b9131184410ed4a0cc93e7d9ad053cbc6d07a62426999582",
        "9158312a9a8d6e3b34c891d6d61444f8b8211c5117ebad15bdb0bd68b07e0245",
        "16a567fe7d4ef5482ab4012c369bf8c5f11e8d0c2559dcda50fde59708f8aee5",
        "b2a4b8a3b47d22ea8d86603ab90b393fc1b87399ab55b3806ba4cb815cd509f2",
        "ad38a8f0b22ab7ca46ecee7bbef12b5f336c182652fac34392f859dbd9666a7d",
        "5ca7ced5657291c4cb376e2929ebbb0747dee3aee81452ea424f42974f81fdba",
    ]

    @Test(
        "sums of a key and points of order 2, 4 and 8, which verify what its private key signs, are refused",
        arguments: mixedPoints)
    func mixedOrder(text: String) { #expect(Self.fault(text) == .mixedOrder) }

    @Test("y from p to 2^255 − 1, with both signs: another spelling of a point, or of none", arguments: 0..<19)
    func notCanonical(above: Int) {
        for sign in ["7f", "ff"] {
            let low = String(237 + above, radix: 16)
            #expect(Self.fault(low + String(repeating: "f", count: 60) + sign) == .notCanonical)
        }
    }

    @Test("the lowest y: there is no point of them, or one of mixed order")
    func curve() {
        // By Euler's criterion and by multiplication with the order, in Python; 0 and 1 have small order.
        let missing: Set = [2, 7, 8, 11, 12, 13, 17]
        for y in 2..<20 {
            let text = String(y + 256, radix: 16).dropFirst() + String(repeating: "0", count: 62)
            #expect(Self.fault(String(text)) == (missing.contains(y) ? .notOnCurve : .mixedOrder), "y = \(y)")
        }
    }

    @Test("the keys of random seeds are sound", arguments: [UInt64(7)])
    func sound(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<50 {
            let signer = ActorSigner(seed: (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
            #expect(Self.fault(signer.key.description) == nil, "\(signer)")
        }
    }

    @Test("what is no key at all", arguments: ["", "00", String(repeating: "g", count: 64), String(repeating: "AB", count: 32)])
    func form(text: String) { #expect(Self.fault(text) == .form) }

    @Test("a private key's file is read as it was written, and nothing else is")
    func file() throws {
        let signer = ActorSigner(seed: Array(0..<32))
        let bytes = signer.fileContents
        #expect(String(decoding: bytes, as: UTF8.self).hasPrefix("bulla-actor-key-v1/000102"))
        #expect(try #require(ActorSigner(file: bytes)).key == signer.key)
        #expect(ActorSigner(file: SealingKey(bytes: Array(0..<32)).fileContents) == nil, "a sealing key")
        #expect(ActorSigner(file: bytes.dropLast()) == nil && ActorSigner(file: bytes + [0x0A]) == nil)
        #expect("\(signer)" == "the private key of \(signer.key)")
    }
}
