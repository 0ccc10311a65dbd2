import DurableFiles
import Ledger
import LedgerFormat
import SystemPackage
import TestSupport
import Testing

@Suite("The sealing key's change")
struct KeyTests {
    /// A ledger of `count` entries whose key was changed, and two entries under the new one; the old key.
    private func rotated(count: Int = 2) throws -> (machine: SimulatedMachine, old: KeyID) {
        let machine = try SimulatedMachine(count: count)
        let old = try machine.rotateKey().old
        try machine.append(count + 1...count + 2)
        return (machine, old)
    }

    @Test("what follows a rotation is sealed with the new key, and HEAD too")
    func rotation() async throws {
        let machine = try SimulatedMachine(count: 3)
        let (old, new, receipt) = try machine.rotateKey()
        #expect(receipt.seq == 5 && old != new)
        #expect(try Head(file: machine.headBytes, keys: machine.keys()).key == new)
        try machine.append(4...5)
        let history = try KeyHistory(LedgerView(machine.storage()), machine.environment)
        #expect(history.current == new && history.uses.map(\.key) == [old, new])
        #expect(history.uses.map(\.firstSeq) == [1, 6] && history.uses.map(\.lastSeq) == [5, 7])
        #expect(try await machine.audit().verdict == .intact)
        for key in [old, new] {
            let copy = machine.copy()
            copy.disk.delete(StoragePath("keys", SealingKey.fileName(key)))
            #expect(try await copy.audit().verdict == .unverifiable)
        }
    }

    @Test("one session goes on behind its own rotations, and another knows the ids from before")
    func ids() throws {
        let machine = try SimulatedMachine(count: 1)
        let first = TestLedger.draft(2, id: "first")
        let other = TestLedger.draft(3, id: "first")
        try machine.write { session in
            let receipt = try session.record(first)
            _ = try session.rotateKey(reason: "test")
            let again = try session.decide([first])
            #expect(again.isRepetition && again.receipts == [receipt])
            _ = try session.rotateKey(reason: "test")
            #expect(ledgerError { () throws(LedgerError) in try session.record(other) }?.code == .conflict)
            try session.record(TestLedger.draft(4))
        }
        try machine.write { session throws in
            #expect(try session.decide([first]).isRepetition)
            #expect(ledgerError { () throws(LedgerError) in try session.record(other) }?.code == .conflict)
        }
    }

    @Test("a thousand entries under six keys, of which five are retired and destroyed one after the other")
    func manyRotations() async throws {
        var machine = try SimulatedMachine()
        machine.settings.segmentByteCount = 200_000
        var old: [KeyID] = []
        for round in 0..<6 {
            try machine.write { session in
                for answer in session.commit((0..<170).map { [TestLedger.draft(round * 170 + $0)] }) { _ = try answer.get() }
            }
            if round < 5 { old.append(try machine.rotateKey().old) }
        }
        #expect(machine.segments.count > 2 && machine.keys().count == 6)
        #expect(try await machine.audit().entryCount == 1026)
        for (index, key) in old.enumerated() {
            let receipt = try machine.write { try $0.retireKey(key, reason: "test", destroying: true) }
            #expect(receipt?.seq == UInt64(1027 + index) && machine.keys().count == 5 - index)
            let report = try await machine.audit { $0.threadCount = 3 }
            #expect(report.verdict == .intact && report.entryCount == UInt64(1027 + index))
        }
        // The next rotation seals what vouches for those retirements with a key that can go as well.
        let last = try machine.rotateKey().old
        _ = try machine.write { try $0.retireKey(last, reason: "test", destroying: true) }
        #expect(try await machine.audit().verdict == .intact && machine.keys().count == 1)
        #expect(try machine.openingError() == nil)
    }

    @Test("what may not be retired: the key that seals, one that sealed nothing, one whose file is absent")
    func refusals() throws {
        let (machine, old) = try rotated()
        let current = try Head(file: machine.headBytes, keys: [:]).key
        func code(_ key: KeyID) throws -> ErrorCode? {
            try machine.write { session in
                ledgerError { () throws(LedgerError) in _ = try session.retireKey(key, reason: "test", destroying: true) }?.code
            }
        }
        let before = machine.files
        #expect(try code(current) == .refused && code(KeyID(7)) == .usage)
        #expect(machine.files == before)
        let file = try #require(machine.disk.bytes(of: SealingKey.path(old)))
        machine.disk.delete(SealingKey.path(old))
        #expect(try code(old) == .unverifiable)
        try machine.storage().create(SealingKey.path(old), file.span)
        #expect(try code(old) == nil && machine.count(ChainTurn.retired) == 1)
        #expect(try machine.write { try $0.retireKey(old, reason: "test", destroying: true) } == nil, "it was retired before")
        #expect(try machine.count(ChainTurn.retired) == 1)
    }

