/// Whether two sequences of symbols can stand for the same, where some of the symbols stand for any run of others.
///
/// - Parameters:
///   - isRun: the symbol stands for any number of things, also none.
///   - agree: two symbols that are no runs can stand for one and the same thing.
func meet<Symbol>(
    _ one: ArraySlice<Symbol>, _ other: ArraySlice<Symbol>, isRun: (Symbol) -> Bool, agree: (Symbol, Symbol) -> Bool
) -> Bool {
    // Up to the first run there is one way only, and most patterns part there.
    var (one, other) = (one, other)
    while let first = one.first, let second = other.first, !isRun(first), !isRun(second) {
        guard agree(first, second) else { return false }
        one.removeFirst()
        other.removeFirst()
    }
    // row[j]: what follows in `one` can stand for the same as `other` from j on.
    let others = Array(other)
    var row = [Bool](repeating: false, count: others.count + 1)
    row[others.count] = true
    for j in others.indices.reversed() { row[j] = isRun(others[j]) && row[j + 1] }
    for symbol in one.reversed() {
        let below = row
        row[others.count] = isRun(symbol) && below[others.count]
        for j in others.indices.reversed() {
            // A run is over, or takes what the other begins with.
            row[j] =
                isRun(symbol) || isRun(others[j]) ? below[j] || row[j + 1] : agree(symbol, others[j]) && below[j + 1]
        }
    }
    return row[0]
}
