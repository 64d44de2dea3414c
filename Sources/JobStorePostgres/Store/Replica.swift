package import Jobs
package import Postgres
import Synchronization

/// A standby that lists, results and statistics are read from, as long as it has what the database had moments ago.
final class Replica: Sendable {
    /// How far it may be behind.
    enum Freshness {
        /// Some seconds.
        case recent
        /// It has all that was committed when it was asked.
        case current
    }

    private let settings: ConnectionSettings
    private let session: Session
    /// The cluster that it must belong to; nil if its servers do not tell.
    private let cluster: Int64?
    private let state = Mutex(State())

    private struct State {
        var facts: ReplicaFacts
        init() { facts = ReplicaFacts(state: .used, detail: "it was not asked yet", asOf: nil) }
    }

    /// Longer than a busy standby takes, and short beside what people notice in a list.
    static let longestLag: Milliseconds = 5_000
    /// Who asks for a list does not wait long for a standby: the database can answer too.
    private static let patience = 500
    private static let pauses = [5, 10, 20, 40, 80]

    init(_ settings: ConnectionSettings, of cluster: Int64?) throws {
        self.settings = settings
        self.cluster = cluster
        session = try Session(settings, patienceMilliseconds: Self.patience, random: SystemRandom())
    }

    var facts: ReplicaFacts { state.withLock { $0.facts } }

    func close() async { await session.close() }

    /// Nil if the database has to be asked instead; `facts` then say why.
    ///
    /// `position` asks the database how far its log is written.
    func read<T: Sendable>(
        _ freshness: Freshness, now: Now, position: @escaping @Sendable () async throws -> Int64,
        _ body: @escaping @Sendable (Access) throws -> T
    ) async -> Dated<T>? {
        do {
            guard let asOf = try await whatItHas(freshness, now: now, position: position) else { return nil }
            let value = try await session.run { connection in
                try connection.transaction(.snapshot) { transaction in try body(Access(transaction)) }
            }
            note(.used, "\(settings) answers lists, results and statistics", asOf: asOf)
            return Dated(value, asOf: asOf)
        } catch {
            note(.away, "\(settings) cannot be asked: \(error)")
            return nil
        }
    }

    /// Up to when it has everything; nil if that is too long ago.
    private func whatItHas(
        _ freshness: Freshness, now: Now, position: @Sendable () async throws -> Int64
    ) async throws -> Timestamp? {
        var place = try await place()
        guard place.isStandby else {
            note(.away, "\(settings) is no standby: it may have been one before a failover")
            return nil
        }
        let limit = now.timestamp + -Self.longestLag
        if freshness == .recent, let replayed = place.replayedAt, replayed >= limit { return replayed }
        // Without transactions its last one grows old, though it lacks none.
        let wanted = try await position()
        for pause in Self.pauses where place.position < wanted && place.isNear(limit) {
            try await Task.sleep(for: .milliseconds(pause))
            place = try await self.place()
        }
        if place.position >= wanted { return max(now.timestamp, place.replayedAt ?? now.timestamp) }
        let lag = place.replayedAt.map { now.timestamp.milliseconds - $0.milliseconds }
        let text = lag.map { "by \($0 / 1000) s" } ?? "by an unknown time"
        note(.behind, "\(settings) is behind \(text)", asOf: place.replayedAt)
        return nil
    }

    private func place() async throws -> Place {
        try await session.run { [cluster] connection in
            let system = connection.identity?.system
            if let system, let cluster, system != cluster {
                throw JobStoreError(
                    .unsuitable,
                    "it is of another cluster (\(system), not \(cluster)): name a standby of this one")
            }
            guard let row = try connection.run([Call(.place)])[0].first else {
                throw JobStoreError(.unavailable, "it says nothing of itself")
            }
            return Place(
                isStandby: try row.bool(0), replayedAt: try row.timestampOrNil(1),
                position: try row.int64OrNil(2) ?? 0)
        }
    }

    private struct Place: Sendable {
        let isStandby: Bool
        let replayedAt: Timestamp?
        /// In the log, up to which it has replayed.
        let position: Int64

        /// Whether waiting for a moment may help.
        func isNear(_ limit: Timestamp) -> Bool { replayedAt.map { $0 >= limit } ?? false }
    }

    private func note(_ new: ReplicaFacts.State, _ detail: String, asOf: Timestamp? = nil) {
        state.withLock { $0.facts = ReplicaFacts(state: new, detail: detail, asOf: asOf) }
    }
}

extension Statement {
    fileprivate static let place = Statement(
        "replica-place",
        """
        SELECT pg_is_in_recovery(), (extract(epoch FROM pg_last_xact_replay_timestamp()) * 1000)::bigint,
            (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint
        """)
    /// What was answered is written that far.
    static let writtenPosition = Statement(
        "written-position", "SELECT (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint")
}

/// What `doctor` finds of a standby that lists are to be read from.
package struct ReplicaCheck: Sendable {
    /// For people.
    package let text: String

    /// Throws `JobStoreError` if it is none that can be used.
    package init(_ standby: ConnectionSettings, of database: ConnectionSettings) throws(JobStoreError) {
        do {
            var standby = standby
            standby.acceptsStandby = true
            let (found, primary) = (try Connection.open(standby), try Connection.open(database))
            guard let row = try found.run([Call(.place)])[0].first, try row.bool(0) else {
                throw JobStoreError(.unsuitable, "it is no standby")
            }
            if let own = found.identity?.system, let other = primary.identity?.system, own != other {
                throw JobStoreError(.unsuitable, "it is of another cluster than RENGA_DATABASE")
            }
            let wanted = try primary.run([Call(.writtenPosition)])[0].first?.int64(0) ?? 0
            let missing = max(0, wanted - (try row.int64OrNil(2) ?? 0))
            text = missing == 0 ? "lacks nothing" : "\(missing >> 10) KiB of the log behind"
        } catch {
            throw JobStoreError(error)
        }
    }
}
