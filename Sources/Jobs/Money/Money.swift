/// An amount of money in billionths of a US dollar.
///
/// The cheapest token costs 10 nano-dollars, so every cost is a whole number and sums are exact.
package struct Money: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var nanodollars: Int64

    package init(nanodollars: Int64) {
        self.nanodollars = nanodollars
    }

    package static let zero = Money(nanodollars: 0)

    /// Decimal US dollars with at least six places, more only if the amount needs them: `0.000275`.
    package var description: String {
        let magnitude = nanodollars.magnitude
        var fraction = String(magnitude % 1_000_000_000)
        fraction = String(repeating: "0", count: 9 - fraction.count) + fraction
        while fraction.count > 6, fraction.last == "0" { fraction.removeLast() }
        return (nanodollars < 0 ? "-" : "") + "\(magnitude / 1_000_000_000)." + fraction
    }

    /// Reads decimal US dollars with up to nine places; nil for anything else, negative amounts included.
    package init?(dollars text: String) {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, first.utf8.allSatisfy({ (48...57).contains($0) }),
            let whole = Int64(first), whole < 1_000_000_000
        else { return nil }
        var nanodollars = whole * 1_000_000_000
        if parts.count == 2 {
            let places = parts[1]
            guard (1...9).contains(places.count), places.allSatisfy({ $0.isASCII && $0.isNumber }),
                let value = Int64(places + String(repeating: "0", count: 9 - places.count))
            else { return nil }
            nanodollars += value
        }
        self.init(nanodollars: nanodollars)
    }

    package static func < (a: Money, b: Money) -> Bool { a.nanodollars < b.nanodollars }

    /// Sums end at the largest amount, as do differences: no account is worth a crash.
    package static func + (a: Money, b: Money) -> Money {
        Money(nanodollars: a.nanodollars.addingSaturated(b.nanodollars))
    }
    package static func - (a: Money, b: Money) -> Money {
        Money(nanodollars: a.nanodollars.addingSaturated(b.nanodollars == .min ? .max : -b.nanodollars))
    }
}
