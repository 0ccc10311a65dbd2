/// A file's bytes as a system with a page cache keeps them: what is read, what is durable, and what lies between.
struct CachedContents: Sendable {
    enum Change: Sendable {
        case write([UInt8], at: Int)
        case truncate(to: Int)
    }

    static let sectorSize = 512

    /// What everybody reads.
    private(set) var current: [UInt8]
    /// What a power cut surely leaves.
    private(set) var durable: [UInt8]
    /// What happened to `current` since the last synchronisation, in order.
    private(set) var pending: [Change] = []
    /// What the changes were made to, if that is not `durable`: a failed synchronisation left pages that count as clean
    /// and are not on the disk. Only a new write to one of their sectors brings it there.
    private(set) var lyingCache: [UInt8]?

    init(_ bytes: [UInt8] = []) {
        current = bytes
        durable = bytes
    }

    /// Gives it buffers of its own. Two disks that share one let it go without a lock that both know, which looks like a race.
    mutating func unshare() {
        current.reserveCapacity(current.count + 1)
        durable.reserveCapacity(durable.count + 1)
    }

    mutating func write(_ bytes: [UInt8], at offset: Int) {
        if bytes.isEmpty { return }
        current.overlay(bytes[...], at: offset)
        pending.append(.write(bytes, at: offset))
    }

    mutating func truncate(to size: Int) {
        current.setLength(size)
        pending.append(.truncate(to: size))
    }

    mutating func synchronize() {
        if pending.isEmpty { return }
        if var cache = lyingCache {
            for change in pending {
                cache.apply(change)
                durable.writeBack(change, from: cache)
            }
            lyingCache = durable == cache ? nil : cache
        } else {
            for change in pending { durable.apply(change) }
        }
        pending.removeAll(keepingCapacity: true)
    }

    /// A synchronisation that failed: the pages count as clean, and what they held is not on the disk.
    mutating func loseUnsynchronized() {
        if pending.isEmpty { return }
        lyingCache = current
        pending.removeAll()
    }

    /// Changes bits of one byte in place, durably.
    mutating func flip(_ mask: UInt8, at offset: Int) {
        precondition(pending.isEmpty && lyingCache == nil)
        current[offset] ^= mask
        durable[offset] ^= mask
    }

    /// The system throws clean pages away, so that what a failed synchronisation lost is no longer read back.
    mutating func evictLostPages() {
        guard lyingCache != nil, pending.isEmpty else { return }
        current = durable
        lyingCache = nil
    }
}

extension CachedContents.Change {
    /// The sectors that a write touches; none for a truncation.
    var sectors: Range<Int> {
        guard case .write(let bytes, let offset) = self else { return 0..<0 }
        let size = CachedContents.sectorSize
        return offset / size..<(offset + bytes.count + size - 1) / size
    }
}

extension [UInt8] {
    mutating func setLength(_ length: Int) {
        if length < count {
            removeLast(count - length)
        } else if length > count {
            append(contentsOf: repeatElement(0, count: length - count))
        }
    }

    /// Writes over what is there and beyond; a gap reads as NULs.
    mutating func overlay(_ bytes: ArraySlice<UInt8>, at offset: Int) {
        if offset > count { setLength(offset) }
        let overlap = Swift.min(count - offset, bytes.count)
        if overlap > 0 { replaceSubrange(offset..<offset + overlap, with: bytes.prefix(overlap)) }
        if overlap < bytes.count { append(contentsOf: bytes.dropFirst(overlap)) }
    }

    /// Writes a sector, which always goes whole: what it holds behind the end of the cached file is NULs.
    mutating func overlay(sector: ArraySlice<UInt8>, at offset: Int) {
        overlay(sector, at: offset)
        let end = Swift.min(offset + CachedContents.sectorSize, count)
        for index in Swift.min(offset + sector.count, end)..<end { self[index] = 0 }
    }

    mutating func apply(_ change: CachedContents.Change) {
        switch change {
        case .write(let bytes, let offset): overlay(bytes[...], at: offset)
        case .truncate(let size): setLength(size)
        }
    }

    /// Brings to this disk what a change made dirty in the cache: whole sectors, as the cache has them.
    mutating func writeBack(_ change: CachedContents.Change, from cache: [UInt8]) {
        switch change {
        case .write:
            for sector in change.sectors {
                overlay(sector: cache.bytes(ofSector: sector), at: sector * CachedContents.sectorSize)
            }
        case .truncate(let size): setLength(size)
        }
    }

    /// A sector's bytes, fewer where the file ends.
    func bytes(ofSector sector: Int) -> ArraySlice<UInt8> {
        let start = Swift.min(sector * CachedContents.sectorSize, count)
        return self[start..<Swift.min(start + CachedContents.sectorSize, count)]
    }
}