    // HEAD and the tail

    @Test("HEAD lags before a rotation: the next opening goes on, if the key is there")
    func lagging() async throws {
        let machine = try SimulatedMachine(count: 2)
        let head = machine.headBytes
        let (old, new, _) = try machine.rotateKey()
        try machine.append(3...4)
        machine.disk.setBytes(of: Layout.head, to: head)
        #expect(try KeyHistory(LedgerView(machine.storage()), machine.environment).current == new)
        #expect(try await machine.audit().verdict == .intact)
        for key in [old, new] {
            let copy = machine.copy()
            copy.disk.delete(SealingKey.path(key))
            let before = copy.files
            #expect(try copy.openingError()?.code == .unverifiable && copy.files == before)
        }
        #expect(try machine.openingError() == nil)
        #expect(try Head(file: machine.headBytes, keys: machine.keys()).key == new)
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("a key that sealed in between is absent: what cannot be verified is not written behind")
    func absentInBetween() throws {
        let machine = try SimulatedMachine(count: 2)
        let head = machine.headBytes
        _ = try machine.rotateKey()
        let between = try machine.rotateKey().old
        try machine.append(3...4)
        machine.disk.setBytes(of: Layout.head, to: head)
        machine.disk.delete(SealingKey.path(between))
        let before = machine.files
        let error = try #require(try machine.openingError())
        #expect(error.code == .unverifiable && error.message.contains("\(between)") && machine.files == before)
    }

    @Test("a torn tail in or behind a rotation is cut, and not without the key")
    func torn() async throws {
        let machine = try SimulatedMachine(count: 2)
        let (head, end) = (machine.headBytes, machine.dataEnd())
        let new = try machine.rotateKey().new
        let rotated = machine.dataEnd()
        try machine.append(3...4)
        let whole = machine.segment()
        machine.disk.setBytes(of: Layout.head, to: head)
        for cut in [end + 1, rotated - 1, rotated + 1, rotated + 300, machine.dataEnd() - 1] {
            let copy = machine.copy()
            copy.setSegment(1, Array(whole[..<cut]))
            #expect(try await copy.audit().verdict == .torn, "\(cut)")
            let keyless = copy.copy()
            keyless.disk.delete(SealingKey.path(new))
            if cut > rotated {
                let before = keyless.files
                #expect(try keyless.openingError()?.code == .unverifiable && keyless.files == before, "\(cut)")
            }
            #expect(try copy.open().count == 1 && copy.count("ledger.tail_cut") == 1, "\(cut)")
            try copy.append(5...5)
            #expect(try await copy.audit().verdict == .intact, "\(cut)")
        }
    }

    @Test("a HEAD under the old key at or behind the rotation is tampering")
    func oldHead() async throws {
        let (machine, old) = try rotated()
        var head = try Head(file: machine.headBytes, keys: machine.keys())
        head.key = old
        let forged = head.sealed(with: try #require(machine.keys()[old]))
        machine.disk.setBytes(of: Layout.head, to: forged)
        let report = try await machine.audit()
        #expect(report.verdict == .tampered && report.place.seq == head.seq)
        #expect(try machine.openingError()?.code == .tampered)
    }

    @Test("key files that mean nothing, and one that must not be trusted")
    func keyFiles() async throws {
        let (machine, old) = try rotated()
        let current = try Head(file: machine.headBytes, keys: [:]).key
        let foreign = TestLedger.key.fileContents
        try machine.storage().create(SealingKey.path(TestLedger.key.id), foreign.span)
        machine.disk.setMode(0o644, of: SealingKey.path(TestLedger.key.id))
        try machine.storage().create(StoragePath("keys", "notes"), foreign.span)
        #expect(try await machine.audit().verdict == .intact, "a refused file that nobody names is as if absent")
        for key in [old, current] {
            let copy = machine.copy()
            copy.disk.setMode(0o644, of: SealingKey.path(key))
            await #expect(throws: LedgerError.self, "the first entry or HEAD names it") { try await copy.audit() }
        }
        _ = try machine.rotateKey()
        machine.disk.setMode(0o644, of: SealingKey.path(current))
        let report = try await machine.audit()
        #expect(report.verdict == .unverifiable && report.reason?.contains(current.description) == true)
    }

    // Crashes and failures at every operation

    private enum Step: CaseIterable { case rotate, retire }

    @Test("a crash at any operation: nothing acknowledged is lost, and the next opening works", arguments: [0, 1])
    func crashes(step: Int) async throws {
        for progress in [Fault.Progress.nothing, .bytes(300)] {
            try await everyOperation(Step.allCases[step], .crash(progress), images: 3)
        }
    }

    @Test("a failure of any operation", arguments: [Fault.fail(.noSpace), .fail(.ioError), .failSynchronize])
    func failures(fault: Fault) async throws {
        for step in Step.allCases { try await everyOperation(step, fault, images: 1) }
    }

    /// The operations that change something, counted from the first one of the step and the entry behind it.
    private func changes(_ step: Step, _ machine: SimulatedMachine, _ old: KeyID) throws -> [Int] {
        let storage = try machine.copy().faulty()
        var session = try machine.session(storage)
        try session.acquire()
        let start = storage.trace.count
        switch step {
        case .rotate: _ = try session.rotateKey(reason: "test")
        case .retire: _ = try session.retireKey(old, reason: "test", destroying: true)
        }
        try session.record(TestLedger.draft(4))
        let trace = storage.trace[start...]
        session.release()
        return trace.indices.filter { trace[$0].kind.isChange }.map { $0 - start }
    }

    private func everyOperation(_ step: Step, _ fault: Fault, images: UInt64) async throws {
        let (machine, old) = try step == .rotate ? (SimulatedMachine(count: 3), KeyID(0)) : rotated(count: 1)
        // Operations that only read leave what the next change finds.
        let changes = try changes(step, machine, old)
        var fired = 0
        for number in changes {
            let copy = machine.copy()
            let storage = try copy.faulty()
            var session = try copy.session(storage)
            try session.acquire()
            let operation = storage.trace.count + number
            storage.setPlan(.at([operation: fault]))
            var isDone = false
            switch step {
            case .rotate: isDone = (try? session.rotateKey(reason: "test")) != nil
            case .retire: isDone = (try? session.retireKey(old, reason: "test", destroying: true)) != nil
            }
            let isRecorded = (try? session.record(TestLedger.draft(4))) != nil
            if storage.fired.isEmpty { continue }
            fired += 1
            session.release()
            for disk in [copy.disk.copy()] + copy.disk.crashImages(0..<images) {
                let next = SimulatedMachine(copy, disk)
                #expect(try next.openingError() == nil, "\(storage.fired)")
                try next.append(7...7)
                #expect(try await next.audit().verdict == .intact, "\(storage.fired)")
                #expect(try next.count("test.event") >= (isRecorded ? 5 : 4), "\(storage.fired)")
                switch step {
                case .rotate:
                    #expect(try next.count(ChainTurn.rotated) >= (isDone ? 1 : 0), "\(storage.fired)")
                    let key = try next.rotateKey().new
                    #expect(try Head(file: next.headBytes, keys: next.keys()).key == key, "\(storage.fired)")
                case .retire:
                    if isDone { #expect(next.keys()[old] == nil, "\(storage.fired)") }
                    _ = try next.write { try $0.retireKey(old, reason: "test", destroying: true) }
                    #expect(try next.keys()[old] == nil && next.count(ChainTurn.retired) == 1, "\(storage.fired)")
                }
                #expect(try await next.audit().verdict == .intact, "\(storage.fired)")
            }
        }
        #expect(fired >= 3)
    }

    @Test("a rotation whose HEAD cannot be written has happened: the answer is its receipt, and HEAD lags")
    func headLags() throws {
        let (machine, _) = try rotated()
        let storage = try machine.faulty(
            .rule { _, operation in operation.kind == .rename && operation.path?.name == "HEAD.new" ? .fail(.noSpace) : nil })
        var session = try machine.session(storage)
        try session.acquire()
        let (_, new, receipt) = try session.rotateKey(reason: "test")
        session.release()
        #expect(session.takeNotices().contains { $0.contains("HEAD was not replaced and lags") })
        #expect(try machine.head().seq < receipt.seq)
        try machine.append(1...1)
        #expect(try machine.entries().suffix(2).map(\.receipt.seq) == [receipt.seq, receipt.seq + 1])
        #expect(try machine.head().key == new)
    }
}

extension SimulatedMachine {
    /// In a process of its own.
    @discardableResult
    func rotateKey() throws -> (old: KeyID, new: KeyID, receipt: Receipt) {
        try write { try $0.rotateKey(reason: "test") }
    }
}

extension SealingKey {
    fileprivate static func path(_ id: KeyID) -> StoragePath { StoragePath("keys", fileName(id)) }
}
