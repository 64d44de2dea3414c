import TestSupport
import Testing

/// What PostgreSQL's locks are for: the search finds what breaks without each of them.
@Suite(.onThread) struct InterleavingTests {
    /// A lock that a control takes away, and what breaks then.
    struct Control: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let broken: [String]
        let locks: Locks

        init(_ name: String, breaks broken: String..., without change: (inout Locks) -> Void) {
            testDescription = name
            self.broken = broken
            var locks = Locks.postgres
            change(&locks)
            self.locks = locks
        }
    }

    static let controls = [
        Control("two claims of one route at a time", breaks: "a route's running calls") { $0.routes = false },
        Control(
            "claims of two routes spend one budget side by side", breaks: "a budget's window",
            "what a budget's window reserves", "a budget has one window at a time"
        ) { $0.budgets = false },
        Control(
            "claims of two routes fill one queue side by side", breaks: "a queue has no more calls in flight"
        ) { $0.queues = false },
        Control(
            "two verbs change one job at a time", breaks: "an attempt is settled once",
            "only a ready job is called",
            "only a queued job", "a job ends once", "only a running job", "only an open attempt"
        ) { $0.jobs = false },
        Control(
            "a settlement writes a route that it has not locked", breaks: "a route's running calls",
            "what a route has reserved", "what a budget's window", "a queue's running calls"
        ) { $0.settlesByNews = false },
        Control("a fold releases nobody", breaks: "who waits for a call") { $0.foldsReleases = false },
        Control(
            "answers are looked for before calls in flight", breaks: "no call is made whose answer was there"
        ) {
            $0.asksForCallsFirst = false
        },
        Control("news of another route's calls waits for that route's next claim", breaks: "every job ends") {
            $0.foldsAllThatItLocks = false
        },
    ]

    @Test(arguments: controls)
    func `without one of its locks the search finds what breaks`(_ control: Control) {
        var met: [String: Int] = [:]
        let found = Search.first(1...400, steps: 1_000, locks: control.locks, met: &met)
        let seed = found.map { "seed \($0.seed), step \($0.step): \($0.violations.first ?? "")" } ?? "nothing"
        print("\(control.testDescription): \(seed)")
        let isExpected = found?.violations.contains { violation in
            control.broken.contains { violation.hasPrefix($0) }
        }
        #expect(isExpected == true, "\(seed)")
    }
}
