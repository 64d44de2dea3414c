import Glibc
import Synchronization
import TestPostgres
import TestSupport

/// What is done to a database server and to those of its processes that serve the deployment.
final class DatabaseHarm: Sendable {
    enum Kind: String, CaseIterable {
        case sessionsEnded = "sessions ended by the server"
        case backendsKilled = "backends killed with -9"
        case serverKilled = "servers stopped without a word"
    }

    struct Toll {
        var strikes: [Kind: Int] = [:]
        /// Open attempts when it was struck, summed up: calls in flight, and those whose answers wait for their settlement.
        var inFlight = 0
        var longestAbsence = 0.0
    }

    let database: ServerDatabase
    private let state = Mutex(Toll())

    init(_ database: ServerDatabase) {
        self.database = database
    }

    var toll: Toll { state.withLock { $0 } }

    func strike(_ kind: Kind, _ random: inout SeededRandom) async throws {
        guard let backend = try await backends().randomElement(using: &random) else { return }
        let before = try await openAttempts()
        let start = ContinuousClock.now
        switch kind {
        case .sessionsEnded:
            _ = try await database.ask("SELECT pg_terminate_backend(\(backend))::int::bigint")
        case .backendsKilled: kill(pid_t(backend), SIGKILL)
        case .serverKilled:
            try await stop()
            try await restart()
        }
        let after = try await openAttempts()
        let seconds = (ContinuousClock.now - start).seconds
        state.withLock { toll in
            toll.strikes[kind, default: 0] += 1
            toll.inFlight += max(before, after)
            toll.longestAbsence = max(toll.longestAbsence, seconds)
        }
    }

    /// As a power cut would.
    func stop() async throws {
        try await offPool { [database] in try database.server.crash() }
    }

    func restart() async throws {
        try await offPool { [database] in try database.server.restart() }
    }

    private func openAttempts() async throws -> Int {
        try await database.ask("SELECT count(*) FROM flight").first ?? 0
    }

    /// Those of renga's processes.
    private func backends() async throws -> [Int] {
        try await database.ask(
            """
            SELECT pid::bigint
            FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
            ORDER BY pid
            """)
    }
}

extension Scenario {
    /// For proofs that only a database server is part of.
    func server() throws -> ServerDatabase {
        guard let onServer else { throw Disappointment("the scenario is not on PostgreSQL") }
        return onServer
    }
}
