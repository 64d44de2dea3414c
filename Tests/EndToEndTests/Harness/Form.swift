import System

/// The proofs have one code and two forms.
enum Form {
    /// `RENGA_LONG=1`: as many jobs and as much time as a figure worth quoting takes.
    static let isLong = environmentVariable("RENGA_LONG") == "1"

    /// `./dev sanitize`: the binaries take several times the time and the memory of real ones.
    static let isSanitized = environmentVariable("RENGA_SANITIZED") != nil

    /// The slower of them.
    static let watchesThreads = environmentVariable("RENGA_SANITIZED") == "thread"

    /// By how much waiting for what must come at last is longer.
    static let patience = isSanitized ? 5 : 1

    static func pick<Value>(short: Value, long: Value) -> Value { isLong ? long : short }
}

/// What a proof found out, on lines of their own that a script can collect.
enum Figures {
    static func print(_ proof: String, _ figures: KeyValuePairs<String, String>) {
        let proof = Engine.current == .sqlite ? proof : "\(proof), \(Engine.current.rawValue)"
        let lines = figures.map { "figure\t\(proof)\t\($0.key)\t\($0.value)\n" }.joined()
        // One write, so that nothing comes in between.
        try? writeAll(1, Array(lines.utf8))
    }
}

extension Double {
    /// With so many digits after the point.
    func text(_ digits: Int = 1) -> String {
        let factor = (0..<digits).reduce(1.0) { product, _ in product * 10 }
        let scaled = Int64((abs(self) * factor).rounded())
        let (whole, rest) = scaled.quotientAndRemainder(dividingBy: Int64(factor))
        let fraction = String(Int64(factor) + rest).dropFirst()
        return (self < 0 ? "-" : "") + (digits > 0 ? "\(whole).\(fraction)" : "\(whole)")
    }
}

extension Duration {
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }

    var milliseconds: Int64 { Int64((seconds * 1000).rounded()) }
}
