// swift-tools-version: 6.2
import PackageDescription

// A package of its own: nobody who depends on Bulla builds it, or needs SQLite.
let package = Package(
    name: "Benchmarks",
    dependencies: [.package(name: "bulla", path: "..")],
    targets: [
        .executableTarget(
            name: "Benchmarks",
            dependencies: [.product(name: "Bulla", package: "bulla")],
            swiftSettings: [
                .swiftLanguageMode(.v6),
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
                .treatAllWarnings(as: .error),
            ]),
        .executableTarget(
            name: "Yardstick",
            cSettings: [.treatAllWarnings(as: .error)],
            linkerSettings: [.linkedLibrary("sqlite3")]),
    ]
)
