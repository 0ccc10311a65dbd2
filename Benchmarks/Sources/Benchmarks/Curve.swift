import Foundation

/// Cost against size: seconds for entries or for bytes.
struct Curve {
    let name: String
    let points: [(size: Double, seconds: Double)]

    /// The straight line through the logarithms: cost grows as the size to the power of `exponent`.
    var fit: (exponent: Double, rSquared: Double) {
        let logs = points.map { (x: log($0.size), y: log($0.seconds)) }
        let count = Double(logs.count)
        let meanX = logs.reduce(0) { $0 + $1.x } / count
        let meanY = logs.reduce(0) { $0 + $1.y } / count
        let xx = logs.reduce(0) { $0 + ($1.x - meanX) * ($1.x - meanX) }
        let xy = logs.reduce(0) { $0 + ($1.x - meanX) * ($1.y - meanY) }
        let yy = logs.reduce(0) { $0 + ($1.y - meanY) * ($1.y - meanY) }
        return (xy / xx, xy * xy / (xx * yy))
    }
}
