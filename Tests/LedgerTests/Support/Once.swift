import Synchronization

/// True the first time it is asked.
final class Once: Sendable {
    private let asked = Atomic(false)

    var isFirst: Bool { !asked.exchange(true, ordering: .relaxed) }
}
