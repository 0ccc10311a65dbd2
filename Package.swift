// swift-tools-version: 6.2
import PackageDescription

// One set of rules for every target; see ARCHITECTURE.md, "House rules".
let houseRules: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]
let sourceRules = houseRules + [.strictMemorySafety()]

let package = Package(
    name: "bulla",
    products: [
        .executable(name: "bulla", targets: ["BullaCommand"]),
        .library(name: "Bulla", targets: ["Bulla"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.6.0"),
    ],
    targets: [
        // Floor 1
        .target(name: "CanonicalJSON", swiftSettings: sourceRules),
        // Floor 2
        .target(
            name: "LedgerFormat",
            dependencies: ["CanonicalJSON", "CSHA256", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: sourceRules),
        .target(
            name: "DurableFiles",
            dependencies: ["CSystemCalls", .product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: sourceRules),
        .target(name: "CSystemCalls"),
        .target(name: "CSHA256"),
        // Floor 3
        .target(
            name: "Ledger",
            dependencies: ["CanonicalJSON", "LedgerFormat", "DurableFiles"],
            swiftSettings: sourceRules),
        // The library's face: what a Swift program imports
        .target(
            name: "Bulla",
            dependencies: ["CanonicalJSON", "LedgerFormat", "DurableFiles", "Ledger"],
            swiftSettings: sourceRules),
        // Floor 6
        .executableTarget(
            name: "BullaCommand",
            dependencies: [
                "CanonicalJSON", "LedgerFormat", "DurableFiles", "Ledger", "CSystemCalls",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: sourceRules),
        // Tests
        .target(
            name: "TestSupport",
            dependencies: ["CanonicalJSON", "LedgerFormat", "DurableFiles", "Ledger"],
            swiftSettings: houseRules),
        .testTarget(name: "CanonicalJSONTests", dependencies: ["CanonicalJSON", "TestSupport"], swiftSettings: houseRules),
        .testTarget(name: "LedgerFormatTests", dependencies: ["LedgerFormat", "TestSupport"], swiftSettings: houseRules),
        .testTarget(name: "DurableFilesTests", dependencies: ["DurableFiles", "TestSupport"], swiftSettings: houseRules),
        .testTarget(
            name: "LedgerTests", dependencies: ["Ledger", "TestSupport"], exclude: ["Fixtures"],
            swiftSettings: houseRules),
        .testTarget(name: "BullaTests", dependencies: ["Bulla", "TestSupport"], swiftSettings: houseRules),
        .testTarget(name: "CommandLineTests", dependencies: ["BullaCommand", "TestSupport"], swiftSettings: houseRules),
    ]
)
