import System

/// What the session's thread does from its start to its end.
struct SessionLoop {
    private let mailbox: Mailbox<SessionRequest>
    private let counters: SessionCounters
    private let patience: Int64
    private let limits: TripLimits
    private var reconnection: Reconnection
    private var connection: Connection?
    private var waiting: [SessionRequest] = []
    private var isClosing = false

    init(
        _ mailbox: Mailbox<SessionRequest>, _ reconnection: Reconnection, _ counters: SessionCounters,
        _ patience: Int64, _ limits: TripLimits
    ) {
        self.mailbox = mailbox
        self.reconnection = reconnection
        self.counters = counters
        self.patience = patience
        self.limits = limits
    }

    /// Returns once the mailbox is closed and all that was in it has its answer.
    mutating func run() {
        while true {
            takeRequests()
            if waiting.isEmpty {
                if isClosing { return }
                rest()
            } else if let connection = connected() {
                perform(on: connection)
            } else {
                refuseOverdue()
                sleep()
            }
        }
    }

    private mutating func takeRequests() {
        // What does not fit stays in the mailbox, which refuses more at its limit.
        guard waiting.count < Session.mailboxLimit else { return }
        if let requests = mailbox.takeAll() { waiting += requests } else { isClosing = true }
        let count = waiting.count
        counters.change { $0.waiting = count }
    }

    private mutating func connected() -> Connection? {
        if let connection, connection.isUsable { return connection }
        connection = reconnection.connect()
        let (isConnected, failure) = (connection != nil, reconnection.failure)
        counters.change {
            $0.isConnected = isConnected
            $0.connectFailure = failure
            if isConnected { $0.connections += 1 }
        }
        return connection
    }

    /// Until something is asked or the server has something to say.
    private mutating func rest() {
        guard let connection, connection.isUsable else {
            _ = mailbox.event.rings(within: -1)
            return mailbox.event.clear()
        }
        connection.rest(bell: mailbox.event)
        mailbox.event.clear()
        guard !connection.isUsable else { return }
        self.connection = nil
        counters.change { $0.isConnected = false }
    }

    /// Until the server may be asked again, or something more is to be done or to be refused.
    private mutating func sleep() {
        guard let oldest = waiting.first else { return }
        let since = min(oldest.postedAt, reconnection.failingSince ?? .max)
        let until = min(reconnection.nextAttempt, since + patience)
        _ = mailbox.event.rings(within: Int32(clamping: max(1, until - reconnection.now)))
        mailbox.event.clear()
    }

    private mutating func refuseOverdue() {
        let now = reconnection.now
        let error = reconnection.failure ?? PostgresError(.unavailable, "there is no connection")
        let since = reconnection.failingSince ?? now
        let overdue = waiting.prefix { now - min($0.postedAt, since) >= patience }
        waiting.removeFirst(overdue.count)
        note(overdue.count, trips: 0)
        for request in overdue { request.work.refuse(error) }
    }

    private mutating func perform(on connection: Connection) {
        if case .unit(let run) = waiting[0].work {
            let before = connection.trips
            run(.success(connection))
            waiting.removeFirst()
            // Whoever leaves a transaction open leaves its locks too.
            if connection.isUsable, connection.hasOpenTransaction { connection.isUsable = false }
            note(1, trips: connection.trips - before)
        } else {
            share(connection)
        }
        if !connection.isUsable {
            self.connection = nil
            counters.change { $0.isConnected = false }
        }
    }

    /// One round trip and one transaction for all that can go together.
    private mutating func share(_ connection: Connection) {
        var batches: [Batch] = []
        var replies: [@Sendable (Result<[Rows], PostgresError>) -> Void] = []
        var bytes = 0
        for request in waiting {
            guard case .calls(let calls, let reply) = request.work, batches.count < Session.tripLimit,
                bytes <= Session.tripBytes
            else { break }
            batches.append(Batch(calls))
            replies.append(reply)
            bytes += calls.reduce(0) { $0 + $1.arguments.bytes.count }
        }
        let before = connection.trips
        let outcomes = connection.run(together: batches, limits: limits)
        waiting.removeFirst(batches.count)
        note(batches.count, trips: connection.trips - before)
        for (reply, outcome) in zip(replies, outcomes) { reply(outcome) }
    }

    private func note(_ requests: Int, trips: Int) {
        let count = waiting.count
        counters.change {
            $0.requests += requests
            $0.roundTrips += trips
            $0.waiting = count
        }
    }
}
