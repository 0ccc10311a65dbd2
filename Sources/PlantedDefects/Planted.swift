// Which defect is planted. Without the trait `PlantedDefects` the answer is a constant, and the compiler leaves nothing of the question.

/// What a build with the switches says of itself.
#if PlantedDefects
    package let buildNote = " (TEST BUILD: defects can be planted in it)"
#else
    package let buildNote = ""
#endif

#if PlantedDefects
    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    /// The defect that `BULLA_PLANTED_DEFECT` names. A name that nobody knows stops the process: no harness shall take it for a catch.
    private let plantedDefect: PlantedDefect? = {
        guard let name = unsafe getenv("BULLA_PLANTED_DEFECT") else { return nil }
        guard let defect = PlantedDefect(rawValue: unsafe String(cString: name)) else {
            preconditionFailure("no such planted defect: \(unsafe String(cString: name))")
        }
        return defect
    }()

    /// Whether this defect is switched on in this process.
    package func planted(_ defect: PlantedDefect) -> Bool { plantedDefect == defect }
#else
    /// Whether this defect is switched on in this process: never, in a build for use.
    @inlinable @inline(__always)
    package func planted(_ defect: PlantedDefect) -> Bool { false }
#endif
