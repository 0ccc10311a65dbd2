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
        .library(name: "BullaLogging", targets: ["BullaLogging"]),
    ],
    traits: [
        .trait(
            name: "PlantedDefects",
            description: "Defects that the test suite must catch, switchable at run time. Never for use: `make canaries`.")
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.13.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.6.0"),
    ],
    targets: [
        // Floor 1
        .target(name: "CanonicalJSON", dependencies: ["PlantedDefects"], swiftSettings: sourceRules),
        // Floor 2
        .target(
            name: "LedgerFormat",
            dependencies: ["CanonicalJSON", "CSHA256", "PlantedDefects", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: sourceRules),
        .target(
            name: "DurableFiles",
            dependencies: ["CSystemCalls", "PlantedDefects", .product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: sourceRules),
        // Below the floors: two C targets, and the switches of the test build
        .target(name: "CSystemCalls"),
        .target(name: "CSHA256"),
        .target(name: "PlantedDefects", swiftSettings: sourceRules),
        // Floor 3
        .target(
            name: "Ledger",
            dependencies: ["CanonicalJSON", "LedgerFormat", "DurableFiles", "PlantedDefects"],
            swiftSettings: sourceRules),
        // Floor 4
        .target(
            name: "Kernel", dependencies: ["CanonicalJSON", "LedgerFormat", "DurableFiles", "Ledger", "PlantedDefects"],
            swiftSettings: sourceRules),
        // Floor 5
        .target(
            name: "Lanes", dependencies: ["CanonicalJSON", "LedgerFormat", "DurableFiles", "Ledger", "Kernel", "PlantedDefects"],
            swiftSettings: sourceRules),
        // The library's face: what a Swift program imports
        .target(
            name: "Bulla",
            dependencies: ["CanonicalJSON", "LedgerFormat", "DurableFiles", "Ledger", "Kernel"],
            swiftSettings: sourceRules),
        // A program that uses it, which the README shows and a test runs
        .executableTarget(name: "Example", dependencies: ["Bulla"], path: "Example", swiftSettings: houseRules),
        // Where swift-log's loggers write to the ledger
        .target(
            name: "BullaLogging",
            dependencies: [
                "CanonicalJSON", "DurableFiles", "LedgerFormat", "Ledger", "Bulla",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: sourceRules),
        // Floor 6
        .executableTarget(
            name: "BullaCommand",
            dependencies: [
                "CanonicalJSON", "LedgerFormat", "DurableFiles", "Ledger", "Kernel", "Lanes", "CSystemCalls",
                "PlantedDefects",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: sourceRules),
        // Tests
        .target(
            name: "TestSupport",
            dependencies: ["CanonicalJSON", "LedgerFormat", "DurableFiles", "Ledger"],
            swiftSettings: houseRules),
        .executableTarget(
            name: "Torture",
            dependencies: [
                "CanonicalJSON", "LedgerFormat", "DurableFiles", "Ledger", "Kernel", "CSystemCalls", "PlantedDefects",
                "TestSupport",
                "FuzzProperties",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Torture", swiftSettings: houseRules),
        // Ledgers for `make bench`, which is a package of its own and cannot write the house's entries
        .executableTarget(
            name: "Samples", dependencies: ["CanonicalJSON", "LedgerFormat", "DurableFiles", "Ledger", "Lanes"],
            path: "Benchmarks/Samples", swiftSettings: houseRules),
        .target(
            name: "FuzzProperties", dependencies: ["CanonicalJSON", "LedgerFormat", "DurableFiles", "TestSupport"],
            path: "Fuzz/Properties", swiftSettings: houseRules),
        .testTarget(
            name: "FuzzTests", dependencies: ["FuzzProperties", "DurableFiles", "TestSupport"], swiftSettings: houseRules),
        .testTarget(name: "CanonicalJSONTests", dependencies: ["CanonicalJSON", "TestSupport"], swiftSettings: houseRules),
        .testTarget(name: "LedgerFormatTests", dependencies: ["LedgerFormat", "TestSupport"], swiftSettings: houseRules),
        .testTarget(name: "DurableFilesTests", dependencies: ["DurableFiles", "TestSupport"], swiftSettings: houseRules),
        .testTarget(
            name: "LedgerTests", dependencies: ["Ledger", "TestSupport"], exclude: ["Fixtures"],
            // Optimised, some of its coroutines crash swift 6.3.1 while it splits them, now these and now those.
            swiftSettings: houseRules + [.unsafeFlags(["-Onone"], .when(configuration: .release))]),
        .testTarget(name: "KernelTests", dependencies: ["Kernel", "TestSupport"], swiftSettings: houseRules),
        .testTarget(
            name: "LanesTests",
            dependencies: ["Lanes", "CanonicalJSON", "LedgerFormat", "DurableFiles", "Ledger", "Kernel", "TestSupport"],
            swiftSettings: houseRules),
        .testTarget(name: "BullaTests", dependencies: ["Bulla", "TestSupport"], swiftSettings: houseRules),
        .testTarget(
            name: "BullaLoggingTests",
            dependencies: [
                "BullaLogging", "Bulla", "CanonicalJSON", "TestSupport", .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: houseRules),
        .testTarget(
            name: "CommandLineTests", dependencies: ["BullaCommand", "PlantedDefects", "TestSupport"],
            swiftSettings: houseRules),
    ]
)

// The fuzzers need libFuzzer, which `--sanitize=fuzzer` links: so they are no part of an ordinary build. See tools/fuzz.sh.
if Context.environment["BULLA_FUZZ"] == "1" {
    package.targets.append(
        .executableTarget(name: "fuzz", dependencies: ["FuzzProperties"], path: "Fuzz/Program", swiftSettings: houseRules))
}
