import SystemPackage

/// The file system of a `MemoryDisk`, as a value: nodes by slot, the first of which is the directory above the base.
///
/// A slot is never used twice and an identity never given twice, so an old handle cannot reach a new file.
struct MemoryVolume: Sendable {
    struct Node: Sendable {
        let identity: UInt64
        var kind: FileStatus.Kind
        var owner: UInt32
        var mode: UInt32
        var linkCount = 1
        /// Of a regular file.
        var contents = CachedContents()
        /// Of a directory.
        var names = CachedNames()
        /// The session that has locked it.
        var lockHolder: Int32?
    }

    static let root = 0
    static let baseName = "base"

    let basePath: String
    let owner: UInt32
    var nodes: [Node] = []
    var nextIdentity: UInt64
    var lastSession: Int32 = 0
    /// Two names that changed places, which a crash may undo as a whole.
    struct Exchange: Sendable {
        let one: String
        let oneParent: Int
        let other: String
        let otherParent: Int
    }

    var pendingExchange: Exchange?
    /// Sessions that are stopped, as by SIGSTOP.
    var stoppedSessions: Set<Int32> = []

    init(basePath: String, owner: UInt32, nextIdentity: UInt64 = 1) {
        self.basePath = basePath
        self.owner = owner
        self.nextIdentity = nextIdentity
    }

    func shown(_ path: StoragePath?) -> String { path.map { "\(basePath)/\($0)" } ?? basePath }

    func failure(_ errno: Errno, _ operation: String, _ path: StoragePath?) -> StorageError {
        StorageError(.system(errno), operation, shown(path))
    }

    func status(ofSlot slot: Int) -> FileStatus {
        FileStatus(
            identity: FileIdentity(volume: 1, file: nodes[slot].identity), kind: nodes[slot].kind,
            size: nodes[slot].contents.current.count, linkCount: nodes[slot].linkCount, owner: nodes[slot].owner,
            mode: nodes[slot].mode)
    }

    mutating func newNode(_ kind: FileStatus.Kind, mode: UInt32) -> Int {
        nodes.append(Node(identity: nextIdentity, kind: kind, owner: owner, mode: mode))
        nextIdentity += 1
        return nodes.count - 1
    }
}

// Operations, each on a path under a base that is open.
extension MemoryVolume {
    /// The slot of the directory that holds a path; nil stands for the base.
    func directory(_ path: StoragePath?, base: Int) throws(StorageError) -> Int {
        guard let path else { return base }
        guard let slot = nodes[try directory(path.parent, base: base)].names.current[path.name] else {
            throw failure(.noSuchFileOrDirectory, "open", path)
        }
        let kind = nodes[slot].kind
        guard kind == .directory else {
            let refusal: StorageError.Refusal = kind == .symbolicLink ? .symbolicLink : .notDirectory(kind)
            throw StorageError(.refused(refusal), "open", shown(path))
        }
        return slot
    }

    func find(_ path: StoragePath, base: Int) throws(StorageError) -> Int? {
        nodes[try directory(path.parent, base: base)].names.current[path.name]
    }

    mutating func open(_ path: StoragePath, _ access: FileAccess, base: Int) throws(StorageError) -> Int {
        if access == .create { return try add(.regular, mode: 0o600, at: path, "open", base: base) }
        guard let slot = try find(path, base: base) else { throw failure(.noSuchFileOrDirectory, "open", path) }
        try status(ofSlot: slot).checkRegular(owner: owner, "open", shown(path))
        return slot
    }

    mutating func add(
        _ kind: FileStatus.Kind, mode: UInt32, at path: StoragePath, _ operation: String, base: Int
    ) throws(StorageError) -> Int {
        let directory = try directory(path.parent, base: base)
        guard nodes[directory].names.current[path.name] == nil else { throw failure(.fileExists, operation, path) }
        let slot = newNode(kind, mode: mode)
        nodes[directory].names.make(.add(path.name, slot: slot))
        return slot
    }

    mutating func rename(_ path: StoragePath, to target: StoragePath, base: Int) throws(StorageError) {
        let directory = try directory(path.parent, base: base)
        guard let slot = nodes[directory].names.current[path.name] else {
            throw failure(.noSuchFileOrDirectory, "rename", path)
        }
        if let replaced = nodes[directory].names.current[target.name] {
            // Two names of one file: POSIX says that nothing happens then.
            if replaced == slot { return }
            let kinds = (nodes[slot].kind, nodes[replaced].kind)
            switch kinds {
            case (.directory, .directory):
                if !nodes[replaced].names.current.isEmpty { throw failure(.directoryNotEmpty, "rename", path) }
            case (.directory, _): throw failure(.notDirectory, "rename", path)
            case (_, .directory): throw failure(.isDirectory, "rename", path)
            default: break
            }
            nodes[replaced].linkCount -= 1
        }
        nodes[directory].names.make(.rename(path.name, to: target.name))
    }

    /// Lets two directories change places; either directory above them makes that durable, as one journal does for both.
    mutating func exchange(_ one: StoragePath, with other: StoragePath, base: Int) throws(StorageError) {
        let oneParent = try directory(one.parent, base: base)
        let otherParent = try directory(other.parent, base: base)
        for (path, parent) in [(one, oneParent), (other, otherParent)] {
            guard let slot = nodes[parent].names.current[path.name] else {
                throw failure(.noSuchFileOrDirectory, "exchange", one)
            }
            let kind = nodes[slot].kind
            guard kind == .directory else {
                throw StorageError(.refused(kind == .symbolicLink ? .symbolicLink : .notDirectory(kind)), "exchange", shown(path))
            }
        }
        let exchange = Exchange(one: one.name, oneParent: oneParent, other: other.name, otherParent: otherParent)
        // In a journal what was made before comes before.
        nodes[oneParent].names.synchronize()
        nodes[otherParent].names.synchronize()
        apply(exchange)
        pendingExchange = exchange
    }

    /// Once more is undone.
    mutating func apply(_ exchange: Exchange) {
        guard let one = nodes[exchange.oneParent].names.current[exchange.one],
            let other = nodes[exchange.otherParent].names.current[exchange.other]
        else { return }
        nodes[exchange.oneParent].names.set(exchange.one, slot: other)
        nodes[exchange.otherParent].names.set(exchange.other, slot: one)
    }

    mutating func synchronizeNames(of directory: Int) {
        nodes[directory].names.synchronize()
        if pendingExchange?.oneParent == directory || pendingExchange?.otherParent == directory { pendingExchange = nil }
    }

    mutating func remove(_ path: StoragePath, base: Int) throws(StorageError) {
        let directory = try directory(path.parent, base: base)
        guard let slot = nodes[directory].names.current[path.name] else {
            throw failure(.noSuchFileOrDirectory, "remove", path)
        }
        if nodes[slot].kind == .directory { throw failure(.isDirectory, "remove", path) }
        nodes[slot].linkCount -= 1
        nodes[directory].names.make(.remove(path.name))
    }

    /// Gives the base built aside its name, durably.
    mutating func publish(base: Int, aside: String) throws(StorageError) {
        nodes[base].names.synchronize()
        guard nodes[Self.root].names.current[Self.baseName] == nil else { throw failure(.fileExists, "make", nil) }
        nodes[Self.root].names.make(.rename(aside, to: Self.baseName))
        nodes[Self.root].names.synchronize()
    }
}
