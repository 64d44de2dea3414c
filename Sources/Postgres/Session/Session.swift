import System

/// One connection on a thread of its own, which callers of a process reach through a mailbox and share.
///
/// While a round trip is under way requests gather, and all of them go out in the next one, as one transaction: they share the way and the
/// sync of its commit, which cost more than everything else. If one fails all are undone, and each runs again by itself; so a request
/// may run more than once before its one outcome. What was under way when a connection broke is never repeated: its callers are told.
///
/// The thread connects when something is asked, and again whenever the connection is lost; if there is none within its patience,
/// a request is refused with the reason as soon as the attempt under way has ended. Once there was none for that long, requests are
/// refused at once until an attempt succeeds.
package final class Session: Sendable {
    /// How many requests may wait before more are refused with `overloaded`.
    package static let mailboxLimit = 65_536
    /// How many requests one round trip takes at most.
    package static let tripLimit = 128
    /// After so many bytes of parameters a round trip takes no further request.
    static let tripBytes = 4 << 20

    private let mailbox: Mailbox<SessionRequest>
    private let thread: Thread
    private let counters = SessionCounters()
    private let clock: @Sendable () -> Int64

    /// Starts the thread; throws `missingLibrary` if libpq is not installed.
    ///
    /// `random` shares out the waits between attempts to connect; `clock` counts milliseconds.
    package init(
        _ settings: ConnectionSettings, patienceMilliseconds: Int = 10_000, limits: TripLimits = TripLimits(),
        random: any RandomNumberGenerator & Sendable,
        clock: @escaping @Sendable () -> Int64 = monotonicMilliseconds
    ) throws(PostgresError) {
        _ = try Library.functions()
        self.clock = clock
        let mailbox = try system(Mailbox<SessionRequest>(.polled, limit: Self.mailboxLimit))
        self.mailbox = mailbox
        let reconnection = Reconnection(settings, random: random, clock: clock)
        thread = try system(
            Thread(named: "postgres") { [counters] in
                var loop = SessionLoop(mailbox, reconnection, counters, Int64(patienceMilliseconds), limits)
                loop.run()
            })
    }

    deinit {
        mailbox.close()
    }

    /// Runs statements that stand or fall together, in a round trip and a transaction shared with other callers.
    ///
    /// None of them may be BEGIN or COMMIT: for those `run` takes a closure. Cancelling the task changes nothing: what was handed over is done.
    @discardableResult
    package func run(_ calls: [Call]) async throws -> [Rows] {
        try await withCheckedThrowingContinuation { continuation in
            submit(.calls(calls) { continuation.resume(with: $0) })
        }
    }

    /// Runs the closure on the session's thread with the connection to itself: for transactions of several round trips.
    ///
    /// The closure must not keep the connection, nor wait for anything but it.
    package func run<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            submit(
                .unit { connection in
                    continuation.resume(with: Result { try body(connection.get()) })
                })
        }
    }

    /// The same for a closure that is called without waiting for it, and with why there is no connection.
    package func submit(_ body: @escaping @Sendable (Result<Connection, PostgresError>) -> Void) {
        submit(.unit(body))
    }

    private func submit(_ work: SessionRequest.Work) {
        switch mailbox.post(SessionRequest(work: work, postedAt: clock())) {
        case nil: break
        case .closed: work.refuse(PostgresError(.closed, "the session is closed"))
        case .overloaded:
            work.refuse(PostgresError(.overloaded, "\(Self.mailboxLimit) requests wait already"))
        }
    }

    package var statistics: SessionStatistics {
        var statistics = counters.read()
        statistics.waiting += mailbox.count
        return statistics
    }

    /// Finishes what waits, refuses more, and returns once the connection is closed.
    package func close() async {
        mailbox.close()
        await thread.end()
    }
}

/// One request in the mailbox.
struct SessionRequest: Sendable {
    enum Work: Sendable {
        case calls([Call], reply: @Sendable (Result<[Rows], PostgresError>) -> Void)
        /// Called with why there is no connection, or with one.
        case unit(@Sendable (Result<Connection, PostgresError>) -> Void)

        func refuse(_ error: PostgresError) {
            switch self {
            case .calls(_, let reply): reply(.failure(error))
            case .unit(let run): run(.failure(error))
            }
        }
    }

    let work: Work
    let postedAt: Int64
}

/// Makes something of the system's; what it refuses is an error of this module.
func system<T>(_ make: @autoclosure () throws(SystemError) -> T) throws(PostgresError) -> T {
    do throws(SystemError) {
        return try make()
    } catch {
        throw PostgresError(.unavailable, error.message)
    }
}
