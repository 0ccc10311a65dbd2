package import LedgerFormat

extension LedgerView {
    /// Of the last entry for which HEAD vouches; nil if that cannot be read.
    package func lastTime(_ environment: Environment) -> Timestamp? {
        validHead.flatMap { try? EntryReader(self, environment).entry($0.seq).time }
    }
}
