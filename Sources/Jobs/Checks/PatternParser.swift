/// Reads a pattern: literals, `.`, classes, groups, `|`, `* + ? {m,n}`, `^ $ \b`, `\d \w \s`, and `(?i)` at the beginning.
struct PatternParser {
    private static let depthLimit = 50
    private static let repetitionLimit = 1_000

    private(set) var ignoresCase = false
    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var depth = 0

    init(_ source: String) {
        scalars = Array(source.unicodeScalars)
        if source.hasPrefix("(?i)") {
            ignoresCase = true
            position = 4
        }
    }

    mutating func parse() throws(PatternError) -> PatternTree {
        let tree = try alternation()
        guard position == scalars.count else { throw PatternError("a “)” at \(position + 1) closes nothing") }
        return tree
    }

    private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        position += 1
        return true
    }

    private mutating func alternation() throws(PatternError) -> PatternTree {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw PatternError("groups are nested too deeply") }
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .either(branches)
    }

    private mutating func sequence() throws(PatternError) -> PatternTree {
        var parts: [PatternTree] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            parts.append(try repeated(try atom()))
        }
        return .sequence(parts)
    }

    private mutating func repeated(_ tree: PatternTree) throws(PatternError) -> PatternTree {
        guard let (least, most) = try bounds() else { return tree }
        if case .edge = tree { throw PatternError("nothing can be repeated at \(position)") }
        // Lazy or greedy: whether there is a match is the same.
        _ = take("?")
        if let next, "*+?".unicodeScalars.contains(next) {
            throw PatternError("“\(next)” at \(position + 1) repeats a repetition")
        }
        return .repeated(tree, least: least, most: most)
    }

    private mutating func bounds() throws(PatternError) -> (Int, Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        let start = position
        guard take("{") else { return nil }
        guard let least = number() else {
            // As everywhere else, a brace that begins no count stands for itself.
            position = start
            return nil
        }
        var most: Int? = least
        if take(",") { most = number() }
        guard take("}") else { throw PatternError("a “{” at \(start + 1) is not closed: {2}, {2,} or {2,5}") }
        guard least <= Self.repetitionLimit, most ?? 0 <= Self.repetitionLimit, least <= most ?? least else {
            throw PatternError(
                "the count at \(start + 1) must go from less to more, up to \(Self.repetitionLimit)")
        }
        return (least, most)
    }

    /// The largest number for one that is larger; nil without digits.
    private mutating func number() -> Int? {
        let start = position
        while let scalar = next, ("0"..."9").contains(scalar) { position += 1 }
        let digits = scalars[start..<position]
        return digits.isEmpty ? nil : Int(String(String.UnicodeScalarView(digits))) ?? .max
    }

    private mutating func atom() throws(PatternError) -> PatternTree {
        let start = position
        guard let scalar = next else { return .sequence([]) }
        position += 1
        switch scalar {
        case ".": return .scalar(.notNewline)
        case "^": return .edge(.start)
        case "$": return .edge(.end)
        case "(": return try group(from: start)
        case "[": return .scalar(try bracket(from: start))
        case "\\": return try escape()
        case "*", "+", "?": throw PatternError("“\(scalar)” at \(start + 1) has nothing to repeat")
        case "{":
            // A brace that stands for itself: a count would have been read after its atom.
            position = start
            if try bounds() != nil { throw PatternError("“{” at \(start + 1) has nothing to repeat") }
            position = start + 1
            return .scalar(ScalarSet("{"))
        default: return .scalar(ScalarSet(scalar))
        }
    }

    private mutating func group(from start: Int) throws(PatternError) -> PatternTree {
        if take("?") {
            guard take(":") else {
                throw PatternError(
                    "the group at \(start + 1) is none that can be matched in bounded time: only (…) and (?:…)"
                )
            }
        }
        let tree = try alternation()
        guard take(")") else { throw PatternError("a “(” at \(start + 1) is not closed") }
        return tree
    }

    private mutating func escape() throws(PatternError) -> PatternTree {
        if take("b") { return .edge(.wordEdge(true)) }
        if take("B") { return .edge(.wordEdge(false)) }
        return .scalar(try escapedSet())
    }

    private mutating func escapedSet() throws(PatternError) -> ScalarSet {
        guard let scalar = next else { throw PatternError("a “\\” stands at the end") }
        position += 1
        switch scalar {
        case "d": return .digit
        case "D": return .digit.inverted
        case "w": return .word
        case "W": return .word.inverted
        case "s": return .space
        case "S": return .space.inverted
        case "n": return ScalarSet("\n")
        case "r": return ScalarSet("\r")
        case "t": return ScalarSet("\t")
        case "u": return ScalarSet(try hexadecimal(4))
        case "x": return ScalarSet(try hexadecimal(2))
        case "0"..."9":
            throw PatternError("“\\\(scalar)” refers to a group, which cannot be matched in bounded time")
        case "a"..."z", "A"..."Z": throw PatternError("“\\\(scalar)” at \(position - 1) means nothing here")
        default: return ScalarSet(scalar)
        }
    }

    private mutating func hexadecimal(_ digits: Int) throws(PatternError) -> Unicode.Scalar {
        let end = position + digits
        guard end <= scalars.count,
            let number = UInt32(String(String.UnicodeScalarView(scalars[position..<end])), radix: 16),
            let scalar = Unicode.Scalar(number)
        else {
            throw PatternError("\(digits) hexadecimal digits of a character must follow at \(position + 1)")
        }
        position = end
        return scalar
    }

    private mutating func bracket(from start: Int) throws(PatternError) -> ScalarSet {
        let isInverted = take("^")
        var set = ScalarSet()
        var isFirst = true
        while let scalar = next {
            if scalar == "]", !isFirst {
                position += 1
                return isInverted ? set.inverted : set
            }
            isFirst = false
            position += 1
            let low = scalar == "\\" ? try escapedSet() : ScalarSet(scalar)
            guard next == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else {
                set.formUnion(low)
                continue
            }
            position += 1
            let end = scalars[position]
            position += 1
            let high = end == "\\" ? try escapedSet() : ScalarSet(end)
            guard let from = low.single, let to = high.single, from <= to else {
                throw PatternError(
                    "the range before \(position + 1) must go from one character to a later one")
            }
            set.insert(from...to)
        }
        throw PatternError("a “[” at \(start + 1) is not closed")
    }
}
