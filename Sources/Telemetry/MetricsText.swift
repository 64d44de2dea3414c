/// Builds the Prometheus text format 0.0.4, a family of samples at a time.
///
/// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
package struct MetricsText: Sendable {
    /// Prometheus 3 refuses a scrape without it.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    package enum Kind: String, Sendable {
        /// Only grows; by convention its name ends in `_total`.
        case counter
        case gauge
    }

    /// In the order in which they are written.
    package typealias Labels = KeyValuePairs<String, String>

    package private(set) var bytes: [UInt8] = []
    private var family = ""

    package init() {}

    /// All samples of one name belong into the one body; names carry their base unit (`_seconds`, `_bytes`).
    package mutating func family(
        _ name: String, _ kind: Kind, _ help: String, _ body: (inout MetricsText) throws -> Void
    ) rethrows {
        append("# HELP \(name) \(escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n")
        family = name
        try body(&self)
    }

    /// One sample of the family; the same labels twice would spoil the whole scrape.
    package mutating func sample(_ value: Int, _ labels: Labels = [:]) {
        line(family, labels.map { ($0.key, $0.value) }, "\(value)")
    }

    /// One sample of the family; the same labels twice would spoil the whole scrape.
    package mutating func sample(_ value: Double, _ labels: Labels = [:]) {
        line(family, labels.map { ($0.key, $0.value) }, number(value))
    }

    private mutating func line(_ name: String, _ labels: [(String, String)], _ value: String) {
        let inside = labels.map { "\($0)=\"\(escaped($1, quotes: true))\"" }.joined(separator: ",")
        append(inside.isEmpty ? "\(name) \(value)\n" : "\(name){\(inside)} \(value)\n")
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
}

private func escaped(_ text: String, quotes: Bool) -> String {
    text.unicodeScalars.map { scalar in
        switch scalar {
        case "\\": "\\\\"
        case "\n": "\\n"
        case "\"" where quotes: "\\\""
        default: String(scalar)
        }
    }
    .joined()
}

/// Read by Go's ParseFloat; whole numbers are written without a fraction.
private func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    if value.magnitude < 0x1p53, Double(Int64(value)) == value { return "\(Int64(value))" }
    return "\(value)"
}
