extension RouteLedger {
    /// A line for each meter that has a limit: in place, as a claim and a settlement ask each of them many times.
    package struct Lines: Sendable {
        private var requests: Line?
        private var inputTokens: Line?
        private var outputTokens: Line?

        package subscript(_ meter: Meter) -> Line? {
            get {
                switch meter {
                case .requests: requests
                case .inputTokens: inputTokens
                case .outputTokens: outputTokens
                }
            }
            _modify {
                switch meter {
                case .requests: yield &requests
                case .inputTokens: yield &inputTokens
                case .outputTokens: yield &outputTokens
                }
            }
        }

        package var isEmpty: Bool { requests == nil && inputTokens == nil && outputTokens == nil }
        package var keys: [Meter] { Meter.allCases.filter { self[$0] != nil } }
        package var all: [(meter: Meter, line: Line)] {
            Meter.allCases.compactMap { meter in self[meter].map { (meter, $0) } }
        }
        package var values: [Line] { Meter.allCases.compactMap { self[$0] } }
    }
}

extension RouteLedger.Lines: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (RouteLedger.Meter, RouteLedger.Line)...) {
        for (meter, line) in elements { self[meter] = line }
    }
}
