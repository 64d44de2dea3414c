/// Which tags have a budget: jobs with other budgets are in other lanes, so that an exhausted one blocks only its own jobs.
package struct LaneBudget: Equatable, Sendable {
    private let budgeted: Set<String>

    package init(budgeted: Set<String>) {
        self.budgeted = budgeted
    }

    /// The lane's `budget` for jobs with these tags.
    package func name(of tags: [String]) -> String {
        Set(tags).intersection(budgeted).sorted().joined(separator: "\n")
    }

    package static func tags(of lane: String) -> [String] {
        lane.isEmpty ? [] : lane.split(separator: "\n").map(String.init)
    }

    /// The tags that have a budget here or there, and not in both.
    package func difference(from other: LaneBudget) -> Set<String> {
        budgeted.symmetricDifference(other.budgeted)
    }
}
