extension CachedContents {
    /// What a power cut could leave of the file.
    ///
    /// A sector goes to the disk whole, as the cache has it at that moment. So each sector ends as the last
    /// synchronisation left it or as it was after any of the writes to it: that is every loss, tear and reordering there
    /// can be. The length is that of the last sector that went, or the one that the file had been given, the missing
    /// sectors then being NULs. Nothing is invented, and nothing synchronised is lost.
    func crashed(
        _ options: CrashOptions, using generator: inout SeededGenerator, _ tally: inout CrashTally
    ) -> CachedContents {
        if pending.isEmpty { return CachedContents(durable) }
        var cache = lyingCache ?? durable
        var disk = durable
        for change in pending {
            cache.apply(change)
            if case .truncate = change {
                let keeps = generator.coin()
                if keeps { disk.writeBack(change, from: cache) }
                tally.truncatesKept += keeps ? 1 : 0
                tally.truncatesLost += keeps ? 0 : 1
            } else {
                let fate = Fate(sectors: change.sectors, &generator)
                write(change, from: cache, to: &disk, fate, options, using: &generator, &tally)
            }
        }
        return CachedContents(disk)
    }

    /// What becomes of one write.
    private enum Fate {
        case applied
        case dropped
        /// The sectors up to this one.
        case upTo(Int)
        case anySectors

        init(sectors: Range<Int>, _ generator: inout SeededGenerator) {
            switch generator.below(6) {
            case 0, 1: self = .applied
            case 2: self = .dropped
            case 3: self = .upTo(sectors.lowerBound + generator.below(sectors.count + 1))
            default: self = .anySectors
            }
        }
    }

    private func write(
        _ change: Change, from cache: [UInt8], to disk: inout [UInt8], _ fate: Fate, _ options: CrashOptions,
        using generator: inout SeededGenerator, _ tally: inout CrashTally
    ) {
        let sectors = change.sectors
        var kept = 0
        for sector in sectors {
            let keeps =
                switch fate {
                case .applied: true
                case .dropped: false
                case .upTo(let end): sector < end
                case .anySectors: generator.coin()
                }
            if !keeps { continue }
            kept += 1
            var target = sector
            if options.misdirects, generator.below(8) == 0 {
                target = misdirection(of: sector, among: cache.count, using: &generator)
                tally.sectorsMisdirected += target == sector ? 0 : 1
            }
            // A sector that lands in the last one makes the file no longer.
            let start = target * Self.sectorSize
            disk.overlay(sector: cache.bytes(ofSector: sector).prefix(cache.count - start), at: start)
        }
        var growsOnly = false
        if kept < sectors.count, disk.count < cache.count, case .anySectors = fate, generator.coin() {
            disk.setLength(cache.count)
            growsOnly = true
        }
        if kept == sectors.count {
            tally.writesApplied += 1
        } else if kept == 0, !growsOnly {
            tally.writesDropped += 1
        } else {
            tally.writesTorn += 1
        }
    }

    /// Another sector of the unsynchronised region, none of whose bytes is synchronised: one that holds durable bytes, and is
    /// being written again as it is, would lose them, and no order of writing could prevent that.
    private func misdirection(
        of sector: Int, among length: Int, using generator: inout SeededGenerator
    ) -> Int {
        let size = Self.sectorSize
        let targets = pending.flatMap { change -> [Int] in
            guard case .write(let bytes, let offset) = change else { return [] }
            return change.sectors.filter { sector in
                offset <= sector * size && offset + bytes.count >= min((sector + 1) * size, durable.count)
                    && durable.bytes(ofSector: sector).allSatisfy { $0 == 0 }
            }
        }.filter { $0 != sector && $0 * size < length }
        return targets.isEmpty ? sector : targets[generator.below(targets.count)]
    }
}
