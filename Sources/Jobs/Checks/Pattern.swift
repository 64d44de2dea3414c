// A regular expression that cannot be slow.
//
// Patterns come from callers and texts from models, and every worker runs them: an engine that backtracks, as most do,
// can be made to run for years by a line of text. This one follows all ways through the pattern at once (Thompson's
// construction), so its time is at most the text's length times the pattern's, and that product has a limit too. The
// price is what cannot be done so: no references to groups and no looking around.
// Source: Cox, "Regular Expression Matching Can Be Simple And Fast", 2007.

/// A regular expression, matched in linear time over Unicode scalars.
package struct Pattern: Sendable {
    package static let lengthLimit = 2_000
    /// Steps of a pattern after its repetitions were written out.
    package static let stepLimit = 2_000
    /// Steps times characters in one search, some tens of milliseconds of work; beyond, the text counts as too long.
    package static let workLimit = 5_000_000

    package let source: String
    let steps: [Step]
    let ignoresCase: Bool

    enum Step: Sendable {
        case scalar(ScalarSet)
        case fork(Int, Int)
        case jump(Int)
        case start, end
        case wordEdge(Bool)
        case match
    }

    /// Throws with a sentence that says what is wrong and where.
    package init(_ source: String) throws(PatternError) {
        guard source.unicodeScalars.count <= Self.lengthLimit else {
            throw PatternError("it is too long: at most \(Self.lengthLimit) characters")
        }
        self.source = source
        var parser = PatternParser(source)
        let tree = try parser.parse()
        ignoresCase = parser.ignoresCase
        var compiler = PatternCompiler()
        try compiler.emit(tree)
        compiler.steps.append(.match)
        steps = compiler.steps
    }

    /// Whether it is found anywhere in the text; nil if the text is too long to tell.
    package func isFound(in text: String) -> Bool? {
        let scalars = Array(text.unicodeScalars)
        var search = Search(self)
        for position in 0...scalars.count {
            search.add(0, at: position, in: scalars)
            if search.hasMatched { return true }
            guard position < scalars.count else { break }
            search.advance(over: scalars[position], to: position + 1, in: scalars)
            if search.hasMatched { return true }
            if search.work > Self.workLimit { return nil }
        }
        return false
    }

    func accepts(_ scalar: Unicode.Scalar, _ set: ScalarSet) -> Bool {
        if set.contains(scalar) { return true }
        guard ignoresCase else { return false }
        return [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping].contains { mapping in
            mapping.unicodeScalars.count == 1 && mapping.unicodeScalars.allSatisfy(set.contains)
        }
    }
}

/// What is wrong with a pattern.
package struct PatternError: Error, Hashable, Sendable {
    package var message: String

    init(_ message: String) {
        self.message = message
    }
}

/// The ways through a pattern that are still open.
private struct Search {
    let pattern: Pattern
    var hasMatched = false
    var work = 0
    private var now: [Int] = []
    /// Where each step was reached last, so that no way is followed twice.
    private var reached: [Int]

    init(_ pattern: Pattern) {
        self.pattern = pattern
        reached = Array(repeating: -1, count: pattern.steps.count)
    }

    /// Follows all steps that take no character.
    mutating func add(_ first: Int, at position: Int, in text: [Unicode.Scalar]) {
        var open = [first]
        while let step = open.popLast() {
            guard reached[step] != position else { continue }
            reached[step] = position
            work += 1
            switch pattern.steps[step] {
            case .match: hasMatched = true
            case .scalar: now.append(step)
            case .jump(let next): open.append(next)
            case .fork(let one, let other):
                open.append(other)
                open.append(one)
            case .start: if position == 0 { open.append(step + 1) }
            case .end: if position == text.count { open.append(step + 1) }
            case .wordEdge(let wanted):
                let before = position > 0 && ScalarSet.word.contains(text[position - 1])
                let after = position < text.count && ScalarSet.word.contains(text[position])
                if (before != after) == wanted { open.append(step + 1) }
            }
        }
    }

    mutating func advance(over scalar: Unicode.Scalar, to position: Int, in text: [Unicode.Scalar]) {
        let open = now
        now.removeAll(keepingCapacity: true)
        for step in open {
            work += 1
            guard case .scalar(let set) = pattern.steps[step], pattern.accepts(scalar, set) else { continue }
            add(step + 1, at: position, in: text)
        }
    }
}
