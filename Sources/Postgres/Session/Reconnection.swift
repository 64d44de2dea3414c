import System

/// Opens connections to a cluster, again after each loss, with growing waits while there is none to be had.
struct Reconnection {
    private let settings: ConnectionSettings
    private let clock: @Sendable () -> Int64
    private var random: any RandomNumberGenerator & Sendable
    private var backoff = Backoff()
    private var patience: HostPatience
    /// Not to be asked again before.
    private(set) var nextAttempt = Int64.min
    private(set) var failure: PostgresError?
    /// When the first of the attempts failed that have failed one after the other.
    private(set) var failingSince: Int64?
    /// The cluster that the first connection was to.
    private var cluster: Int64?

    init(
        _ settings: ConnectionSettings, random: any RandomNumberGenerator & Sendable,
        clock: @escaping @Sendable () -> Int64
    ) {
        self.settings = settings
        patience = HostPatience(settings)
        self.random = random
        self.clock = clock
    }

    var now: Int64 { clock() }

    /// Nil if there is none to be had, or the time to ask again has not come.
    mutating func connect() -> Connection? {
        guard now >= nextAttempt else { return nil }
        do throws(PostgresError) {
            let connection = try Connection.open(settings, &patience)
            try compare(connection.identity?.system)
            backoff.reset()
            failure = nil
            failingSince = nil
            return connection
        } catch {
            failure = error
            failingSince = failingSince ?? now
            nextAttempt = now + backoff.next(using: &random)
            return nil
        }
    }

    /// Another cluster under the same name has other jobs: what is known of the first would be written into it.
    private mutating func compare(_ system: Int64?) throws(PostgresError) {
        guard let system else { return }
        if let cluster, cluster != system {
            throw PostgresError(
                .refused, "\(settings) is another cluster than before (\(system), not \(cluster))")
        }
        cluster = system
    }
}
