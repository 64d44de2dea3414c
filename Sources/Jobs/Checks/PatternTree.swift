/// A pattern as it was written.
indirect enum PatternTree {
    case scalar(ScalarSet)
    case edge(Pattern.Step)
    case sequence([PatternTree])
    case either([PatternTree])
    case repeated(PatternTree, least: Int, most: Int?)
}

/// Writes a pattern out as steps.
struct PatternCompiler {
    var steps: [Pattern.Step] = []

    mutating func emit(_ tree: PatternTree) throws(PatternError) {
        guard steps.count < Pattern.stepLimit else {
            throw PatternError(
                "it is too large: at most \(Pattern.stepLimit) steps when its repetitions are written out")
        }
        switch tree {
        case .scalar(let set): steps.append(.scalar(set))
        case .edge(let step): steps.append(step)
        case .sequence(let parts): for part in parts { try emit(part) }
        case .either(let branches): try emit(branches[...])
        case .repeated(let tree, let least, let most): try emit(tree, least: least, most: most)
        }
    }

    private mutating func emit(_ branches: ArraySlice<PatternTree>) throws(PatternError) {
        guard let first = branches.first else { return }
        guard branches.count > 1 else { return try emit(first) }
        let fork = steps.count
        steps.append(.jump(0))
        try emit(first)
        let leave = steps.count
        steps.append(.jump(0))
        steps[fork] = .fork(fork + 1, steps.count)
        try emit(branches.dropFirst())
        steps[leave] = .jump(steps.count)
    }

    private mutating func emit(_ tree: PatternTree, least: Int, most: Int?) throws(PatternError) {
        for _ in 0..<least {
            let before = steps.count
            try emit(tree)
            // Repetitions of nothing are nothing, however many.
            if steps.count == before { break }
        }
        guard let most else {
            let fork = steps.count
            steps.append(.jump(0))
            try emit(tree)
            steps.append(.jump(fork))
            steps[fork] = .fork(fork + 1, steps.count)
            return
        }
        var forks: [Int] = []
        for _ in least..<most {
            forks.append(steps.count)
            steps.append(.jump(0))
            try emit(tree)
        }
        for fork in forks { steps[fork] = .fork(fork + 1, steps.count) }
    }
}

/// A set of characters, as ranges.
struct ScalarSet: Sendable {
    private var ranges: [ClosedRange<UInt32>] = []

    init() {}

    init(_ scalar: Unicode.Scalar) {
        ranges = [scalar.value...scalar.value]
    }

    private init(_ ranges: [ClosedRange<Unicode.Scalar>]) {
        self.ranges = ranges.map { $0.lowerBound.value...$0.upperBound.value }
    }

    static let digit = ScalarSet(["0"..."9"])
    static let word = ScalarSet(["0"..."9", "A"..."Z", "_"..."_", "a"..."z"])
    static let space = ScalarSet(["\t"..."\r", " "..." ", "\u{A0}"..."\u{A0}", "\u{2028}"..."\u{2029}"])
    static let notNewline = ScalarSet("\n").inverted

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        ranges.contains { $0.contains(scalar.value) }
    }

    mutating func insert(_ range: ClosedRange<Unicode.Scalar>) {
        ranges.append(range.lowerBound.value...range.upperBound.value)
    }

    mutating func formUnion(_ other: ScalarSet) {
        ranges += other.ranges
    }

    /// The one character that it holds.
    var single: Unicode.Scalar? {
        guard ranges.count == 1, ranges[0].count == 1 else { return nil }
        return Unicode.Scalar(ranges[0].lowerBound)
    }

    var inverted: ScalarSet {
        var result = ScalarSet()
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { result.ranges.append(next...range.lowerBound - 1) }
            next = max(next, range.upperBound + 1)
        }
        if next <= 0x10FFFF { result.ranges.append(next...0x10FFFF) }
        return result
    }
}
