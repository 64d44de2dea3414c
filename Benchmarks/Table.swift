/// One measured figure.
struct Figure {
    var what: String
    var value: Double
    var unit: String
}

/// The figures of one run, printed as a Markdown table.
struct Table {
    private var figures: [Figure] = []

    mutating func add(_ more: [Figure]) {
        figures += more
    }

    func print() {
        Swift.print("| what | figure | unit |\n| --- | ---: | --- |")
        for figure in figures {
            let digits = figure.value >= 100 ? 0 : 2
            Swift.print("| \(figure.what) | \(Self.text(figure.value, digits: digits)) | \(figure.unit) |")
        }
    }

    static func text(_ value: Double, digits: Int) -> String {
        if digits == 0 { return String(Int(value.rounded())) }
        let hundredths = Int((value * 100).rounded())
        let fraction = hundredths % 100
        return "\(hundredths / 100)." + (fraction < 10 ? "0\(fraction)" : "\(fraction)")
    }
}
