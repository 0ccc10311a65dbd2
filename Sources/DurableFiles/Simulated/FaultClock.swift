import Synchronization
import SystemPackage

/// Counts a storage's operations and decides which of them fail; all its files share it.
final class FaultClock: Sendable {
    private let state: Mutex<State>

    private struct State: Sendable {
        var plan: FaultPlan
        var generator: SeededGenerator
        var trace: [FaultOperation] = []
        var fired: [FiredFault] = []
        var isCrashed = false
    }

    init(_ plan: FaultPlan) { state = Mutex(State(plan: plan, generator: SeededGenerator(plan))) }

    /// What happens to this operation, which is counted; nil for a machine that stands still already.
    func tick(_ operation: FaultOperation) -> Verdict {
        let (number, planned, rule): (Int, Fault?, FaultRule?) = state.withLock { state in
            if state.isCrashed { return (-1, nil, nil) }
            state.trace.append(operation)
            let number = state.trace.count - 1
            switch state.plan {
            case .none: return (number, nil, nil)
            case .at(let faults): return (number, faults[number], nil)
            case .random(_, let probability, let faults):
                let fires = Double.random(in: 0..<1, using: &state.generator) < probability
                return (number, fires ? faults.randomElement(using: &state.generator) : nil, nil)
            case .rule(let rule): return (number, nil, rule)
            }
        }
        if number < 0 { return .stopped }
        // Outside the lock, because a rule may use this storage's neighbours, or crash this one.
        let fault = planned ?? rule?(number, operation)
        if rule != nil, isCrashed { return .stopped }
        guard let fault, operation.concerns(fault) else { return .proceed }
        state.withLock { $0.fired.append(FiredFault(number: number, operation: operation, fault: fault)) }
        return .fault(fault)
    }

    enum Verdict {
        case proceed
        case fault(Fault)
        case stopped
    }

    private typealias FaultRule = @Sendable (Int, FaultOperation) -> Fault?

    func crash() { state.withLock { $0.isCrashed = true } }
    func setPlan(_ plan: FaultPlan) {
        state.withLock { state in
            state.plan = plan
            state.generator = SeededGenerator(plan)
        }
    }

    var isCrashed: Bool { state.withLock { $0.isCrashed } }
    var trace: [FaultOperation] { state.withLock { $0.trace } }
    var fired: [FiredFault] { state.withLock { $0.fired } }
    var plan: FaultPlan { state.withLock { $0.plan } }
}

extension SeededGenerator {
    fileprivate init(_ plan: FaultPlan) {
        if case .random(let seed, _, _) = plan { self.init(seed: seed) } else { self.init(seed: 0) }
    }
}

extension FaultOperation {
    fileprivate func concerns(_ fault: Fault) -> Bool { fault != .failSynchronize || kind == .synchronize }
}
