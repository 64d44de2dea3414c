/// One measured figure.
struct Figure {
    /// What the same work costs, or yields, without renga in between; measured in the same run.
    struct Ceiling {
        var value: Double
        var what: String
    }

    /// What was promised of it.
    enum Goal {
        /// Of the ceiling.
        case share(Double)
        case atMost(Double)
    }

    var what: String
    var value: Double
    var unit: String
    var ceiling: Ceiling?
    var goal: Goal?
    /// How it was measured, if that is not clear from the name.
    var note = ""

    init(
        _ what: String, _ value: Double, _ unit: String, ceiling: (Double, String)? = nil, goal: Goal? = nil,
        note: String = ""
    ) {
        self.what = what
        self.value = value
        self.unit = unit
        self.ceiling = ceiling.map { Ceiling(value: $0.0, what: $0.1) }
        self.goal = goal
        self.note = note
    }

    fileprivate var verdict: String {
        switch goal {
        case nil: ""
        case .share(let least):
            "≥ \(Table.number(least * 100)) %: "
                + (value >= least * (ceiling?.value ?? 0) ? "holds" : "**missed**")
        case .atMost(let most): "≤ \(Table.number(most)) \(unit): " + (value <= most ? "holds" : "**missed**")
        }
    }
}

/// The figures of one run as a Markdown table.
struct Table {
    private var figures: [Figure] = []

    mutating func add(_ more: [Figure]) {
        figures += more
    }

    var text: String {
        let head = [
            "| what | figure | bare ceiling | of it | goal | notes |",
            "| --- | ---: | ---: | ---: | --- | --- |",
        ]
        return (head + figures.map(Self.row)).joined(separator: "\n")
    }

    private static func row(_ figure: Figure) -> String {
        let ceiling = figure.ceiling.map { "\(number($0.value)) \(figure.unit)" } ?? ""
        // A share makes sense for a rate; for a time it would read upside down.
        let share = figure.ceiling.flatMap { ceiling in
            figure.unit.hasSuffix("/s") ? "\(number((figure.value / ceiling.value * 100).rounded())) %" : nil
        }
        let notes = [figure.ceiling.map { "ceiling: " + $0.what }, figure.note.isEmpty ? nil : figure.note]
        let cells = [
            figure.what, "\(number(figure.value)) \(figure.unit)", ceiling, share ?? "", figure.verdict,
            notes.compactMap { $0 }.joined(separator: "; "),
        ]
        return "| " + cells.joined(separator: " | ") + " |"
    }

    /// Whole from 100 on, with thousands set apart; else with at most two digits behind the point.
    static func number(_ value: Double) -> String {
        guard value < 100 else { return grouped(Int(value.rounded())) }
        let hundredths = Int((value * 100).rounded())
        let (whole, rest) = hundredths.quotientAndRemainder(dividingBy: 100)
        if rest == 0 { return "\(whole)" }
        return rest % 10 == 0 ? "\(whole).\(rest / 10)" : "\(whole)." + (rest < 10 ? "0\(rest)" : "\(rest)")
    }

    private static func grouped(_ value: Int) -> String {
        let digits = Array(String(value))
        let groups = stride(from: digits.count, to: 0, by: -3).map { String(digits[max(0, $0 - 3)..<$0]) }
        return groups.reversed().joined(separator: ",")
    }
}
