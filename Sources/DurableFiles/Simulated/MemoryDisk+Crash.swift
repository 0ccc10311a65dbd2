import Synchronization

extension MemoryDisk {
    /// A disk as a power cut could leave this one, with nobody using it; the same seed gives the same.
    ///
    /// This disk is not changed, so many images can be made of one moment.
    package func crashImage(seed: UInt64, options: CrashOptions = CrashOptions()) -> MemoryDisk {
        let (survivor, tally) = volume.withLock { volume in
            var crash = Crash(of: volume, seed: seed, options)
            return (crash.run(), crash.tally)
        }
        return MemoryDisk(survivor, tally)
    }

    package func crashImage(
        using generator: inout some RandomNumberGenerator, options: CrashOptions = CrashOptions()
    ) -> MemoryDisk {
        crashImage(seed: generator.next(), options: options)
    }

    /// A disk on which everything that was not synchronised is lost.
    package func durableImage() -> MemoryDisk {
        let survivor = volume.withLock { volume in
            var crash = Crash(of: volume, seed: nil, CrashOptions())
            return crash.run()
        }
        return MemoryDisk(survivor)
    }
}

/// Copies what survives from one volume to another.
private struct Crash {
    let old: MemoryVolume
    /// Nil loses everything that can be lost.
    let seed: UInt64?
    let options: CrashOptions
    var new: MemoryVolume
    var tally = CrashTally()
    /// The new slots of old slots: a file may have several names.
    var slots: [Int: Int] = [:]

    init(of volume: MemoryVolume, seed: UInt64?, _ options: CrashOptions) {
        var volume = volume
        if let exchange = volume.pendingExchange {
            var generator = SeededGenerator(seed: seed ?? 0, stream: volume.nextIdentity)
            if seed == nil || generator.coin() { volume.apply(exchange) }
            volume.pendingExchange = nil
        }
        old = volume
        self.seed = seed
        self.options = options
        new = MemoryVolume(basePath: volume.basePath, owner: volume.owner, nextIdentity: volume.nextIdentity)
    }

    mutating func run() -> MemoryVolume {
        _ = survivor(MemoryVolume.root)
        return new
    }

    private mutating func survivor(_ slot: Int) -> Int {
        if let done = slots[slot] {
            new.nodes[done].linkCount += 1
            return done
        }
        let node = old.nodes[slot]
        let copy = new.nodes.count
        slots[slot] = copy
        new.nodes.append(
            MemoryVolume.Node(identity: node.identity, kind: node.kind, owner: node.owner, mode: node.mode))
        if node.kind == .directory {
            new.nodes[copy].names = CachedNames(durable: names(node).mapValues { survivor($0) })
        } else {
            new.nodes[copy].contents = contents(node)
            new.nodes[copy].contents.unshare()
        }
        return copy
    }

    // Each node draws from a stream of its own: the order in which nodes are visited is not the same in each process.

    private mutating func names(_ node: MemoryVolume.Node) -> [String: Int] {
        guard let seed else { return node.names.durable }
        var generator = SeededGenerator(seed: seed, stream: node.identity)
        return node.names.crashed(using: &generator, &tally)
    }

    private mutating func contents(_ node: MemoryVolume.Node) -> CachedContents {
        guard let seed else { return CachedContents(node.contents.durable) }
        var generator = SeededGenerator(seed: seed, stream: node.identity)
        return node.contents.crashed(options, using: &generator, &tally)
    }
}
