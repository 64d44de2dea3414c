/// How moments of a file's boot clock and of a database's clock are told in each other's numbers.
///
/// Moments of another boot have passed: in the database they are 0.
package struct MomentScale: Sendable {
    let boot: Int64
    /// What the database's clock shows beyond the file's.
    let difference: Int64

    /// Further away is never; with the difference no number overflows.
    private static let farthest: Int64 = 1 << 61
    private static let largestDifference: Int64 = 1 << 60

    /// What the database's clock shows at a moment of the file's clock, both in milliseconds.
    package init(database: Int64, boot: Int64, moment: Int64) {
        let (difference, overflows) = database.subtractingReportingOverflow(moment)
        self.init(boot: boot, difference: overflows ? (database < 0 ? .min : .max) : difference)
    }

    init(boot: Int64, difference: Int64) {
        self.boot = boot
        self.difference = min(max(difference, -Self.largestDifference), Self.largestDifference)
    }

    /// The file gets the database's own numbers, of a boot 0.
    package static let same = MomentScale(database: 0, boot: 0, moment: 0)

    func inDatabase(_ moment: Int64, ofBoot boot: Int64) -> Int64 {
        guard boot == self.boot else { return 0 }
        let (sum, overflows) = moment.addingReportingOverflow(difference)
        return Self.limited(overflows ? (moment < 0 ? .min : .max) : sum)
    }

    func inFile(_ milliseconds: Int64) -> Int64 { Self.limited(milliseconds) - difference }

    static func limited(_ milliseconds: Int64) -> Int64 { min(max(milliseconds, -farthest), farthest) }
}
