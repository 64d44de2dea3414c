/// Lists, results and statistics, which a standby of the database can answer too.
package protocol ListReading: Sendable {
    /// Newest first, ids below `before`; bodies only if asked for.
    func jobs(_ filter: JobFilter, before: JobID?, limit: Int, bodies: Bodies) async throws -> [Job]
    func results(_ query: ResultsQuery, after: Int64, limit: Int) async throws -> [FinishedJob]
    func stats() async throws -> Stats
    /// What was spent in the last so many UTC days, dearest first; by day, newest first.
    func spend(by axis: SpendAxis, days: Int) async throws -> [SpendShare]
}

/// What was read, and up to when it has everything that was committed; nil if it was the database itself that was asked.
package struct Dated<Value: Sendable>: Sendable {
    package var value: Value
    package var asOf: Timestamp?

    package init(_ value: Value, asOf: Timestamp? = nil) {
        self.value = value
        self.asOf = asOf
    }
}

extension Reading {
    package func lists<T: Sendable>(
        _ body: @Sendable (any ListReading) async throws -> T
    ) async throws -> Dated<T> {
        Dated(try await body(self))
    }
}

/// A standby beside the database, as `/ready` shows it.
package struct ReplicaFacts: Hashable, Sendable {
    package enum State: String, Sendable {
        case used
        /// It lacks too much of what the database has.
        case behind
        case away
    }

    package var state: State
    /// For people.
    package var detail: String
    /// Up to when it has everything, as far as it is known.
    package var asOf: Timestamp?

    package init(state: State, detail: String, asOf: Timestamp?) {
        self.state = state
        self.detail = detail
        self.asOf = asOf
    }
}

extension JobFilter {
    /// Whether only the database itself will do: who asks by a job's own name may just have enqueued it, and who reviews must not see
    /// what others have decided.
    package var wantsLatest: Bool { customID != nil || state == .review }
}
